# durable: on
"""contextlib.AsyncExitStack with sync and async entries and callbacks added across awaits."""
import asyncio
from contextlib import AsyncExitStack

from world import effect


class Link:
    def __init__(self, name, log):
        self.name, self.log = name, log

    async def __aenter__(self):
        self.log.append(f"aenter {self.name}")
        return self.name

    async def __aexit__(self, kind, error, traceback):
        self.log.append(f"aexit {self.name} {error!r}")
        return kind is KeyError


class Plain:
    def __init__(self, log):
        self.log = log

    def __enter__(self):
        return self

    def __exit__(self, *info):
        self.log.append(f"exit plain {info[1]!r}")


async def goodbye(log, text):
    log.append(text)


async def main():
    log = []
    async with AsyncExitStack() as stack:
        for name in ("a", "b"):
            log.append(await stack.enter_async_context(Link(name, log)))
            await effect(f"entered {name}")
        stack.enter_context(Plain(log))
        stack.push_async_callback(goodbye, log, await effect("text", "bye"))
        stack.callback(log.append, "plain callback")
        await effect("body")
        raise KeyError("absorbed")
    log.append("after")
    await effect("second")
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(Link("c", log))
        saved = stack.pop_all()
    await effect("kept open")
    await saved.aclose()
    return log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
