"""Random edits that change what a program does from a place on: of today's text, and of one natively that does both.

An edit adds an effect, or an await, or changes what is returned, in coroutine functions. The same edit under a question makes a
text that natively does as the old one until the question is answered otherwise: from then on as the new one. That is what a
program has to do that moves there: what has run is not undone, and not done again.
"""

from __future__ import annotations

import ast
import copy
import zlib
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from tests.harness.deploys import HERE, REFUSED, deployed, natively

from . import edits
from .native import EFFECTS

HEAD = "from tests.fuzz.changes import changed_, changed_today, note_, today_"
IS_TODAY, CHANGES = "today_", "changed_today"


class _Question:
    """Whether the code is of today; answered by Yes from one time of asking on. ``asked``: what had happened each time."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.since = -1

    def begin(self, since: int) -> None:
        self.asked, self.since = [], since

    def ask(self) -> bool:
        self.asked.append("".join(f"{each} " for each in EFFECTS))
        return 0 <= self.since < len(self.asked)


_question = _Question()


def today_() -> bool:
    """Whether what stands behind this is done."""
    return _question.ask()


def note_(name: str) -> None:
    """An effect that is no step."""
    EFFECTS.append(name)


def changed_(value: Any) -> Any:
    """Another value of the same kind, if that is an easy one."""
    return value + 1 if type(value) is int else value


def changed_today(value: Any) -> Any:
    """The same, if the code is of today."""
    return changed_(value) if _question.ask() else value


def changing(text: str, seed: int) -> tuple[str, str, str]:
    """A program, what it is today, and a text that natively is the first until it is the second."""
    tree, random = ast.parse(text), Random(seed)
    functions = [each for each in edits.edited_in(tree) if isinstance(each, ast.AsyncFunctionDef)]
    _import(tree)
    then = edits.unparsed(text, tree)
    for number in range(edits.EDITS_IN_A_PROGRAM):
        if functions:
            random.choice(CHANGES_OF_MEANING)(random, random.choice(functions), f"new{number}")
    return then, edits.unparsed(text, _Today().visit(copy.deepcopy(tree))), edits.unparsed(text, tree)


def _import(tree: ast.Module) -> None:
    is_first = [isinstance(each, ast.ImportFrom) and each.module == "__future__" for each in tree.body]
    at = len(is_first) - is_first[::-1].index(True) if True in is_first else int(ast.get_docstring(tree) is not None)
    tree.body.insert(at, ast.parse(HEAD).body[0])


def _add(random: Random, function: Any, line: str) -> None:
    suite, at = edits.place_in(random, function)
    if not any(isinstance(each, (ast.Global, ast.Nonlocal)) for each in suite[at:]):
        suite.insert(at, ast.parse(f"async def _():\n    if {IS_TODAY}():\n        {line}").body[0].body[0])  # type: ignore[attr-defined]


def add_effect(random: Random, function: Any, name: str) -> None:
    """One that is no step."""
    _add(random, function, f"note_({name!r})")


def add_await(random: Random, function: Any, name: str) -> None:
    """A step."""
    _add(random, function, f"await effect({name!r})")


def change_result(random: Random, function: Any, name: str) -> None:  # noqa: ARG001
    """What is returned."""
    found = [each for suite in edits.suites_of(function) for each in suite if isinstance(each, ast.Return) and each.value]
    if found:
        node = random.choice(found)
        node.value = ast.Call(ast.Name(CHANGES, ast.Load()), [node.value], []) if node.value is not None else None


CHANGES_OF_MEANING: list[Callable[[Random, Any, str], None]] = [add_effect, add_await, change_result]


class _Today(ast.NodeTransformer):
    """Answers the question."""

    def visit_If(self, node: ast.If) -> Any:
        self.generic_visit(node)
        return node.body if ast.unparse(node.test) == f"{IS_TODAY}()" else node

    def visit_Name(self, node: ast.Name) -> Any:
        return ast.copy_location(ast.Name("changed_", node.ctx), node) if node.id == CHANGES else node


def judge_changed(text: str) -> str:
    """What is wrong with a program that moves into a text which means something else from a place on."""
    then, today, both = changing(text, zlib.crc32(text.encode()))
    native = natively({"program": then})
    if today == then or _natively(both, -1) != native:
        edits.BECAME["not the same natively"] += 1
        return ""
    asked = list(_question.asked)
    random = Random(len(text))
    checkpoints = range(len(native.partition("-> ")[0].split()) + 1)
    for at in sorted(random.sample(checkpoints, min(edits.CHECKPOINTS, len(checkpoints)))):
        said = deployed({"program": then}, {"program": today}, at, "move", is_script=True)
        if said is None:
            break
        if f"{HERE} {REFUSED}" in said:
            edits.BECAME["refused"] += 1
        elif said:
            done, _, after = said.partition(f"{HERE} ")
            right = {_natively(both, since) for since in _moments(asked, done)}
            if done + after not in right:
                return f"at checkpoint {at}: {said[:400]} instead of one of {sorted(right)}, in the old text {native[:400]}"
            edits.BECAME["as it does natively" if done + after != native else "as in the old text"] += 1
    return ""


def _natively(both: str, since: int) -> str:
    _question.begin(since)
    return natively({"program": both})


def _moments(asked: list[str], done: str) -> Iterator[int]:
    """From which time of asking on it may be today, if that is so since these effects."""
    for number in range(len(asked) + 1):
        before = asked[number - 1] if number else ""
        after = asked[number] if number < len(asked) else None
        if len(before) <= len(done) and (after is None or len(after) >= len(done)):
            yield number
