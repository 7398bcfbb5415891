"""Comprehensions of all kinds, nested and asynchronous, and generator expressions."""

from __future__ import annotations

from .expressions import DICTS, INTS, LISTS, arguments, condition, int_dict, int_list, integer, key
from .scope import Scope, Source

UNPACKING = "unpacking", (3, 15)  # the name of the construct, and the version that brought it


def target(s: Source, inner: Scope) -> str:
    """A fresh name for the iteration, or one of the function's own, which it then hides (no walrus may assign that).

    Where a name is free it is not hidden: 3.12.1 and 3.13.0 then lose it in functions nested beside the comprehension.
    """
    shared = inner.names.get("shared", ())
    own = [name for name in inner.names.get("int=", ()) if name not in shared]
    hidden = own if inner.can_hide and not inner.can_walrus else []
    name = s.choose(hidden) if hidden and s.chance(0.4) else s.fresh("c")
    inner.add("int", name)
    return name


def clauses(s: Source, c: Scope, depth: int, awaits: bool) -> tuple[str, Scope]:
    """The `for` and `if` clauses, and the scope of the element.

    An iterable may hold no walrus, and only the first one is evaluated outside the comprehension: `awaits` says whether
    anything but that may await.
    """
    inner = c.inside(can_yield=False, can_await=awaits, can_walrus=c.can_walrus and s.chance(0.5))
    text = ""
    for number in range(2 if s.chance(0.2) else 1):
        around = (c if number == 0 else inner).inside(can_walrus=False)
        choice = s.below(10)
        if awaits and choice < 3:
            iterable = async_iterable(s, around, depth)
            text += f" async for {target(s, inner)} in {iterable}"
        elif choice == 3:
            iterable = int_list(s, around, depth)
            text += f" for {target(s, inner)}, {target(s, inner)} in enumerate({iterable}[:2])"
        elif choice == 4:
            iterable = int_list(s, around, depth)
            text += f" for {target(s, inner)}, *{s.fresh('rest')} in [{iterable}, [1, 2]]"
        elif choice == 5:
            iterable = int_dict(s, around, depth)
            text += f" for {target(s, inner)}, {target(s, inner)} in {iterable}.items()"
        else:
            iterable = int_list(s, around, depth)
            text += f" for {target(s, inner)} in {iterable}{'' if 'await' in iterable else '[:3]'}"
        for _ in range(s.choose((0, 0, 0, 0, 1, 1, 2))):
            text += f" if {condition(s, inner, min(depth, 1))}"
    return text, inner


def async_iterable(s: Source, c: Scope, depth: int) -> str:
    """An asynchronous iterable; generators among them are held by the trace, which closes them in the end."""
    choice = s.below(6)
    if choice < 2 and c.names.get("agenfn"):
        f = s.choose(c.names["agenfn"])
        return f"t.hold({f.name}({arguments(s, c, f, depth)}))"
    if choice == 2 and c.names.get("agen"):
        return str(s.choose(c.names["agen"]))
    if choice == 3 and depth > 0 and c.can_await:
        return f"t.hold({async_generator_expression(s, c, depth - 1)})"
    ticks = f"Ticks({s.effect()}, {integer(s, c, depth)} % 4)"
    return f"(await effect({s.effect()}, {ticks}))" if c.can_await and s.chance(0.25) else ticks


def async_generator_expression(s: Source, c: Scope, depth: int) -> str:
    text, inner = clauses(s, c.inside(can_hide=False), min(depth, 1), awaits=True)
    if s.has(*UNPACKING) and s.chance(0.3):
        return f"(*(await effect({s.effect()}, {int_list(s, inner, depth)})){text})"
    return f"((await effect({s.effect()}, {integer(s, inner, depth)})){text})"


def generator_expression(s: Source, c: Scope, depth: int) -> str:
    text, inner = clauses(s, c.inside(can_hide=False), min(depth, 1), awaits=False)
    if s.has(*UNPACKING) and s.chance(0.3):
        return f"(*{int_list(s, inner, depth)}[:2]{text})"
    return f"({integer(s, inner, depth)}{text})"


@LISTS("list comprehension", 5)
def list_comprehension(s: Source, c: Scope, depth: int) -> str:
    text, inner = clauses(s, c, min(depth, 1), c.can_await)
    return f"[{integer(s, inner, depth)}{text}]"


@LISTS("set comprehension", 2)
def set_comprehension(s: Source, c: Scope, depth: int) -> str:
    text, inner = clauses(s, c, min(depth, 1), c.can_await)
    return f"sorted({{{integer(s, inner, depth)}{text}}})"


@DICTS("dict comprehension", 3)
def dict_comprehension(s: Source, c: Scope, depth: int) -> str:
    text, inner = clauses(s, c, min(depth, 1), c.can_await)
    return f"{{{key(s, inner, depth)}: {integer(s, inner, depth)}{text}}}"


@LISTS(UNPACKING[0], 3, since=UNPACKING[1])
def unpacking(s: Source, c: Scope, depth: int) -> str:
    text, inner = clauses(s, c, min(depth, 1), c.can_await)
    element = f"*{int_list(s, inner, depth)}"
    return f"[{element}{text}]" if s.chance(0.6) else f"sorted({{{element}{text}}})"


@DICTS(UNPACKING[0], 2, since=UNPACKING[1])
def dict_unpacking(s: Source, c: Scope, depth: int) -> str:
    text, inner = clauses(s, c, min(depth, 1), c.can_await)
    return f"{{**{int_dict(s, inner, depth)}{text}}}"


@LISTS("nested comprehension", 1)
def nested_comprehension(s: Source, c: Scope, depth: int) -> str:
    text, inner = clauses(s, c.inside(can_walrus=False), min(depth, 1), c.can_await)
    return f"[len(row) for row in [{int_list(s, inner, depth)}{text}]]"


@INTS("consumed generator expression", 2)
def consumed_expression(s: Source, c: Scope, depth: int) -> str:
    return f"{s.choose(('sum', 'any', 'all'))}({generator_expression(s, c, depth)})"


@LISTS("listed generator expression", 1)
def listed_expression(s: Source, c: Scope, depth: int) -> str:
    return f"[*{generator_expression(s, c, depth)}]"
