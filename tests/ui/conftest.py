"""Stores, the flows that are shown, and a browser of a kind: an HTTP client in the loop of the test."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from html import unescape
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from durable_import import DurableRuntime, StateStore
from durable_import.stores.url import open_store
from durable_import.ui import app
from tests.harness.imports import imported_rewritten

URLS = {"memory": "memory:?history=true", "sqlite": "sqlite:///{}/state.db?history=true"}
OWN = "http://127.0.0.1:8431"
MakeRuntime = Callable[[], DurableRuntime]


@pytest.fixture(scope="session")
def flows() -> ModuleType:
    """The module of the flows, rewritten."""
    return imported_rewritten("tests.ui.shown_flows")


@pytest.fixture(params=URLS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StateStore]:
    """An empty store with history."""
    opened = open_store(URLS[request.param].format(tmp_path))
    async with DurableRuntime(opened) as runtime:
        await runtime.list()  # now there is one
    yield opened
    await opened.close()  # type: ignore[attr-defined]


@pytest.fixture
def make_runtime(store: StateStore) -> MakeRuntime:
    """Runtimes over the store, which look at it often."""
    return lambda: DurableRuntime(store, poll_interval=0.02)


@pytest.fixture
async def browser(store: StateStore) -> AsyncIterator[httpx.AsyncClient]:
    """Asks a page over the store; follows no redirects."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app(store)), base_url=OWN) as client:
        yield client


def field_of(page: str, name: str) -> str:
    """The value of the first field of this name in a page."""
    found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', page)
    assert found is not None
    return unescape(found[1])


def links_of(page: str) -> list[str]:
    """Where the links to instances lead."""
    return [unescape(link) for link in re.findall(r'href="([^"]*/instances/[^"]*)"', page)]


async def submit(browser: httpx.AsyncClient, path: str, action: str, **fields: str) -> httpx.Response:
    """Send a form of the page of an instance, as a browser does."""
    token = field_of((await browser.get(path)).text, "csrf_token")
    return await browser.post(f"{path}/{action}", data={"csrf_token": token, **fields}, headers={"Origin": OWN})
