# durable: on
"""One dense coroutine that mixes awaits in most statements and expressions with closures and cleanup."""
import asyncio
import contextlib

from world import effect


class Ledger:
    __total = 0

    def __init__(self, name):
        self.name, self.rows = name, []

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        self.rows.append(("closed", kind and kind.__name__))

    async def add(self, *amounts, scale=1):
        for k, amount in enumerate(amounts):
            self.__total += await effect(f"{self.name}{k}", amount) * scale
            yield self.__total
        else:
            self.rows.append(("added", len(amounts)))


def running(step):
    total = 0
    while (got := (yield total)) is not None:
        total += got * step
    return f"total {total}"


async def main(retries=2, *, limit=5):
    notes = []
    gen = running(2)
    next(gen)
    for attempt in range(retries + 1):
        try:
            with contextlib.suppress(KeyError), Ledger(f"l{attempt}") as ledger:
                async for total in ledger.add(1, *range(2, 2 + attempt), scale=attempt + 1):
                    if total > limit and (why := f"{total:>{await effect('width', 4)}}"):
                        raise {1: ValueError, 2: KeyError}.get(attempt, OSError)(why)
                    notes.append((lambda t=total: t * gen.send(attempt))())
                else:
                    assert attempt < 1 or await effect("assert", ledger.rows), "rows"
                    continue
        except ValueError as error:
            notes.append(repr(error))
        finally:
            notes += [await effect(f"finally{attempt}", ledger.rows[-1])]
            del ledger
        match notes:
            case [*_, ("closed", "KeyError" as kind)]:
                notes.append(kind)
                break
            case [*rest, ("closed", "ValueError") as first] if await effect("guard", first):
                notes.append(len(rest))
    else:
        notes.append("exhausted")
    try:
        gen.send(None)
    except StopIteration as stop:
        notes.append(stop.value if await effect("stop", True) else None)
    return notes, {name: value for name, value in locals().items() if name in ("attempt", "total", "why", "limit")}


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
