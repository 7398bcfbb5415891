"""Every program goes on when each frame of it is moved onto its own text at every step, as if that had changed."""

from __future__ import annotations

import sys
import unittest.mock
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CellType
from typing import Any

import pytest

from durable_import.hook.code_table import CodeInfo, source_of
from durable_import.snapshot import decoder
from durable_import.snapshot.load_context import current
from durable_import.snapshot.tasks import frames
from durable_import.upgrades.kept import KeptTexts
from durable_import.upgrades.moving import DEFINITIONS, today_of
from tests.harness.programs import runnable_programs
from tests.harness.rewriting import PROGRAMS, sources
from tests.harness.samples import one_in, sampled
from tests.harness.torture import hard_torture, native, observe

CONCURRENT = sources(PROGRAMS / "concurrent", sys.version_info[:2])


@contextmanager
def moved_onto_itself() -> Iterator[list[str]]:
    """Each frame of a definition is treated as if its text had changed; gives the places of those that were."""
    places: list[str] = []
    kept = KeptTexts()
    loading: Any = decoder._loading

    def note(frame: Any, info: CodeInfo, digest: str, cells: dict[str, CellType]) -> None:
        module = info.module
        if module.is_library or module.is_unrewritten or not isinstance(today_of(module.by_place[info.place]).node, DEFINITIONS):
            return
        kept.by_digest[digest] = source_of(info)
        current().moving[id(frame)] = digest, cells
        places.append(info.place)

    def with_texts(*arguments: Any, **options: Any) -> Any:
        return loading(*arguments, **{**options, "kept_texts": kept})

    with unittest.mock.patch.object(frames, "note_moving", note), unittest.mock.patch.object(decoder, "_loading", with_texts):
        yield places


@pytest.mark.parametrize("path", one_in(10, sampled(runnable_programs())))
def test_a_program_moves_onto_its_own_text(path: Path, log: Path) -> None:
    """It gives the native result by the native effects."""
    expected = observe(native, path, log)
    with moved_onto_itself():
        assert observe(hard_torture, path, log) == expected


@pytest.mark.parametrize("path", one_in(10, sampled(CONCURRENT)))
def test_tasks_move_onto_their_own_text(path: Path, log: Path) -> None:
    """The same of many tasks."""
    result, effects = observe(native, path, log)
    with moved_onto_itself() as places:
        found, repeated = observe(hard_torture, path, log)
    assert (found, set(repeated)) == (result, set(effects))  # those in flight begin again
    assert places
