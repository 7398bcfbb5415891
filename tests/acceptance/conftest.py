"""The folder in which an acceptance test runs its programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.processes import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Ends what the test left running."""
    desk = Desk(tmp_path)
    yield desk
    desk.close()
