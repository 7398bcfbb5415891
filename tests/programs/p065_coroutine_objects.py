# durable: on
"""Coroutine objects created early, stored, passed around, awaited later, closed, or awaited twice."""
import asyncio

from world import effect, fail


async def work(name, *args):
    return name, args, await effect(f"work-{name}", len(args))


async def run(coroutine):
    await effect("run first")
    return await coroutine


async def broken():
    await fail("broken", ValueError("b"))


async def main():
    early = work("early", 1, 2)
    pending = {"k": work("stored"), "list": [work("in list", [3])]}
    await effect("others first")
    out = [await run(early), await pending["k"], await pending["list"].pop()]
    try:
        await early
    except RuntimeError as error:
        out.append(str(error))
    unused = work("unused")
    await effect("held unused")
    unused.close()
    try:
        await unused
    except RuntimeError as error:
        out.append(str(error))
    failed = broken()
    try:
        await failed
    except ValueError as error:
        out.append(repr(error))
    await effect("after failure")
    try:
        await failed
    except RuntimeError as error:
        out.append(str(error))
    out.append(await (lambda c: c)(work("lambda")))
    out.append([await c for c in [work(n) for n in "xy"]])
    manual = empty()
    try:
        manual.send(None)
    except StopIteration as stop:
        out.append(stop.value)
    return out


async def empty():
    return "no await"


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
