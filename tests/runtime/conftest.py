"""Stores, and the flows as durable code."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import durable_import
from durable_import import DurableRuntime, StateStore
from durable_import.stores.url import open_store
from tests.runtime.effects import open_gates, world

KINDS = ("memory", "disk", "sqlite")
MakeRuntime = Callable[..., DurableRuntime]


@pytest.fixture(autouse=True)
def _nothing_done() -> Iterator[None]:
    world.clear()
    open_gates.clear()
    yield
    world.clear()
    open_gates.clear()


@pytest.fixture(scope="session")
def flows() -> ModuleType:
    """The module of the flows, rewritten."""
    durable_import.install()
    from tests.runtime import flows

    return flows


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StateStore]:
    """An empty store of each kind."""
    urls = {"memory": "memory:", "disk": f"disk://{tmp_path}/store", "sqlite": f"sqlite:///{tmp_path}/state.db"}
    opened = open_store(urls[request.param])
    yield opened
    await opened.close()  # type: ignore[attr-defined]


@pytest.fixture
def make_runtime(store: StateStore) -> MakeRuntime:
    """Runtimes over the store, which looks at it often."""

    def make(**options: object) -> DurableRuntime:
        return DurableRuntime(store, **{"poll_interval": 0.02, **options})  # type: ignore[arg-type]

    return make
