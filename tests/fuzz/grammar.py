"""Random programs: `generate(seed, size)` gives the text of one, the same text on every Python version, as far
as these have the same syntax: leave out "template string" and "unpacking" for that of 3.11.

A program has the form of those in `tests/programs`: its `main()` returns a trace, the list of what its statements
observed on the way. It always ends: its loops count something down, and each function and most loops burn the trace's
fuel. Exceptions that get out of the random part become part of the trace.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial

from . import strings as _strings  # noqa: F401 - registers its productions
from .blocks import statement
from .concurrency import concurrent
from .definitions import TABLE, body_scope, closing, empty_scope, first_use, function, opening
from .preamble import assemble
from .scope import Scope, Source, indent

FUEL = 200


def generate(seed: int, size: int = 40, without: Iterable[str] = (), kind: str = "one") -> str:
    """The program for `seed` with about `size` random statements, leaving out the constructs named in `without`.

    The names are those of the rules in this package ("async for", "walrus", "except*", "class", ...), and
    "global", "decorators" and "itertools". ``kind``: of one task; or of many, see `concurrency`.
    """
    source = Source(seed, size, without)
    if kind != "one":
        return concurrent(source, kind, f"Random program of many tasks ({kind}): seed {seed}, size {size}.", seed)
    module = empty_scope()
    lines: list[str] = []
    for _ in range(source.below(4)):
        sort = source.choose(("async", "async", "gen", "agen", "sync"))
        with_budget(source, size // 6, partial(write_function, lines, source, module, sort))
    entries = []
    parts = 1 + source.below(3)
    for part in range(parts):
        name = f"part{part}"
        entries.append(name)
        written: list[str] = []
        share = source.left // (parts - part)
        with_budget(source, share, partial(write_entry, written, source, module, part))
        lines += ["", "", f"async def {name}(t):", *indent(written)]
    lines += ["", "", *main(entries, any(re.search(r"\bG[01]\b", line) for line in lines))]
    return assemble("\n".join(lines).strip("\n"), f"Random program: seed {seed}, size {size}.")


def write_function(lines: list[str], source: Source, module: Scope, sort: str) -> None:
    lines.extend(["", "", *function(source, module, sort, 4)])


def write_entry(lines: list[str], source: Source, module: Scope, number: int) -> None:
    lines.extend(entry(source, module, number))


def with_budget(source: Source, share: int, make: Callable[[], None]) -> None:
    """Let `make` write at most about `share` of the statements that are left."""
    rest = max(source.left - share, 0)
    source.left -= rest
    make()
    source.left = max(source.left, 0) + rest


def entry(source: Source, module: Scope, number: int) -> list[str]:
    """The body of one part: many statements of moderate depth, about half of them with their exceptions caught."""
    scope = body_scope(source, module, "async", [])
    scope.can_return = False  # an early return would leave most of the part unused
    lines = opening(source, module, scope)
    for known in [f for table in TABLE.values() for f in module.names[table]] if number == 0 else []:
        lines += contained(source, first_use(source, scope, known) or ["pass"])
    while source.left > 0:
        lines += contained(source, statement(source, scope, 4))
    scope.can_return = True
    return lines + closing(source, scope, lines)


def contained(source: Source, lines: list[str]) -> list[str]:
    """The lines, mostly in a try statement that observes what they raise, so that the program gets far."""
    if source.chance(0.07):
        return lines
    name = source.fresh("x")
    return ["try:", *indent(lines), f"except Exception as {name}:", f"    t.note('contained', *tell({name}))"]


def main(entries: list[str], has_globals: bool) -> list[str]:
    lines = ["async def main():"]
    if has_globals:
        lines += ["    global G0, G1", "    G0, G1 = 1, 2"]
    lines += [f"    t = Trace({FUEL})"]
    for name in entries:
        lines += ["    try:", f"        t.note('{name}', await {name}(t))"]
        lines += ["    except Exception as e:", "        t.note('escaped', *tell(e))"]
    if has_globals:
        lines += ["    t.note('globals', G0, G1)"]
    return [*lines, "    await t.shut()", "    return t.items"]
