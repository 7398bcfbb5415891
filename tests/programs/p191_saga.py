# durable: on
"""An order flow records compensations and runs them in reverse when a later step fails."""
import asyncio
import functools

from world import effect, fail


class StepFailed(Exception):
    def __init__(self, step, reason):
        super().__init__(f"{step}: {reason}")
        self.step = step


class Saga:
    def __init__(self, name):
        self.name = name
        self.undo = []
        self.log = []

    async def __aenter__(self):
        self.log.append("begin")
        return self

    async def __aexit__(self, kind, error, trace):
        if error is None:
            self.log.append("commit")
            return False
        while self.undo:
            compensation = self.undo.pop()
            try:
                self.log.append(await compensation())
            except LookupError as second:
                self.log.append(f"compensation failed: {second!r} while {second.__context__ and kind.__name__}")
        return kind is StepFailed

    async def step(self, do, undo):
        result = await do
        self.undo.append(undo)
        self.log.append(result)
        return result


class Shop:
    def __init__(self, stock):
        self.stock = stock
        self.charged = {}

    async def reserve(self, item, n):
        if self.stock[item] < n:
            await fail(f"refuse {item}", StepFailed("reserve", item))
        self.stock[item] -= n
        return await effect(f"reserve {item}", f"reserved {item}")

    async def release(self, item, n):
        self.stock[item] += n
        return await effect(f"release {item}", f"released {item}")

    async def charge(self, who, amount):
        self.charged[who] = self.charged.get(who, 0) + amount
        return await effect(f"charge {who}", f"charged {amount}")

    async def refund(self, who):
        if who == "bob":
            await fail("refund bob", LookupError("no account"))
        del self.charged[who]
        return await effect(f"refund {who}", f"refunded {who}")


async def order(shop, who, lines):
    async with Saga(who) as saga:
        for item, n in lines:
            await saga.step(shop.reserve(item, n), functools.partial(shop.release, item, n))
        await saga.step(shop.charge(who, 10), lambda: shop.refund(who))
        if who == "bob":
            raise StepFailed("ship", "lost")
        saga.log.append(await effect(f"ship {who}", "shipped"))
    return saga.log


async def main():
    shop = Shop({"pen": 2, "cup": 1})
    logs = [await order(shop, "ann", [("pen", 1), ("cup", 1)])]
    logs.append(await order(shop, "bob", [("pen", 1)]))
    logs.append(await order(shop, "cid", [("pen", 1), ("cup", 1)]))
    return logs, shop.stock, shop.charged


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
