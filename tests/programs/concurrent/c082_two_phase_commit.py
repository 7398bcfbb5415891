# durable: on
"""A coordinator and participants agree on commits in two phases; one refuses, one is silent."""
import asyncio
from asyncio import Queue, TimeoutError, create_task, gather, sleep, wait, wait_for

from world import effect


class Participant:
    def __init__(self, name, *, vetoes=(), silent_on=()):
        self.name = name
        self.vetoes = vetoes
        self.silent_on = silent_on
        self.inbox = Queue()
        self.prepared = {}
        self.data = {}

    async def run(self):
        while (message := await self.inbox.get()) is not None:
            kind, number, payload, answer = message
            if kind == "prepare":
                if number in self.silent_on:
                    continue
                if number not in self.vetoes:
                    self.prepared[number] = payload and await effect(f"{self.name} logs {number}", payload)
                answer.set_result(number not in self.vetoes)
            elif kind == "commit":
                self.data |= self.prepared.pop(number)
                answer.set_result(await effect(f"{self.name} commits {number}", "committed"))
            else:
                answer.set_result("dropped" if self.prepared.pop(number, None) is not None else "nothing to drop")
        return sorted(self.data.items())

    def send(self, kind, number, payload=None):
        answer = asyncio.get_running_loop().create_future()
        self.inbox.put_nowait((kind, number, payload, answer))
        return answer


class Coordinator:
    def __init__(self, *participants):
        self.participants = participants
        self.decisions = []

    async def transact(self, number, payload, patience=30):
        votes = [p.send("prepare", number, payload) for p in self.participants]
        try:
            willing = all(await wait_for(gather(*votes), patience))
            decision = "commit" if willing else "abort"
        except TimeoutError:
            decision = "abort"
        self.decisions.append((number, decision))
        answers = await gather(*(p.send(decision, number) for p in self.participants))
        return decision, answers


async def main():
    ledger, stock, mail = Participant("ledger"), Participant("stock", vetoes={2}), Participant("mail", silent_on={3})
    tasks = [create_task(p.run(), name=p.name) for p in (ledger, stock, mail)]
    coordinator = Coordinator(ledger, stock, mail)
    results = [await coordinator.transact(1, {"pen": 1})]
    results += await gather(coordinator.transact(2, {"cup": 2}), coordinator.transact(4, {"jar": 4}))
    results.append(await coordinator.transact(3, {}, patience=0.1))
    for p in (ledger, stock, mail):
        p.inbox.put_nowait(None)
    await wait(tasks)
    await sleep(0)
    undecided = [p.prepared for p in coordinator.participants]
    return results, sorted(coordinator.decisions), [t.result() for t in tasks], undecided


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
