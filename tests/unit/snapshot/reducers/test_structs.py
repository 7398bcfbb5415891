"""Structs of msgspec whose fields are not those that they had when they were saved."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from durable_import import DataChangedError, renamed
from durable_import.snapshot.pickler import dumps
from durable_import.snapshot.references import References
from durable_import.snapshot.unpickler import loads
from durable_import.upgrades import renames

Edit = Callable[..., Any]
KINDS = ["", ", frozen=True", ", kw_only=True", ", array_like=True, gc=False"]


@pytest.fixture
def edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Edit:
    """Gives the struct ``Order`` of the module ``edited_structs`` other fields."""
    module = ModuleType("edited_structs")
    module.__file__ = str(tmp_path / "edited_structs.py")
    monkeypatch.setitem(sys.modules, "edited_structs", module)
    monkeypatch.setattr(renames, "_NEW", {})

    def give(kind: str, *lines: str) -> Any:
        text = "\n    ".join([f"import msgspec\nclass Order(msgspec.Struct{kind}):", *lines]) + "\n"
        Path(str(module.__file__)).write_text(text)
        exec(compile(text, str(module.__file__), "exec"), vars(module))
        return module.Order

    return give


def saved(value: Any) -> bytes:
    """As a snapshot has it."""
    return dumps(value, References())


@pytest.mark.parametrize("kind", KINDS)
def test_fields_may_be_new_gone_and_elsewhere(edit: Edit, kind: str) -> None:
    """New ones get their defaults, each object by itself; the others keep what they had, whatever their order."""
    order = edit(kind, "gone: int", "number: int", "name: str")
    data = saved([order(gone=1, number=7, name="a"), order(gone=2, number=8, name="b")])
    items = "items: list = msgspec.field(default_factory=list)"
    today = edit(kind, "name: str", "number: int", "tier: int = 5", items)
    first, second = loads(data)
    assert [first, second] == [today(name="a", number=7), today(name="b", number=8)]
    assert first.items is not second.items


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_field_without_a_default_is_an_error(edit: Edit, kind: str) -> None:
    """It says which field of which class, and where that is."""
    data = saved(edit(kind, "number: int")(number=7))
    today = edit(kind, "tier: int", "number: int")
    with pytest.raises(DataChangedError, match="'tier', which is new and has no default") as caught:
        loads(data)
    file = sys.modules[today.__module__].__file__
    assert (caught.value.filename, caught.value.lineno, caught.value.name) == (file, 2, "edited_structs:Order")


def test_a_field_with_another_name(edit: Edit) -> None:
    """It is the one that the program says."""
    data = saved(edit("", "number: int")(7))
    today = edit("", "identity: int")
    renamed("edited_structs:Order.number", "edited_structs:Order.identity")
    assert loads(data) == today(7)


def test_a_setstate_of_the_class_wins(edit: Edit) -> None:
    """It is given the saved fields by name, and sets those that have no default."""
    data = saved(edit("", "number: int")(7))
    own = "def __setstate__(self, state): self.tier = state['number'] * 10"
    today = edit("", "number: int", "tier: int", own)
    assert loads(data) == today(7, 70)


def test_a_reduce_of_the_class_is_left_alone(edit: Edit) -> None:
    """The class sees to its objects itself."""
    order = edit("", "number: int", "def __reduce__(self): return Order, (self.number + 1,)")
    assert loads(saved(order(7))) == order(8)


def test_one_struct_stays_one(edit: Edit) -> None:
    """What two variables held is one object again, in a dict too."""
    order = edit(", frozen=True", "number: int")(7)
    first, second, found = loads(saved((order, order, {order: "seven"})))
    assert first is second
    assert found[first] == "seven"
