"""A journal of effects and commits in the order in which they happened, over all processes of a run; and what must hold in it.

A line is ``instance what subject [more ...]``:

- ``life PROCESS``: a process begins to run the instance;
- ``begin EFFECT [beside] KNOWN ...``: an effect begins; KNOWN are those whose outcomes the program knew when it called for it;
- ``end EFFECT [beside]``: it has ended, whichever way;
- ``commit CHECKPOINT``, ``kept CHECKPOINT``, ``committed CHECKPOINT``: the store is asked to commit, has done so, and returns.

The name of an effect is that of its task and a number: ``child3.2``. ``beside``: in a thread, so that it was called for before
it begins, and the instance learns later that it has ended.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

VARIABLE = "EFFECT_JOURNAL"  # of the environment: the path


class Line(NamedTuple):
    """One thing that happened to an instance."""

    what: str
    subject: str
    more: frozenset[str]

    @property
    def is_beside(self) -> bool:
        return "beside" in self.more


def note(instance_id: str, *words: object) -> None:
    """Write a line that survives whatever comes."""
    journal = os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(journal, (" ".join([instance_id, *map(str, words)]) + "\n").encode())
        os.fsync(journal)
    finally:
        os.close(journal)


@contextmanager
def noted(instance_id: str, effect: str, known: tuple[str, ...], *beside: str) -> Iterator[None]:
    """The effect happens in this block."""
    note(instance_id, "begin", effect, *beside, *known)
    try:
        yield
    finally:
        note(instance_id, "end", effect, *beside)


def read(path: Path, instance_id: str) -> list[Line]:
    """What happened to one instance."""
    split = (line.split() for line in path.read_text().splitlines())
    return [Line(what, subject, frozenset(more)) for name, what, subject, *more in split if name == instance_id]


def begun_too_early(lines: list[Line]) -> list[str]:
    """Effects that began before the end of a commit that began after the end of an effect which they come after.

    What the program knows from an earlier process came out of the store.
    """
    wrong: list[str] = []
    seen: set[str] = set()  # have ended in this process, and the instance knows
    loose: set[str] = set()  # have ended in this process, and are not kept yet
    covered: dict[str, set[str]] = {}  # by the commits under way
    for line in lines:
        if line.what == "life":
            seen, loose, covered = set(), set(), {}
        elif line.what == "commit":
            covered[line.subject] = set(loose)
        elif line.what == "committed":
            loose -= covered.pop(line.subject)
        elif line.what == "begin":
            wrong += [f"{line.subject} after {effect}" for effect in sorted(loose & _before(line, seen))]
        elif line.what == "end":
            loose.add(line.subject)
            if not line.is_beside:
                seen.add(line.subject)
    return wrong


def begun_too_often(lines: list[Line]) -> list[str]:
    """Effects that began again after one that comes after them, or that were not the only one of their task to begin again.

    A kill interrupts one effect of each task: only that may begin again, once in the next process.
    """
    wrong: list[str] = []
    earlier: set[str] = set()  # begun in earlier processes
    begun: set[str] = set()  # in this one
    seen: set[str] = set()  # have ended in this one, and the instance knows
    used: set[str] = set()  # another effect comes after them
    again: Counter[str] = Counter()  # for each task, in this process
    for line in lines:
        if line.what == "life":
            earlier, begun, seen, again = earlier | begun, set(), set(), Counter()
        elif line.what == "begin":
            task = line.subject.partition(".")[0]
            again[task] += line.subject in earlier
            if line.subject in used:
                wrong.append(f"{line.subject}: its outcome was used")
            if line.subject in begun:
                wrong.append(f"{line.subject}: twice in one process")
            if line.subject in earlier and again[task] > 1:
                wrong.append(f"{line.subject}: not the only one of its task")
            begun.add(line.subject)
            used |= _before(line, seen)
        elif line.what == "end" and not line.is_beside:
            seen.add(line.subject)
    return wrong


def _before(line: Line, seen: set[str]) -> set[str]:
    """The effects that the one which begins comes after: that the program knew, or at least the instance."""
    return set(line.more) if line.is_beside else seen | line.more


def kills_in_commits(lines: list[Line]) -> Counter[str]:
    """In what the processes but the last one ended: ``commit``, before it was done, or ``kept``, before the store returned."""
    under_way: dict[str, str] = {}
    found: Counter[str] = Counter()
    for what, subject, _ in lines:
        if what == "life":
            found.update(under_way.values())
            under_way = {}
        elif what in ("commit", "kept"):
            under_way[subject] = what
        elif what == "committed":
            del under_way[subject]
    return found
