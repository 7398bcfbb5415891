# durable: on
"""A supervisor restarts children that fail, gives up on those that fail too often, and stops the rest."""
import asyncio
from dataclasses import dataclass, field

from world import effect, fail


class Crash(Exception):
    pass


@dataclass
class Child:
    name: str
    script: list
    restarts: int = 0
    log: list = field(default_factory=list)

    async def run(self, events):
        while self.script:
            action = self.script.pop(0)
            self.log.append(action)
            match action.split():
                case ["crash"]:
                    await fail(f"{self.name} crashes ({len(self.script)} left)", Crash(self.name))
                case ["do", *words]:
                    await effect(" ".join([self.name, "does", *words]))
                case ["serve"]:
                    await events.put(("serving", self.name))
                    await asyncio.Event().wait()


class Supervisor:
    def __init__(self, children, limit):
        self.children = {c.name: c for c in children}
        self.limit = limit
        self.events = asyncio.Queue()
        self.tasks = {}
        self.outcome = {}

    def start(self, name):
        self.tasks[name] = task = asyncio.create_task(self.children[name].run(self.events), name=name)
        task.add_done_callback(lambda t: self.events.put_nowait(("ended", t.get_name())))

    async def run(self):
        for name in self.children:
            self.start(name)
        settled = set()
        while settled < self.children.keys():
            match await self.events.get():
                case "serving", name:
                    settled.add(name)
                case "ended", name if self.ended(name, self.tasks.pop(name)):
                    settled.add(name)
        for task in self.tasks.values():
            task.cancel()
        rest = await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        self.outcome |= {name: type(end).__name__ for name, end in zip(self.tasks, rest, strict=True)}
        return dict(sorted(self.outcome.items()))

    def ended(self, name, task):
        child = self.children[name]
        if task.exception() is None:
            self.outcome[name] = "finished"
        elif child.restarts == self.limit:
            self.outcome[name] = f"given up: {task.exception()!r}"
        else:
            child.restarts += 1
            self.start(name)
        return name in self.outcome


async def main():
    children = [
        Child("web", ["do bind", "crash", "do bind again", "serve"]),
        Child("job", ["crash", "do cleanup", "crash", "do report"]),
        Child("bad", ["crash", "crash", "crash", "do never"]),
        Child("idle", ["serve"]),
    ]
    outcome = await Supervisor(children, limit=2).run()
    return outcome, [(c.name, c.restarts, c.log, c.script) for c in children]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
