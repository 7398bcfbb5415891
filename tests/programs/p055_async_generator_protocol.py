# durable: on
"""asend, athrow, aclose and exhaustion of async generators with awaits at every step."""
import asyncio

from world import effect


async def conversation(log):
    total = 0
    try:
        while True:
            try:
                got = yield total
                log.append(("got", got))
                total += await effect(f"add-{got}", got or 0)
            except ValueError as error:
                log.append(("handled", str(error)))
                total = yield await effect("handler", "from handler")
    finally:
        log.append(await effect("closing", "closing"))


async def main():
    log = []
    talk = conversation(log)
    out = [await talk.asend(None), await talk.asend(5), await anext(talk), await talk.asend(7)]
    await effect("held")
    out.append(await talk.athrow(ValueError("thrown in")))
    out.append(await talk.asend(100))
    out.append(await talk.asend(1))
    await talk.aclose()
    out.append(await anext(talk, "over"))
    await talk.aclose()
    fresh = conversation(log)
    try:
        await fresh.asend("too early")
    except TypeError as error:
        out.append(str(error))
    await fresh.aclose()
    try:
        await fresh.athrow(KeyError("after close"))
    except (KeyError, StopAsyncIteration) as error:
        out.append("closed")
    other = conversation(log)
    await other.__anext__()
    try:
        await other.athrow(OSError("unhandled"))
    except OSError as error:
        out.append((repr(error), error.__context__))
    try:
        await other.__anext__()
    except StopAsyncIteration as stop:
        out.append(stop.args)
    return out, log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
