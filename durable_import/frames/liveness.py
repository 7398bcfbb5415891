"""Which variables of a suspended frame can still be read: what a value that cannot be saved is asked before it is in the way.

A backward data-flow analysis over the basic blocks of the fast variant (Aho, Lam, Sethi, Ullman, *Compilers*, 9.2.5), with the
ways that exceptions take; a set of variables is the bits of an int. A frame may run the resume variant: its variables are the
same, and from its label on it does the same. On its way to the label it reads some hidden variables that the fast variant has on
the stack of the interpreter by then: these are live too.
"""

from __future__ import annotations

import opcode
from collections.abc import Iterator
from types import CodeType
from typing import Any

from ..hook.code_table import CodeInfo, captured_names
from ..pythons.instructions import BIND, DELETE, READ, Instruction, global_names, guarded_ranges, read_instructions, variables_of
from ..rewrite.analysis.names import AWAITED, PC, is_hidden

COMPREHENSIONS = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>"})
SHOWING = frozenset({"locals", "vars", "dir", "eval", "exec"})  # they may read any variable
ON_THE_WAY = ("iterator", "exception", "outcome", "group")  # the roles of what the resume variant reads before its label
_YIELD, _SEND, _POP_TOP = (opcode.opmap[name] for name in ("YIELD_VALUE", "SEND", "POP_TOP"))
_END_SEND = opcode.opmap.get("END_SEND", -1)  # since Python 3.12


def live_at(info: CodeInfo, label: int) -> frozenset[str]:
    """The variables, hidden ones too, whose present value can be read by a frame that goes on at a label.

    ``del`` reads. Captured variables are always live, but for those that only comprehensions capture, which end before the
    function goes on. All are in a function that shows its variables, in a frame that has not begun (label 0: the call may be
    made again), and where the compiler's own code says no labels.
    """
    code = _fast_code(info)
    known = _known.get(id(code))
    if known is None:
        known = _known[id(code)] = Liveness(code)
    return known.at(info, label)


def discards_result(info: CodeInfo, label: int) -> bool:
    """Whether nothing takes the result of what is awaited at a label."""
    code = _fast_code(info)
    known = _known.setdefault(id(code), Liveness(code))
    return known.discards(label)


def drop_dead(info: CodeInfo, label: int, variables: dict[str, Any]) -> None:
    """Take out of the variables of a frame those whose values nothing reads from a label on."""
    for name in variables.keys() - live_at(info, label):
        del variables[name]


def _fast_code(info: CodeInfo) -> CodeType:
    if info.durable is not None:
        return info.durable
    today = info.module.by_place.get(info.place)
    return today.code if today is not None else info.code


class Liveness:
    """What is live at each label of the fast variant of a function: worked out when it is first asked for."""

    def __init__(self, code: CodeType) -> None:
        self.code = code  # kept alive: it is known by its id
        self._answers: dict[int, frozenset[str]] = {}
        self._labels: dict[int, int] | None = None
        self._discarding: frozenset[int] | None = None

    def at(self, info: CodeInfo, label: int) -> frozenset[str]:
        """The names, see ``live_at``."""
        found = self._answers.get(label)
        if found is None:
            found = self._answers[label] = frozenset(self._names(info, label))
        return found

    def discards(self, label: int) -> bool:
        """See ``discards_result``."""
        if self._discarding is None:
            self._discarding = frozenset(_discarding(self.code))
        return label in self._discarding

    def _names(self, info: CodeInfo, label: int) -> set[str]:
        if self._labels is None:
            self._labels = _live_by_label(self.code)
        variables = variables_of(self.code)
        names = {AWAITED} if info.awaits(label) else set()
        live = self._labels.get(label)
        if live is None or not SHOWING.isdisjoint(_looked_up(self.code)):
            return names.union(info.names(label), (name for name in variables if not is_hidden(name)))
        names.update(name for name in captured_names(self.code) if _is_shared(self.code, name))
        names.update(name for number, name in enumerate(variables) if live >> number & 1)
        names.update(name for role in ON_THE_WAY for name in info.names(label, role))
        names.update(name for name in info.names(label, "manager") if info.beside(label, name, "leave") in names)
        if "super" in self.code.co_names and variables:
            names.add(variables[0])  # without arguments, it takes the first variable of the frame
        return names


_known: dict[int, Liveness] = {}  # by id of the code


def _is_shared(code: CodeType, name: str) -> bool:
    """Whether something that may outlive the statement, or the function around, has a captured variable too.

    Comprehensions have not: they are run where they are made, as functions of their own if they suspend or as Python 3.11 does.
    """
    return name in code.co_freevars or _is_taken(code, name)


def _is_taken(code: CodeType, name: str) -> bool:
    inner = (each for each in code.co_consts if isinstance(each, CodeType) and name in each.co_freevars)
    return any(each.co_name not in COMPREHENSIONS or _is_taken(each, name) for each in inner)


def _looked_up(code: CodeType) -> set[str]:
    """The names that may be those of builtins: the global ones, and attributes too where their module is mentioned."""
    return set(code.co_names) if {"builtins", "__builtins__"} & {*code.co_names} else global_names(code)


class _Block:
    """Instructions that run one after another. ``live``: what is when it begins."""

    __slots__ = ("binds", "caught", "live", "next", "reads", "target")

    def __init__(self, caught: int | None) -> None:
        self.reads = self.binds = self.live = 0
        self.next: int | None = None
        self.target: int | None = None
        self.caught = caught  # where exceptions go

    def add(self, instruction: Instruction) -> None:
        """Add the next instruction."""
        for kind, variable in instruction.uses:
            bit = 1 << variable
            if kind in (READ, DELETE) and not self.binds & bit:
                self.reads |= bit
            if kind in (BIND, DELETE):
                self.binds |= bit


def _live_by_label(code: CodeType) -> dict[int, int]:
    """The bits of the variables that are live at each label."""
    instructions = list(read_instructions(code))
    blocks = _blocks(instructions, guarded_ranges(code))
    _solve(blocks)

    def live(offset: int | None) -> int:
        return blocks[offset].live if offset is not None else 0

    found: dict[int, int] = {}
    pc = code.co_varnames.index(PC) if PC in code.co_varnames else -1
    label, value, block = 0, None, blocks[0]
    for instruction in instructions:
        block = blocks.get(instruction.offset, block)
        if instruction.uses and instruction.uses[0] == (BIND, pc) and isinstance(value, int):
            label = value
        elif instruction.opcode == _YIELD and label:
            found[label] = found.get(label, 0) | live(instruction.end) | live(block.caught)
        value = instruction.value
    return found


def _discarding(code: CodeType) -> Iterator[int]:
    """The labels where the result of an await is popped at once."""
    instructions = {each.offset: each for each in read_instructions(code)}
    pc = code.co_varnames.index(PC) if PC in code.co_varnames else -1
    label, value = 0, None
    for each in instructions.values():
        if each.uses and each.uses[0] == (BIND, pc) and isinstance(value, int):
            label = value
        elif each.opcode == _SEND and each.target is not None and label:
            end = instructions[each.target]
            taker = instructions[end.end] if end.opcode == _END_SEND else end
            if taker.opcode == _POP_TOP:
                yield label
        value = each.value


def _blocks(instructions: list[Instruction], ranges: list[tuple[int, int, int]]) -> dict[int, _Block]:
    """The basic blocks by offset. One that can suspend ends there; in each, all exceptions go to the same place."""
    begins = {0, *(offset for each in ranges for offset in each)}
    for each in instructions:
        if each.target is not None:
            begins.update((each.target, each.end))
        elif not each.goes_on or each.opcode == _YIELD:
            begins.add(each.end)
    caught = _caught(begins, ranges)
    blocks: dict[int, _Block] = {}
    block, before = _Block(None), None
    for each in instructions:
        if each.offset in begins:
            if before is None or before.goes_on:
                block.next = each.offset
            block = blocks[each.offset] = _Block(caught.get(each.offset))
        block.add(each)
        block.target = each.target
        before = each
    return blocks


def _caught(begins: set[int], ranges: list[tuple[int, int, int]]) -> dict[int, int]:
    """Where exceptions go to, by the offsets where blocks begin; the ranges follow one another."""
    found: dict[int, int] = {}
    waiting = iter(sorted(ranges))
    current = next(waiting, None)
    for offset in sorted(begins):
        while current is not None and current[1] <= offset:
            current = next(waiting, None)
        if current is not None and current[0] <= offset:
            found[offset] = current[2]
    return found


def _solve(blocks: dict[int, _Block]) -> None:
    """Find the least sets that agree with one another: backwards, until nothing changes."""
    backwards = list(reversed(blocks.values()))
    is_changed = True
    while is_changed:
        is_changed = False
        for block in backwards:
            after = blocks[block.next].live if block.next is not None else 0
            if block.target is not None:
                after |= blocks[block.target].live
            live = block.reads | after & ~block.binds
            if block.caught is not None:
                live |= blocks[block.caught].live
            if live != block.live:
                block.live, is_changed = live, True
