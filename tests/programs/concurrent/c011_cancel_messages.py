# durable: on
"""Tasks are cancelled with messages, count their cancellations and take them back."""
import asyncio

from world import effect


async def patient(log, waiting):
    me = asyncio.current_task()
    for visit in range(3):
        try:
            waiting.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError as stop:
            log.append((visit, stop.args, me.cancelling()))
            log.append(("left", me.uncancel()))
            await effect(f"recover {visit}")
    return "discharged"


async def impatient(log, waiting):
    """Ask two more cancellations of itself than it got from others."""
    me = asyncio.current_task()
    try:
        waiting.set()
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        me.cancel("mine")
        me.cancel("mine again")
        log.append(("count", me.cancelling()))
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError as stop:
            log.append(("own", stop.args, [me.uncancel() for _ in range(4)]))
    return await effect("settle", "settled")


async def main():
    log, asked, waiting = [], [], asyncio.Event()
    task = asyncio.create_task(patient(log, waiting))
    for message in ("first visit", None, "third visit"):
        await waiting.wait()
        waiting.clear()
        asked.append(task.cancel(message) if message else task.cancel())
    result = await task
    asked.append(task.cancel("too late"))

    own, waiting = [], asyncio.Event()
    second = asyncio.create_task(impatient(own, waiting))
    await waiting.wait()
    second.cancel("yours")
    own.append(await second)

    never_ran = asyncio.create_task(patient([], asyncio.Event()))
    twice = [never_ran.cancel("one"), never_ran.cancel("two"), never_ran.cancelling()]
    try:
        await never_ran
    except asyncio.CancelledError as stop:
        twice.append(stop.args)
    try:
        never_ran.result()
    except asyncio.CancelledError:
        twice.append((never_ran.cancelled(), never_ran.done()))
    await effect("close the file")
    return log, asked, result, task.cancelling(), own, twice


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
