# durable: on
"""A bank account is rebuilt from its events, takes snapshots, and refuses commands that break its rules."""
import asyncio
import copy
from dataclasses import dataclass
from decimal import Decimal

from world import effect


@dataclass(frozen=True)
class Opened:
    owner: str


@dataclass(frozen=True)
class Deposited:
    amount: Decimal


@dataclass(frozen=True)
class Withdrawn:
    amount: Decimal
    fee: Decimal = Decimal("0.50")


class Rejected(Exception):
    def __init__(self, command, reason):
        self.command = command
        self.reason = reason
        super().__init__(reason)


class Account:
    def __init__(self):
        self.owner = None
        self.balance = Decimal(0)
        self.version = 0

    def apply(self, event):
        match event:
            case Opened(owner=owner):
                self.owner = owner
            case Deposited(amount):
                self.balance += amount
            case Withdrawn(amount=amount, fee=fee):
                self.balance -= amount + fee
        self.version += 1
        return self


class EventStore:
    def __init__(self):
        self.events = []
        self.snapshots = {}

    async def append(self, account, event, expected):
        if expected != len(self.events):
            raise Rejected(event, f"version {expected} is not {len(self.events)}")
        await effect(f"append {type(event).__name__}")
        self.events.append(event)
        account.apply(event)
        if len(self.events) % 3 == 0:
            self.snapshots[len(self.events)] = await effect("snapshot", copy.copy(account))

    async def load(self):
        at = max(self.snapshots, default=0)
        account = copy.copy(self.snapshots.get(at)) or Account()
        for event in self.events[at:]:
            account.apply(await effect(f"replay {type(event).__name__}", event))
        return account


async def main():
    store, account = EventStore(), Account()
    out = []
    commands = [Opened("ann"), Deposited(Decimal("10.25")), Withdrawn(Decimal(3)), Deposited(Decimal("0.05"))]
    for command in commands:
        await store.append(account, command, account.version)
    try:
        await store.append(account, Deposited(Decimal(1)), 1)
    except Rejected as error:
        out.append((error.reason, error.command))
    again = await store.load()
    await effect("loaded")
    return out, vars(again) == vars(account), again.balance, again.version, list(store.snapshots), again is not account


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
