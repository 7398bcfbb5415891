# durable: on
"""tee branches at different positions and a groupby with a half-read group survive."""
import asyncio
import itertools

from world import effect


async def main():
    source = iter("abcdefgh")
    left, right = itertools.tee(source)
    third = None
    out = [next(left), next(left), next(right)]
    await effect("one")
    out.append(next(left))
    out.append(next(right))
    await effect("two")
    left, third = itertools.tee(left)
    out.append((next(left), next(third), next(right)))
    await effect("three")
    return out, "".join(left), "".join(right), "".join(third), next(source, "end")


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
