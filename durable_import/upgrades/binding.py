"""Which variables may be bound, and which must be, where a function suspends: a forward data-flow analysis.

Aho, Lam, Sethi, Ullman, *Compilers*, 9.2.4 and 9.2.6, over single instructions; an exception may come before one or after it.
"""

from __future__ import annotations

import inspect
import opcode
from types import CodeType
from typing import NamedTuple

from ..pythons.instructions import BIND, DELETE, Instruction, guarded_ranges, read_instructions, variables_of
from ..rewrite.analysis.names import PC

_YIELD = opcode.opmap["YIELD_VALUE"]


class Bound(NamedTuple):
    """The variables that are bound on some way to a place, and those that are on all ways."""

    perhaps: frozenset[str]
    surely: frozenset[str]


NOWHERE = Bound(frozenset(), frozenset())


def bound_at(code: CodeType, label: int) -> Bound:
    """What is bound at a label of the fast variant of a function. Free variables are not known here: they are in neither."""
    instructions = list(read_instructions(code))
    states = _solve(code, instructions)
    variables = variables_of(code)
    pc = code.co_varnames.index(PC) if PC in code.co_varnames else -1
    perhaps, surely, value, here, is_reached = 0, -1, None, 0, False
    for each in instructions:
        if each.uses and each.uses[0] == (BIND, pc) and isinstance(value, int):
            here = value
        elif each.opcode == _YIELD and here == label and each.offset in states:
            one, other = states[each.offset]
            perhaps, surely, is_reached = perhaps | one, surely & other, True
        value = each.value
    if not is_reached:
        return NOWHERE
    names = [frozenset(name for i, name in enumerate(variables) if bits >> i & 1) for bits in (perhaps, surely)]
    return Bound(*names)


def _solve(code: CodeType, instructions: list[Instruction]) -> dict[int, tuple[int, int]]:
    """By offset: the bits of what may be, and of what must be bound before an instruction."""
    by_offset = {each.offset: each for each in instructions}
    ranges = guarded_ranges(code)
    caught = {o: target for start, end, target in ranges for o in by_offset if start <= o < end}
    arguments = code.co_argcount + code.co_kwonlyargcount
    arguments += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    given = (1 << arguments) - 1
    states = {instructions[0].offset: (given, given)}
    waiting = [instructions[0].offset]
    while waiting:
        offset = waiting.pop()
        each, before = by_offset[offset], states[offset]
        after = _after(each, before)
        ways = [(each.end, after)] if each.goes_on else []
        ways += [(each.target, after)] if each.target is not None else []
        if offset in caught:
            ways += [(caught[offset], before), (caught[offset], after)]
        for to, (perhaps, surely) in ways:
            if to not in by_offset:
                continue
            known = states.get(to)
            joined = (perhaps, surely) if known is None else (known[0] | perhaps, known[1] & surely)
            if joined != known:
                states[to] = joined
                waiting.append(to)
    return states


def _after(each: Instruction, before: tuple[int, int]) -> tuple[int, int]:
    perhaps, surely = before
    for kind, variable in each.uses:
        bit = 1 << variable
        if kind == BIND:
            perhaps, surely = perhaps | bit, surely | bit
        elif kind == DELETE:
            perhaps, surely = perhaps & ~bit, surely & ~bit
    return perhaps, surely
