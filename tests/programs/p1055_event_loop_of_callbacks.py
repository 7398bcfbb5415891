# durable: on
"""A reactor of timers and promises written by hand, with callbacks as closures, chained results and errors."""
import asyncio
import heapq
import itertools

from world import effect


class Promise:
    def __init__(self):
        self.state = "pending"
        self.value = None
        self.callbacks = []

    def settle(self, state, value):
        if self.state == "pending":
            self.state, self.value = state, value
            for callback in self.callbacks:
                callback(self)

    def then(self, fn):
        following = Promise()

        def forward(done):
            if done.state == "failed":
                return following.settle("failed", done.value)
            try:
                following.settle("done", fn(done.value))
            except Exception as error:
                following.settle("failed", error)

        self.callbacks.append(forward) if self.state == "pending" else forward(self)
        return following


class Reactor:
    def __init__(self):
        self.timers = []
        self.sequence = itertools.count()
        self.now = 0

    def later(self, delay, fn, *args):
        heapq.heappush(self.timers, (self.now + delay, next(self.sequence), fn, args))

    def after(self, delay, value):
        promise = Promise()
        self.later(delay, promise.settle, "done", value)
        return promise

    async def run(self):
        while self.timers:
            self.now, number, fn, args = heapq.heappop(self.timers)
            fn(*args)
            await effect(f"timer {number} at {self.now}")


async def main():
    reactor, log = Reactor(), []
    divided = reactor.after(3, 10).then(lambda x: x // 0)
    recovered = divided.then(log.append)
    chained = reactor.after(1, 5).then(lambda x: x + 1).then(lambda x: (log.append(x), reactor.after(4, x * 2))[1])

    def repeat(n):
        log.append(("repeat", n, reactor.now))
        if n:
            reactor.later(2, repeat, n - 1)

    repeat(2)
    await reactor.run()
    inner = chained.value
    late = inner.then(str)
    await effect("settled")
    return log, (recovered.state, repr(recovered.value)), inner.value, late.value, reactor.now, recovered.value is divided.value


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
