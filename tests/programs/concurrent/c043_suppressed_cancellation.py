# durable: on
"""Tasks that swallow their cancellation end normally; the caller sees a result."""
import asyncio
import contextlib

from world import effect


async def drain(name, items, parked):
    """Collect until cancelled; what was collected so far is the result."""
    collected = []
    queue = asyncio.Queue()
    for item in items:
        queue.put_nowait(item)
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            if queue.empty():
                parked.set()
            collected.append(await queue.get())
    return name, collected, asyncio.current_task().cancelling()


async def convert(parked):
    try:
        parked.set()
        await asyncio.Event().wait()
    except asyncio.CancelledError as stop:
        raise TimeoutError("took too long") from stop


async def replaced(parked):
    try:
        parked.set()
        await asyncio.Event().wait()
    finally:
        return await effect("last words", "last words")


async def go_on(parked):
    notes = []
    for part in ("intro", "middle", "end"):
        try:
            if part == "middle":
                parked.set()
                await asyncio.Event().wait()
            notes.append(await effect(f"play {part}", part))
        except asyncio.CancelledError:
            notes.append(f"{part} skipped")
            asyncio.current_task().uncancel()
    async with asyncio.timeout(30):
        notes.append(await effect("bow", "bow"))
    return notes


async def start_and_cancel(function, *args):
    parked = asyncio.Event()
    task = asyncio.create_task(function(*args, parked))
    await parked.wait()
    task.cancel()
    try:
        outcome = await task
    except TimeoutError as error:
        outcome = str(error), type(error.__cause__).__name__
    return outcome, task.cancelled(), task.cancelling()


async def main():
    return [
        await start_and_cancel(drain, "inbox", "abc"),
        await start_and_cancel(convert),
        await start_and_cancel(replaced),
        await start_and_cancel(go_on),
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
