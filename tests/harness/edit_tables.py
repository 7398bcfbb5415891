"""Tables of edits of programs in flight, each with what plain reasoning says of it: text files, for people to read.

A file has one program, and its edits. An edit is named behind ``===`` and begins with the reasons, on one line. Lines with ``-``
become those with ``+`` behind them; ``s OLD NEW`` is replaced everywhere (by half, if there are more words). Then it is said what
becomes of the program when its text changes at each of its checkpoints (before it begins, and when an await has ended), if
frames move: its effects, with ``|`` where the text changes, and the result; or ``NO`` and the reason.

``free 0 4`` names the places where no function in flight has changed: all policies give the same there. Anywhere else it is
refused where that is the policy, and where frames are pinned the program ends as natively in the old text; if it does not,
``pinned`` stands before lines that say it of each place. ``script``: the modules' data are part of the state, as of a script.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.harness.deploys import HERE, Texts

MARK = "=== "
NAME = "edited"  # of the module that has ``main``
MODULE = "# module "  # begins a further module of the program, before the one that has ``main``
HEAD = "# durable: on\nimport asyncio\nimport contextlib\nimport functools\nfrom world import effect, fail\n"


@dataclass
class Edit:
    """One edit of a program. ``moved``, ``pinned``: what becomes of it at each place; see above."""

    name: str
    program: str
    why: str = ""
    pairs: list[tuple[str, str]] = field(default_factory=list)
    words: list[tuple[str, str]] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    pinned: list[str] = field(default_factory=list)
    free: frozenset[int] = frozenset()
    is_script: bool = False

    @property
    def then(self) -> Texts:
        """The modules as they were."""
        return modules_in(self.program)

    @property
    def today(self) -> Texts:
        """The modules as they are."""
        text = self.program
        for old, new in self.pairs:
            assert text.count(old) == 1, (self.name, old)
            text = text.replace(old, new)
        for old, new in self.words:
            assert old in text, (self.name, old)
            text = text.replace(old, new)
        return modules_in(text)


def modules_in(text: str) -> Texts:
    """The modules of a program, by name."""
    *others, last = text.split("# main\n")
    parts = others[0].split(MODULE)[1:] if others else []
    found = {name: HEAD + body for name, _, body in (part.partition("\n") for part in parts)}
    return {**found, NAME: HEAD + last}


def edits_in(path: Path) -> list[Edit]:
    """All edits of a file."""
    program, *parts = path.read_text().split(MARK)[1:]
    text = program.partition("\n")[2].rstrip("\n") + "\n"
    return [_edit(text, part) for part in parts]


def _edit(program: str, part: str) -> Edit:
    name, why, *lines = part.rstrip("\n").split("\n")
    edit = Edit(name, program, why)
    outcomes, old, new = edit.moved, "", ""
    for line in [*lines, ""]:
        if line.startswith("-") and new:
            edit.pairs.append((old, new))
            old, new = "", ""
        if line.startswith("-"):
            old += line[1:] + "\n"
            continue
        if line.startswith("+"):
            new += line[1:] + "\n"
            continue
        if old:
            edit.pairs.append((old, new))
            old, new = "", ""
        if line.startswith("s "):
            words = line.split(" ")[1:]
            half = len(words) // 2
            edit.words.append((" ".join(words[:half]), " ".join(words[half:])))
        elif line.startswith("free "):
            edit.free = frozenset(map(int, line.split()[1:]))
        elif line == "script":
            edit.is_script = True
        elif line == "pinned":
            outcomes = edit.pinned
        elif line:
            assert HERE in line, (name, line)
            outcomes.append(line)
    return edit


def ended_in_old_code(native: str) -> Iterator[str]:
    """What becomes of a program of one task that ends in the old text, for each place where that changes, from a native run."""
    effects, arrow, result = native.partition("-> ")
    done = effects.split()
    for i in range(len(done) + 1):
        yield " ".join([*done[:i], HERE, *done[i:], arrow + result])
