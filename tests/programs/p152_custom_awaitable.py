# durable: on
"""Awaitables with __await__ as a method over a coroutine and as a generator have checkpoints inside of them."""
import asyncio

from world import effect


class Request:
    def __init__(self, name):
        self.name = name
        self.tries = 0

    def __await__(self):
        return self.send().__await__()

    async def send(self):
        self.tries += 1
        await effect(f"{self.name} open")
        return await effect(f"{self.name} send", self.name.upper())


class Both:
    def __init__(self, *parts):
        self.parts = parts

    def __await__(self):
        results = []
        for part in self.parts:
            results.append((yield from part.__await__()))
        return results


async def main():
    a, b = Request("a"), Request("b")
    out = [await a]
    both = Both(b, Request("c"))
    await effect("between")
    out.append(await both)
    out.append(await Both())
    return out, a.tries, b.tries


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
