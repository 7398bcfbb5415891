# durable: on
"""Chained comparisons evaluate each operand once and stop at the first false link."""
import asyncio

from world import effect


class Num:
    def __init__(self, n, log):
        self.n, self.log = n, log

    def __lt__(self, other):
        self.log.append(f"{self.n}<{other.n}")
        return self.n < other.n

    def __eq__(self, other):
        self.log.append(f"{self.n}=={other.n}")
        return [] if self.n != other.n else ["same"]

    __hash__ = None


async def main():
    log = []

    async def n(value):
        log.append(value)
        return await effect(f"n{value}", Num(value, log))

    out = [await n(1) < await n(2) < await n(3)]
    out.append(await n(5) < await n(4) < Num(99, log))
    out.append(await n(7) == await n(7) == Num(8, log))
    out.append(1 in [await effect("in", 1)] in [[1], 2])
    out.append(None is not (v := await effect("is", 3)) != 4 not in {v})
    out.append(not 1 < await effect("lt", 2) <= 2 > await effect("gt", 5))
    # a false link is the value, whatever its type
    out.append(await n(1) == Num(2, log) == await effect("never"))
    return out, log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
