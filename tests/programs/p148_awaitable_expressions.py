# durable: on
"""Awaited expressions with side effects evaluate once: calls that return coroutines, lambdas, dispatch and custom awaitables."""
import asyncio

from world import effect


class Request:
    def __init__(self, name, made):
        self.name = name
        made.append(name)

    def __await__(self):
        return self.send().__await__()

    async def send(self):
        return (await effect(f"{self.name} send", self.name)).upper()


async def main():
    calls = []

    def start(name, value):
        calls.append(name)
        return effect(name, value)

    table = {"x": lambda v: start("from table", v)}
    out = [await start("direct", 1)]
    out.append(await (lambda v: start("from lambda", v))(2))
    out.append(await table["x"](3))
    out.append(await (start("chosen", 4) if len(calls) == 3 else start("wrong", 5)))
    made = []
    requests = [Request("a", made)]
    out.append(await requests[0])
    out.append(await Request("b", made))
    out.append([await c for c in (start(f"gen {i}", i) for i in range(2))])
    return out, calls, made


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
