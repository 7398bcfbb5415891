# durable: on
"""Exceptions kept in variables keep type, args, attributes and identity."""
import asyncio

from world import effect, fail


class Refused(Exception):
    def __init__(self, code, *, detail):
        super().__init__(f"refused with {code}")
        self.code = code
        self.detail = detail

    def __str__(self):
        return f"{self.args[0]} ({self.detail})"


class NoArgs(Exception):
    def __init__(self, path):
        self.path = path


async def main():
    kept = []
    for n in range(3):
        try:
            await effect(f"try {n}")
            if n == 0:
                raise Refused(404, detail="missing")
            if n == 1:
                await fail("deep", NoArgs("/tmp"))
            raise KeyError("k", n)
        except Exception as error:
            error.seen = n
            kept.append(error)
    same = kept[0]
    await effect("after")
    out = []
    for error in kept:
        await effect(f"report {type(error).__name__}")
        out.append((type(error).__name__, error.args, str(error), sorted(vars(error).items())))
    return out, same is kept[0], isinstance(kept[1], NoArgs)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
