# durable: on
"""A table-driven state machine with dispatch by bound method, globals, match and nested data."""
import asyncio
import collections

from world import effect, fail


VISITS = collections.Counter()
LIMITS = {"idle": 2}


class Machine:
    initial = "idle"

    def __init__(self):
        self.state, self.history, self.queue = self.initial, [], collections.deque(maxlen=4)
        self.handlers = {name[3:]: getattr(self, name) for name in sorted(dir(self)) if name.startswith("on_")}

    async def on_idle(self, event):
        VISITS["idle"] += 1
        if VISITS["idle"] > LIMITS["idle"]:
            return "done"
        return await effect(f"idle-{event}", "busy" if event == "work" else "idle")

    async def on_busy(self, event):
        VISITS["busy"] += 1
        self.queue.append(event)
        match event:
            case "work":
                return "busy"
            case "error":
                await fail("busy-error", RuntimeError(len(self.queue)))
            case _:
                return await effect("busy-rest", "idle")

    async def on_failed(self, event):
        self.queue.appendleft("failed")
        return self.initial if event == "reset" else await effect("still failed", "failed")

    async def run(self, events):
        for event in events:
            before = self.state
            try:
                self.state = await self.handlers[before](event)
            except RuntimeError as error:
                self.state = "failed"
                self.history.append(error.args)
            except KeyError as error:
                return f"no handler for {error}"
            finally:
                self.history.append((before, event, self.state))
        return self.state


async def main():
    machine = Machine()
    events = iter(["nap", "work", "work", "error", "what", "reset", "work", "more", "x"])
    first = await machine.run(x for x in events if x != "skip")
    await effect("run over")
    return first, machine.history, list(machine.queue), dict(VISITS), list(events)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
