# durable: on
"""What is ready when the program ends still runs; tasks that it leaves behind are cancelled, and clean up."""
import asyncio

from world import effect


async def leftover(end):
    try:
        await asyncio.sleep(30)
    except asyncio.CancelledError:
        end.append("is cancelled")
        await effect("clean up")
        end.append("has cleaned up")
        raise


async def begun_at_the_end(log):
    log.append("began")
    await asyncio.sleep(0)
    log.append("never gets here")


async def failing_at_the_end(end):
    try:
        await asyncio.Event().wait()
    finally:
        end.append("fails")
        asyncio.get_running_loop().call_soon(end.append, "the very last")


async def main():
    log, ends = [], ([], [])  # tasks are cancelled in the order of a set
    asyncio.create_task(leftover(ends[0]))
    asyncio.create_task(failing_at_the_end(ends[1]))
    await effect("work")
    await effect("more work")
    asyncio.create_task(begun_at_the_end(log))
    asyncio.get_running_loop().call_soon(log.append, "called")
    log.append("main ends")
    return log, ends


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
