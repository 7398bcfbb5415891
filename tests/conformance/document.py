"""The document of the results: one section for each Python version, each replaced when that version runs everything."""

from __future__ import annotations

import re
import sys

from .asynchronous import EXCEPTIONS, Conformance
from .comparison import ROOT, Comparison

DOCUMENT = ROOT / "docs" / "conformance.md"

INTRODUCTION = """\
# Conformance

CPython has tests of coroutines, generators, exceptions and asyncio. Here they run under durable_import, in these ways:

- **natively**: as they are;
- **without a runtime**: the test module goes through the rewriter, and runs as it does where there is no runtime;
- **rewritten**: the same while a runtime exists, in which nothing runs: it is the code that instances run;
- **as instances**: asyncio's own waiting functions are rewritten too, and each asynchronous test is a durable instance that
  takes every checkpoint. The tests of tasks and futures make their loops by hand: they get loops of instances, and tasks of
  instances. Nothing is saved, because the tests hold mocks and other things that no program would save;
- **tortured**: the same, and at every checkpoint the frames of all tasks are captured, dropped, and rebuilt by the resume
  variants around the same objects.

The numbers are those of tests that passed. *Other tasks* are tests that pass natively and try another implementation of tasks
than the running one: asyncio's in Python, or subclasses of asyncio's classes. `python -m tests.conformance` runs everything
with the Python that runs it and replaces the section of its version; `pytest tests/conformance` fails on any difference that is
not listed as an exception, and when a file of asyncio takes no checkpoint or rebuilds no frame.
"""


def write(language: list[Comparison], asyncio: list[Conformance]) -> None:
    """Replace the section of the running Python version."""
    sections = _sections(DOCUMENT.read_text() if DOCUMENT.exists() else "")
    sections[sys.version_info[:2]] = _section(language, asyncio)
    parts = [INTRODUCTION, *(sections[version] for version in sorted(sections)), _exceptions()]
    DOCUMENT.write_text("\n".join(parts))


def _sections(text: str) -> dict[tuple[int, ...], str]:
    """The sections of a document by version."""
    found = re.findall(r"^## Python (\d+)\.(\d+).*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    bodies = re.findall(r"^## Python \d+\.\d+.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return {tuple(map(int, version)): body.rstrip() + "\n" for version, body in zip(found, bodies, strict=True)}


def _section(language: list[Comparison], asyncio: list[Conformance]) -> str:
    lines = [f"## Python {'.'.join(map(str, sys.version_info[:2]))}", "", f"Run with {sys.version.split()[0]}.", ""]
    lines += ["| file | natively | without a runtime | rewritten |", "|---|--:|--:|--:|"]
    lines += [f"| `{c.file}` | {c.native.passed} | {c.plain.passed} | {c.rewritten.passed} |" for c in language]
    lines += ["", *table(asyncio), ""]
    return "\n".join(lines)


def table(asyncio: list[Conformance]) -> list[str]:
    """The lines of a table, a file a line."""
    lines = [
        "| file | natively | rewritten | other tasks | as instances | tortured | exceptions |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for c in asyncio:
        assert c.native is not None
        assert c.rewritten is not None
        numbers = (
            c.native.passed, c.rewritten.passed, c.left_out, c.durable.passed, c.tortured.passed,
            c.native.passed - c.left_out - c.durable.passed,
        )  # fmt: skip
        lines.append(f"| `{c.file}` | " + " | ".join(map(str, numbers)) + " |")
    return lines


def _exceptions() -> str:
    lines = ["## Exceptions", "", "They pass natively and rewritten, and not as instances:", ""]
    lines += [f"- `{name}`: {reason}." for name, reason in EXCEPTIONS.items()]
    return "\n".join(lines) + "\n"
