# durable: on
"""Async generators not started, half consumed and closed early are kept in variables over awaits."""
import asyncio

from world import effect


async def pages(log, name, n):
    log.append(f"{name} start")
    try:
        for i in range(n):
            got = yield await effect(f"{name} {i}", (name, i))
            if got is not None:
                log.append((name, got))
    finally:
        log.append(f"{name} finally")
        await effect(f"{name} cleanup")


async def main():
    log = []
    fresh, half = pages(log, "fresh", 2), pages(log, "half", 4)
    box = [fresh, {"half": half}]
    out = [await anext(half)]
    await effect("held")
    out.append(await box[1]["half"].asend("hello"))
    out.append([x async for x in box[0]])
    await effect("drained")
    out.append(await anext(half))
    await half.aclose()
    out.append(await anext(half, "closed"))
    unstarted = pages(log, "unstarted", 1)
    await effect("unstarted kept")
    await unstarted.aclose()
    return out, log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
