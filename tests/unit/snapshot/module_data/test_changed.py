"""Which containers of other modules the text of a function may change."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from durable_import.hook.code_table import MODULES
from durable_import.snapshot.module_data.changed import places_changed_by

CHANGING = (
    "json.CACHE['x'] = 1",
    "json.CACHE['x']['y'] += 1",
    "del json.CACHE['x']",
    "json.CACHE.update(x=1)",
    "json.CACHE.setdefault('x', []).append(1)",
    "json.CACHE.get('x').append(1)",
    "json.CACHE |= {}",
    "alias = json.CACHE",
    "use(json.CACHE)",
    "use(given=json.CACHE)",
    "return json.CACHE",
    "return [json.CACHE]",
    "return json.CACHE['x']",
    "return json.CACHE.get('x')",
    "json.CACHE['x'].clear()",
    "import json as other; other.CACHE.clear()",
    "from json import CACHE as other; other.clear()",
    "inner = lambda: json.CACHE.clear()",
)
READING = (
    "print(json.CACHE['x'])",
    "return json.CACHE['x'] + 1",
    "return 'x' in json.CACHE",
    "print(len(json.CACHE), sorted(json.CACHE))",
    "for key in json.CACHE: print(key)",
    "return [key for key in json.CACHE]",
    "return sorted(json.CACHE.items())",
    "if json.CACHE: return f'{json.CACHE}'",
    "return json.CACHE == {} or not json.CACHE",
    "json.OTHER",
)


def places(monkeypatch: pytest.MonkeyPatch, line: str) -> Any:
    """What is found in a function with this line."""
    source = f"import json\n\ndef function(use):\n    {line}\n".encode()
    monkeypatch.setitem(MODULES, "program", SimpleNamespace(source=source, path="program.py"))
    return places_changed_by("program", {"json": json})


@pytest.mark.parametrize("line", CHANGING)
def test_changing(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """What is set, deleted, called, given on or bound to another name is found, with its line."""
    assert places(monkeypatch, line).get(("json", "CACHE")) == 4


@pytest.mark.parametrize("line", READING)
def test_reading(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """What only looks something up is not."""
    assert ("json", "CACHE") not in places(monkeypatch, line)
