"""What snapshots say of where frames stand, and of their hidden variables: unique names, and what is refused when it is read."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from durable_import.aio.standard import NAMES
from durable_import.errors import SnapshotFormatError
from durable_import.frames.capture import FrameState
from durable_import.rewrite.analysis.relative_paths import absolute
from durable_import.rewrite.analysis.suspensions import Place
from durable_import.rewrite.compiler import compile_module
from durable_import.snapshot import pickler
from durable_import.snapshot.tasks.frames import reduce_state
from tests.harness.releases import Change, released
from tests.harness.rewriting import GOLDEN, PROGRAMS, is_readable
from tests.harness.torture import hard_torture

SOURCE = """\
from world import effect

async def walk(items):
    found = []
    for item in items:
        found.append(await effect("walk", item))
    return found

async def main():
    await effect("begin")  # saved by the other release, what follows by today's
    return await walk([1, 2, 3])
"""
WHERE = r"<program>:3: the saved state is in the middle of 'walk' and cannot go on there: "
WAY_OUT = r"\. Resume it with the version of durable_import that saved it; the saved state is kept\.$"


def all_sources() -> list[Path]:
    """All programs that this Python can parse, and the modules of the standard library whose code waits."""
    programs = [*GOLDEN.glob("*.py"), *PROGRAMS.rglob("*.py")]
    readable = [path for path in programs if is_readable(path, sys.version_info[:2]) and path.parent.name != "lazy"]
    specs = [importlib.util.find_spec(name) for name in NAMES if importlib.util.find_spec(name.partition(".")[0])]
    return sorted(readable) + [Path(spec.origin) for spec in specs if spec is not None and spec.origin is not None]


def functions(path: Path) -> Iterator[tuple[str, list[Place]]]:
    """The functions of a module that suspend, with what snapshots say of their suspensions."""
    for row in compile_module(path.read_bytes(), str(path), path.stem).table:
        if row is not None and row[2]:
            yield f"{path}: {row[0]}", list(row[2].values())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_names_are_unique() -> None:
    """Path and role name one suspension of a function, and one of its hidden variables, wherever that is kept."""
    count = 0
    for path in all_sources():
        for function, suspensions in functions(path):
            count += 1
            assert len({here[:2] for here in suspensions}) == len(suspensions), function
            names: dict[tuple[str, str], str] = {}
            for way, _, kept in suspensions:
                meanings = {(role, absolute(path, way)): name for name, role, path in kept}
                assert len(meanings) == len(kept), function
                assert all(names.setdefault(meaning, name) == name for meaning, name in meanings.items()), function
    assert count > 1500


def test_a_place_is_where_the_user_wrote_it() -> None:
    """The path leads from the function to the node, through what the rewriter makes of it."""
    source = (
        b"async def f(a, b):\n    async with a as x:\n        try:\n            pass\n"
        b"        except* ValueError:\n            print(x, f'{x}{b!r}', *b, await a, **b)\n"
    )
    (row,) = [row for row in compile_module(source, "<program>", "m").table if row is not None]
    assert [here[:2] for here in row[2].values()] == [
        ("body.0.items.0", "aenter"),
        ("body.0.body.0.handlers.0.body.0.value.args.3", "await"),
        ("body.0.items.0", "aexit error"),
        ("body.0.items.0", "aexit"),
    ]
    call = "body.0.body.0.handlers.0.body.0.value"
    kept = {(role, absolute(path, f"{call}.args.3")) for _, role, path in list(row[2].values())[1][2]}
    assert kept == {
        ("manager", "body.0.items.0"), ("leave", "body.0.items.0"), ("group", "body.0.body.0"),
        ("exception", "body.0.body.0"), ("exception", "body.0.body.0.handlers.0"),
        *(("operand", f"{call}.{step}") for step in ("func", "args.0", "args.1", "args.2")),
    }  # fmt: skip


def in_loop(place: Place, *kept: tuple[str, str, str]) -> Place:
    """The place, with other hidden variables if it is the one in the loop."""
    return (*place[:2], kept) if place[2] else place


REFUSED: dict[str, tuple[Change, str]] = {
    "kept no more": (in_loop, r"it has the iterator of a loop \(at body\.1\), which this version does not keep there"),
    "kept in addition": (
        lambda place: in_loop(place, *place[2], ("@more", "outcome", "2")),
        r"it lacks the pending outcome of a try block \(at body\.1\)",
    ),
    "another role": (
        lambda place: in_loop(place, *((name, "item", path) for name, _, path in place[2])),
        r"it has the iterator of a loop \(at body\.1\), which this version does not keep there",
    ),
    "elsewhere": (
        lambda place: ("body.7", *place[1:]) if place[2] else place,
        r"it waits in the await at body\.1\.body\.0\.value\.args\.0, where this version does not suspend",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_mapped_is_refused(case: str) -> None:
    """A release that does not keep the same at a suspension says what is missing, and where, instead of failing later."""
    change, reason = REFUSED[case]
    with pytest.raises(SnapshotFormatError, match=f"^{WHERE}{reason}{WAY_OUT}"):
        released(SOURCE, change=change)


TESTED = """\
from world import effect

async def main():
    turns = 0
    while await effect("asked", turns < 2):
        turns += await effect("told", 1)
    return turns
"""
DAMAGED: dict[str, tuple[dict[str, Any], str]] = {
    "of no sane kind": ({"going": "perhaps"}, r"whether a loop goes on \(at body\.1\) cannot be of type str"),
    "not there": ({}, r"it lacks whether a loop goes on \(at body\.1\)"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_what_is_read_is_checked(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hidden variable that cannot be what its place needs is refused when it is read."""
    values, reason = DAMAGED[case]

    def damaged(frame: Any, state: FrameState) -> Any:
        names = dict.fromkeys(state.info.names(state.label, "going"))
        changed = {name: value for name in names for value in values.values()}
        kept = {name: value for name, value in state.variables.items() if name not in names}
        return reduce_state(frame, state._replace(variables=kept | changed))

    monkeypatch.setattr(pickler, "reduce_state", damaged)
    with pytest.raises(SnapshotFormatError, match=rf"^<program>:3: .*'main' .*: {reason}{WAY_OUT}"):
        hard_torture(TESTED)
