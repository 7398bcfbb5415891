"""Random expressions by the type of their value: small integers, lists and dicts of them, strings.

Every compound expression stands in parentheses, so that it can be put anywhere. Literals use single quotes and
f-strings double ones, and f-strings are not nested, because Python 3.11 cannot reuse a quote inside one. The amounts
are kept small by reductions (`% 97`, slices, precisions), so that loops cannot make them grow without bound.
"""

# ruff: noqa: ARG001 - all productions of a table are called with the same arguments

from __future__ import annotations

from .scope import Function, Rules, Scope, Source

INTS = Rules[str]()
LISTS = Rules[str]()
DICTS = Rules[str]()
STRINGS = Rules[str]()
AWAITED = Rules[str]()


def integer(s: Source, c: Scope, depth: int = 2) -> str:
    if depth <= 0 or s.chance(0.3):
        return atom(s, c)
    return INTS.pick(s, c)(s, c, depth - 1)


def int_list(s: Source, c: Scope, depth: int = 2) -> str:
    if depth <= 0:
        return list_display(s, c, 0) if s.chance(0.4) or not c.names.get("list") else s.choose(c.names["list"])
    return LISTS.pick(s, c)(s, c, max(depth - 1, 0))


def int_dict(s: Source, c: Scope, depth: int = 2) -> str:
    if depth <= 0:
        return s.choose(c.names["dict"]) if c.names.get("dict") else f"{{1: {atom(s, c)}, 2: {step(s, c)}}}"
    return DICTS.pick(s, c)(s, c, max(depth - 1, 0))


def string(s: Source, c: Scope, depth: int = 2) -> str:
    if depth <= 0:
        return f"str({atom(s, c)})"
    return STRINGS.pick(s, c)(s, c, max(depth - 1, 0))


def anything(s: Source, c: Scope, depth: int = 2) -> str:
    """An expression whose value has a stable repr, of any type."""
    choice = s.below(12)
    if choice < 6:
        return integer(s, c, depth)
    if choice < 7:
        return f"({integer(s, c, depth - 1)}, {anything(s, c, depth - 1)})"
    if choice < 8:
        return f"Box({integer(s, c, depth - 1)})"
    return s.choose((int_list, int_list, int_dict, string))(s, c, depth)


def condition(s: Source, c: Scope, depth: int = 2) -> str:
    make = s.choose((comparison, comparison, boolean, integer, parity))
    return make(s, c, depth)


def parity(s: Source, c: Scope, depth: int) -> str:
    return f"({integer(s, c, depth)} % 2 == {s.below(2)})"


def constant(s: Source) -> str:
    return str(s.below(10))


def atom(s: Source, c: Scope) -> str:
    if c.can_await and s.chance(0.12):
        return f"(await effect({s.effect()}, {step(s, c)}))"
    return step(s, c)


def step(s: Source, c: Scope) -> str:
    readable = (*c.names["int"], *c.names["attr"])
    return s.choose(readable) if readable and s.chance(0.75) else constant(s)


def below(s: Source, c: Scope, depth: int, stop: int) -> str:
    """An expression whose value is at least 0 and less than `stop`: an index or a key."""
    if c.can_await and s.chance(0.25):
        return f"await effect({s.effect()}, {s.below(stop)})"
    return f"{integer(s, c, depth)} % {stop}"


def arguments(s: Source, c: Scope, f: Function, depth: int) -> str:
    """Arguments that `f` accepts, some of them starred, by keyword or from a dict."""
    count = f.required + (s.below(f.optional + 1) if f.optional else 0)
    if f.star and s.chance(0.4):
        count = f.required + f.optional + s.below(3)
    given = [integer(s, c, depth) for _ in range(count)]
    if given and s.chance(0.2):
        cut = s.below(len(given))
        given[cut:] = [f"*[{', '.join(given[cut:])}]"]
    if f.star and s.chance(0.2):
        given.append(f"*{int_list(s, c, depth)}[:2]")
    named = [keyword for keyword in f.keywords if s.chance(0.7)]
    for keyword in s.shuffled(named):
        value = integer(s, c, depth)
        given.append(f"**{{'{keyword}': {value}}}" if s.chance(0.25) else f"{keyword}={value}")
    return ", ".join((["t"] if f.takes_trace else []) + given)


# ---------------------------------------------------------------- integers


@INTS("await", 14, "can_await")
def awaited(s: Source, c: Scope, depth: int) -> str:
    return f"({AWAITED.pick(s, c)(s, c, depth)})"


@INTS("binary", 8)
def binary(s: Source, c: Scope, depth: int) -> str:
    left, right = integer(s, c, depth), integer(s, c, depth)
    choice = s.below(10)
    if choice == 0:
        return f"({left} * {right} % 97)"
    if choice == 1:
        return f"({left} {s.choose(('%', '//'))} {right})" if s.chance(0.08) else f"({left} % {2 + s.below(7)})"
    return f"({left} {s.choose('+-+-&|^')} {right})"


@INTS("unary", 2)
def unary(s: Source, c: Scope, depth: int) -> str:
    return f"({s.choose(('-', '+', 'not '))}{integer(s, c, depth)})"


@INTS("comparison", 4)
def comparison(s: Source, c: Scope, depth: int) -> str:
    if s.chance(0.15):
        return f"({integer(s, c, depth)} {s.choose(('in', 'not in'))} {int_list(s, c, depth)})"
    operands = [integer(s, c, depth) for _ in range(2 + s.below(3))]
    tail = (f"{s.choose(('<', '<=', '>', '>=', '==', '!='))} {operand}" for operand in operands[1:])
    return f"({operands[0]} {' '.join(tail)})"


@INTS("boolean", 5)
def boolean(s: Source, c: Scope, depth: int) -> str:
    operands = [integer(s, c, depth) for _ in range(2 + s.below(2))]
    return "(" + operands[0] + "".join(f" {s.choose(('and', 'or'))} {operand}" for operand in operands[1:]) + ")"


@INTS("conditional", 4)
def conditional(s: Source, c: Scope, depth: int) -> str:
    return f"({integer(s, c, depth)} if {integer(s, c, depth)} else {integer(s, c, depth)})"


@INTS("subscript", 5)
def subscript(s: Source, c: Scope, depth: int) -> str:
    if s.chance(0.1):
        return f"{int_list(s, c, depth)}[{below(s, c, depth, 3)}]"
    items = ", ".join(integer(s, c, depth) for _ in range(2))
    return f"{s.choose(('[{}]', '({})')).format(items)}[{below(s, c, depth, 2)}]"


@INTS("slice", 3)
def sliced_sum(s: Source, c: Scope, depth: int) -> str:
    step = ""
    if s.chance(0.3):
        step = ":" + s.choose(("", "2", "-1", f"({integer(s, c, 0)} or 1)"))
    elif c.can_await and s.chance(0.1):
        step = f":await effect({s.effect()}, {s.choose((1, 2, -1))})"
    return f"sum({int_list(s, c, depth)}[{integer(s, c, depth)}:{integer(s, c, depth)}{step}])"


@INTS("dict subscript", 3)
def keyed(s: Source, c: Scope, depth: int) -> str:
    if s.chance(0.1):
        return f"{int_dict(s, c, depth)}[{below(s, c, depth, 3)}]"
    return f"{int_dict(s, c, depth)}.get({integer(s, c, depth)}, {integer(s, c, depth)})"


@INTS("attribute", 3)
def attribute(s: Source, c: Scope, depth: int) -> str:
    if c.can_await and s.chance(0.5):
        return f"(await effect({s.effect()}, Box({integer(s, c, depth)}))).value"
    return f"Box({integer(s, c, depth)}).value"


@INTS("call", 6)
def call(s: Source, c: Scope, depth: int) -> str:
    choice = s.below(5)
    if choice == 0:
        return f"{s.choose(('max', 'min'))}({integer(s, c, depth)}, *{int_list(s, c, depth)}, {integer(s, c, depth)})"
    if choice == 1:
        return f"{s.choose(('sum', 'len'))}({int_list(s, c, depth)})"
    if choice == 2:
        return f"abs({integer(s, c, depth)})"
    return f"total({arguments(s, c, Function('total', 1, 1, ('k', 'm'), star=True), depth)})"


@INTS("sync call", 3, "has:fn")
def sync_call(s: Source, c: Scope, depth: int) -> str:
    f = s.choose(c.names["fn"])
    return f"{f.name}({arguments(s, c, f, depth)})"


@INTS("lambda", 3)
def lambda_call(s: Source, c: Scope, depth: int) -> str:
    first, second = s.fresh("p"), s.fresh("p")
    body = c.inside(can_await=False, can_yield=False, can_walrus=False, can_hide=False)
    body.add("int", first, second)
    default, value = integer(s, c, depth), integer(s, c, depth)
    return f"(lambda {first}, {second}={default}: {integer(s, body, depth)})({value})"


@INTS("walrus", 3, "can_walrus has:int=")
def walrus(s: Source, c: Scope, depth: int) -> str:
    return f"({s.choose(c.names['int='])} := {integer(s, c, depth)})"


@INTS("text length", 3)
def text_length(s: Source, c: Scope, depth: int) -> str:
    return f"len({string(s, c, depth)})"


@INTS("next", 2, "has:iter")
def next_item(s: Source, c: Scope, depth: int) -> str:
    return f"next({s.choose(c.names['iter'])}, {integer(s, c, depth)})"


@INTS("generator step", 3, "has:gen")
def generator_step(s: Source, c: Scope, depth: int) -> str:
    held = s.choose(c.names["gen"])
    if s.chance(0.2):
        return f"({held}.send({integer(s, c, depth)}) or 0)"
    return f"next({held}, {integer(s, c, depth)})"


@INTS("yield", 9, "can_yield")
def yielded(s: Source, c: Scope, depth: int) -> str:
    bare = f"((yield {integer(s, c, depth)}) or {constant(s)})"
    return f"({bare} if not t.closing else {constant(s)})" if c.character == "guarded" else bare


# ---------------------------------------------------------------- awaits that give an integer


@AWAITED("effect", 10)
def effect(s: Source, c: Scope, depth: int) -> str:
    return f"await effect({s.effect()}, {integer(s, c, depth)})"


@AWAITED("fail", 0.7)
def fail(s: Source, c: Scope, depth: int) -> str:
    return f"await fail({s.effect()}, {s.error()})"


@AWAITED("async call", 7, "has:afn")
def async_call(s: Source, c: Scope, depth: int) -> str:
    f = s.choose(c.names["afn"])
    if s.chance(0.1):
        return f"await (await effect({s.effect()}, {f.name}))({arguments(s, c, f, depth)})"
    return f"await {f.name}({arguments(s, c, f, depth)})"


@AWAITED("await of a held coroutine", 1, "has:coro")
def held_coroutine(s: Source, c: Scope, depth: int) -> str:
    return f"await {s.choose(c.names['coro'])}"


@AWAITED("await await", 1, "has:afn")
def await_await(s: Source, c: Scope, depth: int) -> str:
    f = s.choose(c.names["afn"])
    return f"await (await effect({s.effect()}, t.hold({f.name}({arguments(s, c, f, depth)}))))"


@AWAITED("custom awaitable", 0.7)
def later(s: Source, c: Scope, depth: int) -> str:
    return f"await Later({s.effect()}, {integer(s, c, depth)})"


@AWAITED("asend", 2, "has:agen")
def asend(s: Source, c: Scope, depth: int) -> str:
    return f"(await {s.choose(c.names['agen'])}.asend({s.choose(('None', integer(s, c, depth)))})) or 0"


@AWAITED("anext", 2, "has:agen")
def anext_item(s: Source, c: Scope, depth: int) -> str:
    return f"await anext({s.choose(c.names['agen'])}, {integer(s, c, depth)})"


@AWAITED("__anext__", 1, "has:agen")
def dunder_anext(s: Source, c: Scope, depth: int) -> str:
    return f"await {s.choose(c.names['agen'])}.__anext__()"


# ---------------------------------------------------------------- lists


@LISTS("list display", 6)
def list_display(s: Source, c: Scope, depth: int) -> str:
    items = [integer(s, c, depth) for _ in range(1 + s.below(3))]
    if depth > 0 and s.chance(0.35):
        items.insert(s.below(len(items) + 1), f"*{int_list(s, c, depth)}")
    return f"[{', '.join(items)}]"


@LISTS("list name", 5, "has:list")
def list_name(s: Source, c: Scope, depth: int) -> str:
    name = s.choose(c.names["list"])
    return name if s.chance(0.5) else f"{name}[:{integer(s, c, depth)} % 5]"


@LISTS("range list", 1)
def range_list(s: Source, c: Scope, depth: int) -> str:
    return f"list(range({integer(s, c, depth)} % 4))"


@LISTS("set display", 2)
def set_display(s: Source, c: Scope, depth: int) -> str:
    star = f", *{int_list(s, c, depth)}" if s.chance(0.4) else ""
    return f"sorted({{{integer(s, c, depth)}, {integer(s, c, depth)}{star}}})"


@LISTS("map or filter", 2)
def mapped(s: Source, c: Scope, depth: int) -> str:
    name = s.fresh("p")
    body = c.inside(can_await=False, can_yield=False, can_walrus=False, can_hide=False)
    body.add("int", name)
    return f"list({s.choose(('map', 'filter'))}(lambda {name}: {integer(s, body, 1)}, {int_list(s, c, depth)}))"


@LISTS("awaited list", 4, "can_await")
def awaited_list(s: Source, c: Scope, depth: int) -> str:
    return f"(await effect({s.effect()}, {int_list(s, c, depth)}))"


@LISTS("dict list", 1)
def dict_list(s: Source, c: Scope, depth: int) -> str:
    return f"{s.choose(('list({})', '[*{}]', 'list({}.values())')).format(int_dict(s, c, depth))}"


@LISTS("consumed generator", 2, "has:genfn")
def consumed_generator(s: Source, c: Scope, depth: int) -> str:
    f = s.choose(c.names["genfn"])
    return f"{s.choose(('list({})', '[*{}]', 'sorted({})')).format(f't.hold({f.name}({arguments(s, c, f, depth)}))')}"


# ---------------------------------------------------------------- dicts


def key(s: Source, c: Scope, depth: int) -> str:
    return f"({below(s, c, depth, 5)})"


@DICTS("dict display", 6)
def dict_display(s: Source, c: Scope, depth: int) -> str:
    items = [f"{key(s, c, depth)}: {integer(s, c, depth)}" for _ in range(1 + s.below(2))]
    if s.chance(0.35):
        items.insert(s.below(len(items) + 1), f"**{int_dict(s, c, depth)}")
    return f"{{{', '.join(items)}}}"


@DICTS("dict name", 4, "has:dict")
def dict_name(s: Source, c: Scope, depth: int) -> str:
    return str(s.choose(c.names["dict"]))


@DICTS("awaited dict", 2, "can_await")
def awaited_dict(s: Source, c: Scope, depth: int) -> str:
    return f"(await effect({s.effect()}, {int_dict(s, c, depth)}))"
