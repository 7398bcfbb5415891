"""Random statements without a block of their own, jumps included."""

# ruff: noqa: ARG001 - all productions of a table are called with the same arguments

from __future__ import annotations

from .comprehensions import async_generator_expression, generator_expression
from .expressions import anything, arguments, below, condition, constant, int_dict, int_list, integer, string
from .scope import Rules, Scope, Source

#: Productions of the form (source, scope, room) -> lines; `room` bounds the statements of nested blocks.
STATEMENTS = Rules[list[str]]()
JUMPS = Rules[list[str]]()


def jump(s: Source, c: Scope) -> list[str]:
    return JUMPS.pick(s, c)(s, c)


# ---------------------------------------------------------------- observations


@STATEMENTS("note", 8)
def note(s: Source, c: Scope, room: int) -> list[str]:
    return [f"t.note({', '.join(anything(s, c) for _ in range(1 + s.below(2)))})"]


@STATEMENTS("observe locals", 1)
def observe_locals(s: Source, c: Scope, room: int) -> list[str]:
    return ["t.note('locals', sorted(locals()))"]


@STATEMENTS("observe exception", 1.5)
def observe_exception(s: Source, c: Scope, room: int) -> list[str]:
    return ["t.note('current', named(sys.exc_info()[0]))"]


@STATEMENTS("expression", 2)
def expression(s: Source, c: Scope, room: int) -> list[str]:
    return [integer(s, c)]


# ---------------------------------------------------------------- assignments


def place(s: Source, c: Scope) -> str:
    """A target that takes an integer."""
    choice = s.below(10)
    if choice < 2 and c.names.get("dict"):
        return f"{s.choose(c.names['dict'])}[{below(s, c, 2, 5)}]"
    if choice == 2 and c.names.get("list"):
        return f"{s.choose(c.names['list'])}[{below(s, c, 2, 2)}]"
    if choice == 3 and c.names.get("attr"):
        return str(s.choose(c.names["attr"]))
    if choice == 4 and c.can_await and c.names.get("box"):
        return f"(await effect({s.effect()}, {s.choose(c.names['box'])})).value"
    return s.choose(c.names["int="]) if c.names.get("int=") else s.fresh("i")


def whole_list(s: Source, c: Scope) -> str:
    return s.choose(c.names["list="]) if c.names.get("list=") and s.chance(0.7) else s.fresh("u")


@STATEMENTS("assign", 8)
def assign(s: Source, c: Scope, room: int) -> list[str]:
    value = integer(s, c)
    targets = [place(s, c) for _ in range(s.choose((1, 1, 1, 2)))]
    return [" = ".join([*targets, value])]


@STATEMENTS("new variable", 4)
def new_variable(s: Source, c: Scope, room: int) -> list[str]:
    kind, make = s.choose((("int", integer), ("list", int_list), ("dict", int_dict), ("str", string)))
    value = make(s, c)
    name = s.fresh(kind[0])
    c.local(kind, name)
    copied = {"list": f"list({value})", "dict": f"dict({value})"}.get(kind, value)
    return [f"{name} = {copied}"]


@STATEMENTS("new box", 1.5)
def new_box(s: Source, c: Scope, room: int) -> list[str]:
    value, name = integer(s, c), s.fresh("b")
    c.add("box", name)
    c.add("attr", f"{name}.value")
    return [f"{name} = Box({value})"]


@STATEMENTS("new iterator", 2)
def new_iterator(s: Source, c: Scope, room: int) -> list[str]:
    items, name = int_list(s, c), s.fresh("it")
    c.add("iter", name)
    forms: tuple[str, ...] = (
        "iter({})",
        "iter(tuple({}))",
        "reversed({})",
        "map(abs, {})",
        "filter(None, {})",
        "iter(range(len({})))",
        "iter(dict.fromkeys({}).values())",
        "itertools.chain({}, [7])",
        "itertools.islice({}, 1, None)",
        "itertools.accumulate({})",
    )
    if "itertools" in s.without:
        forms = forms[:7]
    return [f"{name} = " + s.choose(forms).format(items)]


@STATEMENTS("unpack", 5)
def unpack(s: Source, c: Scope, room: int) -> list[str]:
    choice = s.below(5)
    if choice == 0:
        value = f"{integer(s, c)}, {integer(s, c)}"
        return [f"{place(s, c)}, {place(s, c)} = {value}"]
    if choice == 1:
        value = f"[{integer(s, c)}, *{int_list(s, c)}]"
        return [f"{place(s, c)}, *{whole_list(s, c)} = {value}"]
    if choice == 2:
        value = f"{integer(s, c)}, [{integer(s, c)}, *{int_list(s, c)}]"
        return [f"{place(s, c)}, [{place(s, c)}, *{whole_list(s, c)}] = {value}"]
    if choice == 3:
        value = f"*{int_list(s, c)}, {integer(s, c)}"
        return [f"*{whole_list(s, c)}, {place(s, c)} = {value}"]
    value = int_list(s, c) if s.chance(0.2) else f"({integer(s, c)}, {integer(s, c)})"
    return [f"{place(s, c)}, {place(s, c)} = {value}"]


@STATEMENTS("slice assignment", 2, "has:list")
def slice_assignment(s: Source, c: Scope, room: int) -> list[str]:
    value, name = int_list(s, c), s.choose(c.names["list"])
    return [f"{name}[{below(s, c, 2, 3)}:{below(s, c, 2, 3)}] = {value}[:3]"]


@STATEMENTS("annotated assignment", 1.5)
def annotated(s: Source, c: Scope, room: int) -> list[str]:
    value = integer(s, c)
    if s.chance(0.4) and c.names.get("dict"):
        return [f"{s.choose(c.names['dict'])}[{below(s, c, 2, 5)}]: int = {value}"]
    name = s.fresh("i")
    c.local("int", name)
    return [f"{name}: int = {value}"]


@STATEMENTS("augmented assignment", 6)
def augmented(s: Source, c: Scope, room: int) -> list[str]:
    choice = s.below(8)
    if choice == 0 and c.names.get("list="):
        return [f"{s.choose(c.names['list='])} += {int_list(s, c)}[:2]"]
    if choice == 1 and c.names.get("list"):
        return [f"{s.choose(c.names['list'])}[{integer(s, c, 1)} % 3:{integer(s, c, 1)} % 3] += {int_list(s, c)}[:2]"]
    if choice == 2 and c.names.get("dict="):
        return [f"{s.choose(c.names['dict='])} |= {int_dict(s, c)}"]
    if choice == 3 and c.names.get("str="):
        return [f"{s.choose(c.names['str='])} += {string(s, c)}[:3]"]
    target, operator = place(s, c), s.choose(("+", "-", "^", "|", "+"))
    return [f"{target} {operator}= {integer(s, c)} % 31" if s.chance(0.5) else f"{target} {operator}= {integer(s, c)}"]


@STATEMENTS("delete", 2)
def delete(s: Source, c: Scope, room: int) -> list[str]:
    choice = s.below(5)
    if choice == 0 and c.names.get("dict"):
        return [f"del {s.choose(c.names['dict'])}[{below(s, c, 2, 5)}]"]
    if choice == 1 and c.names.get("list"):
        return [f"del {s.choose(c.names['list'])}[{below(s, c, 2, 3)}:{below(s, c, 2, 3)}]"]
    if choice == 2 and c.names.get("box"):
        name = s.choose(c.names["box"])
        return [f"del {name}.value", f"t.note(hasattr({name}, 'value'))", f"{name}.value = {integer(s, c)}"]
    known = [name for name in c.names.get("int=", ()) if not name.startswith("G")]
    if not known:
        return ["pass"]
    name = s.choose(known)
    gone = [f"del {name}"]
    if s.chance(0.3):
        gone.append("t.note('locals', sorted(locals()))")
    if s.chance(0.3):
        gone += ["try:", f"    t.note({name})", "except NameError as e:", "    t.note('gone', *tell(e))"]
    c.drop("int", name)
    c.drop("int=", name)
    gone.append(f"{name} = {integer(s, c)}")
    c.local("int", name)
    return gone if s.chance(0.95) else gone[:-1]


@STATEMENTS("assert", 1.5)
def asserted(s: Source, c: Scope, room: int) -> list[str]:
    test = condition(s, c) if s.chance(0.15) else f"({integer(s, c)} or 1)"
    if c.can_await and s.chance(0.3):
        test = f"await effect({s.effect()}, {s.choose((0, 1, 2, 3))})"
    return [f"assert {test}, {integer(s, c)}" if s.chance(0.7) else f"assert {test}"]


# ---------------------------------------------------------------- generators and coroutines held in variables


@STATEMENTS("hold generator", 4)
def hold_generator(s: Source, c: Scope, room: int) -> list[str]:
    """A generator in a variable, stepped by later expressions; the trace closes it at the end."""
    if c.names.get("genfn") and s.chance(0.7):
        f = s.choose(c.names["genfn"])
        made = f"{f.name}({arguments(s, c, f, 2)})"
    else:
        made = generator_expression(s, c, 2)
    name = s.fresh("g")
    c.add("gen", name)
    return [f"{name} = t.hold({made})"]


@STATEMENTS("hold async generator", 4, "can_await")
def hold_async_generator(s: Source, c: Scope, room: int) -> list[str]:
    if c.names.get("agenfn") and s.chance(0.7):
        f = s.choose(c.names["agenfn"])
        made = f"{f.name}({arguments(s, c, f, 2)})"
    else:
        made = async_generator_expression(s, c, 2)
    name = s.fresh("ag")
    c.add("agen", name)
    return [f"{name} = t.hold({made})"]


@STATEMENTS("hold coroutine", 2, "can_await has:afn")
def hold_coroutine(s: Source, c: Scope, room: int) -> list[str]:
    f = s.choose(c.names["afn"])
    made, name = f"{f.name}({arguments(s, c, f, 2)})", s.fresh("co")
    c.add("coro", name)
    return [f"{name} = t.hold({made})"]


@STATEMENTS("drive generator", 6, "has:gen")
def drive_generator(s: Source, c: Scope, room: int) -> list[str]:
    name = s.choose(c.names["gen"])
    step = s.choose((f"next({name})", f"{name}.send({integer(s, c, 2)})", f"{name}.throw({s.error()})"))
    if s.chance(0.2):
        step = f"t.close({name})"
    elif s.chance(0.2):
        step = f"list({name})"
    return observed(s, step)


@STATEMENTS("drive async generator", 8, "can_await has:agen")
def drive_async_generator(s: Source, c: Scope, room: int) -> list[str]:
    name = s.choose(c.names["agen"])
    step = s.choose((f"anext({name})", f"{name}.asend({integer(s, c, 2)})", f"{name}.athrow({s.error()})"))
    if s.chance(0.2):
        step = f"t.aclose({name})"
    return observed(s, f"await {step}")


def observed(s: Source, step: str) -> list[str]:
    """The step observed; mostly what it raises is caught and observed, too."""
    if s.chance(0.25):
        return [f"t.note('step', {step})"]
    return ["try:", f"    t.note('step', {step})", "except Exception as e:", "    t.note('step', *tell(e))"]


# ---------------------------------------------------------------- yields


@STATEMENTS("yield statement", 9, "can_yield")
def yield_statement(s: Source, c: Scope, room: int) -> list[str]:
    value = integer(s, c)
    form = s.choose(("yield {}", "t.note('sent', (yield {}))", "{target} = (yield {}) or 0"))
    line = form.format(value, target=s.choose(c.names["int="]) if c.names.get("int=") else s.fresh("i"))
    return ["if not t.closing:", f"    {line}"] if c.character == "guarded" else [line]


@STATEMENTS("yield from", 4, "can_yield has:genfn")
def yield_from(s: Source, c: Scope, room: int) -> list[str]:
    tame = [f for f in c.names["genfn"] if f.tame]
    if c.kind != "gen" or not tame or s.chance(0.2):
        return yield_statement(s, c, 0) if c.kind != "gen" else [f"t.note((yield from {int_list(s, c)}[:2]))"]
    f = s.choose(tame)
    line = f"t.note('from', (yield from t.hold({f.name}({arguments(s, c, f, 2)}))))"
    return ["if not t.closing:", f"    {line}"] if c.character == "guarded" else [line]


# ---------------------------------------------------------------- jumps


@JUMPS("break", 3, "in_loop")
def break_(s: Source, c: Scope) -> list[str]:
    return ["break"]


@JUMPS("continue", 3, "in_loop")
def continue_(s: Source, c: Scope) -> list[str]:
    return ["continue"]


@JUMPS("return", 2, "can_return")
def return_(s: Source, c: Scope) -> list[str]:
    return ["return" if c.kind == "agen" else f"return {integer(s, c)}"]


@JUMPS("raise", 2)
def raise_(s: Source, c: Scope) -> list[str]:
    if c.can_await and s.chance(0.3):
        return [f"raise await effect({s.effect()}, {s.error()})"]
    return [f"raise {s.choose(('ValueError', 'Boom', 'KeyError'))}({integer(s, c, 2)})"]


@JUMPS("raise from", 1)
def raise_from(s: Source, c: Scope) -> list[str]:
    origin = s.choose((s.error(), "None", "KeyError"))
    if c.can_await and s.chance(0.5):
        origin = f"await effect({s.effect()}, {origin})"
    return [f"raise {s.error()} from {origin}"]


@JUMPS("bare raise", 1.5, "in_handler")
def bare_raise(s: Source, c: Scope) -> list[str]:
    return ["raise"]


@STATEMENTS("conditional jump", 5)
def conditional_jump(s: Source, c: Scope, room: int) -> list[str]:
    test = condition(s, c)
    return [f"if {test}:", *("    " + line for line in jump(s, c))]


@STATEMENTS("stray raise", 0.1)
def stray_raise(s: Source, c: Scope, room: int) -> list[str]:
    return [f"if {constant(s)} > 6:", "    raise"]
