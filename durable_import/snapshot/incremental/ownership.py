"""Which segment each object of an instance belongs to, and which segments refer to which islands. See ``segments``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ...holds.notes import Note
from ..reopened import Unit
from .circles import circles
from .segments import KERNEL

SETTLED = 8  # an island may become a part of the only segment that refers to it each time it has been pickled so often


@dataclass
class Segment:
    """What is known of a pickled segment."""

    data: bytes = b""
    refs: set[str] = field(default_factory=set)  # islands that it refers to
    reach: set[str] = field(default_factory=set)  # ... those that the program's code can reach from it
    containers: list[Any] = field(default_factory=list)  # that belong elsewhere, and are no classes' instances
    ids: list[int] = field(default_factory=list)  # of the objects that belong to it
    kept: list[Any] = field(default_factory=list)  # these objects, as long as it is unchanged: their ids stay theirs
    age: int = 0  # how often it was pickled
    entries: dict[int, Note] = field(default_factory=dict)  # the reopenable objects that it refers to: see ``snapshot.reopened``
    staged: set[Unit] = field(default_factory=set)  # the calls that have to be made before it can be read


class Ownership:
    """The segments of one instance in this process. ``changed`` collects what a store has not been told of yet."""

    def __init__(self) -> None:
        self.segments: dict[str, Segment] = {}
        self.changed: dict[str, bytes | None] = {}  # None: gone
        self.owners: dict[int, str] = {}  # segments by id of an object
        self.exported: dict[int, tuple[str, int]] = {}  # by id of an object: its island and its place there
        self.islands: dict[str, list[Any]] = {}
        self.size = 0  # bytes of all segments
        self._users: dict[str, set[str]] = {}  # by island: the segments that refer to it
        self._unused: set[str] = set()  # islands that perhaps no segment refers to
        self._linked: set[str] = set()  # islands that have got into a circle, if there is one
        self._last_island = 0

    def put(self, key: str, segment: Segment) -> None:
        """A segment was pickled."""
        before = self.segments.get(key)
        for number in segment.ids:
            self.owners[number] = key
        refs = before.refs if before is not None else set()
        self._link(key, refs, segment.refs)
        if key in self.islands and segment.refs - refs:
            self._linked.add(key)
        self.size += len(segment.data) - (len(before.data) if before is not None else 0)
        segment.age = before.age + 1 if before is not None else 0
        self.segments[key] = segment
        if key != KERNEL and (before is None or before.data != segment.data):
            self.changed[key] = segment.data

    def disown(self, key: str) -> list[Any]:
        """A segment is about to be pickled again: no object belongs to it. Gives those that it has kept."""
        segment = self.segments.get(key)
        if segment is None:
            return []
        for number in segment.ids:
            if self.owners.get(number) == key:
                del self.owners[number]
        kept, segment.kept, segment.ids = segment.kept, [], []
        return kept

    def remove(self, key: str) -> list[Any]:
        """A segment is not needed any more. Gives the objects that it has kept."""
        kept = self.disown(key)
        for value in self.islands.pop(key, ()):
            if self.exported.get(id(value), ("", 0))[0] == key:
                del self.exported[id(value)]
        segment = self.segments.pop(key, None)
        if segment is not None:
            self._link(key, segment.refs, set())
            self.size -= len(segment.data)
            self.changed[key] = None
        return kept

    def _link(self, key: str, before: set[str], after: set[str]) -> None:
        for other in before - after:
            users = self._users.get(other)
            if users is not None:
                users.discard(key)
                if not users:
                    self._unused.add(other)
        for other in after - before:
            self._users.setdefault(other, set()).add(key)

    # --- islands

    def make_island(self, values: list[Any]) -> str:
        """A new island of these objects."""
        self._last_island += 1
        key = f"o{self._last_island}"
        self.islands[key] = values
        self._unused.add(key)  # until somebody refers to it
        for place, value in enumerate(values):
            self.exported[id(value)] = key, place
        return key

    def closure(self, keys: Iterable[str]) -> set[str]:
        """Segments with all islands that they lead to."""
        found: set[str] = set()
        waiting = list(keys)
        while waiting:
            key = waiting.pop()
            if key not in found and key in self.segments:
                found.add(key)
                segment = self.segments[key]
                waiting += segment.reach if key == KERNEL else segment.refs
        return found

    def only_user(self, key: str) -> str | None:
        """The segment that an island may become a part of: no other one has referred to it for a while."""
        users = self._users.get(key, ())
        if key not in self.islands or len(users) != 1 or (self.segments[key].age + 1) % SETTLED:
            return None
        return next(iter(users))

    def take_unused(self) -> list[str]:
        """Islands that no segment refers to; asked again, those that only these have referred to."""
        unused = [key for key in self._unused if key in self.islands and not self._users.get(key)]
        for key in self._unused:
            if not self._users.get(key):
                self._users.pop(key, None)
        self._unused.clear()
        return unused

    def circles(self) -> list[list[str]]:
        """Islands that have begun to refer to one another in a circle."""
        linked, self._linked = self._linked, set()
        return circles([key for key in linked if key in self.islands], self._links)

    def _links(self, key: str) -> list[str]:
        return [other for other in self.segments[key].refs if other in self.islands] if key in self.segments else []

    def users(self, keys: Iterable[str]) -> list[str]:
        """The segments that refer to any of these islands."""
        return list({user: None for key in keys for user in self._users.get(key, ())})
