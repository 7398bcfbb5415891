"""Marked cells of notebooks are told of."""

from __future__ import annotations

import sys
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from durable_import.hook.install import install, uninstall


class Events:
    """As ``IPython.core.events.EventManager``."""

    def __init__(self) -> None:
        self.callbacks: dict[str, list[Callable[[Any], None]]] = {"pre_run_cell": [], "post_run_cell": []}

    def register(self, event: str, function: Callable[[Any], None]) -> None:
        self.callbacks[event].append(function)

    def unregister(self, event: str, function: Callable[[Any], None]) -> None:
        self.callbacks[event].remove(function)


class Shell:
    """As ``InteractiveShell``, which keeps the input of cells in ``In`` before they run."""

    def __init__(self) -> None:
        self.events = Events()
        self.execution_count = 1
        self.user_ns: dict[str, Any] = {"In": [""]}

    def run(self, source: str, what: Callable[[], None] = lambda: None) -> None:
        for callback in list(self.events.callbacks["pre_run_cell"]):
            callback(types.SimpleNamespace(raw_cell=source))
        self.user_ns["In"].append(source)
        self.execution_count += 1
        what()


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """A process that is IPython's."""
    shell = Shell()
    ipython: Any = types.ModuleType("IPython")
    ipython.get_ipython = lambda: shell
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    yield shell
    uninstall()


def test_a_marked_cell_is_told_of(shell: Shell) -> None:
    """Each marked cell gives one warning, with its number; others give none."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shell.run("import durable_import; durable_import.install()", install)
        shell.run("async def f():\n    '# durable: on'")
    install()
    with pytest.warns(RuntimeWarning, match=r"this cell is marked .* in no file.* a\s*module that begins with the mark") as told:
        shell.run("# durable: on\nasync def f(): ...")
    assert [(each.filename, each.lineno) for each in told] == [("cell 3", 1)]


def test_the_cell_that_installs_the_hook_is_told_of(shell: Shell) -> None:
    """It had begun before anything could look at it."""
    with pytest.warns(RuntimeWarning, match="this cell is marked") as told:
        shell.run("# durable: on\nimport durable_import; durable_import.install()", install)
    assert [each.filename for each in told] == ["cell 1"]


def test_after_uninstall_cells_are_left_alone(shell: Shell) -> None:
    """A mark means nothing without the hook."""
    install()
    uninstall()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shell.run("# durable: on")
    assert not shell.events.callbacks["pre_run_cell"]


def test_a_program_that_only_imports_ipython_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no shell then."""
    ipython: Any = types.ModuleType("IPython")
    ipython.get_ipython = lambda: None
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    install()
    uninstall()
