"""What all tests share: options of the suite, and servers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.harness.garbage import only_new_garbage
from tests.harness.samples import halves, mark_further_cases

FOLDER = Path(__file__).parent
EXPENSIVE = {  # folders, and the variables that ask for all of their cases
    "acceptance": (), "crash": ("CRASH_ALL",), "fuzz": ("FUZZ_SEEDS",), "versions": (), "unit/snapshot/incremental": (),
}  # fmt: skip

if TYPE_CHECKING:
    from tests.harness.postgres import PostgresServer
    from tests.harness.processes import Desk


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--update-golden`` writes the golden files again; read the difference before you commit it. ``--half``: see ``halves``."""
    parser.addoption("--update-golden", action="store_true", help="write tests/golden/*.txt again instead of comparing")
    parser.addoption("--half", type=int, choices=(1, 2), help="every other case of tests that have several")


def pytest_configure() -> None:
    """Ctrl-C means what it means in a terminal, here and in all processes of tests, also in a background job of a shell."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of tests that start processes, or restore programs many times, one case runs by default."""
    every = {name for name in EXPENSIVE if not any(os.environ.get(asked) for asked in EXPENSIVE[name])}
    folders = [FOLDER / name for name in every]
    mark_further_cases([item for item in items if any(folder in item.path.parents for folder in folders)])


@pytest.hookimpl(trylast=True, specname="pytest_collection_modifyitems")
def pytest_take_half(config: pytest.Config, items: list[pytest.Item]) -> None:
    """After those that the expression of marks leaves out are gone."""
    half = config.getoption("--half")
    if half is not None:
        taken = halves(items)[half - 1]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(taken)])
        items[:] = taken


@pytest.fixture(autouse=True)
def _only_new_garbage() -> Iterator[None]:
    """What tests before this one have left, hundreds of megabytes in the end, is not looked through again and again."""
    with only_new_garbage():
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server, one for each process of the test run that needs one."""
    from tests.harness.postgres import PostgresServer

    server = PostgresServer()
    try:
        yield server
    finally:
        server.remove()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A folder in which a test runs programs; what it leaves running is ended."""
    from tests.harness.processes import Desk

    desk = Desk(tmp_path)
    yield desk
    desk.close()
