# durable: on
"""Runners wait at an event; set wakes them in order, clear closes it again, is_set can be asked."""
import asyncio

from world import effect


class Gate:
    def __init__(self, name):
        self.name = name
        self.event = asyncio.Event()
        self.passed = []

    async def pass_through(self, who):
        waited = not self.event.is_set()
        value = await self.event.wait()
        self.passed.append((who, waited, value))


async def runner(who, gates, warm_up):
    for _ in range(warm_up):
        await asyncio.sleep(0)
    for gate in gates:
        await gate.pass_through(who)
    return who


async def starter(gates, log):
    for gate in gates:
        await effect(f"ready {gate.name}")
        log.append(f"open {gate.name}")
        gate.event.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def main():
    gates = [Gate("start"), Gate("bridge"), Gate("finish")]
    log = []
    warm_ups = {"ann": 2, "bob": 0, "cid": 1}
    runners = [asyncio.create_task(runner(who, gates, turns)) for who, turns in warm_ups.items()]
    for _ in range(5):
        await asyncio.sleep(0)
    await asyncio.gather(starter(gates, log), *runners)
    first = [gate.passed for gate in gates]

    # set and cleared at once: those who waited pass, those who come later wait
    turnstile = Gate("turnstile")
    early = [asyncio.create_task(turnstile.pass_through(f"early {n}")) for n in range(2)]
    await asyncio.sleep(0)
    turnstile.event.set()
    turnstile.event.clear()
    late = asyncio.create_task(turnstile.pass_through("late"))
    await asyncio.wait(early)
    await effect("turnstile is closed")
    state = turnstile.event.is_set(), late.done()
    turnstile.event.set()
    await late
    return first, log, turnstile.passed, state


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
