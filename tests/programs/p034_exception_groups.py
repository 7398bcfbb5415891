# durable: on
"""Exception groups that are split, derived, annotated with notes and kept across awaits."""
import asyncio

from world import effect, fail


class Tagged(ExceptionGroup):
    def __new__(cls, message, errors, tag=None):
        self = super().__new__(cls, message, errors)
        self.tag = tag
        return self

    def derive(self, errors):
        return Tagged(self.message, errors, self.tag)


class Custom(Exception):
    def __init__(self, code, *, detail):
        super().__init__(f"code {code}")
        self.code, self.detail = code, detail


async def main():
    out = []
    error = Tagged("many", [ValueError(1), Custom(5, detail="d"), KeyError("k")], "T")
    error.add_note("a note")
    await effect("held")
    match, rest = error.split(ValueError)
    await effect("split")
    out.append((match.tag, match.exceptions, type(rest).__name__, rest.message, match.__notes__))
    try:
        raise rest
    except* Custom as caught:
        await effect("custom")
        custom = caught.exceptions[0]
        custom.add_note("seen")
        out.append((custom.code, custom.detail, str(custom), caught.tag))
    except* KeyError as caught:
        out.append((caught.exceptions, caught.tag))
        await effect("key")
    out.append(custom.__notes__)
    try:
        await fail("custom leaf", Custom(7, detail=[1]))
    except Custom as leaf:
        leaf.detail.append(await effect("append", 2))
        out.append((leaf.detail, leaf.args))
    base = BaseExceptionGroup("base", [KeyboardInterrupt()])
    try:
        try:
            raise base
        except* ValueError:
            out.append("never")
    except BaseExceptionGroup as same:
        await effect("base")
        out.append((same is base, repr(same.exceptions)))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
