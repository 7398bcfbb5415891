"""Reads the pickles of snapshots into a graph, and runs nothing: no class is looked up, no function is called.

Of the instructions of pickle (documented in the standard library's ``pickletools``) those are read that picklers of the
protocols 2 to 5 write. Any bytes are read in linear time and memory; what is no pickle gives SnapshotFormatError.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NoReturn

from ..errors import SnapshotFormatError
from ..pythons.pickled_names import EXTENSIONS, IMPORT_MAPPING, NAME_MAPPING
from ..snapshot.former_names import FORMER
from ..snapshot.names import MODULE
from .graph import Items, Made, Named, State

_REGISTERED, _NAMED_OBJECT = Named(MODULE, "registered"), Named(MODULE, "named_variable")
_DOUBLE = struct.Struct(">d")


def damaged(what: str) -> SnapshotFormatError:
    """The error for bytes that no version of durable_import has written."""
    return SnapshotFormatError(
        f"the snapshot is damaged: {what}. Nothing of it was run, and the saved bytes stay where they are: put a copy of the "
        "store back, or start the instance afresh."
    )


class Reader:
    """Reads one pickle after the other from ``data``; later ones may refer to what earlier ones had."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self._protocol = 0
        self._was_call = False  # the last instruction
        self._nans: dict[tuple[int, bytes], float] = {}

    @property
    def is_at_end(self) -> bool:
        """Whether there is no other pickle."""
        return self._position >= len(self._data)

    def load(self) -> Any:
        """The next one. Raises SnapshotFormatError."""
        self._stack, self._marks = [], []
        while True:
            at = self._position
            code = self._take(1)[0]
            if code == _STOP:
                return self._pop()
            self._follow(code, at)

    def _follow(self, code: int, at: int) -> None:
        """Do what an instruction says, that stands at a byte."""
        instruction = _INSTRUCTIONS.get(code)
        if instruction is None:
            self._refuse(f"at byte {at} stands {code:#04x}, which means nothing there")
        instruction(self)
        self._was_call = code == _REDUCE

    def all(self) -> list[Any]:
        """Those that are left."""
        found = []
        while not self.is_at_end:
            found.append(self.load())
        return found

    # --- bytes

    def _refuse(self, what: str) -> NoReturn:
        raise damaged(what)

    def _take(self, size: int) -> bytes:
        end = self._position + size
        taken = self._data[self._position : end]
        if len(taken) < size:
            self._refuse(f"{size} bytes were to follow byte {self._position}, and {len(taken)} are there")
        self._position = end
        return taken

    def _number(self, size: int) -> int:
        return int.from_bytes(self._take(size), "little")

    def _line(self) -> str:
        end = self._data.find(b"\n", self._position)
        if end < 0:
            self._refuse(f"a name that begins at byte {self._position} does not end")
        line = self._take(end - self._position)
        self._position += 1
        return self._text(line)

    def _text(self, data: bytes) -> str:
        try:
            return data.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            self._refuse(f"the text before byte {self._position} is none")

    # --- stack and memo

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _pop(self) -> Any:
        if not self._stack or (self._marks and self._marks[-1] == len(self._stack)):
            self._refuse(f"nothing is there that byte {self._position - 1} could be about")
        return self._stack.pop()

    def _top(self) -> Any:
        self._push(top := self._pop())
        return top

    def _marked(self) -> list[Any]:
        if not self._marks:
            self._refuse(f"nothing begins that ends at byte {self._position - 1}")
        mark = self._marks.pop()
        found = self._stack[mark:]
        del self._stack[mark:]
        return found

    def mark(self) -> None:
        self._marks.append(len(self._stack))

    def pop(self) -> None:
        """Of an object that a function was given: it has set its state."""
        if self._marks and self._marks[-1] == len(self._stack):
            self._marks.pop()
            return
        gone = self._pop()
        if self._was_call and type(gone) is Made and len(gone.arguments) == 2 and self._stack:
            given, value = gone.arguments
            if given is self._stack[-1] and type(given) is Made:
                given.states.append(State(gone.function, value))

    def pop_marked(self) -> None:
        self._marked()

    def put(self, size: int) -> None:
        self._memo[self._number(size)] = self._top()

    def memoize(self) -> None:
        self._memo[len(self._memo)] = self._top()

    def get(self, size: int) -> None:
        number = self._number(size)
        if number not in self._memo:
            self._refuse(f"byte {self._position - size} refers to object {number}, and that does not come before it")
        self._push(self._memo[number])

    # --- values

    def protocol(self) -> None:
        self._protocol = self._number(1)
        if self._protocol > 5:
            self._refuse(f"it says that it is a pickle of protocol {self._protocol}")

    def frame(self) -> None:
        self._take(8)

    def signed(self, size: int) -> None:
        self._push(int.from_bytes(self._take(size), "little", signed=True))

    def long(self, size: int) -> None:
        self.signed(self._number(size))

    def double(self) -> None:
        (value,) = _DOUBLE.unpack(self._take(8))
        self._push(value)

    def text(self, size: int) -> None:
        self._push(self._text(self._take(self._number(size))))

    def bytes_(self, size: int) -> None:
        self._push(self._take(self._number(size)))

    def bytearray_(self) -> None:
        self._push(Items("bytearray", [self._take(self._number(8))]))

    def empty(self, kind: str) -> None:
        self._push(Items(kind, []))

    def tuple_(self) -> None:
        self._push(Items("tuple", self._marked()))

    def short_tuple(self, size: int) -> None:
        self._push(Items("tuple", [self._pop() for _ in range(size)][::-1]))

    def frozen(self) -> None:
        self._push(Items("frozenset", self._marked()))

    def append(self, values: list[Any]) -> None:
        into = self._top()
        if type(into) is Made or (type(into) is Items and into.kind in ("list", "set")):
            into.items += values
        else:
            self._refuse(f"byte {self._position - 1} puts something into what is no list")

    def set_items(self, values: list[Any]) -> None:
        into = self._top()
        if len(values) % 2:
            self._refuse(f"a key at byte {self._position - 1} has no value")
        pairs = list(zip(values[::2], values[1::2], strict=True))
        if type(into) is Made:
            into.pairs += pairs
        elif type(into) is Items and into.kind == "dict":
            into.items += pairs
        else:
            self._refuse(f"byte {self._position - 1} puts something into what is no dict")

    # --- names and objects

    def name(self) -> None:
        self._named(self._line(), self._line())

    def name_on_stack(self) -> None:
        name, module = self._pop(), self._pop()
        if type(module) is not str or type(name) is not str:
            self._refuse(f"what byte {self._position - 1} names has no name")
        self._named(module, name)

    def _named(self, module: str, name: str) -> None:
        if self._protocol < 3:
            module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
        former = FORMER.get(module, {}).get(name)
        self._push(Named(module, name) if former is None else Named(MODULE, former))

    def extension(self, size: int) -> None:
        """A name that the program has given a number (``copyreg.add_extension``)."""
        number = self._number(size)
        known = EXTENSIONS.get(number)
        self._named(*(known or ("copyreg", f"extension {number}")))

    def persistent(self) -> None:
        """A nan: the only objects with an identity of this kind."""
        pid = self._pop()
        parts = pid.items if type(pid) is Items and pid.kind == "tuple" else []
        if [type(part) for part in parts] != [int, bytes] or len(parts[1]) != 8:
            self._refuse(f"byte {self._position - 1} refers to an object outside")
        number, bits = parts
        self._push(self._nans.setdefault((number, bits), _DOUBLE.unpack(bits)[0]))

    def _arguments(self) -> list[Any]:
        arguments = self._pop()
        if type(arguments) is not Items or arguments.kind != "tuple":
            self._refuse(f"the call at byte {self._position - 1} has no arguments")
        return arguments.items

    def call(self) -> None:
        arguments, function = self._arguments(), self._pop()
        if function == _REGISTERED and len(arguments) == 1 and type(arguments[0]) is str:
            self._push(Named(MODULE, arguments[0]))
        elif function == _NAMED_OBJECT and arguments == ["builtins", "None"]:  # as one early release has saved it
            self._push(None)
        else:
            self._push(Made(function, arguments))

    def new(self) -> None:
        arguments, cls = self._arguments(), self._pop()
        self._push(Made(cls, arguments, is_new=True))

    def new_with_keywords(self) -> None:
        keywords, arguments, cls = self._pop(), self._arguments(), self._pop()
        if type(keywords) is not Items or keywords.kind != "dict":
            self._refuse(f"the call at byte {self._position - 1} has keywords that are none")
        self._push(Made(cls, arguments, keywords, is_new=True))

    def build(self) -> None:
        value, made = self._pop(), self._top()
        if type(made) is not Made:
            self._refuse(f"byte {self._position - 1} gives a state to what has none")
        made.states.append(State(None, value))


_STOP, _REDUCE = b"."[0], b"R"[0]
_BY_CODE: dict[bytes, Callable[[Reader], None]] = {
    b"\x80": Reader.protocol, b"\x95": Reader.frame, b"(": Reader.mark, b"0": Reader.pop, b"1": Reader.pop_marked,
    b"N": lambda r: r._push(None), b"\x88": lambda r: r._push(True), b"\x89": lambda r: r._push(False),
    b"J": lambda r: r.signed(4), b"K": lambda r: r._push(r._number(1)), b"M": lambda r: r._push(r._number(2)),
    b"\x8a": lambda r: r.long(1), b"\x8b": lambda r: r.long(4), b"G": Reader.double,
    b"\x8c": lambda r: r.text(1), b"X": lambda r: r.text(4), b"\x8d": lambda r: r.text(8),
    b"C": lambda r: r.bytes_(1), b"B": lambda r: r.bytes_(4), b"\x8e": lambda r: r.bytes_(8), b"\x96": Reader.bytearray_,
    b"]": lambda r: r.empty("list"), b")": lambda r: r.empty("tuple"), b"}": lambda r: r.empty("dict"),
    b"\x8f": lambda r: r.empty("set"), b"\x85": lambda r: r.short_tuple(1), b"\x86": lambda r: r.short_tuple(2),
    b"\x87": lambda r: r.short_tuple(3), b"t": Reader.tuple_, b"\x91": Reader.frozen,
    b"a": lambda r: r.append([r._pop()]), b"e": lambda r: r.append(r._marked()), b"\x90": lambda r: r.append(r._marked()),
    b"s": lambda r: r.set_items([r._pop(), r._pop()][::-1]), b"u": lambda r: r.set_items(r._marked()),
    b"q": lambda r: r.put(1), b"r": lambda r: r.put(4), b"\x94": Reader.memoize,
    b"h": lambda r: r.get(1), b"j": lambda r: r.get(4),
    b"c": Reader.name, b"\x93": Reader.name_on_stack, b"Q": Reader.persistent,
    b"\x82": lambda r: r.extension(1), b"\x83": lambda r: r.extension(2), b"\x84": lambda r: r.extension(4),
    b"R": Reader.call, b"\x81": Reader.new, b"\x92": Reader.new_with_keywords, b"b": Reader.build,
}  # fmt: skip
_INSTRUCTIONS = {code[0]: read for code, read in _BY_CODE.items()}
