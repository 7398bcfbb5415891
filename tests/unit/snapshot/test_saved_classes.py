"""What a snapshot says of the classes that it has objects of, and how these differ from those of today."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from durable_import.snapshot.payload import COMPLETE, IN_SEGMENTS, payload_of
from durable_import.snapshot.pickler import dumps
from durable_import.snapshot.references import References
from durable_import.snapshot.saved_classes import changes_in, classes_in
from durable_import.snapshot.unpickler import loads
from durable_import.upgrades import renames

Edit = Callable[[str], dict[str, Any]]
CLASSES = """
import enum, msgspec
from dataclasses import dataclass
from pydantic import BaseModel
from typing import Any, Generic, NamedTuple, Optional, TypeVar
X = TypeVar("X")
class Tier(enum.Enum): A = 1; B = 2
class May(enum.Flag): R = 1; W = 2
@dataclass
class Data: a: int; b: Optional[int] = None
class Model(BaseModel): a: int
class Of(BaseModel, Generic[X]): a: X
class Pair(NamedTuple): a: int; b: int
class Struct(msgspec.Struct): a: int
class Plain:
    def __init__(self): self.x = [1]
    def method(self): pass
def function(): pass
"""
MADE = "[Tier.A, May.R | May.W, Data(1), Model(a=1), Of[int](a=1), Pair(1, 2), Struct(1), Plain().method, function, {Data}, nan]"


@pytest.fixture
def edit(monkeypatch: pytest.MonkeyPatch) -> Edit:
    """Gives the module ``held`` another text; gives its names."""
    monkeypatch.setattr(renames, "_NEW", {})

    def give(text: str) -> dict[str, Any]:
        module = ModuleType("held")
        monkeypatch.setitem(sys.modules, "held", module)
        exec(text, vars(module))
        return vars(module)

    return give


def payload(made: str, names: dict[str, Any]) -> bytes:
    """A snapshot that holds something."""
    return payload_of(COMPLETE, dumps(eval(made, names | {"nan": float("nan")}), References()))


def test_the_classes_of_a_snapshot(edit: Edit) -> None:
    """They are found without being imported, with their fields and members."""
    data = payload(MADE, edit(CLASSES))
    del sys.modules["held"]
    found = {saved.name: saved for saved in classes_in(data, {})}
    assert sorted(found) == ["Data", "May", "Model", "Of", "Pair", "Plain", "Struct", "Tier", "function"]
    assert found["Data"].kinds == {"a": "int", "b": "int | None"}
    assert found["Tier"].members == {"A": 1}
    assert found["May"].members == {"R": 1, "W": 2}
    assert {name: saved.layout for name, saved in found.items() if saved.layout} == {
        "Data": "dict", "Model": "model", "Pair": "tuple", "Struct": "struct",
    }  # fmt: skip


def test_classes_of_segments(edit: Edit) -> None:
    """Each segment is looked at."""
    names = edit(CLASSES)
    one, other = (payload(made, names)[3:] for made in ("Data(1)", "Tier.A"))
    assert [saved.place for saved in classes_in(payload_of(IN_SEGMENTS, one), {"t1": other})] == ["held:Data", "held:Tier"]


def test_nothing_has_changed(edit: Edit) -> None:
    """All are the same, also in a later process."""
    data = payload(MADE, edit(CLASSES))
    edit(CLASSES)
    assert {change.status for change in changes_in(data, {})} == {"same"}


def test_what_has_changed(edit: Edit) -> None:
    """Which fields and members, and whether the state can be loaded."""
    data = payload(MADE, edit(CLASSES))
    text = (
        CLASSES.replace("A = 1;", "A = 3;")
        .replace("W = 2", "V = 2")
        .replace("b: Optional[int]", "c: list = (); b: Optional[str]")
    )
    text = text.replace("class Model(BaseModel): a: int", "class Model(BaseModel): z: int").replace("def function", "def other")
    text = text.replace("a: int; b: int", "b: int; a: int").replace("class Struct(msgspec.Struct)", "@dataclass\nclass Struct")
    edit(text)
    changes = {change.place.partition(":")[2]: change for change in changes_in(data, {})}
    assert {name: str(change) for name, change in changes.items()} == {
        "Data": "held:Data: 'c' is new (it has a default), 'b' is str | None (was int | None)",
        "May": "held:May: W is gone",
        "Model": "held:Model: 'z' is new (it has no default), 'a' is gone",
        "Of": "held:Of: same",
        "Pair": "held:Pair: its fields have another order",
        "Plain": "held:Plain: same",
        "Struct": "held:Struct: its objects are laid out as dict (were struct)",
        "Tier": "held:Tier: A is 3 (was 1)",
        "function": "held:function: is not there today",
    }
    assert {name for name, change in changes.items() if not change.can_be_loaded} == {"May", "Model", "function"}
    assert {name for name, change in changes.items() if change.status == "gone"} == {"function"}


def test_a_class_with_another_name(edit: Edit) -> None:
    """It is compared with the one that was said."""
    data = payload("Data(1)", edit(CLASSES))
    edit(CLASSES.replace("class Data", "class Facts"))
    assert [change.status for change in changes_in(data, {})] == ["gone"]
    renames.renamed("held:Data", "held:Facts")
    assert [change.status for change in changes_in(data, {})] == ["same"]


def test_a_change_is_told_once(edit: Edit, caplog: pytest.LogCaptureFixture) -> None:
    """When such objects are loaded."""
    data = payload("[Data(1), Data(2)]", edit(CLASSES))[3:]
    edit(CLASSES.replace("b: Optional[int]", "c: list = (); b: Optional[int]"))
    with caplog.at_level(logging.INFO, logger="durable_import"):
        loads(data)
        loads(data)
    assert [record.message for record in caplog.records] == [
        "?:0: a class has changed since it was saved: held:Data: 'c' is new (it has a default)"
    ]
