# durable: on
"""sys.exc_info() names the right exception before, in and after handlers across awaits and calls."""
import asyncio
import sys

from world import effect


def now():
    kind, error, traceback = sys.exc_info()
    assert (kind is None) == (error is None) == (traceback is None)
    return repr(error)


async def callee(log):
    log.append(("callee start", now()))
    await effect("callee")
    log.append(("callee resumed", now()))
    try:
        raise KeyError("callee")
    except KeyError:
        await effect("callee handler")
        log.append(("callee handler", now()))
    log.append(("callee end", now()))


def generator(log):
    log.append(("generator", now()))
    yield 1
    log.append(("generator again", now()))
    try:
        raise IndexError
    except IndexError:
        yield 2
        log.append(("generator handler", now()))


async def main():
    log = [now()]
    steps = generator(log)
    try:
        raise ValueError("main")
    except ValueError:
        await effect("one")
        log.append(now())
        await callee(log)
        log.append(now())
        next(steps)
        await effect("two")
        next(steps)
        log.append(now())
    log.append(now())
    await effect("three")
    try:
        raise OSError("late")
    except OSError:
        list(steps)
        try:
            pass
        finally:
            await effect("finally in handler")
            log.append(now())
    log.append(now())
    return log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
