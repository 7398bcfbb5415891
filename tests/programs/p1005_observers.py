# durable: on
"""Asynchronous callbacks of several kinds are registered, called in order of priority, removed, and some of them fail."""
import asyncio
import functools
import inspect

from world import effect


class Signal:
    def __init__(self):
        self.receivers = []
        self.errors = []

    def connect(self, fn=None, *, priority=0, once=False):
        if fn is None:
            return functools.partial(self.connect, priority=priority, once=once)
        self.receivers.append((-priority, len(self.receivers), fn, once))
        self.receivers.sort(key=lambda r: r[:2])
        return fn

    def disconnect(self, fn):
        self.receivers = [r for r in self.receivers if r[2] != fn]

    async def send(self, **event):
        results = []
        for receiver in list(self.receivers):
            _, _, fn, once = receiver
            try:
                result = fn(**event)
                if inspect.isawaitable(result):
                    result = await result
            except Exception as error:
                self.errors.append(error)
            else:
                results.append(result)
            finally:
                if once:
                    self.receivers.remove(receiver)
        return results


class Audit:
    def __init__(self):
        self.seen = []

    async def on_event(self, kind, n):
        self.seen.append(await effect(f"audit {kind}", (kind, n)))
        return "audit"

    async def __call__(self, *, kind, **rest):
        return await effect(f"called {kind}", sorted(rest))


async def main():
    signal, audit = Signal(), Audit()
    total = 0

    @signal.connect(priority=5)
    async def add(kind, n):
        nonlocal total
        total += await effect(f"add {n}", n)
        return total

    @signal.connect(once=True)
    async def broken(kind, n):
        await effect("broken")
        raise ValueError(f"{kind} {n}")

    signal.connect(audit.on_event, priority=1)
    signal.connect(audit, once=True)
    signal.connect(lambda kind, n: f"{kind}!", priority=9)
    out = [await signal.send(kind="x", n=1)]
    out.append(await signal.send(kind="y", n=2))
    signal.disconnect(audit.on_event)
    await effect("disconnected")
    out.append(await signal.send(kind="z", n=3))
    return out, audit.seen, total, [str(e) for e in signal.errors], len(signal.receivers)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
