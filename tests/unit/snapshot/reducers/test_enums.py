"""Members of enums go by name, and flags by the names of their bits."""

from __future__ import annotations

import enum
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from durable_import import DataChangedError, MissingCodeError, renamed
from durable_import.snapshot.pickler import dumps
from durable_import.snapshot.references import References
from durable_import.snapshot.unpickler import loads
from durable_import.upgrades import renames

Edit = Callable[[str], ModuleType]


@pytest.fixture
def edit(tmp_path: Path) -> Iterator[Edit]:
    """Gives the module ``edited`` another text."""
    module = ModuleType("edited")
    module.__file__ = str(tmp_path / "edited.py")

    def give(text: str) -> ModuleType:
        Path(str(module.__file__)).write_text(text)
        for name in [name for name in vars(module) if not name.startswith("__")]:
            delattr(module, name)
        exec(compile(text, "edited.py", "exec"), vars(module))
        return module

    sys.modules["edited"] = module
    said = dict(renames._NEW)
    yield give
    renames._NEW.clear()
    renames._NEW.update(said)
    del sys.modules["edited"]


def saved(value: Any) -> bytes:
    """As a snapshot has it."""
    return dumps(value, References())


TIERS = "import enum\nclass Tier(enum.{kind}):\n    {members}\n"


@pytest.mark.parametrize("kind", ["Enum", "IntEnum"])
def test_a_member_goes_by_its_name(edit: Edit, kind: str) -> None:
    """The member of that name comes back, whatever its value is today."""
    data = saved(edit(TIERS.format(kind=kind, members="SILVER = 1; GOLD = 2")).Tier.SILVER)
    today = edit(TIERS.format(kind=kind, members="BRONZE = enum.auto(); SILVER = enum.auto()"))
    assert loads(data) is today.Tier.SILVER


def test_a_member_that_is_an_alias_today_is_what_it_is_an_alias_of(edit: Edit) -> None:
    """So does one whose value is a list, and the member of an enum in a class."""
    before = edit("import enum\nclass Shop:\n    class Tier(enum.Enum):\n        A = [1]; B = [2]\n")
    data = saved([before.Shop.Tier.A, before.Shop.Tier.B])
    today = edit("import enum\nclass Shop:\n    class Tier(enum.Enum):\n        B = [1]; A = [1]\n").Shop.Tier
    assert loads(data) == [today.B, today.B]


@pytest.mark.parametrize("kind", ["Flag", "IntFlag"])
def test_a_flag_goes_by_the_names_of_its_bits(edit: Edit, kind: str) -> None:
    """Also one of no bits, and one that has a name of its own."""
    may = edit(TIERS.format(kind=kind, members="R = 1; W = 2; RW = 3; X = 4")).Tier
    data = saved([may.R, may.RW, may.R | may.X, may(0)])
    today = edit(TIERS.format(kind=kind, members="X = 1; R = 2; W = 8; S = 4")).Tier
    assert loads(data) == [today.R, today.R | today.W, today.R | today.X, today(0)]


def test_bits_without_names_stay() -> None:
    """Those that an IntFlag keeps, and a member that consists of them."""
    for value in (Loose.NAMED | 64, Loose.MASK, Loose.MASK | Loose.NAMED):
        assert loads(saved(value)) == value


class Loose(enum.IntFlag):
    """With bits that have no names."""

    NAMED = 1
    MASK = 0x30


def test_members_of_local_enums() -> None:
    """They come back as members of the class that comes with them."""

    class Local(enum.StrEnum):
        A = enum.auto()
        B = enum.auto()

    cls, member = loads(saved([Local, Local.B]))
    assert (member is cls.B, member) == (True, "b")


def test_what_was_saved_by_value_opens() -> None:
    """As earlier versions and pickle do."""
    data = b"\x80\x02" + pickle.dumps(Loose.NAMED, 4)[2:] + b"N."
    assert loads(b"\x80\x02N." + data) is Loose.NAMED


def test_a_name_that_is_gone_is_an_error(edit: Edit) -> None:
    """It says where, what has the value, and how to accept that."""
    data = saved(edit(TIERS.format(kind="Enum", members="SILVER = 1; GOLD = 2")).Tier.SILVER)
    today = edit("\n" + TIERS.format(kind="Enum", members="GOLD = 1"))
    with pytest.raises(DataChangedError) as caught:
        loads(data)
    assert (caught.value.filename, caught.value.lineno, caught.value.name) == (today.__file__, 3, "edited:Tier")
    line = 'renamed("edited:Tier.SILVER", "edited:Tier.GOLD")'
    assert "has Tier.SILVER (value 1)" in str(caught.value)
    assert "with that value is GOLD today. If that is the same" in str(caught.value)
    assert f"durable_import.{line}" in str(caught.value)
    renamed("edited:Tier.SILVER", "edited:Tier.GOLD")
    assert loads(data) is today.Tier.GOLD


def test_a_class_with_another_name(edit: Edit) -> None:
    """It is found by the new one, and so are the members that were said of either."""
    before = edit(TIERS.format(kind="Enum", members="SILVER = 1; GOLD = 2; TIN = 3")).Tier
    data = saved([before, *before])
    today = edit(TIERS.format(kind="Enum", members="GOLD = 2; S = 1; T = 3").replace("Tier", "Level")).Level
    with pytest.raises(MissingCodeError, match=r'renamed\("edited:Tier", "edited:NAME"\)'):
        loads(data)
    renamed("edited:Tier", "edited:Level")
    renamed("edited:Tier.SILVER", "edited:Level.S")
    renamed("edited:Level.TIN", "edited:Level.T")
    assert loads(data) == [today, today.S, today.GOLD, today.T]


def test_a_module_with_another_name(edit: Edit) -> None:
    """What is in it is found in the new one."""
    data = saved(edit(TIERS.format(kind="Enum", members="A = 1")).Tier.A)
    sys.modules["moved"] = sys.modules.pop("edited")
    try:
        renamed("edited", "moved")
        assert loads(data) is sys.modules["moved"].Tier.A
    finally:
        sys.modules["edited"] = sys.modules.pop("moved")


@pytest.mark.parametrize(("old", "new"), [("a", "b:C"), ("a:B", "a"), ("a:B", "a:B"), ("a b:C", "a:C"), ("a:", "b:")])
def test_what_is_no_pair_of_names(old: str, new: str) -> None:
    """It is refused when it is said."""
    with pytest.raises(ValueError, match="renamed"):
        renamed(old, new)
