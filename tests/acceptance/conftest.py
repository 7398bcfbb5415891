"""What several of the acceptance tests need."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.pages import Pages
from tests.harness.processes import Desk
from tests.harness.samples import mark_further_cases

FOLDER = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each test here starts processes: one of its cases runs by default."""
    mark_further_cases([item for item in items if FOLDER in item.path.parents])


@pytest.fixture
def pages(desk: Desk) -> Iterator[Pages]:
    """A web server; its address is in the variable URL of all programs."""
    with Pages() as pages:
        desk.variables["URL"] = pages.url
        yield pages
