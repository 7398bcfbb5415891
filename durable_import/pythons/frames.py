"""What lies on the stack of a suspended frame, and where in its code it stands.

Since Python 3.15 a loop over a list, tuple, str or bytes has no iterator: the stack holds the container itself and, beside it,
the position as a tagged number, which ``gc.get_referents`` does not show. It is read from the frame's memory: a generator ends
with the slots of its stack, and the one pointer into these that stands before them is the top. Whatever is not just as
expected is not read.
"""

from __future__ import annotations

import functools
import gc
import opcode
import struct
import sys
from types import CodeType
from typing import Any

KEEPS_VARIABLES = sys.version_info < (3, 13)  # a frame keeps the dict that its variables were read into (until PEP 667)
LOOPS_WITHOUT_ITERATOR = sys.version_info >= (3, 15)
FIRST_IS_ITERABLE = LOOPS_WITHOUT_ITERATOR  # ``.0`` of a generator expression is what it is over, no longer the iterator

_WORD = struct.calcsize("P")
_TAG, _IS_NUMBER = 0b11, 0b11  # the low bits of a slot; without a number, the rest is an object's address or nothing


def iterators_on_stack(generator: Any, count: int) -> list[Any] | None:
    """The topmost ``count`` iterators on the stack of a suspended generator, lowest first; None if they cannot be read.

    For a container that a loop is in the middle of, an iterator that stands where the loop does.
    """
    referents = gc.get_referents(generator)
    if referents and referents[-1] is None:  # until Python 3.12: no exception is being handled any more in what it called
        referents.pop()
    shown = referents[-count:] if count else []
    return positioned(generator, shown) if len(shown) == count else None


def positioned(generator: Any, shown: list[Any]) -> list[Any] | None:
    """``shown``, the topmost objects on a generator's stack, with iterators in place of the containers of loops.

    None if they are not what is there.
    """
    if not LOOPS_WITHOUT_ITERATOR:
        return shown
    slots = _slots(generator) if _layout_is_known() else None
    if slots is None or len(slots) < len(shown):
        return None
    top = slots[len(slots) - len(shown) :]
    if any(item is not other for (item, _), other in zip(top, shown, strict=True)):
        return None
    found = [item if position is None else _iterator_at(item, position) for item, position in top]
    return None if any(item is None for item in found) else found


def _iterator_at(container: Any, position: int) -> Any:
    """An iterator whose next item is number ``position``; None for a container whose iterators cannot be set."""
    iterator: Any = iter(container)
    if type(container) is list:
        set_list_position(iterator, container, position)
    elif hasattr(iterator, "__setstate__"):
        iterator.__setstate__(position)
    else:
        return None
    return iterator


def set_list_position(iterator: Any, container: list[Any], position: int) -> None:
    """Set the position of a list's iterator, even beyond the list's end (it may have been cut and may grow again)."""
    size = len(container)
    if position > size:  # the native method clamps, so lend it the length
        list.extend(container, [None] * (position - size + 1))
    try:
        iterator.__setstate__(position)
    finally:
        del container[size:]


def _slots(generator: Any) -> list[tuple[Any, int | None]] | None:
    """The objects on the stack of a suspended generator, lowest first, with the position of those that a loop is over."""
    import ctypes  # slow to import, and rarely needed

    code, size = generator.gi_code, generator.__sizeof__()
    words = (ctypes.c_size_t * (size // _WORD)).from_address(id(generator))
    bottom = size // _WORD - code.co_stacksize
    first_variable = bottom - _number_of_variables(code)
    slots = range(id(generator) + bottom * _WORD, id(generator) + size + 1)
    tops = [word for word in words[:first_variable] if word in slots]
    if len(tops) != 1 or first_variable <= 0 or (tops[0] - id(generator)) % _WORD:
        return None
    return _objects(words[bottom : (tops[0] - id(generator)) // _WORD], gc.get_referents(generator))


def _objects(words: list[int], referents: list[Any]) -> list[tuple[Any, int | None]] | None:
    """What the words of a stack stand for; None if one is no object that the collector knows, and belongs to none."""
    known = {id(item): item for item in referents}
    found: list[tuple[Any, int | None]] = []
    for word in words:
        if word & _TAG == _IS_NUMBER and found and found[-1][1] is None:
            found[-1] = found[-1][0], word >> 2
        elif word & ~_TAG in known:
            found.append((known[word & ~_TAG], None))
        elif word & ~_TAG or not found:  # beside an iterator a slot stays empty
            return None
    return found


def _number_of_variables(code: CodeType) -> int:
    return len({*code.co_varnames, *code.co_cellvars}) + len(code.co_freevars)


@functools.cache
def _layout_is_known() -> bool:
    """Whether frames of this Python are laid out as is thought here, tried on one whose stack is known."""
    first, second, third = [1, 2, 3], "ab", {4: 5}
    probe = (item for _ in first for _ in second for item in third)
    next(probe), next(probe), next(probe)
    slots = _slots(probe)
    return (
        slots is not None
        and [position for _, position in slots] == [2, 1, None]
        and slots[0][0] is first
        and slots[1][0] is second
        and type(slots[2][0]) is type(iter(third))
    )


def first_instruction(code: CodeType) -> int:
    """Offset of the first instruction that runs after the frame was created: the RESUME behind RETURN_GENERATOR."""
    known = _first.get(id(code))
    if known is None:
        import dis

        names = [(i.opname, i.offset) for i in dis.get_instructions(code)]
        begun = next((number for number, (name, _) in enumerate(names) if name == "RETURN_GENERATOR"), 0)
        known = _first[id(code)] = code, next(offset for name, offset in names[begun:] if name == "RESUME")
    return known[1]


_first: dict[int, tuple[CodeType, int]] = {}  # by id of the code, which is kept here


_ADVANCING = frozenset({"send", "throw", "next", "__next__"})
_NONE = {("LOAD_CONST", None), ("LOAD_COMMON_CONSTANT", None)}  # since Python 3.15 the second


def passes_on(code: CodeType) -> bool:
    """Whether a generator's code may pass on what others yield, which it advances by itself: by a loop, ``send``, ``next``."""
    import dis
    from itertools import pairwise

    instructions = [i for i in dis.get_instructions(code) if i.opname != "EXTENDED_ARG"]
    advances = not _ADVANCING.isdisjoint(code.co_names) or any(i.opname == "FOR_ITER" for i in instructions)
    return advances and any(
        i.opname == "YIELD_VALUE" and before.opname != "SEND" and (before.opname, before.argval) not in _NONE
        for before, i in pairwise(instructions)
    )


#: The instructions at which a frame is while another one runs for it, in an await or ``yield from``.
DELEGATING = frozenset(opcode.opmap.get(name, -1) for name in ("SEND", "YIELD_VALUE", "RESUME"))
