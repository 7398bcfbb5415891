# durable: on
"""Transfers between accounts lock both in a fixed order; the total never changes."""
import asyncio
import itertools
from dataclasses import dataclass, field

from world import effect, fail


class Overdrawn(Exception):
    pass


@dataclass(eq=False)
class Account:
    number: int
    owner: str
    balance: int
    lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    history: list = field(default_factory=list, repr=False)


class Bank:
    def __init__(self, **balances):
        numbers = itertools.count(1)
        self.accounts = {owner: Account(next(numbers), owner, amount) for owner, amount in balances.items()}

    def total(self):
        return sum(a.balance for a in self.accounts.values())

    async def transfer(self, source, target, amount, reference):
        a, b = self.accounts[source], self.accounts[target]
        first, second = sorted((a, b), key=lambda account: account.number)
        async with first.lock, second.lock:
            if a.balance < amount:
                await fail(f"refuse {reference}", Overdrawn(source, amount))
            a.balance -= amount
            try:
                await effect(f"transfer {reference}")
            finally:
                b.balance += amount
            entry = (reference, amount)
            a.history.append(entry)
            b.history.append(entry)
        return reference


async def main():
    bank = Bank(ann=100, bob=100, cid=100)
    before = bank.total()
    orders = [
        ("ann", "bob", 10, "r1"),
        ("bob", "ann", 20, "r2"),
        ("bob", "cid", 30, "r3"),
        ("cid", "ann", 5, "r4"),
        ("ann", "cid", 1000, "r5"),
        ("cid", "bob", 15, "r6"),
    ]
    done = await asyncio.gather(*(bank.transfer(*order) for order in orders), return_exceptions=True)
    overdrawn = done[4]
    balances = {owner: account.balance for owner, account in bank.accounts.items()}
    histories = {owner: sorted(account.history) for owner, account in bank.accounts.items()}
    entries = {entry[0]: entry for entry in bank.accounts["ann"].history}
    shared = all(entries[e[0]] is e for e in bank.accounts["bob"].history if e[0] in entries)
    locked = [account.lock.locked() for account in bank.accounts.values()]
    await effect("audit")
    done[4] = None
    return done, overdrawn.args, balances, histories, shared, locked, before == bank.total()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
