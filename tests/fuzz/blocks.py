"""Random statements with blocks: if, loops, try in every form, with, match."""

from __future__ import annotations

from .comprehensions import async_iterable
from .expressions import anything, arguments, condition, int_dict, int_list, integer, string
from .scope import Scope, Source, indent
from .statements import STATEMENTS, jump, place


def block(s: Source, c: Scope, room: int, *, ending: float = 0.2, **flags: object) -> list[str]:
    """An indented block of at most `room` statements, which may end with a jump."""
    inner = c.inside(depth=c.depth + 1, **flags)
    lines: list[str] = []
    for _ in range(1 + s.below(max(room, 1))):
        lines += statement(s, inner, room // 2)
        if s.left <= 0:
            break
    if s.chance(ending):
        lines += jump(s, inner)
    return indent(lines)


def statement(s: Source, c: Scope, room: int) -> list[str]:
    s.left -= 1
    return STATEMENTS.pick(s, c)(s, c, room)


def nested(c: Scope, **flags: object) -> Scope:
    return c.inside(depth=c.depth + 1, **flags)


@STATEMENTS("if", 7, "shallow")
def if_(s: Source, c: Scope, room: int) -> list[str]:
    lines = [f"if {condition(s, c)}:", *block(s, c, room)]
    if s.chance(0.3):
        lines += [f"elif {condition(s, c)}:", *block(s, c, room)]
    if s.chance(0.5):
        lines += ["else:", *block(s, c, room)]
    return lines


# ---------------------------------------------------------------- loops


def loop_else(s: Source, c: Scope, room: int) -> list[str]:
    return ["else:", *block(s, c, room)] if s.chance(0.45) else []


def loop_body(s: Source, c: Scope, room: int) -> list[str]:
    body = block(s, c, room + 1, ending=0.08, in_loop=True)
    return [*indent(["if not t.burn():", "    break"]), *body] if s.chance(0.5) else body


@STATEMENTS("while", 5, "shallow")
def while_(s: Source, c: Scope, room: int) -> list[str]:
    """A loop that counts down a variable of its own, which nothing else assigns, and the fuel."""
    counter = s.fresh("n")
    lines = [f"{counter} = {1 + s.below(3)}"]
    test = f"{counter} and t.burn()"
    if s.chance(0.6):
        test = f"{condition(s, c)} and {test}" if s.chance(0.3) else f"{test} and ({integer(s, c)} or 1)"
    elif c.can_await and s.chance(0.4):
        test = f"await effect({s.effect()}, {counter})"
    return [*lines, f"while {test}:", f"    {counter} -= 1", *loop_body(s, c, room), *loop_else(s, c, room)]


@STATEMENTS("for", 6, "shallow")
def for_(s: Source, c: Scope, room: int) -> list[str]:
    choice = s.below(10)
    inner = c.inside()
    watched = ["    if not t.burn():", "        break"]
    if choice == 0:
        head = f"{loop_target(s, inner)}, {loop_target(s, inner)} in enumerate({int_list(s, c)}[:3], {integer(s, c)})"
    elif choice == 1:
        head = f"{loop_target(s, inner)}, {loop_target(s, inner)} in zip({int_list(s, c)}[:3], {int_list(s, c)})"
    elif choice == 2:
        head = f"{loop_target(s, inner)}, {loop_target(s, inner)} in dict({int_dict(s, c)}).items()"
    elif choice == 3 and c.names.get("genfn"):
        f = s.choose(c.names["genfn"])
        head = f"{loop_target(s, inner)} in t.hold({f.name}({arguments(s, c, f, 2)}))"
    elif choice == 4 and c.names.get("list"):
        return [
            f"for {loop_target(s, inner)} in {s.choose(c.names['list'])}:",
            *watched,
            *loop_body(s, inner, room),
            *loop_else(s, c, room),
        ]
    elif choice == 5 and c.names.get("gen"):
        head = f"{loop_target(s, inner)} in {s.choose(c.names['gen'])}"
    elif choice == 6:
        head = f"{place(s, c)} in {int_list(s, c)}[:3]"
    elif choice == 8 and c.can_await:
        head = f"{loop_target(s, inner)} in await effect({s.effect()}, {int_list(s, c, 1)})"
    elif choice == 7:
        star = s.fresh("u")
        head = f"{loop_target(s, inner)}, *{star} in [{int_list(s, c)}, [1, 2]]"
    else:
        head = f"{loop_target(s, inner)} in range({integer(s, c)} % 4)"
    return [f"for {head}:", *loop_body(s, inner, room), *loop_else(s, c, room)]


def loop_target(s: Source, inner: Scope) -> str:
    name = s.choose(inner.names["int="]) if inner.names.get("int=") and s.chance(0.3) else s.fresh("i")
    if name not in inner.names["int"]:
        inner.local("int", name)
    return name


@STATEMENTS("async for", 6, "can_await shallow")
def async_for(s: Source, c: Scope, room: int) -> list[str]:
    inner = c.inside()
    iterable = async_iterable(s, c, 2)
    target = place(s, c) if s.chance(0.2) else loop_target(s, inner)
    return [f"async for {target} in {iterable}:", *loop_body(s, inner, room), *loop_else(s, c, room)]


# ---------------------------------------------------------------- try


@STATEMENTS("try", 13, "shallow")
def try_(s: Source, c: Scope, room: int) -> list[str]:
    """A try statement; in "plain" generators GeneratorExit gets out of it, whatever it does on the way."""
    shape = s.below(4)
    handled, finalised = shape != 0, shape in (0, 1) and not (c.plain and c.caught and c.can_yield)
    handled = handled or not finalised
    body = {"caught": c.caught or handled}
    lines = ["try:", *failing_block(s, c, room, **body)]
    if handled:
        lines += handlers(s, c, room)
        if s.chance(0.35):
            lines += ["else:", *block(s, c, room)]
    if finalised:
        quiet = {"can_yield": False, "in_loop": False} if c.plain else {}
        lines += ["finally:", *block(s, c, room, ending=0.3, **quiet)]
    return lines


def failing_block(s: Source, c: Scope, room: int, **flags: object) -> list[str]:
    lines = block(s, c, room, ending=0.1, **flags)
    inner = nested(c, **flags)
    if s.chance(0.3):
        lines += indent([f"if {condition(s, inner, 1)}:", f"    raise {s.error()}"])
    if s.chance(0.35):
        lines += indent([f"t.note({integer(s, inner)})", f"raise {s.error()}"] if s.chance(0.5) else jump(s, inner))
    return lines


def handlers(s: Source, c: Scope, room: int) -> list[str]:
    lines: list[str] = []
    for _ in range(s.choose((1, 1, 1, 1, 2, 3))):
        inner = c.inside(in_handler=True)
        kind = exception_types(s, c)
        if s.chance(0.7):
            name = s.fresh("x")
            lines += [f"except {kind} as {name}:", f"    t.note('caught', *tell({name}))"]
        else:
            lines += [f"except {kind}:"]
        lines += block(s, inner, min(room, 2), ending=0.3)
    if s.chance(0.2) and not c.plain:
        last = s.choose(("except:", "except BaseException:"))
        lines += [last, *block(s, c.inside(in_handler=True), room, ending=0.3)]
    return lines


def exception_types(s: Source, c: Scope) -> str:
    if c.can_await and not c.plain and s.chance(0.15):
        return f"(await effect({s.effect()}, {s.choose(('ValueError', 'Exception', '(KeyError, Boom)'))}))"
    return s.choose(("Exception", "Exception", "ValueError", "(KeyError, Boom)", "LookupError", "(ValueError, TypeError)"))


@STATEMENTS("except*", 3, "shallow")
def except_star(s: Source, c: Scope, room: int) -> list[str]:
    """No jumps in its handlers, as the language demands, and none in its body, where an except* may be pending."""
    group = ", ".join(s.error() for _ in range(1 + s.below(3)))
    inner = nested(c, caught=True)
    thrown = f"raise ExceptionGroup('g', [{group}, ExceptionGroup('h', [{s.error()}])])"
    lines = ["try:", *block(s, c, room, caught=True)]
    lines += indent([f"if {condition(s, inner, 1)}:", f"    {thrown}"] if s.chance(0.5) else [thrown])
    for kind in s.shuffled(("ValueError", "(KeyError, Boom)", "Exception"))[: 1 + s.below(3)]:
        name = s.fresh("x")
        handler = {"in_loop": False, "can_return": False, "in_handler": True}
        lines += [f"except* {kind} as {name}:", f"    t.note('group', *tell({name}))"]
        lines += block(s, c, room, ending=0.2, **handler)
    if s.chance(0.3):
        lines += ["else:", *block(s, c, room)]
    if s.chance(0.3) and not c.plain:
        lines += ["finally:", *block(s, c, room)]
    return lines


# ---------------------------------------------------------------- with


def manager(s: Source, c: Scope, kind: str) -> str:
    options = [s.choose(("True", "False", condition(s, c, 1)))] if s.chance(0.5) else []
    if s.chance(0.15):
        options.append(f"fault={s.error()}")
    if s.chance(0.06):
        options.append(f"early={s.error()}")
    made = f"{kind}({', '.join(['t', repr(s.fresh('m')), *options])})"
    return f"(await effect({s.effect()}, {made}))" if c.can_await and s.chance(0.3) else made


def with_statement(s: Source, c: Scope, room: int, keyword: str, kind: str) -> list[str]:
    inner = c.inside(caught=True, can_yield=c.can_yield and not (c.plain and c.caught))
    items = []
    for _ in range(s.choose((1, 1, 1, 2, 3))):
        item = manager(s, inner, kind)
        if s.chance(0.6):
            item += f" as {place(s, inner) if s.chance(0.5) else loop_target(s, inner)}"
        items.append(item)
    return [f"{keyword} {', '.join(items)}:", *failing_block(s, inner, room)]


@STATEMENTS("with", 4, "shallow")
def with_(s: Source, c: Scope, room: int) -> list[str]:
    return with_statement(s, c, room, "with", "Manager")


@STATEMENTS("async with", 5, "can_await shallow")
def async_with(s: Source, c: Scope, room: int) -> list[str]:
    return with_statement(s, c, room, "async with", "AsyncManager")


# ---------------------------------------------------------------- match


@STATEMENTS("match", 4, "shallow")
def match_(s: Source, c: Scope, room: int) -> list[str]:
    choice = s.below(5)
    if choice == 0:
        subject, patterns = integer(s, c), ["0 | 1 | 2", "<any> if <test>", "int(<int>)", "-1", "Base.limit"]
    elif choice == 1:
        subject, patterns = int_list(s, c), ["[]", "[<int>]", "[<int>, *<any>] if <test>", "[<int>, <int>, *_]"]
    elif choice == 2:
        subject, patterns = int_dict(s, c), ["{0: <int>}", "{1: <int>, **<any>} if <test>", "{} if <test>"]
    elif choice == 3:
        subject = f"Box({integer(s, c)})"
        patterns = ["Box(0 | 1 as <int>) if <test>", "Box(value=int(<int>)) if <test>", "Box(<int>)"]
    else:
        subject = anything(s, c)
        patterns = ["[_, *<any>]", "str(<any>) if <test>", "int() | bool() as <int>", "None | True"]
    lines = [f"match {subject}:"]
    for pattern in [*s.shuffled(patterns)[: 1 + s.below(3)], *(["_"] if s.chance(0.5) else [])]:
        lines += indent(case(s, c, room, pattern))
    return lines


def case(s: Source, c: Scope, room: int, pattern: str) -> list[str]:
    """One case; names captured as integers can be used in the guard and the block, others are observed."""
    inner = c.inside()
    seen = []
    while "<int>" in pattern:
        name = s.fresh("i")
        inner.local("int", name)
        pattern = pattern.replace("<int>", name, 1)
    while "<any>" in pattern:
        seen.append(s.fresh("v"))
        pattern = pattern.replace("<any>", seen[-1], 1)
    text = pattern.replace("<test>", condition(s, inner))
    notes = indent([f"t.note('match', {', '.join(seen)})"]) if seen else []
    return [f"case {text}:", *notes, *block(s, inner, min(room, 2))]


@STATEMENTS("string match", 1, "shallow")
def string_match(s: Source, c: Scope, room: int) -> list[str]:
    name = s.fresh("v")
    lines = [f"match {string(s, c)}:", "    case 'ab' | '':", *indent(block(s, c, room))]
    return [*lines, f"    case str() as {name}:", f"        t.note({name})"]
