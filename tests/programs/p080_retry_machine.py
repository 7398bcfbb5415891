# durable: on
"""A retrying worker with nested try, while-else, with blocks and counters, as real scripts have it."""
import asyncio

from world import effect, fail


class TooMany(Exception):
    def __init__(self, attempts, last):
        super().__init__(attempts)
        self.attempts, self.last = attempts, last

    def __str__(self):
        return f"gave up after {self.attempts}: {self.last!r}"


class Budget:
    def __init__(self, n):
        self.left, self.spent = n, []

    def __enter__(self):
        self.left -= 1
        return self.left >= 0

    def __exit__(self, kind, error, traceback):
        self.spent.append(kind.__name__ if kind else "ok")
        return kind is ConnectionError


async def attempt(task, n):
    match task, n:
        case ("flaky", 0) | ("dead", _):
            await fail(f"{task}{n}", ConnectionError(task))
        case ("timeout", k) if k < 1:
            await fail(f"{task}{n}", TimeoutError(k))
        case ("fatal", _):
            await fail(f"{task}{n}", MemoryError(task))
    return f"{task} done at {n}"


async def work(task, budget):
    n, last = 0, None
    while n < 3:
        try:
            with budget as allowed:
                if not allowed:
                    break
                result = await attempt(task, n)
                return result
            last = "suppressed"
        except TimeoutError as error:
            last = error
            await effect(f"wait-{task}")
        finally:
            n += 1
    else:
        raise TooMany(n, last)
    return f"{task}: no budget"


async def main():
    budget, out = Budget(9), []
    for task in ("good", "flaky", "timeout", "fatal", "dead", "late"):
        try:
            out.append(await work(task, budget))
        except (TooMany, MemoryError) as error:
            out.append(str(error))
            if isinstance(error, TooMany):
                out.append(await effect("too many", error.last))
    return out, budget.spent, budget.left


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
