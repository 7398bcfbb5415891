# durable: on
"""iter(callable, sentinel) over a bound method, a closure and a partial continues after awaits."""
import asyncio
import functools

from world import effect


class Tape:
    def __init__(self, cells):
        self.cells = list(cells)
        self.reads = 0

    def read(self):
        self.reads += 1
        return self.cells.pop(0) if self.cells else "EOF"


def take(stack, default):
    return stack.pop() if stack else default


async def main():
    tape = Tape("abc")
    n = 0

    def tick():
        nonlocal n
        n += 1
        return n

    out = []
    for cell in iter(tape.read, "EOF"):
        out.append(await effect(f"cell {cell}", cell))
    ticks = iter(tick, 4)
    out.append(next(ticks))
    await effect("ticks")
    out.extend(ticks)
    stack = [3, 2, 1]
    pops = iter(functools.partial(take, stack, None), None)
    out.append(next(pops))
    await effect("pops")
    stack.insert(0, await effect("pushed", 9))
    out.extend(pops)
    return out, tape.reads, n, next(ticks, "end"), stack


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
