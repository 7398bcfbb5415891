"""One edit of a function in flight: where it waited, and where it goes on."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

from durable_import.hook.code_table import CodeInfo, ModuleInfo, source_of
from durable_import.pythons.codes import nested_codes
from durable_import.rewrite.compiler import compile_module
from durable_import.upgrades.moving import plan_frame, today_of


def infos_of(source: str) -> dict[str, CodeInfo]:
    """What is known of the functions of a module, by place."""
    text = dedent(source).encode()
    rewritten = compile_module(text, "<edited>", "edited")
    module = ModuleInfo("edited", "<edited>", text, rewritten.code.co_flags)
    for code, row in zip(nested_codes(rewritten.code), rewritten.table, strict=True):
        if row is not None:
            module.by_place[row[0]] = CodeInfo(code, module, *row)
    return module.by_place


def moved(
    old: str, new: str, at: str, has: set[str], *, role: str = "", place: str = "main", defaults: tuple[str, ...] = ()
) -> str:
    """The line of the new text where a frame goes on that waits at the line ``at`` of the old one. Raises CannotMoveError.

    ``has``: the user's variables that the frame has; it has all the hidden ones that are kept there.
    """
    was, today = infos_of(old)[place], infos_of(new)[place]
    before = today_of(was)
    candidates = [p for p in before.points if at in before.line(p) and role in p.role]
    point = candidates[0]
    hidden = {name for name, _, _ in point.place[2]}
    cells: Any = set(was.code.co_freevars) | set(was.code.co_cellvars)
    move = plan_frame(source_of(was), was.digest, today, point.place, has | hidden, cells, defaults)
    after = today_of(today)
    return after.line(next(p for p in after.points if p.label == move.label))
