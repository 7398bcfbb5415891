# durable: on
"""wait_for in time, too late, with an inner error, with no limit, around tasks, futures and shields."""
import asyncio

from world import effect, fail


class Refused(Exception):
    pass


async def slow_answer(log, asked=None):
    try:
        if asked is not None:
            asked.set()
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        log.append("slow answer cancelled")
        await asyncio.sleep(0)
        log.append("slow answer cleaned up")
        raise


async def answer(text):
    await asyncio.sleep(0)
    return await effect(f"answer {text}", text.upper())


async def outlive(awaitable, log, label):
    try:
        return await asyncio.wait_for(awaitable, 0.05)
    except TimeoutError as late:
        log.append((label, late.args))
        return None


async def main():
    log = []
    loop = asyncio.get_running_loop()
    values = [await asyncio.wait_for(answer("a"), 30), await asyncio.wait_for(answer("b"), timeout=None)]

    await outlive(slow_answer(log), log, "coroutine")
    task = asyncio.create_task(slow_answer(log))
    await outlive(task, log, "task")
    log.append(("task was cancelled", task.cancelled()))
    future = loop.create_future()
    await outlive(future, log, "future")
    log.append(("future was cancelled", future.cancelled()))
    event = asyncio.Event()
    kept = asyncio.create_task(event.wait())
    await outlive(asyncio.shield(kept), log, "shield")
    log.append(("kept", kept.done()))
    event.set()
    values.append(await asyncio.wait_for(kept, 30))

    try:
        await asyncio.wait_for(fail("inner", Refused("no")), 30)
    except Refused as error:
        log.append(("inner error", error.args))

    second, asked = [], asyncio.Event()
    outer = asyncio.create_task(asyncio.wait_for(slow_answer(second, asked), 30))
    await asked.wait()
    outer.cancel()
    await asyncio.wait([outer])
    values.append(outer.cancelled())

    limits = await asyncio.gather(
        outlive(asyncio.Event().wait(), [], "x"),
        asyncio.wait_for(answer("c"), 30),
        outlive(asyncio.sleep(3600), [], "y"),
    )
    return log, second, values, limits


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
