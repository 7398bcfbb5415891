# durable: on
"""A list of pairs, nested thousands of levels deep, is held by a coroutine that waits for another one."""
import asyncio

from world import effect


async def inner(linked):
    total = 0
    for n in range(3):
        total += await effect(f"step {n}", linked[0])
        linked = linked[1]
    return total


async def main():
    linked = None
    for n in range(3000):
        linked = (n, linked)
    total = await inner(linked)
    depth = 0
    while linked is not None:
        linked = linked[1]
        depth += 1
    return total, depth


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
