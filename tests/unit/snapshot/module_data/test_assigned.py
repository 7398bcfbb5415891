"""Which attributes of modules a function sets, and how they are set again."""

from __future__ import annotations

import dis
import sys
from types import ModuleType
from typing import Any

import pytest

from durable_import.snapshot.module_data.assigned import Assigned, assigned_paths, set_again

settings: Any = sys.modules[__name__]  # a global name, as a module has it that is imported


def _sets(value: Any) -> None:
    settings.debug = value
    settings.options.level = value
    value.other = 1
    settings.names[0] = value
    del settings.removed


def test_paths() -> None:
    """They begin with a global name and lead on by attributes; where each is set is known."""
    found = dict(assigned_paths(_sets.__code__, dis.get_instructions(_sets.__code__)))
    assert list(found) == [("settings", "debug"), ("settings", "options", "level"), ("settings", "removed")]
    assert found["settings", "debug"] == f"{__file__}:{_sets.__code__.co_firstlineno + 1}"


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module that a program has imported."""
    made = ModuleType("shop_settings")
    vars(made).update(debug=False, options=type("Options", (), {"level": 1})(), removed=1)
    monkeypatch.setitem(sys.modules, made.__name__, made)
    return made


def test_only_what_is_other_is_saved(module: Any) -> None:
    """It is set again in a module as it is at first; what was deleted is deleted."""
    paths = {("settings", "debug"): "a.py:1", ("settings", "options", "level"): "a.py:2", ("settings", "removed"): "a.py:3"}
    assigned = Assigned({"settings": module}, paths)
    assert list(assigned.contents()) == []
    module.debug, module.options.level = True, 2
    del module.removed
    contents = dict(assigned.contents())
    assert contents == {
        "set shop_settings.debug": ("set", ("shop_settings", "debug"), True),
        "set shop_settings.options.level": ("set", ("shop_settings", "options.level"), 2),
        "set shop_settings.removed": ("deleted", ("shop_settings", "removed"), None),
    }
    assert assigned.places["set shop_settings.debug"] == "a.py:1"
    vars(module).update(debug=False, options=type("Options", (), {"level": 1})(), removed=1)
    for how, where, value in contents.values():
        set_again(how, where, value)
    assert (module.debug, module.options.level, hasattr(module, "removed")) == (True, 2, False)


def test_what_has_no_place_is_told(module: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The module may be another one today."""
    set_again("set", (module.__name__, "missing.level"), 1)
    assert "missing.level of module shop_settings, which the program has set, is not set again" in caplog.text
