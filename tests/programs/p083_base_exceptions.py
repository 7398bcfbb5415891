# durable: on
"""BaseException subclasses, SystemExit, KeyboardInterrupt, GeneratorExit and CancelledError caught around awaits."""
import asyncio

from world import effect, fail


class Private(BaseException):
    pass


async def guarded(error, log):
    try:
        try:
            await fail(f"raise-{type(error).__name__}", error)
        except Exception as caught:
            log.append(("Exception", repr(caught)))
            return "exception"
        finally:
            log.append(await effect("cleanup", type(error).__name__))
    except (Private, GeneratorExit) as base:
        await effect("base handler")
        return "base", base is error, repr(base)


async def main():
    log, out = [], []
    for error in (Private("p"), ValueError("v")):
        out.append(await guarded(error, log))
    for error in (GeneratorExit("g"), SystemExit(3)):
        try:
            out.append(await guarded(error, log))
        except SystemExit as leaving:
            await effect("not leaving")
            out.append(leaving.code)
    try:
        raise KeyboardInterrupt
    except BaseException as stop:
        await effect("after interrupt")
        out.append(type(stop).__name__)
    try:
        try:
            await fail("cancelled", asyncio.CancelledError("by hand"))
        except Exception:
            out.append("never")
        finally:
            await effect("while cancelled")
    except asyncio.CancelledError as cancelled:
        out.append(cancelled.args)
    try:
        await fail("timeout", asyncio.TimeoutError("t"))
    except TimeoutError as error:
        out.append(str(error))
    return out, log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
