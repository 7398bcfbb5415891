# durable: on
"""Sleepers wake in the order of their deadlines, and equal turns keep the order of creation."""
import asyncio

from world import effect


async def alarm(name, seconds, woken):
    slept = await asyncio.sleep(seconds, result=name)
    woken.append(slept)
    return seconds


async def turn_taker(name, rounds, log):
    for n in range(rounds):
        log.append(f"{name}{n}")
        await asyncio.sleep(0)


async def late_sleeper(woken):
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await alarm("late but short", 0.01, woken)


async def main():
    woken, log = [], []
    await effect("good night")
    sleepers = asyncio.gather(
        alarm("dawn", 0.45, woken),
        alarm("midnight", 0.15, woken),
        alarm("now", 0, woken),
        alarm("two", 0.3, woken),
        late_sleeper(woken),
        alarm("negative", -1, woken),
    )
    await asyncio.gather(*(turn_taker(n, r, log) for n, r in (("a", 3), ("b", 1), ("c", 4))))
    seconds = await sleepers

    started = asyncio.get_running_loop().time()
    await asyncio.sleep(0.1)
    enough = asyncio.get_running_loop().time() - started >= 0.099

    # a turn taker goes on while an effect is in flight; its own order does not change
    log2 = []
    together = await asyncio.gather(effect("coffee", "hot"), turn_taker("x", 3, log2), turn_taker("y", 2, log2))
    await effect("good morning")
    return woken, log, seconds, enough, together, log2


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
