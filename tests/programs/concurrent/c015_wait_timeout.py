# durable: on
"""asyncio.wait with a timeout reports who is late and cancels nobody."""
import asyncio as aio
from asyncio import wait

from world import effect


async def reply(guest, asked):
    asked.append(guest)
    return await effect(f"reply of {guest}", f"{guest} comes")


async def think(guest, asked, decision):
    asked.append(guest)
    await decision.wait()
    return f"{guest} comes late"


async def main():
    asked, decision = [], aio.Event()
    quick = [aio.create_task(reply(g, asked), name=g) for g in ("ann", "bob")]
    slow = [aio.create_task(think(g, asked, decision), name=g) for g in ("cid", "dot")]
    await wait(quick, timeout=30)

    done, pending = await wait([*quick, *slow], timeout=0.1)
    first = sorted(t.get_name() for t in done), sorted(t.get_name() for t in pending)
    alive = [t.cancelled() or t.done() for t in slow]

    nothing, still = await wait(pending, timeout=0.05, return_when=aio.FIRST_COMPLETED)
    second = len(nothing), still == set(slow)
    polled, _ = await wait([*quick, *slow], timeout=0)
    decision.set()
    done, pending = await wait(still, timeout=30, return_when=aio.FIRST_EXCEPTION)
    third = sorted(t.result() for t in done), pending

    forever = aio.create_task(aio.sleep(3600), name="forever")
    rounds = 0
    while not forever.done():
        done, pending = await wait({forever}, timeout=0.02)
        rounds += 1
        if rounds == 3:
            forever.cancel()
    await effect("seating plan")
    return asked, first, alive, second, len(polled), third, rounds, forever.cancelled(), [t.result() for t in quick]


if __name__ == "__main__":
    print(repr(aio.run(main())))
