"""The table of what is known of libraries, and the page of the docs that shows it."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

import pytest

from durable_import.holds.table import TABLE, Kind, Known

PAGE = Path(__file__).parents[3] / "docs" / "libraries.md"


def rows() -> list[str]:
    """The table as the page has it."""
    lines = ["| name | kind | advice |", "|---|---|---|"]
    return lines + [
        f"| `{name.replace(':', '.')}` | {kind_shown(known)} | {known.advice} |" for name, known in sorted(TABLE.items())
    ]


def kind_shown(known: Known) -> str:
    """The kind, and until when or from when on."""
    when = "once it has been read" if known.kind is Kind.SAVED else "until it has been read"
    return f"{known.kind.value} {when}" if known.spent else known.kind.value


def page_today() -> str:
    """The page with the table as it is."""
    text, _, _ = PAGE.read_text().partition(rows()[0])
    return text + "\n".join(rows()) + "\n"


def test_the_page_shows_the_table() -> None:
    """The docs say what the table says; `python -m tests.unit.holds.test_table` writes it into them."""
    assert PAGE.read_text() == page_today()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_names_lead_somewhere() -> None:
    """Of each library that is installed, most names are found: the others are of its other versions."""
    found: dict[str, list[bool]] = {}
    for name in TABLE:
        module, _, place = name.partition(":")
        top = module.partition(".")[0]
        if top not in sys.stdlib_module_names and importlib.util.find_spec(top) is not None:
            found.setdefault(top, []).append(is_there(module, place))
    assert {top: seen for top, seen in found.items() if sum(seen) * 2 < len(seen)} == {}


def is_there(module: str, place: str) -> bool:
    """Whether a module has something at a place."""
    try:
        value = importlib.import_module(module)
    except ImportError:
        return False
    for part in place.split("."):
        value = getattr(value, part, None)  # type: ignore[assignment]
    return value is not None


def test_what_reopenable_classes_are_asked() -> None:
    """Only they have methods that open and end them; others may be asked whether they are in use."""
    for known in TABLE.values():
        asked = known.opens or known.ends or known.ended or known.frees
        assert known.kind is Kind.REOPENABLE or not asked


if __name__ == "__main__":
    PAGE.write_text(page_today())
