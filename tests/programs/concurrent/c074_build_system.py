# durable: on
"""A build system runs more than forty steps in parallel as their inputs get ready; some are up to date."""
import asyncio
from collections import defaultdict

from world import effect


class Build:
    def __init__(self, rules, fresh=()):
        self.rules = rules
        self.fresh = set(fresh)
        self.tasks = {}
        self.slots = asyncio.Semaphore(6)
        self.waited_for = defaultdict(list)
        self.finished = {}

    def target(self, name):
        if name not in self.tasks:
            self.tasks[name] = asyncio.create_task(self.make(name), name=name)
        return self.tasks[name]

    async def make(self, name):
        inputs = self.rules.get(name, ())
        for needed in inputs:
            self.waited_for[needed].append(name)
        changed = await asyncio.gather(*map(self.target, inputs))
        for needed in inputs:
            assert needed in self.finished, f"{name} was built before {needed}"
        if name in self.fresh and not any(changed):
            self.finished[name] = "up to date"
            return False
        async with self.slots:
            self.finished[name] = await effect(f"build {name}", f"built from {len(inputs)}")
        return True


def rules():
    graph = {"release": ["app", "docs", "checksum"], "checksum": ["app"], "app": ["main.o"]}
    for module in range(9):
        library = f"lib{module}"
        graph["app"].append(library)
        graph[library] = [f"m{module}_{part}.o" for part in range(3)]
        for part in range(3):
            graph[f"m{module}_{part}.o"] = ["config.h"]
    graph["main.o"] = ["config.h", "version.h"]
    graph["version.h"] = ["config.h"]
    graph["docs"] = ["version.h", "manual"]
    return graph


async def main():
    build = Build(rules())
    await build.target("release")
    built = sorted(name for name, how in build.finished.items() if how.startswith("built"))

    partial = Build({"x": ["y", "z"], "y": ["src y"], "z": ["src z"]}, fresh={"x", "y", "z", "src z"})
    changed = await partial.target("x")
    return (
        len(built),
        built[:3],
        build.finished["app"],
        len(build.waited_for["config.h"]),
        all(task.done() for task in build.tasks.values()),
        changed,
        sorted(partial.finished.items()),
    )


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
