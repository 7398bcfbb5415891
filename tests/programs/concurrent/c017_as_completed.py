# durable: on
"""as_completed hands results out in the order of completion, with failures and a deadline."""
import asyncio

from world import effect, fail


async def runner(name, seconds):
    await asyncio.sleep(seconds)
    return name


async def stumble(seconds):
    await asyncio.sleep(seconds)
    raise RuntimeError("stumbled")


async def race():
    finish = []
    field = [runner("third", 0.25), runner("first", 0.01), stumble(0.13)]
    for arrival in asyncio.as_completed(field):
        try:
            finish.append(await arrival)
        except RuntimeError as error:
            finish.append(str(error))
    return finish


async def relay():
    loop = asyncio.get_running_loop()
    legs = {name: loop.create_future() for name in ("a", "b", "c", "d")}

    async def baton():
        for name in "cadb":
            await effect(f"leg {name}")
            legs[name].set_result(f"leg {name}")

    carrier = asyncio.create_task(baton())
    order = [await leg for leg in asyncio.as_completed(legs.values())]
    await carrier
    return order


async def with_deadline():
    ready, never = asyncio.create_task(asyncio.sleep(0, "ready")), asyncio.create_task(asyncio.Event().wait())
    await ready
    seen = []
    try:
        for item in asyncio.as_completed([never, ready], timeout=0.05):
            seen.append(await item)
    except TimeoutError:
        seen.append("deadline")
    seen.append(never.done())
    never.cancel()
    return seen


async def main():
    parallel = await asyncio.gather(race(), relay(), with_deadline())
    mixed = asyncio.as_completed([effect("yes", "yes"), fail("no", KeyError("no"))])
    outcomes = []
    for item in mixed:
        try:
            outcomes.append(await item)
        except KeyError as error:
            outcomes.append(repr(error))
    return parallel, sorted(outcomes)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
