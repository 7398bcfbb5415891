# durable: on
"""Callbacks of call_soon take turns with tasks; a cancelled handle is skipped; contexts are honoured."""
import asyncio
import contextvars

from world import effect

request = contextvars.ContextVar("request", default="none")


class Trace:
    def __init__(self, loop):
        self.loop = loop
        self.lines = []

    def note(self, text):
        self.lines.append(text)

    def chain(self, label, left):
        self.lines.append(f"{label}{left}")
        if left:
            self.loop.call_soon(self.chain, label, left - 1)

    async def walk(self, label, steps):
        for n in range(steps):
            self.lines.append(f"{label}{n}")
            await asyncio.sleep(0)


async def main():
    loop = asyncio.get_running_loop()
    trace = Trace(loop)
    await effect("before")

    first = asyncio.create_task(trace.walk("t", 3))
    loop.call_soon(trace.note, "callback 1")
    dropped = loop.call_soon(trace.note, "dropped")
    loop.call_soon(trace.chain, "chain", 3)
    second = asyncio.create_task(trace.walk("u", 2))
    loop.call_soon(lambda: dropped.cancel() or trace.note("too late to drop"))
    late = loop.call_soon(trace.note, "dropped in time")
    late.cancel()
    trace.note("main goes on")
    await first
    await second
    await effect("middle")

    seen = []
    other = contextvars.copy_context()
    other.run(request.set, "other")
    request.set("mine")
    loop.call_soon(lambda: seen.append(request.get()))
    loop.call_soon(lambda: seen.append(request.get()), context=other)
    request.set("changed after")
    done = loop.create_future()
    loop.call_soon(done.set_result, "all called")
    seen.append(await done)

    # a callback may create a task, and the task's turn comes after what is queued already
    trace.note("--")
    created = []
    loop.call_soon(lambda: created.append(loop.create_task(trace.walk("v", 2))))
    loop.call_soon(trace.note, "queued before v")
    await asyncio.sleep(0)
    await created[0]
    return trace.lines, dropped.cancelled(), late.cancelled(), seen, created[0].done()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
