"""Instructions are read as ``dis`` reads them."""

from __future__ import annotations

import argparse
import asyncio.base_events
import dataclasses
import dis
import inspect
import re
import types
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

from durable_import.pythons.codes import nested_codes
from durable_import.pythons.instructions import global_names, read_instructions, variables_of

_ON_VARIABLES = re.compile("_FAST|_DEREF|LOAD_CLOSURE|LOAD_CLASSDEREF")
MODULES = (argparse, asyncio.base_events, asyncio.tasks, dataclasses, inspect, typing)


def in_words(code: types.CodeType) -> Iterator[tuple[str, int | None, tuple[str, ...]]]:
    """What is read of each instruction: its name, where it may jump, which variables it uses."""
    names = variables_of(code)
    for each in read_instructions(code):
        yield dis.opname[each.opcode], each.target, tuple(names[variable] for _, variable in each.uses)


def in_words_of_dis(code: types.CodeType) -> Iterator[tuple[str, int | None, tuple[str, ...]]]:
    """The same as ``dis`` has it."""
    for each in dis.get_instructions(code):
        if each.opname != "EXTENDED_ARG":
            jumps = each.opcode in dis.hasjrel or each.opcode in dis.hasjabs
            used = each.argval if isinstance(each.argval, tuple) else (each.argval,)
            yield each.opname, each.argval if jumps else None, used if _ON_VARIABLES.search(each.opname) else ()


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_instructions_are_those_of_dis(module: types.ModuleType) -> None:
    """Names, jumps and variables of all instructions of a module, but those that put a comprehension's variables back."""
    assert module.__file__
    codes = list(nested_codes(compile(Path(module.__file__).read_bytes(), module.__file__, "exec")))
    assert len(codes) > 20
    for code in codes:
        for found, expected in zip(in_words(code), in_words_of_dis(code), strict=True):
            assert found[:2] == expected[:2]
            assert found[2] == expected[2] or "STORE" in found[0]
        loaded = {each.argval for each in dis.get_instructions(code) if each.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
        assert global_names(code) == loaded
