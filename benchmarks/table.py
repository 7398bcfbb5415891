"""The table of targets: its rows, and how they are shown and put into docs/performance.md."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "performance.md"
HEAD = ("| what | measured | ratio | target | met |", "|---|---|--:|---|---|")


@dataclass(frozen=True)
class Row:
    """One target. ``measured``: the absolute values, ours first. ``ratio``: what the target is about, where that is a ratio.
    ``met``: None where there is no target, only something to know."""

    what: str
    measured: str
    ratio: float | None
    target: str
    met: bool | None

    def __str__(self) -> str:
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        met = {True: "yes", False: "no", None: ""}[self.met]
        return f"| {self.what} | {self.measured} | {ratio} | {self.target} | {met} |"


def at_most(limit: float, what: str, measured: str, ratio: float) -> Row:
    """A row of a ratio that is to be small."""
    return Row(what, measured, ratio, f"<= {limit:g}", ratio <= limit)


def at_least(limit: float, what: str, measured: str, ratio: float) -> Row:
    """A row of a ratio that is to be large."""
    return Row(what, measured, ratio, f">= {limit:g}", ratio >= limit)


def duration(seconds: float) -> str:
    """For people: ``12.3 us``."""
    for unit, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if abs(seconds) >= unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds * 1e9:.3g} ns"


def size(count: float) -> str:
    """For people: ``12.3 KB``; 1 KB is 1,000 bytes."""
    for unit, name in ((1e6, "MB"), (1e3, "KB")):
        if abs(count) >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count:.0f} bytes"


def machine() -> str:
    """What ran, and on what."""
    processors = os.cpu_count() or 1
    load = os.getloadavg()[0] / processors
    return (
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.system()} on {platform.machine()}, "
        f"{processors} processors (load {load:.1f} for each)"
    )


def write(name: str, lines: Iterable[str]) -> None:
    """Put ``lines`` between the two comments of docs/performance.md that mark the table ``name``."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    text = DOCUMENT.read_text()
    if text.count(begin) != 1 or text.count(end) != 1:
        raise SystemExit(f"{DOCUMENT}: there is no one place between {begin!r} and {end!r}: put both where the table is to be")
    before, rest = text.split(begin)
    _, after = rest.split(end)
    DOCUMENT.write_text("\n".join([before + begin, *lines, end + after]))
