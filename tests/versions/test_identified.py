"""How code is identified, by its place in the module and a hash of what it says, is the same in every Python version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.harness.interpreters import Version, ask, interpreters, name_of
from tests.harness.rewriting import GOLDEN, PROGRAMS, is_readable, sources

pytestmark = pytest.mark.slow

SPELLINGS = (
    "'\N{GRINNING FACE}'", "'\U0001fae8'", "'\u00e9' '\\n'", "f'{x}' 'y' f'{y}'", "'a' f'b' 'c'", "f'{x:{y}}'",
    "f'{x:>{y}}{y!r:}'", "f'{x=} {y = }'", "f'{{{x}}}'", "f''",
    "'' f'{x}' ''", "f'\\N{EM DASH}{x}'", "u'x'", "r'\\d'", "b'\\xff'",
    "0x10 + 1_000 + 1e400 + 1e-3j", "f'{x:%H:%M}'", "f'{x!s}' f'{f\"{y}\"}'",
)  # fmt: skip


def identified(paths: list[Path]) -> dict[Version, dict[str, Any]]:
    """What each Python version says of the files that it can parse, by path."""
    found = {}
    for version, executable in interpreters().items():
        readable = [str(path) for path in paths if is_readable(path, version)]
        found[version] = ask(executable, "tests.harness.identify", readable)
    return found


def test_code_is_identified_alike_in_every_version() -> None:
    """Places, digests, labels and live hidden variables of all programs are the same in all Python versions found."""
    paths = {path for version in interpreters() for folder in (GOLDEN, PROGRAMS) for path in sources(folder, version)}
    answers = identified(sorted(paths))
    reference = {path: said for _, answer in sorted(answers.items()) for path, said in answer.items()}
    assert len(reference) > 150
    differing = [
        f"{path} in Python {name_of(version)}"
        for version, answer in answers.items()
        for path in answer
        if answer[path] != reference[path]
    ]
    assert not differing


def test_strings_are_identified_alike_in_every_version(tmp_path: Path) -> None:
    """Characters that only newer versions know, and formatted strings however they are parsed, give one digest."""
    paths = {tmp_path / f"case_{i}.py": text for i, text in enumerate(SPELLINGS)}
    for path, text in paths.items():
        path.write_text(f"async def f(x, y):\n    return {text}\n", encoding="utf-8")
    answers = identified(list(paths))
    digests = {text: [answer[str(path)] for answer in answers.values()] for path, text in paths.items()}
    assert not {text for text, found in digests.items() if any(digest != found[0] for digest in found)}
