# durable: on
"""Transfers between accounts lock both sides in order, with exceptions per transfer and an audit generator."""
import asyncio
import contextlib

from world import effect


class Insufficient(Exception):
    def __init__(self, name, missing):
        super().__init__(f"{name} lacks {missing}")
        self.missing = missing


class Account:
    def __init__(self, name, balance):
        self.name = name
        self.balance = balance
        self.held = False

    async def __aenter__(self):
        if self.held:
            raise RuntimeError(f"{self.name} is held")
        self.held = True
        await effect(f"lock {self.name}")
        return self

    async def __aexit__(self, *exc):
        self.held = False
        await effect(f"unlock {self.name}")


def audit():
    total = 0
    while True:
        entry = yield total
        if entry is None:
            return total
        total += entry[-1]


async def transfer(source, target, amount, book):
    first, second = sorted([source, target], key=lambda a: a.name)
    async with first, second:
        if source.balance < amount:
            raise Insufficient(source.name, amount - source.balance)
        source.balance -= amount
        target.balance += amount
        return book.send((source.name, target.name, amount))


async def main():
    accounts = {n: Account(n, b) for n, b in [("ann", 10), ("bob", 0)]}
    book = audit()
    next(book)
    out = []
    for source, target, amount in [("ann", "bob", 7), ("ann", "bob", 5), ("bob", "ann", 2)]:
        with contextlib.suppress(LookupError):
            try:
                out.append(await transfer(accounts[source], accounts[target], amount, book))
            except Insufficient as error:
                out.append((str(error), error.missing))
                raise LookupError from error
    try:
        book.send(None)
    except StopIteration as stop:
        out.append(stop.value)
    return out, {a.name: (a.balance, a.held) for a in accounts.values()}


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
