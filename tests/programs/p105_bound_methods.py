# durable: on
"""Bound methods of shared objects stay bound to the same object after an await."""
import asyncio

from world import effect


class Account:
    rate = 2

    def __init__(self):
        self.items = []

    def add(self, x):
        self.items.append(x)
        return len(self.items)

    async def add_async(self, name, x):
        self.items.append(await effect(name, x * self.rate))
        return self.items[-1]

    @classmethod
    def describe(cls):
        return cls.__name__, cls.rate

    @staticmethod
    def double(x):
        return x * 2


async def main():
    account = Account()
    add, later, describe, double = account.add, account.add_async, account.describe, account.double
    append = account.items.append
    table = {"add": add, "later": later}
    await effect("bound")
    add(1)
    append(2)
    await table["later"]("three", 3)
    table["add"](await effect("four", 4))
    checks = [add.__self__ is account, table["add"] == account.add, append.__self__ is account.items]
    await effect("checked")
    add(double(5))
    return account.items, checks, describe(), later.__func__ is Account.add_async


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
