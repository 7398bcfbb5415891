# durable: on
"""User-written iterator and iterable classes, with __getitem__ sequences and __len__ hints, keep their position."""
import asyncio

from world import effect


class Countdown:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.n <= 0:
            raise StopIteration
        self.n -= 1
        return self.n


class Sequence:
    def __init__(self):
        self.asked = []

    def __getitem__(self, i):
        self.asked.append(i)
        if i > 4:
            raise IndexError(i)
        return i * i


class Fresh:
    def __iter__(self):
        yield from (7, 8, 9)


async def main():
    down = Countdown(4)
    out = []
    for n in down:
        out.append(n)
        await effect(f"down {n}")
    seq = Sequence()
    it = iter(seq)
    out.append(next(it))
    await effect("seq")
    out.append(next(it))
    for n in it:
        out.append(n)
        await effect(f"seq {n}")
    backwards = reversed([*Fresh()])
    out.append(next(backwards))
    await effect("back")
    for n in Fresh():
        out.append(await effect(f"fresh {n}", n))
    return out, seq.asked, list(backwards), down.n


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
