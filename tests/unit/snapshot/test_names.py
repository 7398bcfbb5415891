"""The names in snapshots: each leads to what it led to when it was first saved, and nothing else of the package gets in."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import durable_import
from durable_import import SnapshotFormatError, wait_for_event
from durable_import.snapshot.former_names import FORMER
from durable_import.snapshot.names import MODULE, NAMES, is_found_by_name, registered
from durable_import.snapshot.pickler import dumps
from durable_import.snapshot.references import References
from durable_import.snapshot.unpickler import loads
from durable_import.stores import SQLiteStateStore

EVER_SAVED = Path(__file__).parents[2] / "versions" / "corpus" / "names.txt"

ONLY_READ = ("set_state",)  # of snapshots of earlier versions


def restored(value: Any) -> Any:
    """A value after a save and a load."""
    return loads(dumps(value, References()))


def test_no_name_is_ever_lost_or_given_twice() -> None:
    """The list of all names that were ever saved is that of the names known today: add to it, never take away."""
    names = [name for module in NAMES.values() for name in module.values()]
    assert sorted(names) == EVER_SAVED.read_text().split()
    assert not set(names) & set(durable_import.__all__)


@pytest.mark.parametrize("name", [name for module in NAMES.values() for name in module.values()])
def test_each_name_leads_to_something(name: str) -> None:
    """What a name stands for is there, and is saved by the name if it is a function or class."""
    found = registered(name)
    assert not callable(found) or name in ONLY_READ or restored(found) is found


@pytest.mark.parametrize("module", FORMER)
def test_former_names_lead_to_names_of_today(module: str) -> None:
    """Each name of format 4 stands for one of today's."""
    assert all(registered(name) is not None for name in FORMER[module].values())


PUBLIC = {
    "function": wait_for_event,
    "class": durable_import.InstanceHandle,
    "error": durable_import.FencedError("x"),
    "store": SQLiteStateStore,
}


@pytest.mark.parametrize("value", PUBLIC.values(), ids=PUBLIC)
def test_public_things_are_saved_by_their_public_names(value: Any) -> None:
    """A variable may hold a function or class of the public interface."""
    data = dumps(value, References())
    assert b"durable_import." not in data
    assert type(loads(data)) is type(value)


@pytest.mark.parametrize("value", [dumps, References], ids=lambda value: value.__qualname__)
def test_what_is_internal_is_refused_when_it_is_saved(value: Any) -> None:
    """A function or class of the package that has no name would be lost with the next version."""
    with pytest.raises(pickle.PicklingError, match=rf"{value.__module__}\.{value.__qualname__} is internal to durable_import"):
        dumps(value, References())


def call_of(module: str, name: str) -> bytes:
    """A pickle that names something."""
    prelude = b"\x80\x04]."
    return prelude + b"\x80\x04c" + f"{module}\n{name}\n.".encode() + b"N."


@pytest.mark.parametrize("name", ["snapshot.pickler.dumps", "stores.url.open_store", "snapshot.tasks.frames.build", "log.about"])
def test_what_is_internal_is_refused_when_it_is_loaded(name: str) -> None:
    """No snapshot of format 4 or later names such a thing."""
    module, _, attribute = f"durable_import.{name}".rpartition(".")
    with pytest.raises(SnapshotFormatError, match=f"names {module}.{attribute}, which no version"):
        loads(call_of(module, attribute))


def test_an_unknown_name_says_that_a_later_version_saved_it() -> None:
    """What a later version adds is told in one sentence."""
    data = b"\x80\x04]." + b"\x80\x04" + f"c{MODULE}\nregistered\n".encode() + b"\x8c\x07unheard\x85R.N."
    with pytest.raises(SnapshotFormatError, match="'unheard', which this version of durable_import does not have: a later"):
        loads(data)


class _Asked:
    """A descriptor of a program, which does something when it is asked."""

    asked = 0

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __get__(self, instance: object, owner: type) -> Any:
        _Asked.asked += 1
        return self.function


class _Owner:
    @_Asked
    def own(self) -> None: ...

    @staticmethod
    def shared() -> None: ...

    def plain(self) -> None: ...


def test_no_descriptor_is_called() -> None:
    """Whether a function is found by its name is known without a call of what has taken its place in its class."""
    assert not is_found_by_name(vars(_Owner)["own"].function)
    assert _Asked.asked == 0
    assert is_found_by_name(_Owner.shared)
    assert is_found_by_name(_Owner.plain)
