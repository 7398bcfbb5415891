"""Random programs of many tasks, put together from those of one task and what tasks do with each other.

Two kinds: "turns", without foreign code, where asyncio's order of things is exact and all of it is observed (see `turns`);
and "steps", where effects take any number of turns and what is observed does not depend on it (see `steps`). The kind, and
at each of how many checkpoints torture is to replace the program, stand in its header.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from . import steps as _steps  # noqa: F401 - registers its productions
from . import turns as _turns  # noqa: F401
from .blocks import statement
from .definitions import body_scope, closing, empty_scope, function, opening
from .scope import Scope, Source, indent
from .task_preamble import assemble_tasks

KINDS = ("turns", "steps")
FUEL = {"turns": 60, "steps": 40}
#: What would make a program of the kind depend on how fast a task is.
NOT_EXACT: dict[str, set[str]] = {"turns": set(), "steps": {"global"}}
HEADER = re.compile(r"^# fuzz: (\w+), every=(\d+)$", re.MULTILINE)

#: What the lists, dicts and numbers that all tasks of a program of the kind "turns" share are called.
SHARED = {"list": ("t.list",), "dict": ("t.dict",), "attr": ("t.value",)}


def concurrent(source: Source, kind: str, title: str, seed: int) -> str:
    """The program that the random decisions of `source` make."""
    module = empty_scope()
    module.names |= {"tasks": (kind,), kind: (kind,)}
    if kind == "turns":
        module.names |= SHARED
    source.without |= NOT_EXACT[kind]
    size, lines = source.left, []
    for _ in range(1 + source.below(3)):
        sort = source.choose(("async", "async", "async", "gen", "agen", "agen"))
        lines += ["", "", *within(source, size // 6, partial(module_function, source, module, sort))]
    names = [f"part{number}" for number in range(1 + source.below(3))]
    for number, name in enumerate(names):
        share = source.left // (len(names) - number)
        body = within(source, share, lambda: part(source, module, kind))
        lines += ["", "", f"async def {name}(t):", *indent(body)]
    has_globals = any(re.search(r"\bG[01]\b", line) for line in lines)
    lines += ["", "", *(main_of_turns if kind == "turns" else main_of_steps)(source, names, has_globals)]
    return assemble_tasks("\n".join(lines).strip("\n"), title, kind, 1 + seed % 3)


def within(source: Source, share: int, make: Callable[[], list[str]]) -> list[str]:
    """What `make` writes, which may be at most about `share` of the statements that are left."""
    rest = max(source.left - share, 0)
    source.left -= rest
    lines = make()
    source.left = max(source.left, 0) + rest
    return lines


def module_function(source: Source, module: Scope, sort: str) -> list[str]:
    lines = function(source, module, sort, 4)
    if sort == "async":
        module.add("spawn", module.names["afn"][-1])
    return lines


def part(source: Source, module: Scope, kind: str) -> list[str]:
    """The body of one part: statements of moderate depth, most of them with what they raise caught."""
    scope = body_scope(source, module, "async", [])
    lines = opening(source, module, scope)
    scope.can_return = False  # an early return would leave most of the part unused
    while source.left > 0:
        lines += contained(source, statement(source, scope, 3), kind)
    scope.can_return = True
    return lines + closing(source, scope, lines)


def contained(source: Source, lines: list[str], kind: str) -> list[str]:
    if source.chance(0.07):
        return lines
    name, caught = source.fresh("x"), "Exception"
    if kind == "turns" and source.chance(0.6):
        caught = "CAUGHT"
    return ["try:", *indent(lines), f"except {caught} as {name}:", f"    t.note('contained', *tell({name}))"]


def main_of_turns(source: Source, names: list[str], has_globals: bool) -> list[str]:
    """One part after the other, or all at the same time."""
    lines = ["async def main():", *indent(["global G0, G1", "G0, G1 = 1, 2"] if has_globals else [])]
    lines += [f"    t = Trace({FUEL['turns']})", "    t.start()"]
    if source.chance(0.15):
        lines += ["    if hasattr(asyncio, 'eager_task_factory'):"]
        lines += ["        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)"]
    if source.chance(0.3):
        lines += [f"    await t.join({name}(t))" for name in names]
    else:
        lines += [f"    task_{name} = t.task({name}(t), {name!r})" for name in names]
        lines += [f"    await t.join(task_{name})" for name in names]
    lines += ["    await t.finish()"]
    lines += ["    t.note('globals', G0, G1)"] if has_globals else []
    return [*lines, "    return t.items"]


def main_of_steps(source: Source, names: list[str], has_globals: bool) -> list[str]:  # noqa: ARG001
    """The parts are tasks."""
    lines = ["async def main():", f"    t = Own('', {FUEL['steps']})"]
    trace = "t.fork({0!r})"
    made = f"    task_{{0}} = t.task(contained({trace}, {{0}}({trace})), {{0!r}})"
    lines += [made.format(name) for name in names] + [f"    t.note({name!r}, await task_{name})" for name in names]
    return [*lines, "    return await t.finish()"]
