"""Random definitions: functions of the four kinds, lambdas and classes, at module level or in place."""

# ruff: noqa: ARG001 - all productions of a table are called with the same arguments

from __future__ import annotations

from .blocks import block, statement
from .expressions import arguments, constant, integer
from .scope import INHERITED, Function, Scope, Source, indent
from .statements import STATEMENTS, drive_async_generator, drive_generator, jump, observed, yield_statement

PREFIX = {"async": "f", "sync": "h", "gen": "gf", "agen": "af"}
TABLE = {"async": "afn", "sync": "fn", "gen": "genfn", "agen": "agenfn"}


def empty_scope(kind: str = "module") -> Scope:
    return Scope(kind, dict.fromkeys(INHERITED, ()))


def parameters(s: Source, outer: Scope | None, takes_trace: bool, first: str = "") -> tuple[str, list[str], Function]:
    """A parameter list, the names that hold integers in the body, and how to call the function.

    Defaults are random expressions of the scope around a function in place, and constants at module level.
    """

    def default() -> str:
        return integer(s, outer, 2) if outer is not None else constant(s)

    names, text = [], [name for name in (first, "t" if takes_trace else "") if name]
    required, optional = s.below(3), s.choose((0, 0, 1, 2))
    for _ in range(required):
        names.append(s.fresh("p"))
        text.append(names[-1])
    if text and s.chance(0.15):
        text.append("/")
    for _ in range(optional):
        names.append(s.fresh("p"))
        text.append(f"{names[-1]}={default()}")
    star = s.chance(0.2)
    keywords = [s.fresh("k") for _ in range(s.choose((0, 0, 1, 2)))]
    if star:
        text.append("*rest")
    elif keywords:
        text.append("*")
    text += [f"{keyword}={default()}" for keyword in keywords]
    names += keywords
    if s.chance(0.1):
        text.append("**extra")
    return ", ".join(text), names, Function("", required, optional, tuple(keywords), star, takes_trace)


def body_scope(s: Source, outer: Scope, kind: str, names: list[str]) -> Scope:
    c = Scope(
        kind,
        {key: outer.names.get(key, ()) for key in INHERITED},
        can_await=kind in ("async", "agen"),
        can_yield=kind in ("gen", "agen"),
        character=s.choose({"gen": ("plain", "guarded", "wild"), "agen": ("plain", "guarded")}.get(kind, ("",))),
        function_depth=outer.function_depth + 1,
    )
    for name in names:
        c.local("int", name)
    return c


def opening(s: Source, outer: Scope, c: Scope) -> list[str]:
    """The declarations, the fuel check and the first variables."""
    lines = []
    own = [name for name in outer.names.get("int=", ()) if name.startswith(("i", "p"))]
    if own and s.chance(0.6):
        shared = s.shuffled(own)[: 1 + s.below(2)]
        lines.append(f"nonlocal {', '.join(shared)}")
        c.add("int=", *shared)
        c.add("shared", *shared)
    if s.chance(0.25) and "global" not in s.without:
        lines.append("global G0, G1")
        c.local("int", "G0")
        c.local("int", "G1")
    lines += ["if not t.burn():", "    return" if c.kind == "agen" else f"    return {constant(s)}"]
    name, items, table = s.fresh("i"), s.fresh("l"), s.fresh("d")
    c.local("int", name)
    lines.append(f"{name} = {constant(s)}")
    if s.chance(0.7):
        c.local("list", items)
        lines.append(f"{items} = [{constant(s)}, {constant(s)}, {constant(s)}]")
    if s.chance(0.5):
        c.local("dict", table)
        lines.append(f"{table} = {{{constant(s)}: {constant(s)}, 1: 2}}")
    return lines


def body(s: Source, outer: Scope, c: Scope, room: int) -> list[str]:
    lines = opening(s, outer, c)
    for _ in range(1 + s.below(max(room, 1))):
        lines += statement(s, c, room // 2)
        if s.left <= 0:
            break
    return lines + closing(s, c, lines)


def closing(s: Source, c: Scope, before: list[str]) -> list[str]:
    """The end of a body: a yield (which makes it a generator) or an await if it has none, and a return or a jump."""
    lines: list[str] = []
    if c.can_yield:
        lines += yield_statement(s, c, 0)
    if c.kind == "async" and not any("await" in line for line in before):
        lines.append(f"t.note(await effect({s.effect()}, {constant(s)}))")
    return lines + (jump(s, c) if s.chance(0.2) else ["return" if c.kind == "agen" else f"return {integer(s, c)}"])


def decorators(s: Source, c: Scope | None, kind: str) -> list[str]:
    lines: list[str] = []
    if c is None or "decorators" in s.without:
        return lines
    if kind == "async" and s.chance(0.15):
        lines.append(f"@(await effect({s.effect()}, plus_one))" if c.can_await and s.chance(0.5) else "@plus_one")
    if s.chance(0.2):
        lines.append(f"@marked({integer(s, c, 2)})")
    return lines


def function(s: Source, outer: Scope, kind: str, room: int) -> list[str]:
    """A function definition; the scope around it gets to know how to call it."""
    in_place = outer.kind != "module"
    takes_trace = not in_place or s.chance(0.3)
    name = s.fresh(PREFIX[kind])
    marks = decorators(s, outer if in_place else None, kind)
    signature, names, call = parameters(s, outer if in_place else None, takes_trace)
    c = body_scope(s, outer, kind, names)
    known = Function(**{**vars(call), "name": name, "tame": c.character != "wild"})
    if kind == "async" and s.chance(0.25):
        c.add("afn", known)
    lines = [f"{'async ' if c.can_await else ''}def {name}({signature}):", *indent(body(s, outer, c, room))]
    outer.add(TABLE[kind], known)
    marked = len(marks) == 1 and "marked" in marks[0]
    lines += [f"t.note({name}.mark)"] if marked else []
    return [*marks, *lines, *(first_use(s, outer, known) if in_place else [])]


def first_use(s: Source, c: Scope, f: Function) -> list[str]:
    """Mostly the function is put to use at once, so that its body runs in most programs."""
    kind = next(kind for kind in TABLE if f in c.names.get(TABLE[kind], ()))
    if s.chance(0.15) or (kind in ("async", "agen") and not c.can_await):
        return []
    made = f"{f.name}({arguments(s, c, f, 2)})"
    if kind in ("async", "sync"):
        return observed(s, f"await {made}" if kind == "async" else made)
    name = s.fresh("g" if kind == "gen" else "ag")
    c.add(kind, name)
    drive = drive_generator if kind == "gen" else drive_async_generator
    only = c.inside()
    only.names[kind] = (name,)
    steps = [drive(s, only, 0) for _ in range(1 + s.below(3))]
    return [f"{name} = t.hold({made})", *(line for step in steps for line in step)]


@STATEMENTS("async def", 4, "can_define")
def async_def(s: Source, c: Scope, room: int) -> list[str]:
    return function(s, c, "async", room)


@STATEMENTS("def", 1.5, "can_define")
def sync_def(s: Source, c: Scope, room: int) -> list[str]:
    return function(s, c, "sync", room)


@STATEMENTS("generator", 2.5, "can_define")
def generator_def(s: Source, c: Scope, room: int) -> list[str]:
    return function(s, c, "gen", room)


@STATEMENTS("async generator", 3, "can_define")
def async_generator_def(s: Source, c: Scope, room: int) -> list[str]:
    return function(s, c, "agen", room)


@STATEMENTS("state changer", 4, "can_define has:int=")
def state_changer(s: Source, c: Scope, room: int) -> list[str]:
    """A function that changes a variable of the one around it, so that the order of evaluation shows."""
    shared = s.choose(c.names["int="])
    name, amount = s.fresh("f"), s.fresh("p")
    declaration = "global" if shared.startswith("G") else "nonlocal"
    asynchronous = c.can_await and s.chance(0.8)
    change = f"{shared} = ({shared} + {amount}) % 17"
    if asynchronous and s.chance(0.4):
        change = f"{shared} = ({shared} + await effect({s.effect()}, {amount})) % 17"
    result = f"await effect({s.effect()}, {shared})" if asynchronous else shared
    c.add("afn" if asynchronous else "fn", Function(name, 1))
    lines = [f"{declaration} {shared}", change, f"return {result}"]
    return [f"{'async ' if asynchronous else ''}def {name}({amount}):", *indent(lines)]


@STATEMENTS("lambda variable", 1.5)
def lambda_variable(s: Source, c: Scope, room: int) -> list[str]:
    name, first, second = s.fresh("h"), s.fresh("p"), s.fresh("p")
    inner = c.inside(can_await=False, can_yield=False, can_walrus=False, can_hide=False)
    inner.add("int", first, second)
    lines = [f"{name} = lambda {first}, {second}={integer(s, c, 2)}: {integer(s, inner, 2)}"]
    c.add("fn", Function(name, 1, 1))
    return lines


@STATEMENTS("class", 3, "can_define")
def class_def(s: Source, c: Scope, room: int) -> list[str]:
    """A class with asynchronous methods, `super()` and a mangled name, and one instance of it."""
    name, thing = s.fresh("C"), s.fresh("o")
    base, level = "Base", f", level={integer(s, c, 2)}" if s.chance(0.4) else ""
    if c.can_await and s.chance(0.3):
        base = f"(await effect({s.effect()}, Base))"
    inner = c.inside(can_await=False, can_yield=False, can_walrus=False, can_hide=False)
    members = [f"size = {integer(s, inner, 2)}"]
    methods = []
    for _ in range(1 + s.below(2)):
        lines, call = method(s, c, room)
        members += lines
        methods.append(call)
    if s.chance(0.5):
        members += ["async def step(self, amount):", f"    self.__seen = amount + {constant(s)}"]
        members += [f"    return (await super().step(amount)) + await effect({s.effect()}, self.__seen)"]
    lines = [f"class {name}({base}{level}):", *indent(members), f"{thing} = {name}({integer(s, c)})"]
    c.add("attr", f"{thing}.value")
    c.add("box", thing)
    c.add("int", f"{thing}.size")
    c.add("afn", Function(f"{thing}.step", 1), *(Function(**{**vars(f), "name": f"{thing}.{f.name}"}) for f in methods))
    return lines


def method(s: Source, c: Scope, room: int) -> tuple[list[str], Function]:
    name = s.fresh("m")
    default_scope = c.inside(can_await=False, can_yield=False, can_walrus=False, can_hide=False)
    signature, names, call = parameters(s, default_scope, False, first="self")
    inner = body_scope(s, c, "async", names)
    inner.add("attr", "self.value")
    lines = body(s, c, inner, min(room, 3))
    return [f"async def {name}({signature}):", *indent(lines)], Function(**{**vars(call), "name": name})


@STATEMENTS("try around", 1, "shallow")
def try_around(s: Source, c: Scope, room: int) -> list[str]:
    """A block whose exceptions are observed and go no further, so that a program gets far."""
    name = s.fresh("x")
    around = "Exception"
    lines = ["try:", *block(s, c, room, caught=True)]
    return [*lines, f"except {around} as {name}:", f"    t.note('around', *tell({name}))"]
