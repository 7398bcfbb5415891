# durable: on
"""Clients share a rate limiter: grants come in the order of asking, and never too close together."""
import asyncio as aio

from world import effect


class RateLimiter:
    def __init__(self, interval):
        self.interval = interval
        self.line = aio.Lock()
        self.next_at = 0.0
        self.grants = []

    async def __aenter__(self):
        loop = aio.get_running_loop()
        async with self.line:
            wait = self.next_at - loop.time()
            if wait > 0:
                await aio.sleep(wait)
            now = loop.time()
            self.next_at = now + self.interval
            self.grants.append((aio.current_task().get_name(), now))
        return len(self.grants)

    async def __aexit__(self, *exc):
        return False


class Bucket:
    """Tokens are refilled by a task; whoever comes waits for a token."""

    def __init__(self, size):
        self.tokens = aio.Semaphore(size)
        self.missing = 0
        self.taken = []

    async def take(self, who):
        await self.tokens.acquire()
        self.taken.append(who)
        self.missing += 1

    async def refill(self, every):
        while True:
            await aio.sleep(every)
            if self.missing:
                self.missing -= 1
                self.tokens.release()


async def client(limiter, calls):
    name = aio.current_task().get_name()
    answers = []
    for n in range(calls):
        async with limiter:
            pass
        answers.append(f"{name}{n}")
    return answers


async def main():
    limiter = RateLimiter(await effect("agree on the interval", 0.03))
    clients = [aio.create_task(client(limiter, n), name=c) for c, n in (("a", 3), ("b", 1), ("c", 2))]
    answers = await aio.gather(*clients)
    order = [name for name, _ in limiter.grants]
    times = [at for _, at in limiter.grants]
    spaced = all(later - earlier >= 0.029 for earlier, later in zip(times, times[1:]))

    bucket = Bucket(2)
    refiller = aio.create_task(bucket.refill(0.01))
    await aio.gather(*(bucket.take(who) for who in ("p", "q", "r", "s", "t")))
    refiller.cancel()
    async with limiter:
        sent = await effect("send the log", len(order))
    return answers, order, spaced, bucket.taken, sent


if __name__ == "__main__":
    print(repr(aio.run(main())))
