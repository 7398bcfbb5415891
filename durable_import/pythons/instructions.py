"""What the instructions of a code object read, bind and lead to: as much as is needed to follow its variables.

``dis`` says it in words, which takes some microseconds for each instruction; here the bytes are read. What is not known is taken
for the worst: an instruction on local variables that is none of the known kinds reads them, one that is not known to jump
goes on with the next.
"""

from __future__ import annotations

import dis
import opcode
import re
from collections.abc import Iterator
from types import CodeType
from typing import NamedTuple

from .names import private

_parse_exception_table = private("dis._parse_exception_table")
READ, BIND, DELETE, SET_ASIDE = "read", "bind", "delete", "set aside"
_KINDS = {"LOAD": READ, "STORE": BIND, "DELETE": DELETE}
_FAST = re.compile(r"(LOAD|STORE|DELETE)_(?:FAST(_AND_CLEAR)?|DEREF|CLOSURE)")
_NEVER_GOES_ON = re.compile(r"JUMP(?!.*_IF_)|RETURN_VALUE|RETURN_CONST|RAISE_VARARGS|RERAISE")
_CACHE, _EXTENDED_ARG, _SMALL_INT = (opcode.opmap.get(name, -1) for name in ("CACHE", "EXTENDED_ARG", "LOAD_SMALL_INT"))
_ON_VARIABLES = re.compile(r"_FAST|DEREF|LOAD_CLOSURE")
_LOCAL = {number: tuple(_FAST.findall(name)) for name, number in opcode.opmap.items() if _ON_VARIABLES.search(name)}
_JUMPS = frozenset([*dis.hasjrel, *dis.hasjabs])
_BACKWARD = frozenset(number for name, number in opcode.opmap.items() if "JUMP_BACKWARD" in name)
_ENDING = frozenset(number for name, number in opcode.opmap.items() if _NEVER_GOES_ON.match(name))
_CONSTANTS = frozenset(dis.hasconst)
_UNPACKING = frozenset(number for name, number in opcode.opmap.items() if name.startswith("UNPACK_"))
_GLOBAL = {opcode.opmap["LOAD_GLOBAL"]: 1, opcode.opmap["LOAD_NAME"]: 0}  # by how much the argument is shifted


class Instruction(NamedTuple):
    """One instruction, from ``offset`` up to, and without, ``end``; offsets are those of ``dis``.

    ``uses``: the variables, by number (see ``variables_of``), in the order in which it does something to them; to give one that
    is captured to a function reads it. ``target``: where it may jump.
    ``goes_on``: whether it may go on with the next one. ``value``: the constant that it loads, if it does.
    """

    offset: int
    end: int
    opcode: int
    uses: tuple[tuple[str, int], ...] = ()
    target: int | None = None
    goes_on: bool = True
    value: object = None


def read_instructions(code: CodeType) -> Iterator[Instruction]:
    """All instructions of a code object, in order; the parts of a long argument belong to the instruction."""
    raw, size = code.co_code, len(code.co_code)
    offset, begin, high, before = 0, 0, 0, -1
    put_back = _Comprehensions(code)
    while offset < size:
        number, argument = raw[offset], raw[offset + 1] | high
        here, offset = offset, offset + 2
        if number == _EXTENDED_ARG:
            high = argument << 8
            continue
        while offset < size and raw[offset] == _CACHE:
            offset += 2
        uses: tuple[tuple[str, int], ...] = ()
        if number in _LOCAL:
            uses = put_back.adjusted(_uses(number, argument), here, before)
        target = None
        if number in _JUMPS:
            target = offset + (-2 if number in _BACKWARD else 2) * argument if number not in dis.hasjabs else 2 * argument
        value = code.co_consts[argument] if number in _CONSTANTS else argument if number == _SMALL_INT else None
        yield Instruction(begin, offset, number, uses, target, number not in _ENDING, value)
        begin, high, before = offset, 0, number


def _uses(number: int, argument: int) -> tuple[tuple[str, int], ...]:
    kinds = [SET_ASIDE if clears else _KINDS[kind] for kind, clears in _LOCAL[number]]
    if len(kinds) == 2:  # two instructions in one
        return (kinds[0], argument >> 4), (kinds[1], argument & 15)
    return ((kinds[0] if kinds else READ, argument),)


class _Comprehensions:
    """Variables that a comprehension inside the function's own frame (PEP 709) sets aside, and puts back at its end.

    What puts them back has the position of the comprehension; it must not count as binding the variable to something else.
    """

    def __init__(self, code: CodeType) -> None:
        self._code = code
        self._aside: dict[int, set[object]] = {}  # by variable, the positions of the comprehensions
        self._positions: list[object] = []

    def adjusted(self, uses: tuple[tuple[str, int], ...], offset: int, before: int) -> tuple[tuple[str, int], ...]:
        """The uses without those that put a variable back."""
        if uses[0][0] == SET_ASIDE:
            self._aside.setdefault(uses[0][1], set()).add(self._position(offset))
        if not self._aside:
            return uses
        return tuple(use for place, use in enumerate(uses) if not self._puts_back(use, place, offset, before))

    def _puts_back(self, use: tuple[str, int], place: int, offset: int, before: int) -> bool:
        kind, variable = use
        if kind != BIND or variable not in self._aside:
            return False
        if place == 0:
            return self._position(offset) in self._aside[variable]
        return before not in _UNPACKING  # the position of the second of two is not kept

    def _position(self, offset: int) -> object:
        self._positions = self._positions or list(self._code.co_positions())
        return self._positions[offset // 2]


def variables_of(code: CodeType) -> list[str]:
    """The variables of a function, captured ones too, as instructions number them."""
    return [*code.co_varnames, *(name for name in code.co_cellvars if name not in code.co_varnames), *code.co_freevars]


def guarded_ranges(code: CodeType) -> list[tuple[int, int, int]]:
    """Where exceptions are caught: from, up to and without, and the offset where it goes on then."""
    return [(entry.start, entry.end, entry.target) for entry in _parse_exception_table(code)]


def global_names(code: CodeType) -> set[str]:
    """The names that are looked up among the globals and builtins."""
    raw, found, high = code.co_code, set(), 0
    for offset in range(0, len(raw), 2):
        number, argument = raw[offset], raw[offset + 1] | high
        high = argument << 8 if number == _EXTENDED_ARG else 0
        if number in _GLOBAL:
            found.add(code.co_names[argument >> _GLOBAL[number]])
    return found
