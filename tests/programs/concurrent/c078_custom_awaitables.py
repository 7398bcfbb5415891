# durable: on
"""Classes with __await__ stand for promises, lazy values and joins; many tasks await the same ones."""
import asyncio

from world import effect


class Promise:
    """May be awaited by many, resolved once."""

    def __init__(self):
        self.future = asyncio.get_running_loop().create_future()
        self.waiters = 0

    def __await__(self):
        self.waiters += 1
        return self.future.__await__()

    def resolve(self, value):
        self.future.set_result(value)


class Lazy:
    """Starts its work when first awaited."""

    def __init__(self, function, *args):
        self.function = function
        self.args = args
        self.task = None

    def __await__(self):
        if self.task is None:
            self.task = asyncio.ensure_future(self.function(*self.args))
        return (yield from self.task.__await__())


class Both:
    def __init__(self, left, right):
        self.left = left
        self.right = right

    def __await__(self):
        left = yield from self.left.__await__()
        right = yield from self.right.__await__()
        return left, right


async def waiter(name, promise, woken):
    value = await promise
    woken.append(name)
    return value


async def load(name):
    return await effect(f"load {name}", [name])


async def main():
    promise, woken = Promise(), []
    waiters = [asyncio.create_task(waiter(n, promise, woken)) for n in ("ann", "bob", "cid")]
    await asyncio.sleep(0)
    await effect("they all wait")
    promise.resolve({"answer": 42})
    values = await asyncio.gather(*waiters)
    shared = all(v is values[0] for v in values)

    lazy, unused = Lazy(load, "settings"), Lazy(load, "never")
    async def use():
        return await lazy

    first, second = await asyncio.gather(use(), use())
    once = first is second is await lazy
    pair = await Both(Both(promise, lazy), Lazy(load, "more"))
    limited = await asyncio.wait_for(asyncio.shield(asyncio.ensure_future(lazy)), 30)
    return values, woken, promise.waiters, shared, first, once, unused.task, pair, limited is first


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
