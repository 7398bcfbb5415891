# durable: on
"""Errors in __enter__ and __exit__, missing protocols, and the context chains they make."""
import asyncio

from world import effect


class Bad:
    def __init__(self, log, enter=None, leave=None):
        self.log, self.enter, self.leave = log, enter, leave

    def __enter__(self):
        self.log.append("enter")
        if self.enter:
            raise self.enter
        return self

    def __exit__(self, *info):
        self.log.append(f"exit {info[1]!r}")
        if self.leave:
            raise self.leave


def chain(error):
    return [repr(error)] + (chain(error.__context__) if error.__context__ else [])


async def attempt(log, enter, leave, body):
    try:
        with Bad(log), Bad(log, enter, leave) as inner:
            await effect("body")
            if body:
                raise body
            return inner.leave and "returned"
    except Exception as error:
        await effect("handler")
        return chain(error)
    finally:
        log.append("done")


async def main():
    log, out = [], []
    out.append(await attempt(log, ValueError("enter"), None, None))
    out.append(await attempt(log, None, ValueError("leave"), None))
    out.append(await attempt(log, None, ValueError("leave"), KeyError("body")))
    out.append(await attempt(log, None, None, KeyError("body")))
    for thing in (5, None):
        try:
            with thing:
                out.append("never")
        except TypeError as error:
            out.append("context manager protocol" in str(error))
        try:
            async with thing:
                out.append("never")
        except TypeError as error:
            out.append("asynchronous context manager protocol" in str(error))
    return out, log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
