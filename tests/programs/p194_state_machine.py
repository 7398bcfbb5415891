# durable: on
"""A state machine driven by match over events, with guards, timers counted in ticks and nested states."""
import asyncio
from dataclasses import dataclass, field

from world import effect


@dataclass(frozen=True)
class Idle:
    pass


@dataclass(frozen=True)
class Busy:
    job: str
    tick: int = 0


@dataclass(frozen=True)
class Failed:
    last: Busy
    reason: str


@dataclass
class Machine:
    state: Idle | Busy | Failed = Idle()
    trail: list = field(default_factory=list)

    async def feed(self, event):
        before = self.state
        match before, event:
            case Idle(), {"start": str(job)} if job:
                self.state = Busy(await effect(f"start {job}", job))
            case Idle(), _:
                await effect("ignored")
            case Busy(job, tick), "tick" if tick < await effect("limit", 2):
                self.state = Busy(job, tick + 1)
            case (Busy() as busy, "tick"):
                self.state = Failed(busy, await effect("timeout", "too slow"))
            case Busy(job=name), ["done", *rest]:
                self.trail.append((name, rest))
                self.state = Idle()
            case Failed(last=Busy(job)), "retry" | "again":
                self.state = await effect(f"retry {job}", Busy(job))
            case _:
                raise ValueError(f"{type(before).__name__} cannot take {event!r}")
        self.trail.append((type(before).__name__, type(self.state).__name__))


async def main():
    machine = Machine()
    refused = []
    for event in ["tick", {"start": "x"}, "tick", "tick", "tick", "stop", "again", ["done", 1, 2]]:
        try:
            await machine.feed(event)
        except ValueError as error:
            refused.append(error)
    await effect("end")
    return machine.trail, machine.state, [str(e) for e in refused]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
