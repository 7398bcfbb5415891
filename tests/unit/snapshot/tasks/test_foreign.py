"""Functions inside functions of code that is not rewritten are found again by their module and their place in it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest

from durable_import.snapshot.definitions.foreign_functions import foreign_function

THREADS, MODULES, FUNCTIONS = 4, 20, 500
FUNCTION = "def outer_{0}():\n    def inner():\n        return {0}\n    return inner\n"


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names of modules with many functions; threads take turns often."""
    names = [f"many_functions_{number}" for number in range(MODULES)]
    for name in names:
        (tmp_path / f"{name}.py").write_text("".join(map(FUNCTION.format, range(FUNCTIONS))))
    monkeypatch.syspath_prepend(tmp_path)
    for name in names:
        importlib.import_module(name)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield names
    sys.setswitchinterval(interval)
    for name in names:
        sys.modules.pop(name, None)


def test_threads_find_them_at_the_same_time(modules: list[str]) -> None:
    """Who asks while another thread looks through a module for the first time finds the function as well."""
    barrier = Barrier(THREADS)

    def find(module: str, _: int) -> int:
        barrier.wait()
        found: int = foreign_function(module, f"outer_{FUNCTIONS - 1}.<locals>.inner", 0, {})()
        return found

    with ThreadPoolExecutor(THREADS) as threads:
        for module in modules:
            assert list(threads.map(partial(find, module), range(THREADS))) == [FUNCTIONS - 1] * THREADS
