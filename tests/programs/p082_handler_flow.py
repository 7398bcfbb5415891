# durable: on
"""break, continue and return from handlers with pending exceptions, and exc_info after each of them."""
import asyncio
import sys

from world import effect, fail


def current():
    return repr(sys.exc_info()[1])


async def loop(log):
    for k in range(4):
        try:
            await fail(f"fail{k}", ValueError(k))
        except ValueError as error:
            log.append(current())
            if k == 0:
                continue
            try:
                if k == 1:
                    raise KeyError("inner") from error
                if k == 2:
                    break
            except KeyError as inner:
                await effect("inner handler")
                log.append((current(), repr(inner.__cause__)))
                continue
            finally:
                await effect(f"inner finally {k}")
                log.append((k, current()))
        finally:
            log.append(("outer finally", current()))
    log.append(("after", current()))


async def returns(log):
    try:
        await fail("returns", OSError("r"))
    except OSError:
        try:
            await effect("returning")
            return current()
        finally:
            log.append(("leaving", current(), await effect("leaving")))
    finally:
        log.append(("left", current()))


async def gives(log):
    try:
        raise IndexError("in generator")
    except IndexError:
        yield current()
        await effect("generator")
        yield current()


async def main():
    log = []
    await loop(log)
    out = [await returns(log)]
    try:
        raise TypeError("outside")
    except TypeError:
        async for seen in gives(log):
            await effect("consumer")
            out.append((seen, current()))
    out.append(current())
    return out, log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
