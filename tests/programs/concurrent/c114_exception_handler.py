# durable: on
"""The loop's exception handler stays the program's own, also after it was restored."""
import asyncio

from world import effect

seen = []


class Handler:
    def __init__(self, name):
        self.name = name

    def __call__(self, loop, context):
        own = loop is asyncio.get_running_loop()
        seen.append((self.name, own, type(context["exception"]).__name__, str(context["exception"])))


def fail(message):
    raise ValueError(message)


async def main():
    loop = asyncio.get_running_loop()
    handler = Handler("first")
    loop.set_exception_handler(handler)
    await effect("set")
    loop.call_soon(fail, "early")
    await effect("go on")
    await effect("go further")
    loop.call_later(0.01, fail, "late")
    await asyncio.sleep(0.05)
    same = loop.get_exception_handler() is handler
    loop.set_exception_handler(None)
    return seen, same, loop.get_exception_handler()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
