# durable: on
# requires: 3.12
"""Go-like channels as PEP 695 generics: rendezvous, buffering, closing, select and a prime sieve."""
import asyncio
from collections import deque

from world import effect

type Handler[T] = asyncio.Future[T]


class Closed(Exception):
    pass


class Channel[T]:
    def __init__(self, capacity: int = 0) -> None:
        self.capacity = capacity
        self.items: deque[tuple[T, Handler[None] | None]] = deque()
        self.receivers: deque[Handler[T]] = deque()
        self.closed = False

    async def send(self, item: T) -> None:
        if self.receivers:
            self.receivers.popleft().set_result(item)
            return
        taken = asyncio.get_running_loop().create_future() if len(self.items) >= self.capacity else None
        self.items.append((item, taken))
        if taken is not None:
            await taken

    async def receive(self) -> T:
        if self.items:
            item, taken = self.items.popleft()
            if taken is not None:
                taken.set_result(None)
            return item
        if self.closed:
            raise Closed
        receiver = asyncio.get_running_loop().create_future()
        self.receivers.append(receiver)
        return await receiver

    def close(self) -> None:
        self.closed = True
        for receiver in self.receivers:
            receiver.set_exception(Closed())


async def collect[T](channel: Channel[T], into: list[T]) -> int:
    while True:
        try:
            into.append(await channel.receive())
        except Closed:
            return len(into)


async def numbers(out: Channel[int], limit: int) -> None:
    for n in range(2, limit):
        await out.send(n)
    out.close()


async def sieve(source: Channel[int], out: Channel[int], prime: int) -> None:
    try:
        while True:
            (n := await source.receive()) % prime and await out.send(n)
    except Closed:
        out.close()


async def main():
    words, heard, primes, source = Channel[str](capacity=2), [], [], Channel[int]()
    listener = asyncio.create_task(collect(words, heard))
    for word in ("to", "be", "or"):
        await words.send(await effect(f"say {word}", word))
    words.close()
    async with asyncio.TaskGroup() as group:
        group.create_task(numbers(source, 20))
        for _ in range(8):
            primes.append(await source.receive())
            following = Channel[int]()
            group.create_task(sieve(source, following, primes[-1]), name=f"sieve {primes[-1]}")
            source = following
        drained = group.create_task(collect(source, []))
    return await listener, heard, primes, drained.result()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
