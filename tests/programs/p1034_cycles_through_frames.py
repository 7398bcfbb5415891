# durable: on
"""Generators, coroutines, async generators and closures are members of the structures which their own frames hold."""
import asyncio

from world import effect


def counter(box):
    n = 0
    while True:
        n += 1
        box["seen"].append((n, box["gen"] is not None))
        yield box


async def job(owner):
    mine = owner.job
    await effect("job one")
    owner.log.append(mine is owner.job)
    await effect("job two")
    return owner


async def stream(holder):
    while True:
        yield (await effect(f"stream {len(holder)}", len(holder))), holder


class Owner:
    def __init__(self):
        self.log = []
        self.job = job(self)
        self.me = lambda: self


async def main():
    box = {"seen": [], "gen": None}
    box["gen"] = counter(box)
    holder = []
    holder.append(stream(holder))
    owner = Owner()
    await effect("made")
    checks = [next(box["gen"]) is box, owner.me() is owner]
    n, same = await anext(holder[0])
    checks.append(same is holder)
    await effect("started")
    checks.append(next(box["gen"]) is box)
    result = await owner.job
    holder.append("x")
    m, same = await anext(holder[0])
    checks += [result is owner, same is holder]
    await holder[0].aclose()
    box["gen"].close()
    return checks, box["seen"], owner.log, n, m


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
