# durable: on
"""A circuit breaker opens after failures, half-opens after a cool-down of ticks, and closes again."""
import asyncio
import enum
import functools

from world import effect, fail


class Mode(enum.Enum):
    CLOSED = "closed"
    OPEN = "open"
    HALF = "half-open"


class Open(Exception):
    pass


class Breaker:
    def __init__(self, limit, cooldown, clock):
        self.limit = limit
        self.cooldown = cooldown
        self.clock = clock
        self.mode = Mode.CLOSED
        self.failures = []
        self.opened = None
        self.history = [(0, self.mode)]

    def switch(self, mode):
        self.mode = mode
        self.history.append((self.clock(), mode))

    def __call__(self, fn):
        @functools.wraps(fn)
        async def guarded(*args):
            if self.mode is Mode.OPEN:
                if self.clock() - self.opened < self.cooldown:
                    raise Open(f"{fn.__name__} until {self.opened + self.cooldown}") from self.failures[-1]
                self.switch(Mode.HALF)
            try:
                result = await fn(*args)
            except ConnectionError as error:
                self.failures.append(error)
                if self.mode is Mode.HALF or len(self.failures) >= self.limit:
                    self.opened = self.clock()
                    self.switch(Mode.OPEN)
                raise
            if self.mode is Mode.HALF:
                self.failures.clear()
                self.switch(Mode.CLOSED)
            return result

        return guarded


async def main():
    now = 0
    breaker = Breaker(limit=2, cooldown=3, clock=lambda: now)
    answers = iter([True, False, False, False, True, True])

    @breaker
    async def remote(n):
        if not next(answers, True):
            await fail(f"remote {n} fails", ConnectionResetError(104, f"reset {n}"))
        return await effect(f"remote {n}", n)

    out = []
    for n in range(12):
        now += 1
        try:
            out.append(await remote(n))
        except ConnectionError as error:
            out.append(error.errno)
        except Open as error:
            out.append((str(error), error.__cause__.strerror))
    return out, [(t, mode.name) for t, mode in breaker.history], remote.__name__


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
