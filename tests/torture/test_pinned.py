"""Every program goes on when each frame of it is pinned to its own text at every step, as if that had changed."""

from __future__ import annotations

import sys
import unittest.mock
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from durable_import.hook.code_table import CodeInfo
from durable_import.hook.program_version import MADE, version_today
from durable_import.snapshot.tasks import frames
from durable_import.upgrades.then import provide
from durable_import.upgrades.versions import add_version
from tests.harness.programs import runnable_programs
from tests.harness.rewriting import PROGRAMS, sources
from tests.harness.samples import one_in, sampled
from tests.harness.torture import hard_torture, native, observe

# What differs, as documented: the file that tracebacks name, the identity of a method that was passed on, and late annotations,
# which each version evaluates for itself.
OTHERWISE = ("p084", "p168", "p240", "p241", "c215")
CONCURRENT = sources(PROGRAMS / "concurrent", sys.version_info[:2])


def those_alike(paths: list[Path]) -> list[Path]:
    """Those that give the native result."""
    return [path for path in paths if path.stem[:4] not in OTHERWISE]


@contextmanager
def pinned_to_itself() -> Iterator[list[str]]:
    """Each frame is treated as if its text had changed; gives the places of those that were."""
    places: list[str] = []
    find: Any = vars(frames)["frame_function"]
    provide()

    def pinned(*arguments: Any) -> CodeInfo:
        info: CodeInfo = find(*arguments)
        module = info.module
        if module.is_library or module.is_unrewritten or module.version:
            return info
        made = MADE[version_today()]
        places.append(info.place)
        return add_version(made.identity, made.record, made.texts).find(module.name, info.place, info.digest)

    with unittest.mock.patch.object(frames, "frame_function", pinned):
        yield places


@pytest.mark.parametrize("path", one_in(10, sampled(those_alike(runnable_programs()))))
def test_a_program_goes_on_pinned_to_its_own_text(path: Path, log: Path) -> None:
    """It gives the native result by the native effects."""
    expected = observe(native, path, log)
    with pinned_to_itself():
        assert observe(hard_torture, path, log) == expected


@pytest.mark.parametrize("path", one_in(10, sampled(those_alike(CONCURRENT))))
def test_tasks_go_on_pinned_to_their_own_text(path: Path, log: Path) -> None:
    """The same of many tasks."""
    result, effects = observe(native, path, log)
    with pinned_to_itself() as places:
        found, repeated = observe(hard_torture, path, log)
    assert (found, set(repeated)) == (result, set(effects))  # those in flight begin again
    assert places
