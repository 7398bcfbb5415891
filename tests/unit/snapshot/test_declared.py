"""Objects of classes that have changed since they were saved: a table of edits."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from durable_import import DataChangedError, MissingCodeError
from durable_import.snapshot.load_context import Loading
from durable_import.snapshot.pickler import dumps
from durable_import.snapshot.references import References
from durable_import.snapshot.unpickler import loads, reading_of
from durable_import.upgrades import renames
from tests.harness.class_edits import DATA, EDITS, GONE, HEAD, REFUSED, SLOTTED, Edit, in_circle, noted, with_z

Make = Callable[[str], dict[str, Any]]


@pytest.fixture
def edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Gives the module ``shapes`` another text; gives its names."""
    monkeypatch.setattr(renames, "_NEW", {})

    def give(text: str) -> dict[str, Any]:
        module = ModuleType("shapes")
        module.__file__ = str(tmp_path / "shapes.py")
        Path(module.__file__).write_text(HEAD + text)
        linecache.checkcache(module.__file__)
        monkeypatch.setitem(sys.modules, "shapes", module)
        exec(compile(HEAD + text, module.__file__, "exec"), vars(module))
        return vars(module) | {"in_circle": in_circle, "noted": noted, "with_z": with_z}

    return give


def saved(value: Any) -> bytes:
    """As a snapshot has it."""
    return dumps(value, References())


@pytest.mark.parametrize("case", EDITS.values(), ids=EDITS)
def test_objects_are_what_they_were_in_the_class_of_today(case: Edit, edit: Make) -> None:
    """By the names of what they hold; what is new has its default."""
    data = saved(eval(case.made, edit(case.before)))
    names = edit(case.after)
    seen = eval(case.seen, names | {"x": loads(data)})
    assert (repr(seen) if isinstance(case.expected, str) else seen) == case.expected


@pytest.mark.parametrize(("before", "made", "after", "said"), REFUSED.values(), ids=REFUSED)
def test_what_the_class_of_today_cannot_have(before: str, made: str, after: str, said: str, edit: Make) -> None:
    """It is a located error when all is read, not one that comes later."""
    data = saved(eval(made, edit(before)))
    edit(after)
    with pytest.raises(DataChangedError) as caught:
        loads(data)
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{caught.value.filename}:{caught.value.lineno}: ")
    assert (HEAD + after).splitlines()[caught.value.lineno - 1].startswith("class ")


@pytest.mark.parametrize(("before", "made", "after", "said"), GONE.values(), ids=GONE)
def test_the_line_to_add_is_said(before: str, made: str, after: str, said: str, edit: Make) -> None:
    """Of what is gone: a class, a function, a method."""
    data = saved(eval(made, edit(before)))
    edit(after)
    with pytest.raises(MissingCodeError) as caught:
        loads(data)
    assert f"durable_import.{said}" in str(caught.value)


def test_classes_that_have_not_changed_are_read_by_the_quick_unpickler(edit: Make) -> None:
    """None of their objects is looked at."""
    text = f"{SLOTTED} a: int\nclass M(BaseModel): a: int\nclass N(NamedTuple): a: int\nclass S(msgspec.Struct): a: int"
    data = saved(eval("[T(1), M(a=1), N(1), S(1)]", edit(text)))
    edit(text)
    loading = Loading(reading_of(data))
    assert (loading.next_opening(), loading.begins_again()) == (None, False)


def test_a_default_that_raises(edit: Make) -> None:
    """It says of which field of which class that was."""
    data = saved(eval("T(1)", edit(f"{DATA} a: int")))
    edit(f"{DATA} a: int; b: int = field(default_factory=lambda: 1 // 0)")
    with pytest.raises(ZeroDivisionError) as caught:
        loads(data)
    assert caught.value.__notes__[0].startswith("raised for the new field 'b' of T (")
