"""Stores, and the flows as durable code."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from durable_import import DurableRuntime, StateStore
from durable_import.stores.base import KeyedStore
from durable_import.stores.url import open_store
from tests.harness.imports import imported_rewritten
from tests.running.effects import open_gates, reached_gates, world

KINDS = ("memory", "disk", "sqlite", "postgres")
MakeRuntime = Callable[..., DurableRuntime]


@pytest.fixture(autouse=True)
def _nothing_done() -> Iterator[None]:
    for noted in (world, open_gates, reached_gates):
        noted.clear()
    yield
    for noted in (world, open_gates, reached_gates):
        noted.clear()


@pytest.fixture(scope="session")
def flows() -> ModuleType:
    """The module of the flows, rewritten."""
    return imported_rewritten("tests.running.flows")


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StateStore]:
    """An empty store of each kind."""
    urls = {"memory": "memory:", "disk": f"disk://{tmp_path}/store", "sqlite": f"sqlite:///{tmp_path}/state.db"}
    opened = open_store(urls.get(request.param) or postgres_url(request))
    yield opened
    await opened.close()  # type: ignore[attr-defined]


def postgres_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty store in the server of the tests."""
    url: str = request.getfixturevalue("postgres_server").url(schema=f"s{secrets.token_hex(8)}")
    return url


@pytest.fixture
def make_runtime(store: StateStore) -> MakeRuntime:
    """Runtimes over the store, which looks at it often."""

    key = None if isinstance(store, KeyedStore) else bytes(32)

    def make(**options: object) -> DurableRuntime:
        return DurableRuntime(store, key=key, **{"poll_interval": 0.02, **options})  # type: ignore[arg-type]

    return make


@pytest.fixture(params=["memory", "disk", "sqlite", "postgres"])
def history(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Stores that keep history."""
    places = {"memory": "memory:?", "disk": f"disk://{tmp_path}/store?", "sqlite": f"sqlite:///{tmp_path}/state.db?"}
    monkeypatch.setenv("DURABLE_KEY", bytes(range(32)).hex())
    return f"{places.get(request.param) or postgres_url(request) + '&'}history=true"
