# durable: on
"""A payment is shielded: the one who waits is cancelled, the payment goes on and is joined later."""
import asyncio

from world import effect, fail


class Ledger:
    def __init__(self):
        self.entries = []
        self.running = []


async def pay(ledger, who, gate):
    ledger.entries.append(("begin", who))
    await gate.wait()
    receipt = await effect(f"pay {who}", f"receipt {who}")
    ledger.entries.append(("end", who))
    return receipt


async def checkout(ledger, who, gate):
    payment = asyncio.create_task(pay(ledger, who, gate))
    ledger.running.append(payment)
    try:
        return await asyncio.shield(payment)
    except asyncio.CancelledError:
        ledger.entries.append(("checkout left", who, payment.done()))
        raise


async def finish_anyway(ledger, gate):
    """Swallow the cancellation until the shielded work is over, then pass it on."""
    work = asyncio.ensure_future(pay(ledger, "zoe", gate))
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        receipt = await work
        ledger.entries.append(("finished anyway", receipt))
        raise


async def main():
    ledger, gate = Ledger(), asyncio.Event()
    outer = asyncio.create_task(checkout(ledger, "ann", gate))
    insistent = asyncio.create_task(finish_anyway(ledger, gate))
    for _ in range(3):
        await asyncio.sleep(0)
    outer.cancel()
    insistent.cancel("closing time")
    await asyncio.wait([outer])
    state = outer.cancelled(), insistent.done(), ledger.running[0].done()
    await effect("between")
    gate.set()
    receipt = await ledger.running[0]
    try:
        await insistent
    except asyncio.CancelledError:
        ledger.entries.append("insistent was cancelled in the end")

    errors = []
    try:
        await asyncio.shield(fail("declined", ValueError("card")))
    except ValueError as error:
        errors.append(str(error))
    inner = asyncio.create_task(asyncio.sleep(3600))
    guard = asyncio.shield(inner)
    await asyncio.sleep(0)
    inner.cancel()
    try:
        await guard
    except asyncio.CancelledError:
        errors.append(("inner cancelled", guard.cancelled()))
    order = sorted(e for e in ledger.entries if e[0] == "end")
    return state, receipt, [e for e in ledger.entries if e[0] != "end"], order, errors


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
