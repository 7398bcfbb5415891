"""Random strings, f-strings with conversions and format specs above all."""

# ruff: noqa: ARG001 - all productions of a table are called with the same arguments

from __future__ import annotations

from .expressions import STRINGS, int_list, integer, string
from .scope import Scope, Source


@STRINGS("string constant", 1)
def string_constant(s: Source, c: Scope, depth: int) -> str:
    return s.choose(("'ab'", "'c'", "''", "'xyz'"))


@STRINGS("string name", 2, "has:str")
def string_name(s: Source, c: Scope, depth: int) -> str:
    return str(s.choose(c.names["str"]))


@STRINGS("f-string", 6, "can_fstring")
def f_string(s: Source, c: Scope, depth: int) -> str:
    inner = c.inside(can_fstring=False)
    return 'f"' + "".join(piece(s, inner, depth) for _ in range(1 + s.below(3))) + '"'


@STRINGS("template string", 3, "can_fstring", since=(3, 14))
def template_string(s: Source, c: Scope, depth: int) -> str:
    """Text and fields as they are, with what the fields say of themselves."""
    inner = c.inside(can_fstring=False)
    return 'str([*t"' + "".join(piece(s, inner, depth) for _ in range(1 + s.below(3))) + '"])[-90:]'


def piece(s: Source, c: Scope, depth: int) -> str:
    choice = s.below(7)
    if choice == 0:
        return s.choose(("a-", "{{b}} ", " "))
    if choice == 1:
        return f"{{({string(s, c, depth)}){s.choose(('!r', '!s', '!a', ''))}:{s.choose('<>^')}5.4}}"
    if choice == 2:
        return f"{{({integer(s, c, depth)}):{{({integer(s, c, depth)}) % 4 + 1}}}}"
    if choice == 3:
        layout = f"{s.choose('<>^')}{{({integer(s, c, 1)}) % 3 + 1}}.4"
        return f"{{({integer(s, c, depth)}){s.choose(('!r', '!s'))}:{layout}}}"
    if choice == 4:
        return f"{{({integer(s, c, depth)})=}}" if s.chance(0.2) else f"{{({integer(s, c, depth)})!r:.6}}"
    return f"{{({integer(s, c, depth)}):{s.choose(('', '03d', '+d', 'x', '_'))}}}"


@STRINGS("string slice", 1)
def string_slice(s: Source, c: Scope, depth: int) -> str:
    return f"{string(s, c, depth)}[:{integer(s, c, depth)} % 6]"


@STRINGS("join", 1)
def join(s: Source, c: Scope, depth: int) -> str:
    return f"'-'.join(map(str, {int_list(s, c, depth)}[:3]))"


@STRINGS("awaited string", 2, "can_await")
def awaited_string(s: Source, c: Scope, depth: int) -> str:
    return f"(await effect({s.effect()}, {string(s, c, depth)}))"
