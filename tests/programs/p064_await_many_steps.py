# durable: on
"""One __await__ generator and one types.coroutine function that each go through several awaits."""
import asyncio
import types

from world import effect, fail


class Transaction:
    def __init__(self, log):
        self.log = log

    def __await__(self):
        total = 0
        for k in range(3):
            total += yield from effect(f"part{k}", k + 1).__await__()
            self.log.append(total)
        try:
            yield from fail("commit", OSError("retry")).__await__()
        except OSError as error:
            self.log.append(repr(error))
            yield from effect("commit again").__await__()
        return total


@types.coroutine
def old_style(n):
    first = yield from effect("old1", n)
    second = yield from helper(first)
    return first + second


async def helper(n):
    return await effect("helper", n * 10)


async def main():
    log = []
    out = [await Transaction(log)]
    out.append(await old_style(2))
    return out, log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
