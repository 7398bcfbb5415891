# durable: on
"""Module-level iterators and generators used as id sources and queues by functions keep their position."""
import asyncio
import itertools

from world import effect


ids = itertools.count(10)
work = iter(["a", "b", "c", "d"])
colours = itertools.cycle("rgb")


def letters():
    for c in "wxyz":
        yield c


source = letters()


def new_id():
    return f"{next(source)}{next(ids)}"


async def worker(name):
    done = []
    for item in work:
        done.append((new_id(), item, next(colours), await effect(f"{name} {item}", item)))
        if len(done) == 2:
            break
    return done


async def main():
    first = await worker("one")
    await effect("between")
    second = await worker("two")
    return first, second, next(ids), next(work, "end"), next(colours), list(source)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
