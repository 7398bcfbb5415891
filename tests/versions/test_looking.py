"""Every snapshot of the corpus can be looked at: each frame with its line and variables, in any version of Python."""

from __future__ import annotations

import ast
import sys
import zipfile
from pathlib import Path

import pytest

from durable_import.inspect.lines import FunctionText
from durable_import.inspect.stack import stack_of
from durable_import.inspect.state import read_state
from durable_import.rewrite.analysis.places import Places, digests
from tests.versions.corpus import FOLDER


def texts_of(source: str) -> dict[str, FunctionText]:
    """The functions of a program by digest; of one that this Python cannot parse there are none."""
    try:
        functions = digests(Places(ast.parse(source)).order)
    except SyntaxError:
        return {}
    found = {}
    for node, digest in functions.items():
        decorators = getattr(node, "decorator_list", [])
        first = min(each.lineno for each in (node, *decorators))
        text = "\n".join(source.splitlines()[first - 1 : node.end_lineno])  # type: ignore[attr-defined]
        found[digest] = FunctionText(text, "program.py", first)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.zip")), ids=lambda path: path.stem)
def test_what_was_saved_can_be_looked_at(path: Path) -> None:
    """Its tasks are there, each frame of the program stands at a line of it, and no module was loaded for that."""
    with zipfile.ZipFile(path) as file:
        programs = [name.removesuffix(".json") for name in file.namelist() if name.endswith(".json")]
        modules = set(sys.modules)
        for program in programs:
            source = file.read(f"{program}.py").decode()
            texts = texts_of(source)
            for number in range(2):
                if f"{program}.{number}" not in file.namelist():
                    continue
                stack = stack_of(read_state(file.read(f"{program}.{number}")), "kept", texts)
                assert stack.tasks
                assert str(stack)
                frames = [frame for task in stack.tasks for frame in task.frames if not frame.is_library]
                if texts and path.stem.startswith("format5"):
                    assert all(frame.source == source.splitlines()[frame.line - 1].strip() for frame in frames)
        assert not [name for name in set(sys.modules) - modules if name.startswith("crossing_")]


def test_what_a_move_needs_is_known() -> None:
    """Where frames stand and what they hold is what a reading that makes objects says of them."""
    with zipfile.ZipFile(FOLDER / "format5-python3.11.zip") as file:
        state = read_state(file.read("p048_decorators.1"))
    [*_, innermost] = next(iter(state.tasks.values())).frames
    assert innermost.suspension == (innermost.path, innermost.role, innermost.kept)
    assert {name for name, _, _ in innermost.kept} <= innermost.names
    assert set(innermost.variables) <= innermost.names
    assert all(len(digest) == 32 for _, _, digest in state.functions)
    assert len(state.frames) >= sum(len(task.frames) for task in state.tasks.values())
