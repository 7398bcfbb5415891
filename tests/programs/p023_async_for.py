# durable: on
"""async for over generators and classes with else, break, continue, return and errors in the body."""
import asyncio

from world import effect


class Countdown:
    def __init__(self, n, log):
        self.n, self.log = n, log

    def __aiter__(self):
        self.log.append("aiter")
        return self

    async def __anext__(self):
        if self.n <= 0:
            raise StopAsyncIteration
        self.n -= 1
        return await effect(f"count{self.n}", self.n)


async def find(wanted, log):
    async for k in Countdown(4, log):
        if k == 3:
            continue
        try:
            if k == wanted:
                return "found", k
        finally:
            log.append(("fin", k))
    else:
        log.append("exhausted")
        return None
    log.append("never")


async def main():
    log = []
    out = [await find(1, log), await find(7, log)]
    source = Countdown(5, log)
    async for a in source:
        async for b in source:
            out.append((a, b))
            break
        else:
            out.append("inner else")
            break
    try:
        async for k in Countdown(2, log):
            raise LookupError(k)
    except LookupError as error:
        out.append((error.args, k, error.__context__))
    return out, log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
