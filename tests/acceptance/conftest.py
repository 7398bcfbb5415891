"""What several of the acceptance tests need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.pages import Pages
from tests.harness.processes import Desk


@pytest.fixture
def pages(desk: Desk) -> Iterator[Pages]:
    """A web server; its address is in the variable URL of all programs."""
    with Pages() as pages:
        desk.variables["URL"] = pages.url
        yield pages
