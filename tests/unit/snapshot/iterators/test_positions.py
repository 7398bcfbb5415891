"""Iterators of itertools and of the builtins go on from every position, in this Python version and in every other."""

from __future__ import annotations

import base64
import copy
import gc
import itertools
import pickle
import pickletools
import traceback
import zlib
from pathlib import Path
from typing import Any

import pytest

from durable_import.snapshot.iterators.itertools_state import restore_batched, restore_map
from tests.harness.interpreters import Version, ask, interpreters
from tests.harness.iterating import (
    at,
    dumps,
    is_loadable,
    kinds,
    loads,
    of_itertools,
    own_kinds,
    positions,
    rest,
    restored,
    walk_on,
    walked,
    walks,
)

MODULE = "tests.harness.iterating"
EARLIER = sorted((Path(__file__).parent / "earlier").glob("native_iterators_*"))
KINDS = {**kinds(), **own_kinds()}


@pytest.mark.parametrize("name", KINDS)
def test_goes_on_from_every_position(name: str) -> None:
    """What is restored gives what the native one gives, and does so when it is saved again or after an item more."""
    make = KINDS[name]
    for position in positions(make):
        expected = rest(at(make, position))
        assert rest(restored(at(make, position))) == expected
        assert rest(restored(restored(at(make, position)))) == expected
        moved = restored(at(make, position))
        next(moved, None)
        assert rest(restored(moved)) == rest(at(make, position + 1))


@pytest.mark.parametrize("name", of_itertools())
def test_remains_an_iterator_of_its_type(name: str) -> None:
    """For ``isinstance`` and in its repr, and mostly for ``type`` too."""
    for position in positions(KINDS[name]):
        iterator = at(KINDS[name], position)
        again = restored(iterator)
        assert isinstance(again, type(iterator))
        assert repr(again).partition(" at ")[0] == repr(iterator).partition(" at ")[0]


@pytest.mark.parametrize(("kind", "seed", "steps"), list(walks()))
def test_what_is_shared_stays_shared(kind: str, seed: int, steps: int) -> None:
    """Branches of a tee read each item once, groups end when their groupby goes on; copies of branches too."""
    expected = walk_on(walked(kind, seed, steps))
    assert walk_on(restored(walked(kind, seed, steps))) == expected
    assert walk_on(restored(restored(walked(kind, seed, steps)))) == expected


@pytest.fixture(scope="module")
def saved() -> dict[Version, dict[str, Any]]:
    """By name, what each version saved and what it is to give."""
    return {version: ask(executable, MODULE, "save") for version, executable in interpreters().items()}


@pytest.mark.slow
def test_every_version_goes_on_with_what_every_other_saved(saved: dict[Version, dict[str, Any]]) -> None:
    """Each pair of the interpreters on this machine, for all kinds and positions."""
    for version, executable in interpreters().items():
        for origin, snapshots in saved.items():
            chosen = {name: pair for name, pair in snapshots.items() if is_loadable(name, version)}
            found = ask(executable, MODULE, {name: data for name, (data, _) in chosen.items()})
            assert found == {name: expected for name, (_, expected) in chosen.items()}, (origin, version)


def test_names_in_snapshots_are_short_and_stay(saved: dict[Version, dict[str, Any]]) -> None:
    """No snapshot names a module of the package by where it is."""
    for snapshots in saved.values():
        for name, (data, _) in snapshots.items():
            texts = {argument for _, argument, _ in pickletools.genops(base64.b64decode(data)) if type(argument) is str}
            assert not [text for text in texts if text.startswith("durable_import")], name


@pytest.mark.parametrize("path", EARLIER, ids=lambda path: path.name)
def test_goes_on_with_what_was_saved_by_the_native_forms(path: Path) -> None:
    """Snapshots of Python 3.13 and earlier by an earlier version of this package; so does what is saved of them again."""
    for times in range(2):
        saved = loads(zlib.decompress(path.read_bytes()))
        for place, iterator in (restored(saved) if times else saved).items():
            if len(place) == 3:
                walk = walked(*place)
                walk.iterators = iterator
                assert walk_on(walk) == walk_on(walked(*place)), place
            elif place[0] in KINDS:
                assert rest(iterator) == rest(at(KINDS[place[0]], place[1])), place


def fails_late(value: int) -> int:
    """A function that a source or a groupby calls."""
    if value > 2:
        raise LookupError(value)
    return value


@pytest.mark.parametrize(
    "make",
    [
        lambda: itertools.groupby(range(5), fails_late),
        lambda: itertools.tee(map(fails_late, range(5)))[0],
        lambda: itertools.accumulate(map(fails_late, range(5))),
        lambda: itertools.cycle(map(fails_late, range(5))),
        lambda: itertools.pairwise(map(fails_late, range(5))),
        lambda: itertools.chain.from_iterable(map(range, map(fails_late, range(1, 5)))),
    ],
)
def test_errors_have_the_native_traceback(make: Any) -> None:
    """Nothing of the package stands between the program and its own functions."""
    traces = []
    for iterator in (at(make, 1), restored(at(make, 1))):
        with pytest.raises(LookupError) as error:
            list(iterator)
        traces.append([frame.name for frame in traceback.extract_tb(error.value.__traceback__)])
    assert traces[0] == traces[1] == ["test_errors_have_the_native_traceback", "fails_late"]


def test_an_iterator_met_twice_is_one() -> None:
    """Also one inside of another, and one that leads back to itself."""
    items: list[Any] = []
    cycle = itertools.cycle(items)
    items += [cycle, 2]
    next(cycle)
    again, chained = restored((cycle, itertools.chain(cycle)))
    assert next(again) == 2
    assert next(chained) is again
    assert next(again) == 2


def test_values_that_lead_back_to_their_iterator() -> None:
    """What an iterator has read already may hold it."""
    holder: list[Any] = []
    pairs = itertools.pairwise(holder)
    holder += [(pairs,), 2, 3]
    next(iter([next(pairs)]))
    again = restored(pairs)
    assert next(again) == (2, 3)
    left, right = itertools.tee(holder)
    holder[0] = [left]
    next(left)
    left, right = restored((left, right))
    assert next(right) == [left]


def test_branches_of_a_tee_can_be_copied_and_teed() -> None:
    """As natively: each goes on by itself, and the source is read once."""
    source = iter(range(100))
    left, right = itertools.tee(source)
    next(left)
    source, left, right = restored((source, left, right))
    third = copy.copy(left)
    fourth, fifth = itertools.tee(right)
    assert [next(x) for x in (left, third, right, fourth, fifth)][:3] == [1, 1, 0]
    assert list(third) == list(range(2, 100))
    assert next(source, "end") == "end"


def test_a_copied_branch_that_reads_while_its_source_does() -> None:
    """The error is the native one."""

    class Reenters:
        def __iter__(self) -> Any:
            return self

        def __next__(self) -> Any:
            return next(branch)

    source = Reenters()
    (branch,) = itertools.tee(source, 1)
    with pytest.raises(RuntimeError, match="re-enter the tee"):
        next(branch)


def test_strictness_is_kept() -> None:
    """Of batched and map as of zip; where the version that goes on has no such flag, a stand-in has."""
    with pytest.raises(ValueError, match="incomplete batch"):
        list(restored(restore_batched(iter("abc"), 2, strict=True)))
    with pytest.raises(ValueError, match="shorter"):
        list(restored(restore_map(pow, (iter([1, 2]), iter([1])), strict=True)))


@pytest.mark.parametrize("make", [itertools.count, lambda: itertools.islice("abc", 2), lambda: itertools.tee("abc")[0]])
def test_what_is_not_as_known_is_refused(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is guessed about an iterator whose memory does not agree with what it refers to."""
    monkeypatch.setattr(gc, "get_referents", lambda *_: [])
    with pytest.raises(pickle.PicklingError, match=r"not known for Python 3\.\d+"):
        dumps(make())
