"""Where in the bytes of a snapshot its values stand, so that another one can be put in the place of one of them.

Nothing of a pickle is taken out, for what comes later may refer to it: behind the instructions that have put a value on the stack
come others, which take it off again and put the new one there. What else refers to the old value still has that, as after an
assignment. Lengths of the pickle's frames grow by what is added.
"""

from __future__ import annotations

import io
import pickle
from typing import Any, NamedTuple

from .graph import Made
from .pickles import Reader

_PROTOCOL = 3  # whose pickles have no frames
_HEAD_OF_FRAME = 9  # bytes
_POP = b"0"
_MARK, _PROTO, _FRAME = b"("[0], b"\x80"[0], b"\x95"[0]
_UNTOUCHED = (_MARK, _PROTO, _FRAME)  # what lies on top of the stack is none of their business
_INTO_LIST = (b"a"[0], b"e"[0], b"\x90"[0])
_INTO_DICT = (b"s"[0], b"u"[0])
_TUPLES = (b"t"[0], b"\x85"[0], b"\x86"[0], b"\x87"[0])


class Held(NamedTuple):
    """Where a node refers to a value: the list that has it, and its place there; of a dict, in the list of pairs."""

    by: list[Any]
    place: int

    @property
    def value(self) -> Any:
        """The value; of a pair the second."""
        found = self.by[self.place]
        return found[1] if type(found) is tuple else found

    def is_same(self, other: Held) -> bool:
        """Whether it is the same place."""
        return self.by is other.by and self.place == other.place


class Places:
    """Makes readers that note where they have read what, and puts other values there."""

    def __init__(self) -> None:
        self.readers: dict[int, PlacedReader] = {}  # by the id of what they read

    def reader(self, data: bytes) -> PlacedReader:
        """A reader for ``SavedState``."""
        made = self.readers[id(data)] = PlacedReader(data)
        return made

    def put(self, held: Held, value: bytes) -> bool:
        """Let a pickle be read in the place of a value, from now on; False if nothing is known of the place."""
        for reader in self.readers.values():
            end = reader.ends.get((id(held.by), held.place))
            if end is not None:
                reader.added.append((end, value))
                return True
        return False

    def edited(self, data: bytes) -> bytes:
        """What was read, with all that was put there."""
        reader = self.readers.get(id(data))
        return reader.edited() if reader is not None else data


class PlacedReader(Reader):
    """Notes for each value in a container where the instructions end that have made it. ``ends``: by container and index."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.ends: dict[tuple[int, int], int] = {}
        self.added: list[tuple[int, bytes]] = []
        self._frames: list[tuple[int, int]] = []  # where their heads are, and how long they are
        self._tops: list[int] = []  # where those values end that are on the stack
        self._kept: list[list[Any]] = []  # so that their ids stay theirs

    def load(self) -> Any:
        self._tops = []
        return super().load()

    def _follow(self, code: int, at: int) -> None:
        before = len(self._stack)
        super()._follow(code, at)
        stack, tops = self._stack, self._tops
        if code == _FRAME:
            self._frames.append((at, int.from_bytes(self._data[at + 1 : at + _HEAD_OF_FRAME], "little")))
        if code in _UNTOUCHED or not stack:
            del tops[len(stack) :]
            return
        top = stack[-1]
        if code in _INTO_LIST:
            self._note(top.items, tops[len(stack) : before])
        elif code in _INTO_DICT:
            self._note(top.pairs if type(top) is Made else top.items, tops[len(stack) : before][1::2])
        elif code in _TUPLES:
            self._note(top.items, tops[len(stack) - 1 : before])
        del tops[len(stack) :]
        if len(tops) < len(stack):
            tops.append(self._position)
        else:
            tops[-1] = self._position

    def _note(self, into: list[Any], ends: list[int]) -> None:
        """The last ones in a container were put there now."""
        first = len(into) - len(ends)
        self.ends.update(((id(into), first + number), end) for number, end in enumerate(ends))
        self._kept.append(into)

    def edited(self) -> bytes:
        """See ``Places``."""
        data, added = self._data, sorted(self.added, key=lambda each: each[0])
        if not added:
            return data
        changes = [(end, end, _POP + value) for end, value in added]
        for at, length in self._frames:
            begin = at + _HEAD_OF_FRAME
            more = sum(len(_POP + value) for end, value in added if begin <= end < begin + length)
            if more:
                changes.append((at + 1, begin, (length + more).to_bytes(8, "little")))
        parts, done = [], 0
        for begin, end, value in sorted(changes, key=lambda each: each[0]):
            parts += [data[done:begin], value]
            done = end
        return b"".join([*parts, data[done:]])


def pickled(value: Any) -> bytes:
    """The instructions that put a value on the stack, without any that remember it: what is added changes no later number."""
    file = io.BytesIO()
    pickler = pickle.Pickler(file, _PROTOCOL)
    pickler.fast = True
    pickler.dump(value)
    return file.getvalue()[2:-1]  # without the protocol and the end
