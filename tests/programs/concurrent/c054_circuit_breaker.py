# durable: on
"""A circuit breaker opens after failures, refuses many callers at once, lets one probe through and closes."""
import asyncio
from enum import Enum

from world import effect, fail


class State(Enum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


class Refused(Exception):
    pass


class Breaker:
    def __init__(self, threshold, cool_down):
        self.threshold = threshold
        self.cool_down = cool_down
        self.failures = 0
        self.changes = []
        self.cooled = asyncio.Event()
        self.timer = None
        self.become(State.CLOSED)

    def become(self, state):
        self.state = state
        self.changes.append(state.value)
        if state is State.OPEN:
            self.cooled.clear()
            self.timer = asyncio.get_running_loop().call_later(self.cool_down, self.half_open)

    def half_open(self):
        self.become(State.HALF_OPEN)
        self.cooled.set()

    async def call(self, function, *args):
        if self.state is State.OPEN or (self.state is State.HALF_OPEN and self.failures < 0):
            raise Refused(self.state.value)
        if self.state is State.HALF_OPEN:
            self.failures = -1
        try:
            result = await function(*args)
        except ConnectionError:
            self.failures += 1
            if self.failures >= self.threshold or self.state is State.HALF_OPEN:
                self.become(State.OPEN)
            raise
        self.failures = 0
        if self.state is State.HALF_OPEN:
            self.become(State.CLOSED)
        return result


async def service(name, healthy):
    await asyncio.sleep(0)
    if not healthy:
        await fail(f"call {name}", ConnectionError(name))
    return await effect(f"call {name}", name)


async def attempt(breaker, name, healthy=True):
    try:
        return await breaker.call(service, name, healthy)
    except (Refused, ConnectionError) as error:
        return f"{type(error).__name__}: {error}"


async def main():
    breaker = Breaker(threshold=2, cool_down=0.2)
    log = [await attempt(breaker, "one")]
    log += await asyncio.gather(attempt(breaker, "two", False), attempt(breaker, "three", False))
    log += await asyncio.gather(*(attempt(breaker, f"refused {n}") for n in range(2)))
    await breaker.cooled.wait()
    log += await asyncio.gather(attempt(breaker, "probe fails", False), attempt(breaker, "beside the probe"))
    await breaker.cooled.wait()
    log += await asyncio.gather(attempt(breaker, "probe works"), attempt(breaker, "beside again"))
    log += await asyncio.gather(*(attempt(breaker, f"normal {n}") for n in range(2)))
    return log, breaker.changes, breaker.failures, breaker.timer.cancelled()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
