# durable: on
"""A retry decorator with backoff, an exception filter and a log wraps functions, methods and lambdas."""
import asyncio
import functools

from world import effect, fail


class Transient(Exception):
    pass


def retry(times, *, on=Transient, log, delays=None):
    def decorate(fn):
        @functools.wraps(fn)
        async def wrapper(*args, **kwargs):
            backoff = iter(delays or (2**n for n in range(times)))
            last = None
            for attempt in range(1, times + 1):
                try:
                    return await fn(*args, attempt=attempt, **kwargs)
                except on as error:
                    delay = next(backoff)
                    log.append((fn.__name__, attempt, delay, str(error)))
                    last = error
                    await asyncio.sleep(0)
            raise RuntimeError(f"{fn.__name__} gave up") from last

        return wrapper

    return decorate


async def main():
    log = []

    @retry(3, log=log)
    async def fetch(name, *, attempt):
        await effect(f"{name} {attempt}")
        if attempt < 3:
            raise Transient(f"{name} not yet")
        return name.upper()

    class Service:
        def __init__(self, bad):
            self.bad = bad

        @retry(2, on=(Transient, KeyError), log=log, delays=[5, 5])
        async def call(self, key, *, attempt):
            return await (fail(f"bad {attempt}", KeyError(key)) if key in self.bad else effect(f"good {key}", key))

    service = Service({"x"})
    out = [await fetch("a"), await service.call("y")]
    try:
        await service.call("x")
    except RuntimeError as error:
        out.append((str(error), repr(error.__cause__), fetch.__wrapped__.__name__))
    try:
        await retry(2, log=log)(fetch)("b")
    except TypeError as error:
        out.append(type(error).__name__)
    return out, log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
