# durable: on
"""A transaction context manager keeps savepoints, rolls back on errors and nests."""
import asyncio
import contextlib
import copy

from world import effect


class Rollback(Exception):
    pass


class Store:
    def __init__(self):
        self.data = {}
        self.stack = []
        self.log = []

    @contextlib.contextmanager
    def transaction(self, name):
        self.stack.append(copy.deepcopy(self.data))
        self.log.append(("begin", name, len(self.stack)))
        try:
            yield self
        except Rollback as error:
            self.data = self.stack.pop()
            self.log.append(("rollback", name, str(error)))
        except BaseException:
            self.data = self.stack.pop()
            self.log.append(("abort", name))
            raise
        else:
            self.stack.pop()
            self.log.append(("commit", name, sorted(self.data)))


async def fill(store, prefix, n):
    for i in range(n):
        store.data.setdefault(prefix, []).append(await effect(f"{prefix}{i}", i))
        if i == 2:
            raise Rollback(f"{prefix} is full")


async def main():
    store = Store()
    with store.transaction("outer"):
        await fill(store, "a", 2)
        with store.transaction("inner"):
            store.data["a"].append("lost")
            await fill(store, "b", 4)
        with store.transaction("second"):
            await fill(store, "c", 1)
    try:
        with store.transaction("broken") as same, store.transaction("deeper"):
            same.data.clear()
            await effect("cleared")
            {}["missing"]
    except KeyError as error:
        await effect("after broken")
        store.log.append(error.args)
    return store.data, store.log, store.stack, same is store


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
