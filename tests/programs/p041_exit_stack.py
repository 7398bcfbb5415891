# durable: on
"""contextlib.ExitStack filled across awaits: contexts, pushes, callbacks, pop_all and suppression."""
import asyncio
from contextlib import ExitStack

from world import effect


class Resource:
    def __init__(self, name, log):
        self.name, self.log = name, log

    def __enter__(self):
        self.log.append(f"enter {self.name}")
        return self.name

    def __exit__(self, kind, error, traceback):
        self.log.append(f"exit {self.name} {error!r}")
        return self.name == "forgiving"


def bye(log, *args, **kwargs):
    log.append(("bye", args, kwargs))


async def main():
    log = []
    with ExitStack() as stack:
        log.append([stack.enter_context(Resource(await effect(n, n), log)) for n in ("x", "y")])
        stack.callback(bye, log, 1, k=await effect("kw", 2))
        await effect("body")
        stack.push(Resource("pushed", log))
        await effect("body again")
    with ExitStack() as outer:
        outer.enter_context(Resource("forgiving", log))
        inner = outer.enter_context(ExitStack())
        inner.enter_context(Resource("moved", log))
        moved = inner.pop_all()
        await effect("moved")
        raise ValueError("forgiven")
    log.append("after")
    await effect("still open")
    moved.close()
    return log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
