# durable: on
"""and, or and not stop early, return operands, and skip the awaits on their right."""
import asyncio

from world import effect


class Truth:
    def __init__(self, name, value, log):
        self.name, self.value, self.log = name, value, log

    def __bool__(self):
        self.log.append(self.name)
        return self.value

    def __repr__(self):
        return f"<{self.name}>"


async def main():
    log = []
    out = []

    async def t(name, value):
        return await effect(name, Truth(name, value, log))

    out.append(await t("a", True) and await t("b", False) and await t("never1", True))
    out.append(await t("c", False) or await t("d", True) or await t("never2", True))
    out.append(not (await t("e", False) and await t("never3", True)) and not await t("f", False))
    out.append(log[:])
    log.clear()
    if not (await t("g", True) and (await t("h", False) or await t("i", False))):
        out.append("negated")
    log.append("--")
    x = 0 or await effect("zero", 0) or [] or (y := await effect("walrus", "kept")) and {"y": y}
    out.append(x)
    out.append([w for w in (0, 1, 2, 3) if w and await effect(f"even{w}", w % 2 == 0) or w == 0])
    return out, log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
