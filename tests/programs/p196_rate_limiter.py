# durable: on
"""A token bucket with a simulated clock limits calls per key and refills between them."""
import asyncio
import collections

from world import effect


class Clock:
    def __init__(self):
        self.now = 0.0
        self.sleeps = []

    async def sleep(self, seconds):
        self.sleeps.append(seconds)
        await effect(f"sleep {seconds:g}")
        self.now += seconds


class Bucket:
    def __init__(self, clock, rate, size):
        self.clock = clock
        self.rate = rate
        self.size = size
        self.tokens = size
        self.stamp = clock.now

    def refill(self):
        self.tokens = min(self.size, self.tokens + (self.clock.now - self.stamp) * self.rate)
        self.stamp = self.clock.now

    async def __aenter__(self):
        self.refill()
        while self.tokens < 1:
            await self.clock.sleep((1 - self.tokens) / self.rate)
            self.refill()
        self.tokens -= 1
        return self

    async def __aexit__(self, *exc):
        return False


async def main():
    clock = Clock()
    buckets = collections.defaultdict(lambda: Bucket(clock, rate=0.5, size=2))
    out = []
    for key in ["a", "b", "a", "a", "b", "a"]:
        async with buckets[key] as bucket:
            out.append((key, clock.now, bucket.tokens, await effect(f"call {key}", key * 2)))
    return out, clock.sleeps, {k: b.tokens for k, b in buckets.items()}, buckets["a"].clock is clock


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
