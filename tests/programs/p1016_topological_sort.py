# durable: on
"""Targets are visited depth first with asynchronous builds; a cycle is reported with its path."""
import asyncio

from world import effect


class Cycle(Exception):
    def __init__(self, path):
        super().__init__(" -> ".join(path))
        self.path = path


class Builder:
    def __init__(self, graph):
        self.graph = graph
        self.state = dict.fromkeys(graph, "new")
        self.order = []
        self.stamps = {}

    async def visit(self, name, path=()):
        match self.state[name]:
            case "done":
                return self.stamps[name]
            case "open":
                raise Cycle((*path[path.index(name) :], name))
        self.state[name] = "open"
        try:
            newest = max([await self.visit(d, (*path, name)) for d in sorted(self.graph[name])], default=0)
        except Cycle as error:
            error.add_note(f"while building {name}")
            raise
        else:
            self.stamps[name] = newest + await effect(f"build {name}", len(name))
            self.state[name] = "done"
            self.order.append(name)
        finally:
            if self.state[name] == "open":
                self.state[name] = await effect(f"give up {name}", "failed")
        return self.stamps[name]


async def main():
    good = Builder({"app": {"lib", "util"}, "lib": {"util", "core"}, "util": {"core"}, "core": set()})
    for name in good.graph:
        await good.visit(name)
    bad = Builder({"a": {"b"}, "b": {"c", "x"}, "c": {"b"}, "x": set()})
    try:
        await bad.visit("a")
    except Cycle as error:
        return good.order, good.stamps, str(error), error.path, error.__notes__, bad.state


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
