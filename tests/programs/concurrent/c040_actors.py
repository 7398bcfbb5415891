# durable: on
"""Actors with mailboxes: each owns its state, answers asks, tells others and stops on request."""
import asyncio

from world import effect


class Actor:
    def __init__(self, name):
        self.name = name
        self.mailbox = asyncio.Queue()
        self.task = asyncio.create_task(self.live(), name=name)

    async def live(self):
        handled = 0
        while True:
            method, args, reply = await self.mailbox.get()
            if method == "stop":
                reply.set_result(handled)
                return handled
            try:
                result = await getattr(self, f"on_{method}")(*args)
            except Exception as error:
                if reply is None:
                    raise
                reply.set_exception(error)
            else:
                if reply is not None:
                    reply.set_result(result)
            handled += 1

    def tell(self, method, *args):
        self.mailbox.put_nowait((method, args, None))

    async def ask(self, method, *args):
        reply = asyncio.get_running_loop().create_future()
        self.mailbox.put_nowait((method, args, reply))
        return await reply


class Account(Actor):
    def __init__(self, name, auditor):
        self.balance = 0
        self.auditor = auditor
        super().__init__(name)

    async def on_deposit(self, amount):
        self.balance += amount
        self.auditor.tell("record", self.name, amount)
        return self.balance

    async def on_withdraw(self, amount):
        if amount > self.balance:
            raise ValueError(f"{self.name} has only {self.balance}")
        return await self.on_deposit(-await effect(f"pay out {amount} to {self.name}", amount))


class Auditor(Actor):
    def __init__(self):
        self.records = {}
        super().__init__("auditor")

    async def on_record(self, name, amount):
        self.records.setdefault(name, []).append(amount)

    async def on_report(self):
        return await effect("report", {name: sum(amounts) for name, amounts in sorted(self.records.items())})


async def main():
    auditor = Auditor()
    ann, bob = Account("ann", auditor), Account("bob", auditor)
    for amount in (5, 10):
        ann.tell("deposit", amount)
    asks = await asyncio.gather(
        ann.ask("withdraw", 4),
        bob.ask("withdraw", 1),
        bob.ask("deposit", 7),
        ann.ask("nonsense"),
        bob.ask("withdraw", 2),
        return_exceptions=True,
    )
    report = await auditor.ask("report")
    handled = [await actor.ask("stop") for actor in (ann, bob, auditor)]
    same = [await actor.task for actor in (ann, bob, auditor)] == handled
    return [a if isinstance(a, int) else type(a).__name__ for a in asks], report, handled, same, auditor.records["ann"]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
