# durable: on
"""contextlib.contextmanager functions of this file held across awaits, with errors and returns."""
import asyncio
from contextlib import contextmanager

from world import effect, fail


@contextmanager
def scope(name, log, swallow=()):
    log.append(f"open {name}")
    state = {"name": name}
    try:
        yield state
    except swallow as error:
        log.append(f"swallowed {error!r}")
    else:
        log.append("clean")
    finally:
        log.append(f"close {name} {sorted(state)}")


async def use(log):
    with scope("ret", log) as state:
        state["before"] = await effect("use", 1)
        return dict(state)


async def main():
    log = []
    with scope("a", log) as a, scope("b", log, (KeyError,)) as b:
        a["x"] = await effect("ax")
        b["y"] = await effect("by")
        assert a["name"] != b["name"]
        raise KeyError("inside")
    log.append(await use(log))
    try:
        with scope("c", log):
            await fail("c fails", ValueError("c"))
    except ValueError as error:
        log.append((repr(error), error.__context__))

    @scope("decorator", log)
    def work(n):
        log.append(n)
        return n + 1

    await effect("before work")
    log.append(work(1))
    await effect("again")
    log.append(work(2))
    return log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
