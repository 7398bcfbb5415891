"""Objects of classes whose fields are not those that they had when they were saved."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from durable_import import DataChangedError
from durable_import.snapshot.declared import reduce_declared
from durable_import.snapshot.pickler import dumps
from durable_import.snapshot.references import References
from durable_import.snapshot.unpickler import loads

Edit = Callable[[str], ModuleType]

HEAD = "import attrs, dataclasses, pydantic, pydantic.dataclasses\nfrom dataclasses import dataclass, field\n"
KINDS = {
    "dataclass": "@dataclass",
    "frozen": "@dataclass(frozen=True)",
    "slots": "@dataclass(slots=True)",
    "frozen slots": "@dataclass(frozen=True, slots=True)",
    "attrs": "@attrs.define",
    "attrs frozen": "@attrs.frozen",
    "attrs dict": "@attrs.define(slots=False)",
    "pydantic": "",
    "pydantic.dataclass": "@pydantic.dataclasses.dataclass",
}
FACTORIES = {
    "pydantic.dataclass": "pydantic.Field(default_factory=list)",
    "attrs": "attrs.Factory(list)",
    "pydantic": "pydantic.Field(default_factory=list)",
}


@pytest.fixture
def edit(tmp_path: Path) -> Iterator[Edit]:
    """Gives the module ``edited`` another text."""
    module = ModuleType("edited")
    module.__file__ = str(tmp_path / "edited.py")

    def give(text: str) -> ModuleType:
        Path(str(module.__file__)).write_text(HEAD + text)
        exec(compile(HEAD + text, str(module.__file__), "exec"), vars(module))
        return module

    sys.modules["edited"] = module
    yield give
    del sys.modules["edited"]


def saved(value: Any) -> bytes:
    """As a snapshot has it."""
    return dumps(value, References())


def text_of(kind: str, *lines: str) -> str:
    """A class with these fields."""
    return "\n    ".join([f"{KINDS[kind]}\nclass Order{'(pydantic.BaseModel)' if kind == 'pydantic' else ''}:", *lines]) + "\n"


@pytest.mark.parametrize("kind", KINDS)
def test_new_fields_get_their_defaults(edit: Edit, kind: str) -> None:
    """Wherever they stand, in each object by itself; a field that is gone is no obstacle."""
    order = edit(text_of(kind, "gone: int = 1", "number: int = 2")).Order
    data = saved([order(number=7), order(number=8)])
    factory = FACTORIES.get(kind.partition(" ")[0], "field(default_factory=list)")
    today = edit(text_of(kind, "tier: int = 5", "number: int = 2", f"items: list = {factory}")).Order
    first, second = loads(data)
    assert [(type(o), o.tier, o.number, o.items) for o in (first, second)] == [(today, 5, 7, []), (today, 5, 8, [])]
    assert first.items is not second.items


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_field_without_a_default_is_an_error(edit: Edit, kind: str) -> None:
    """It comes at load, and says which field of which class, and where that is."""
    data = saved([edit(text_of(kind, "number: int")).Order(number=7)])
    module = edit(text_of(kind, "number: int", "tier: int"))
    with pytest.raises(DataChangedError, match="'tier', which is new and has no default") as caught:
        loads(data)
    assert (caught.value.filename, caught.value.lineno, caught.value.name) == (module.__file__, 4, "edited:Order")


@pytest.mark.parametrize("kind", KINDS)
def test_a_setstate_of_the_class_wins(edit: Edit, kind: str) -> None:
    """One that is new is called, and nothing is done beside it."""
    data = saved(edit(text_of(kind, "number: int")).Order(number=7))
    own = "def __setstate__(self, state): object.__setattr__(self, 'number', 70)"
    edit(text_of(kind, "number: int", "tier: int", own))
    made: Any = loads(data)
    if kind == "pydantic":
        assert object.__getattribute__(made, "__dict__") == {"number": 70}
    else:
        assert made.number == 70
        assert not hasattr(made, "tier")


def test_what_was_not_set_when_it_was_saved_stays_so(edit: Edit) -> None:
    """Only new fields are looked at; of those not what the class's own ``__init__`` may leave."""
    late = "late: int = field(init=False)"
    data = saved(edit(text_of("dataclass", "number: int", late)).Order(7))
    edit(text_of("dataclass", "number: int", late, "later: int", "def __init__(self, number): self.number = number"))
    assert vars(loads(data)) == {"number": 7}


def test_a_hash_that_needs_a_new_field(edit: Edit) -> None:
    """Keys of a dict are found again by it."""
    data = saved({edit(text_of("frozen", "number: int")).Order(7): "seven"})
    today = edit(text_of("frozen", "number: int", "tier: int = 3")).Order
    assert loads(data)[today(7, 3)] == "seven"


def test_classes_of_the_standard_library_have_no_part_in_it() -> None:
    """They are found by their names alone."""
    import tracemalloc

    assert reduce_declared(tracemalloc.Filter) is NotImplemented
