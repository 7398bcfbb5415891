# durable: on
"""Decorators with functools.wraps around async functions, with arguments, stacked, on methods and classes."""
import asyncio
import functools

from world import effect, fail


def logged(log):
    def decorate(function):
        @functools.wraps(function)
        async def wrapper(*args, **kwargs):
            log.append(f"> {function.__name__}")
            try:
                return await function(*args, **kwargs)
            finally:
                log.append(f"< {function.__name__}")
        return wrapper
    return decorate


def retry(times):
    def decorate(function):
        @functools.wraps(function)
        async def wrapper(*args, **kwargs):
            for attempt in range(times):
                try:
                    return await function(*args, attempt=attempt, **kwargs)
                except OSError as error:
                    last = error
                    await effect(f"backoff{attempt}")
            raise last
        wrapper.times = times
        return wrapper
    return decorate


LOG = []


def register(cls):
    cls.registered = [n for n in vars(cls) if not n.startswith("_")]
    return cls


@register
class Client:
    @logged(LOG)
    @retry(3)
    async def get(self, key, *, attempt):
        """Get it."""
        if attempt < 2:
            await fail(f"get{attempt}", OSError(attempt))
        return await effect("got", (key, attempt))

    @staticmethod
    @retry(1)
    async def lost(attempt):
        raise OSError("lost")


@logged(LOG)
async def plain(a, /, b=2, *, c: int = 3) -> tuple:
    return a, await effect("plain", b), c


async def main():
    client = Client()
    out = [await client.get("k"), await plain(1, c=await effect("c", 9))]
    try:
        await client.lost()
    except OSError as error:
        out.append(repr(error))
    out.append((Client.get.__name__, Client.get.__doc__, Client.get.times, plain.__annotations__["c"].__name__))
    out.append((plain.__wrapped__.__qualname__, plain.__wrapped__.__kwdefaults__, Client.registered))
    return out, LOG


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
