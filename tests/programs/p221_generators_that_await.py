# durable: on
"""An object's ``__await__`` is a generator with several effects in it: each is saved, with what the generator holds."""
import asyncio

from world import effect, fail


class Order:
    def __init__(self, name):
        self.name = name
        self.log = []

    def __await__(self):
        self.log.append("begin")
        total = 0
        for step, price in enumerate((3, 4, 5)):
            total += yield from effect(f"{self.name} {step}", price).__await__()
            self.log.append(total)
        receipt = yield from self.pay(total).__await__()
        self.log.append("end")
        return receipt

    async def pay(self, total):
        first = await effect(f"{self.name} reserve", total)
        second = await effect(f"{self.name} charge", first + 1)
        return self.name, first, second


class Careful(Order):
    """Inherits the generator; what it calls is its own."""

    async def pay(self, total):
        try:
            await fail(f"{self.name} refused", ValueError(total))
        except ValueError as error:
            return self.name, "refused", error.args, await effect(f"{self.name} refund")


async def both():
    first = Order("book")
    return first, await first, await Careful("pen")


async def main():
    first, *receipts = await both()
    return receipts, first.log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
