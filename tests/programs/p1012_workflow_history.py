# durable: on
"""A workflow of dataclass steps with branching, retries and a history that can be diffed."""
import asyncio
import dataclasses
from dataclasses import dataclass, field
from typing import Any, ClassVar

from world import effect, fail


@dataclass
class Entry:
    step: str
    before: dict
    after: dict
    attempt: int = 1

    @property
    def changed(self):
        return {k: v for k, v in self.after.items() if self.before.get(k) != v}


@dataclass
class Step:
    name: str
    action: Any
    when: Any = None
    attempts: int = 1
    made: ClassVar[str] = "step"


@dataclass
class Workflow:
    steps: list[Step]
    state: dict = field(default_factory=dict)
    history: list[Entry] = field(default_factory=list)
    position: int = 0

    async def run(self):
        while self.position < len(self.steps):
            step = self.steps[self.position]
            self.position += 1
            if step.when and not step.when(self.state):
                continue
            for attempt in range(1, step.attempts + 1):
                before = dict(self.state)
                try:
                    update = await step.action(self.state, attempt)
                except OSError:
                    if attempt == step.attempts:
                        raise
                    continue
                self.state |= update or {}
                self.history.append(Entry(step.name, before, dict(self.state), attempt))
                break
        return self


def setter(key, value):
    async def action(state, attempt):
        return {key: await effect(f"set {key}", value)}

    return action


async def shaky(state, attempt):
    if attempt < 3:
        await fail(f"shaky {attempt}", OSError("try again"))
    state["touched"] = attempt
    return {"b": await effect("shaky 3", state["a"] + 1)}


async def nested(state, attempt):
    inner = Workflow([Step("i1", setter("x", 1)), Step("i2", setter("y", [state]))], state={"inner": True})
    done = await inner.run()
    return {"nested": done.position, "same": done.state["y"][0] is state}


async def main():
    flow = Workflow(
        [
            Step("first", setter("a", 1)),
            Step("shaky", shaky, attempts=3),
            Step("skipped", setter("never", 1), when=lambda s: s["a"] > 5),
            Step("nested", nested, when=lambda s: "b" in s),
        ]
    )
    await flow.run()
    flow.steps.append(Step("late", setter("late", 9)))
    await effect("extended")
    await flow.run()
    entries = [(e.step, e.changed, e.attempt) for e in flow.history]
    return entries, flow.state, dataclasses.replace(flow.history[0], step="copy").step, flow.position


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
