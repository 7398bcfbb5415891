"""What classes need, as they are written, is what they need when they are imported; what is not certain is not said."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator

import pytest

from durable_import.upgrades import renames
from durable_import.upgrades.data import SavedClass, compare
from durable_import.upgrades.fields import fields_of
from durable_import.upgrades.on_disk import ModuleText, ProgramText
from durable_import.upgrades.written import lacking_fields, members_gone
from tests.harness.class_edits import EDITS, HEAD

DATA = "from dataclasses import dataclass, field, KW_ONLY\nfrom typing import *\n@dataclass\nclass T:\n a: int\n"
CERTAIN = [
    (DATA + " b: int", ["b"]),
    (DATA + " b: int = 1", []),
    (DATA + " b: int = field()", ["b"]),
    (DATA + " b: int = field(default=3)", []),
    (DATA + " b: list = field(default_factory=list)", []),
    (DATA + " b: ClassVar[int]", []),
    (DATA + " b: int = field(init=False)", []),
    (DATA + " _: KW_ONLY\n b: int", ["b"]),
    (DATA + " b: int\n def __setstate__(self, state): pass", []),
    (DATA + " b: int\n def __init__(self): self.a = self.b = 1", []),
    (DATA.replace("class T", "class B") + " b: int\n@dataclass\nclass T(B):\n c: int = 1", ["b"]),
    (DATA.replace("class T", "class B") + " b: int\nclass T(B): pass", ["b"]),
    (DATA.replace("@dataclass", "class M:\n m: int\n@dataclass").replace("class T", "class T(M)"), []),
    (DATA.replace("@dataclass", "@made"), []),
    ("from elsewhere import B\n" + DATA.replace("class T", "class T(B)") + " b: int", []),
    ("from pydantic import BaseModel\nclass T(BaseModel):\n a: int\n b: int", ["b"]),
    ("from pydantic import BaseModel, Field\nclass T(BaseModel):\n a: int\n b: int = Field(...)", ["b"]),
    ("from pydantic import BaseModel, Field\nclass T(BaseModel):\n a: int\n b: int = Field(3)", []),
    ("import msgspec\nclass T(msgspec.Struct):\n a: int\n b: int", ["b"]),
    ("from typing import NamedTuple\nclass T(NamedTuple):\n a: int\n b: int", ["b"]),
    ("class T:\n a: int\n b: int", []),
]


def program(text: str) -> ProgramText:
    """A program of one module."""
    found = ProgramText([])
    found._known["shapes"] = ModuleText("shapes", "shapes.py", text.encode())
    return found


@pytest.mark.parametrize(("text", "lacking"), CERTAIN)
def test_what_a_class_needs(text: str, lacking: list[str]) -> None:
    """New fields without a default, which nothing else may set."""
    assert lacking_fields(program(text), "shapes", "T", ["a"]) == lacking


def test_members_of_an_enum() -> None:
    """Those that are bound in its body."""
    text = "import enum\nclass T(enum.IntEnum):\n A = 1\n B: int = 2\n def f(self): pass\n"
    assert members_gone(program(text), "shapes", "T", ["A", "B", "C"]) == ["C"]
    assert members_gone(program(text + " for x in 'C': locals()[x] = 3"), "shapes", "T", ["C"]) == []
    assert members_gone(program("class T: pass"), "shapes", "T", ["C"]) == []


@pytest.fixture
def as_before() -> Iterator[None]:
    """What is said of new names is forgotten."""
    said = dict(renames.said())
    yield
    renames._NEW.clear()
    renames._NEW.update(said)


@pytest.mark.usefixtures("as_before")
@pytest.mark.parametrize("name", EDITS)
def test_nothing_is_said_that_is_not_so(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all edits of classes whose objects are restored."""
    edit = EDITS[name]
    modules = []
    for text in (edit.before, edit.after):
        module = types.ModuleType("shapes")
        monkeypatch.setitem(sys.modules, "shapes", module)
        exec(compile(HEAD + text, "shapes.py", "exec"), vars(module))
        modules.append(module)
    before, after = modules
    for each in [value for value in vars(before).values() if isinstance(value, type) and value.__module__ == "shapes"]:
        fields = tuple(fields_of(each))
        today = getattr(after, each.__name__, None)
        found = lacking_fields(program(HEAD + edit.after), "shapes", each.__name__, fields)
        if fields and today is not None:
            assert set(found) <= set(compare(SavedClass("shapes", each.__name__, fields), today).lacking)
