"""The original library's surface, over the real runtime: its README's example, pauses, events, custom backends."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from durable_import import (
    DiskStateStore,
    DurableBackend,
    DurableRuntime,
    InMemoryStateStore,
    OrchestrationBackend,
    PauseForEventException,
    make_durable,
)
from tests.harness.crash import environment

_numbers = itertools.count()

README = """
import asyncio
from durable_import import DurableBackend, InMemoryStateStore, PauseForEventException, make_durable

# Define your async function
async def greet(name: str):
    print("waiting for permission to greet")
    raise PauseForEventException("allow")
    return f"hello {name}"

# Make it durable
durable_greet = make_durable(greet)

async def main():
    backend = DurableBackend(InMemoryStateStore())

    async def run_once():
        # Triggers runtime execution; will pause on PauseForEventException
        try:
            return await durable_greet("Ada", orchestration_backend=backend, instance_id="greet-1")
        except PauseForEventException as e:
            print(f"paused for event {e.event}")

    await run_once()                 # pauses and persists state
    backend.publish_event("greet-1", "allow")  # deliver event
    result = await durable_greet("Ada", orchestration_backend=backend, instance_id="greet-1")
    print(result)                    # "hello Ada"

asyncio.run(main())
"""


def test_example_of_the_original_readme(tmp_path: Path) -> None:
    """Verbatim, by plain Python."""
    (tmp_path / "example.py").write_text(README)
    command = [sys.executable, "example.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False, timeout=300)
    assert (done.stdout, done.stderr) == ("waiting for permission to greet\npaused for event allow\nhello Ada\n", "")


PROGRAM = """
import asyncio
from durable_import import PauseForEventException, step_key, wait_for_event

log = []

class Approval(PauseForEventException):
    pass

async def steps(n):
    for i in range(n):
        await asyncio.sleep(0)
        log.append(i)
    return n

async def order(name):
    done = await steps(2)
    raise Approval("approve")
    done += await steps(1)
    raise PauseForEventException("ship")
    return name, done

async def key_of_step():
    return step_key()

async def parent():
    own = step_key()
    child = await key_program(instance_id="child")
    return own, child, step_key()

async def listens():
    first = await wait_for_event("a")
    return first, await wait_for_event("b")
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module that is not marked."""
    monkeypatch.syspath_prepend(os.fspath(tmp_path))
    name = f"surface_{next(_numbers)}"
    (tmp_path / f"{name}.py").write_text(PROGRAM)
    importlib.invalidate_caches()
    return importlib.import_module(name)


class DictBackend(OrchestrationBackend):
    """A user's own: a plain dict of JSON or pickles, and an event of asyncio for each name."""

    def __init__(self, dumps: Callable[[Any], Any], loads: Callable[[Any], Any]) -> None:
        self.states: dict[str, Any] = {}
        self.dumps, self.loads = dumps, loads
        self.published: dict[tuple[str, str], asyncio.Event] = {}

    def event(self, instance_id: str, name: str) -> asyncio.Event:
        return self.published.setdefault((instance_id, name), asyncio.Event())

    async def load_state(self, instance_id: str) -> dict[str, Any] | None:
        return self.loads(self.states[instance_id]) if instance_id in self.states else None

    async def save_state(self, instance_id: str, state: dict[str, Any]) -> None:
        self.states[instance_id] = self.dumps(state)

    async def wait_for_event(self, instance_id: str, name: str) -> Any:
        await self.event(instance_id, name).wait()


@pytest.mark.parametrize("kind", [json, pickle])
async def test_custom_backend_over_a_dict(module: ModuleType, kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three methods are enough: an instance pauses, and goes on when the backend says that the event has come."""
    monkeypatch.setenv("DURABLE_KEY", "k" * 44)
    backend = DictBackend(kind.dumps, kind.loads)
    program = make_durable(module.order)

    async def run_once() -> Any:
        return await asyncio.wait_for(program("Ada", orchestration_backend=backend, instance_id="o-1"), 20)

    with pytest.raises(PauseForEventException) as first:
        await run_once()
    assert first.value.event == "approve"
    state = await backend.load_state("o-1")
    assert state is not None
    assert (state["instance_id"], state["waiting_for"]) == ("o-1", "approve")
    assert state["call_stack"]
    asyncio.get_running_loop().call_later(0.05, lambda: backend.event("o-1", "approve").set())
    with pytest.raises(PauseForEventException, match="ship"):
        await run_once()
    backend.event("o-1", "ship").set()
    assert await run_once() == ("Ada", 3)
    assert await run_once() == ("Ada", 3)
    assert module.log == [0, 1, 0]


async def test_pause_without_its_event_stays_paused(module: ModuleType) -> None:
    """A run before the event was published raises again, and nothing runs twice."""
    backend = DurableBackend()
    program = make_durable(module.order)
    for _ in range(3):
        with pytest.raises(PauseForEventException, match="approve"):
            await program("Ada", orchestration_backend=backend, instance_id="o")
    await backend.publish_event("o", "approve")
    backend.publish_event("o", "ship")
    assert await program("Ada", orchestration_backend=backend, instance_id="o") == ("Ada", 3)
    assert module.log == [0, 1, 0]


async def test_events_reach_a_program_that_runs(module: ModuleType) -> None:
    """Events are handed on while it waits, in order, with their payloads."""
    backend = DurableBackend(InMemoryStateStore())
    program = make_durable(module.listens)
    backend.publish_event("l", "b", {"n": 2})
    running = asyncio.ensure_future(program(orchestration_backend=backend, instance_id="l"))
    await asyncio.sleep(0.1)
    assert not running.done()
    backend.publish_event("l", "a", 1)
    assert await asyncio.wait_for(running, 60) == (1, {"n": 2})
    assert await program(orchestration_backend=backend, instance_id="l") == (1, {"n": 2})


async def test_many_calls_share_a_backend(module: ModuleType) -> None:
    """Calls that run at the same time, also of the same instance, do not fence each other."""
    backend = DurableBackend()
    program = make_durable(module.listens)
    calls = [program(orchestration_backend=backend, instance_id=f"l-{n % 5}") for n in range(10)]
    running = [asyncio.ensure_future(call) for call in calls]
    await asyncio.sleep(0.1)
    for n in range(5):
        backend.publish_event(f"l-{n}", "a", n)
        backend.publish_event(f"l-{n}", "b", -n)
    assert await asyncio.wait_for(asyncio.gather(*running), 60) == [(n % 5, -(n % 5)) for n in range(10)]


async def test_ambient_runtime_and_memory(module: ModuleType, tmp_path: Path) -> None:
    """Without a backend the ambient runtime runs a program; without that it runs in memory."""
    program = make_durable(module.steps)
    assert await program(2) == 2
    async with DurableRuntime(DiskStateStore(tmp_path / "states")) as runtime:
        assert await program(3, instance_id="here") == 3
        state = await runtime.store.load("here")
    assert state is not None
    assert state["status"] == "completed"


async def test_instance_within_an_instance(module: ModuleType) -> None:
    """A program called with an id by durable code is an instance of its own, and a step of its caller."""
    module.key_program = make_durable(module.key_of_step)  # type: ignore[attr-defined]
    async with DurableRuntime(InMemoryStateStore()) as runtime:
        own, child, after = await make_durable(module.parent)(instance_id="parent")
        states = [await runtime.store.load(name) for name in ("parent", "child")]
    assert [state is not None and state["status"] for state in states] == ["completed", "completed"]
    assert [key.partition("/")[0] for key in (own, child, after)] == ["parent", "child", "parent"]
    assert own != after
