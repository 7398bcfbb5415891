"""Random edits of random programs: the text of a program as it is today, made of the one that it had.

``preserving`` makes edits that change nothing of what it means, anywhere in its functions: where a frame goes on after one, the
program has to end as natively; or it is refused. ``barred`` lets each function of today fail at its first line: code of then may
not call any of them.
"""

from __future__ import annotations

import ast
import zlib
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

from durable_import.upgrades.policies import OnChange
from tests.harness.deploys import HERE, REFUSED, deployed, natively

from . import preamble

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _definitions(text: str) -> list[Any]:
    try:
        return [node for node in ast.parse(text).body if isinstance(node, (*FUNCTIONS, ast.ClassDef))]
    except SyntaxError:
        return []


EDITS_IN_A_PROGRAM = 3
CHECKPOINTS = 4  # at which an edit is made, of one program
NAMES = {node.name for text in vars(preamble).values() if isinstance(text, str) and "\n" in text for node in _definitions(text)}


def preserving(text: str, seed: int) -> str:
    """A text of the same meaning."""
    tree, random = ast.parse(text), Random(seed)
    for _ in range(EDITS_IN_A_PROGRAM):
        random.choice(EDITS)(random, random.choice(edited_in(tree)))
    return unparsed(text, tree)


def barred(text: str) -> str:
    """A text in which functions at module level fail, but for those that Python calls."""
    tree = ast.parse(text)
    for node in tree.body:
        if isinstance(node, FUNCTIONS) and not node.decorator_list and node.name not in NAMES:
            node.body.insert(0, ast.parse("raise AssertionError('today')").body[0])
    return unparsed(text, tree)


def unparsed(text: str, tree: ast.Module) -> str:
    head = [line for line in text.splitlines() if line.startswith("#")]
    return "\n".join([*head, ast.unparse(ast.fix_missing_locations(tree)), ""])


def edited_in(tree: ast.Module) -> list[Any]:
    """The functions that are not of what programs begin with."""
    own = [node for node in tree.body if getattr(node, "name", None) not in NAMES]
    return [node for each in own for node in ast.walk(each) if isinstance(node, FUNCTIONS)]


def suites_of(function: Any) -> list[list[ast.stmt]]:
    """The lists of statements of a function, not of those inside of it."""
    found, ahead = [function.body], list(function.body)
    while ahead:
        node = ahead.pop()
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            continue
        for name in ("body", "orelse", "finalbody"):
            suite = getattr(node, name, None)
            if isinstance(suite, list) and suite:
                found.append(suite)
                ahead += suite
        for each in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            found.append(each.body)
            ahead += each.body
    return found


def place_in(random: Random, function: Any) -> tuple[list[ast.stmt], int]:
    suite = random.choice(suites_of(function))
    least = int(suite is function.body and ast.get_docstring(function) is not None)
    return suite, random.randint(least, len(suite) - 1)


def insert_line(random: Random, function: Any) -> None:
    """A statement that does nothing."""
    suite, at = place_in(random, function)
    if any(isinstance(each, (ast.Global, ast.Nonlocal)) for each in suite[at:]):
        return
    suite.insert(at, ast.parse(random.choice(["0", "unused = 1", "(lambda: 0)()", "[0 for _ in ()]"])).body[0])


def insert_function(random: Random, function: Any) -> None:
    """A function inside that nobody calls, perhaps of a name that there is already."""
    suite, at = place_in(random, function)
    suite.insert(at, ast.parse(f"def unused_{random.randint(0, 3)}(n):\n    return lambda: n").body[0])


def wrap(random: Random, function: Any) -> None:
    """A statement goes into a block that does nothing."""
    suite, at = place_in(random, function)
    if isinstance(suite[at], (ast.Global, ast.Nonlocal)):
        return
    around = random.choice(
        ["if True:\n    0", "try:\n    0\nfinally:\n    0", "try:\n    0\nexcept ZeroDivisionError:\n    raise"]
    )
    block: Any = ast.parse(around).body[0]
    block.body = [suite[at]]
    suite[at] = block


def name_result(random: Random, function: Any) -> None:
    """What is returned gets a name before."""
    suites = suites_of(function)
    random.shuffle(suites)
    for suite in suites:
        for at, node in enumerate(suite):
            if isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
                suite[at : at + 1] = [_assigned("result_", node.value), ast.Return(ast.Name("result_", ast.Load()))]
                return


def _assigned(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, ast.Store())], value)


def turn_branches(random: Random, function: Any) -> None:
    """An ``if`` with its branches exchanged, and its test turned round."""
    suite, at = place_in(random, function)
    node = suite[at]
    if isinstance(node, ast.If) and node.orelse:
        node.test = ast.UnaryOp(ast.Not(), node.test)
        node.body, node.orelse = node.orelse, node.body


def add_parameter(random: Random, function: Any) -> None:  # noqa: ARG001
    """One more that nobody gives, or reads."""
    arguments = function.args
    if all(each.arg != "more_" for each in arguments.kwonlyargs):
        arguments.kwonlyargs.append(ast.arg("more_"))
        arguments.kw_defaults.append(ast.Constant(None))


EDITS: list[Callable[[Random, Any], None]] = [insert_line, insert_function, wrap, name_result, turn_branches, add_parameter]


#: What became of the programs at their checkpoints, for who prints it.
BECAME: Counter[str] = Counter()


def judge_moved(text: str) -> str:
    """What is wrong with a program whose frames move into a text of the same meaning."""
    return _judge(text, preserving(text, zlib.crc32(text.encode())), "move")


def judge_pinned(text: str) -> str:
    """What is wrong with one that is pinned, and of which no function of today may be called."""
    return _judge(text, barred(text), "pin")


def _judge(text: str, today: str, policy: OnChange) -> str:
    texts, edited = {"program": text}, {"program": today}
    native = natively(texts)
    if policy == "move" and natively(edited) != native:
        BECAME["not the same natively"] += 1
        return ""
    random = Random(len(text))
    checkpoints = range(len(native.partition("-> ")[0].split()) + 1)
    for at in sorted(random.sample(checkpoints, min(CHECKPOINTS, len(checkpoints)))):
        said = deployed(texts, edited, at, policy, is_script=True)
        if said is None:
            break
        if policy == "move" and f"{HERE} {REFUSED}" in said:
            BECAME["refused"] += 1
        elif said and said.replace(f"{HERE} ", "", 1) != native:
            return f"at checkpoint {at}: {said[:400]} instead of {native[:400]}"
        elif said:
            BECAME["as natively"] += 1
    return ""
