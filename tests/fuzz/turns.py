"""Statements and expressions of many tasks in programs without foreign code: asyncio's turns are exact, all is traced."""

# ruff: noqa: ARG001 - all productions of a table are called with the same arguments

from __future__ import annotations

from .blocks import block
from .definitions import function
from .expressions import AWAITED, INTS, arguments, condition, constant, integer
from .scope import Scope, Source, indent
from .statements import STATEMENTS, drive_async_generator

CANCELLED = "asyncio.CancelledError"
BOTH = "CAUGHT"
MODES = ("FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED")
QUEUES = ("t.queue", "t.narrow", "t.ordered", "t.stack")


def contained(s: Source, lines: list[str], label: str, probability: float = 0.75) -> list[str]:
    """The lines, mostly in a try statement that observes what they raise."""
    if not s.chance(probability):
        return lines
    name, kind = s.fresh("x"), s.choose((BOTH, BOTH, BOTH, "Exception", CANCELLED))
    return ["try:", *indent(lines), f"except {kind} as {name}:", f"    t.note({label!r}, *tell({name}))"]


def coroutine(s: Source, c: Scope) -> str:
    """A call of a coroutine function, which was not awaited yet."""
    choice = s.below(20)
    if choice < 13 and c.names.get("afn"):
        f = s.choose(c.names["afn"])
        return f"{f.name}({arguments(s, c, f, 1)})"
    if choice == 13:
        return s.choose(("t.event.wait()", "t.queue.join()", "t.barrier.wait()", "asyncio.Event().wait()"))
    if choice == 14:
        return f"asyncio.sleep(0, {integer(s, c, 1)})"
    if choice < 17:
        queue = s.choose(QUEUES)
        return f"{queue}.put({integer(s, c, 1)})" if s.chance(0.6) else f"{queue}.get()"
    return f"effect({s.effect()}, {integer(s, c, 1)})"


def task(s: Source, c: Scope, group: str = "") -> tuple[str, str]:
    """A statement that makes a task, and the name of the variable; the scope is to add it."""
    name, made = s.fresh("k"), coroutine(s, c)
    options = s.choose(("", "", "", "", "", ", context=contextvars.copy_context()"))
    call = f"t.child({group}, " if group else "t.task("
    return f"{name} = {call}{made}, {name!r}{options})", name


NEW = "t.hold("  # before a coroutine that may never be awaited


def awaitable(s: Source, c: Scope) -> str:
    """A task or future that is known here, or a new coroutine."""
    known = (*c.names.get("task", ()), *c.names.get("future", ()))
    return s.choose(known) if known and s.chance(0.65) else f"{NEW}{coroutine(s, c)})"


def in_known_task(one: str) -> str:
    """What a shield leaves running is ended like other tasks: closing the coroutine of one is an error of the program."""
    return f"t.task({one.removeprefix(NEW)[:-1]}, 'shielded')" if one.startswith(NEW) else one


def waited(s: Source, c: Scope, depth: int = 1) -> str:
    """Something to await, the value of which can be shown."""
    one = awaitable(s, c)
    choice = s.below(12)
    if choice == 0:
        return f"asyncio.wait_for({one}, {s.choose(('0', '60', 'None'))})"
    if choice == 1:
        return f"asyncio.shield({in_known_task(one)})"
    if choice < 4 and depth:
        members = [one, *(waited(s, c, depth - 1) for _ in range(s.below(3)))]
        members = [f"t.hold({each})" if "wait_for" in each else each for each in members]
        return f"asyncio.gather({', '.join([*members, 'return_exceptions=True'])})"
    return one


# ---------------------------------------------------------------- tasks


@STATEMENTS("create task", 12, "can_await has:turns")
def create_task(s: Source, c: Scope, room: int) -> list[str]:
    line, name = task(s, c)
    c.add("task", name)
    return [line]


@STATEMENTS("function in tasks", 7, "can_await can_define has:turns")
def function_in_tasks(s: Source, c: Scope, room: int) -> list[str]:
    """A function in place that several tasks run, over the variables of the one around it."""
    lines = function(s, c, "async", max(room, 2))
    f = c.names["afn"][-1]
    for _ in range(1 + s.below(3)):
        name = s.fresh("k")
        lines.append(f"{name} = t.task({f.name}({arguments(s, c, f, 1)}), {name!r})")
        c.add("task", name)
    return lines


@STATEMENTS("await awaitable", 12, "can_await has:turns")
def await_awaitable(s: Source, c: Scope, room: int) -> list[str]:
    return contained(s, [f"t.note('got', shown(await {waited(s, c)}))"], "failed")


@STATEMENTS("gather", 6, "can_await has:turns")
def gather(s: Source, c: Scope, room: int) -> list[str]:
    """Of new tasks and known ones; awaited at once or later, whether the first failure counts or not."""
    lines, names = [], []
    for _ in range(1 + s.below(3)):
        if c.names.get("task") and s.chance(0.3):
            names.append(s.choose(c.names["task"]))
            continue
        line, name = task(s, c)
        lines.append(line)
        names.append(name)
    made = f"asyncio.gather({', '.join(names)}{s.choose(('', ', return_exceptions=True'))})"
    for name in names:
        c.add("task", name)
    if s.chance(0.25):
        name = s.fresh("k")
        c.add("task", name)
        return [*lines, f"{name} = t.watch({made})"]
    return [*lines, *contained(s, [f"t.note('gathered', shown(await {made}))"], "gather failed")]


@STATEMENTS("wait", 5, "can_await has:turns has:task")
def wait(s: Source, c: Scope, room: int) -> list[str]:
    names = sorted({s.choose(c.names["task"]) for _ in range(1 + s.below(3))})
    done, pending = s.fresh("v"), s.fresh("v")
    timeout = s.choose(("", "", ", timeout=0", ", timeout=60"))
    call = f"asyncio.wait([{', '.join(names)}], return_when=asyncio.{s.choose(MODES)}{timeout})"
    lines = [f"{done}, {pending} = await {call}"]
    lines += [f"t.note('wait', *(sorted(map(named_task, part)) for part in ({done}, {pending})))"]
    return contained(s, lines, "wait failed")


@STATEMENTS("as completed", 2, "can_await has:turns")
def as_completed(s: Source, c: Scope, room: int) -> list[str]:
    lines, names = [], []
    for _ in range(2):
        line, name = task(s, c)
        lines.append(line)
        names.append(name)
    for name in names:
        c.add("task", name)
    each = s.fresh("v")
    body = indent(contained(s, [f"t.note('next', shown(await {each}))"], "next failed"))
    return [*lines, *contained(s, [f"for {each} in asyncio.as_completed([{', '.join(names)}]):", *body], "completed failed")]


@STATEMENTS("cancel", 7, "has:turns has:task")
def cancel(s: Source, c: Scope, room: int) -> list[str]:
    message = s.choose(("", "", str(s.below(10))))
    return [f"t.note('cancel', {s.choose(c.names['task'])}.cancel({message}))"]


@STATEMENTS("cancel itself", 1, "can_await has:turns")
def cancel_itself(s: Source, c: Scope, room: int) -> list[str]:
    lines = [f"t.note('own', asyncio.current_task().cancel({s.choose(('', constant(s)))}))"]
    if s.chance(0.4):
        lines.append("t.note('uncancel', asyncio.current_task().uncancel())")
    return lines


@STATEMENTS("task state", 2, "has:turns has:task")
def task_state(s: Source, c: Scope, room: int) -> list[str]:
    name = s.choose(c.names["task"])
    return [f"t.note('state', named_task({name}), {name}.done(), {name}.cancelled(), {name}.done() and ending({name}))"]


@STATEMENTS("callback", 4, "has:turns has:task")
def callback(s: Source, c: Scope, room: int) -> list[str]:
    inner = c.inside(can_await=False, can_yield=False, can_walrus=False, can_hide=False)
    value, options = integer(s, inner, 1), s.choose(("", "", ", context=contextvars.copy_context()"))
    made = f"lambda task: t.note('callback', named_task(task), {value}, V0.get())"
    if s.chance(0.2):
        made = f"t.list.append({constant(s)}) or t.ended"
    return [f"{s.choose(c.names['task'])}.add_done_callback({made}{options})"]


@STATEMENTS("call soon", 2, "can_await has:turns")
def call_soon(s: Source, c: Scope, room: int) -> list[str]:
    when = s.choose(("call_soon(", "call_soon(", "call_later(0, "))
    what = s.choose((f"t.note, 'soon', {integer(s, c, 1)}", "t.event.set", f"t.queue.put_nowait, {constant(s)}"))
    handle = f"asyncio.get_running_loop().{when}{what})"
    return [f"{handle}.cancel()"] if s.chance(0.1) else [handle]


# ---------------------------------------------------------------- groups and timeouts


@STATEMENTS("group", 8, "can_await shallow has:turns")
def group(s: Source, c: Scope, room: int) -> list[str]:
    name = s.fresh("tg")
    inner = c.inside(can_yield=False)
    inner.add("group", name)
    body = []
    for _ in range(s.below(4)):
        line, made = task(s, inner, name)
        body.append(line)
        inner.add("task", made)
        c.add("task", made)
    rest = block(s, inner, room, ending=0.15) if s.chance(0.7) or not body else []
    lines = [f"async with Group() as {name}:", *indent(body), *rest]
    if s.chance(0.5):
        return contained(s, lines, "group failed")
    lines = ["try:", *indent(lines)]
    for kind in s.shuffled(("ValueError", "(KeyError, Boom)", "Exception"))[: 1 + s.below(2)]:
        caught = s.fresh("x")
        lines += [f"except* {kind} as {caught}:", f"    t.note('group', *tell({caught}))"]
        lines += block(s, c, min(room, 2), ending=0.15, in_loop=False, can_return=False, in_handler=True)
    return lines


@STATEMENTS("task of a group", 3, "can_await has:turns has:group")
def task_of_group(s: Source, c: Scope, room: int) -> list[str]:
    line, name = task(s, c, s.choose(c.names["group"]))
    c.add("task", name)
    return [line]


@STATEMENTS("timeout", 6, "can_await shallow has:turns")
def timeout(s: Source, c: Scope, room: int) -> list[str]:
    """One that is over, so that it fires in the next turn, or one that does not fire."""
    name, after = s.fresh("v"), s.choose(("0", "0", "-1", "60", "None"))
    inner = c.inside(can_yield=False)
    lines = [f"async with asyncio.timeout({after}) as {name}:", *block(s, inner, room, ending=0.15)]
    if s.chance(0.4):
        lines += indent(contained(s, [f"t.note(shown(await {waited(s, inner)}))"], "in time", 0.3))
    if s.chance(0.2):
        lines += [f"    {name}.reschedule({s.choose(('0', 'None'))})", f"    t.note(await effect({s.effect()}, 1))"]
    kind, caught = s.choose(("TimeoutError", "TimeoutError", BOTH)), s.fresh("x")
    handler = block(s, c, min(room, 2), ending=0.2, in_handler=True)
    lines = ["try:", *indent(lines), f"except {kind} as {caught}:", f"    t.note('timeout', *tell({caught}))", *handler]
    return [*lines, f"t.note({name}.expired())"]


@STATEMENTS("finally that waits", 4, "can_await shallow has:turns")
def finally_that_waits(s: Source, c: Scope, room: int) -> list[str]:
    inner = c.inside(can_yield=False)
    lines = ["try:", *block(s, inner, room), f"    t.note(shown(await {waited(s, inner)}))", "finally:"]
    lines += indent(contained(s, [f"t.note('cleanup', shown(await {waited(s, inner)}))"], "cleanup failed", 0.4))
    return [*lines, *block(s, inner, min(room, 2), in_loop=False, can_return=False)]


# ---------------------------------------------------------------- primitives


@STATEMENTS("lock", 7, "can_await shallow has:turns")
def lock(s: Source, c: Scope, room: int) -> list[str]:
    manager = s.choose(("t.lock", "t.lock", "t.semaphore", "t.condition"))
    lines = [f"async with {manager}:", *block(s, c, room, ending=0.15)]
    if manager == "t.condition":
        what = f"t.note(await t.condition.{s.choose(('wait()', 'wait()', f'wait_for(lambda: t.value % {1 + s.below(3)} == 0)'))})"
        lines.append("    " + s.choose((what, "t.condition.notify()", "t.condition.notify(2)", "t.condition.notify_all()")))
    return lines


@STATEMENTS("event", 3, "can_await has:turns")
def event(s: Source, c: Scope, room: int) -> list[str]:
    return [s.choose(("t.event.set()", "t.event.set()", "t.event.clear()", "t.note('set', await t.event.wait())"))]


@STATEMENTS("queue", 8, "can_await has:turns")
def queue(s: Source, c: Scope, room: int) -> list[str]:
    name, value = s.choose(QUEUES), integer(s, c, 1)
    puts = (f"await {name}.put({value})", f"await {name}.put({value})", f"{name}.put_nowait({value})")
    gets = (f"t.note('item', await {name}.get())", f"t.note('item', await {name}.get())", f"t.note('item', {name}.get_nowait())")
    return contained(s, [s.choose((*puts, *gets, f"{name}.task_done()", f"await {name}.join()"))], "queue", 0.5)


@STATEMENTS("barrier", 1, "can_await has:turns")
def barrier(s: Source, c: Scope, room: int) -> list[str]:
    return contained(s, [s.choose(("t.note(await t.barrier.wait())",) * 3 + ("await t.barrier.abort()",))], "barrier")


@STATEMENTS("turn", 5, "can_await has:turns")
def turn(s: Source, c: Scope, room: int) -> list[str]:
    return ["await asyncio.sleep(0)"]


@STATEMENTS("future", 3, "can_await has:turns")
def future(s: Source, c: Scope, room: int) -> list[str]:
    name = s.fresh("k")
    c.add("future", name)
    return [f"{name} = t.watch(asyncio.get_running_loop().create_future())"]


@STATEMENTS("resolve", 4, "has:turns has:future")
def resolve(s: Source, c: Scope, room: int) -> list[str]:
    name = s.choose(c.names["future"])
    step = s.choose((f"set_result({integer(s, c, 1)})", f"set_exception({s.error()})", "cancel()", f"set_result({constant(s)})"))
    return [f"if not {name}.done():", f"    {name}.{step}"]


@STATEMENTS("shared generator", 3, "can_await has:turns has:agenfn")
def shared_generator(s: Source, c: Scope, room: int) -> list[str]:
    """An asynchronous generator that functions in place, and so other tasks, can step, too."""
    f = s.choose(c.names["agenfn"])
    name = s.fresh("ag")
    c.add("agen", name)
    c.add("stream", name)
    return [f"{name} = t.hold({f.name}({arguments(s, c, f, 1)}))"]


@STATEMENTS("step of a shared generator", 4, "can_await has:turns has:stream")
def step_of_shared_generator(s: Source, c: Scope, room: int) -> list[str]:
    inner = c.inside()
    inner.names["agen"] = inner.names["stream"]
    if not s.chance(0.3):
        return drive_async_generator(s, inner, room)
    name = s.fresh("k")
    c.add("task", name)
    return [f"{name} = t.watch(asyncio.ensure_future(anext({s.choose(inner.names['agen'])})))", f"{name}.set_name({name!r})"]


# ---------------------------------------------------------------- integers


@INTS("context variable", 2, "has:tasks")
def context_variable(s: Source, c: Scope, depth: int) -> str:
    return f"V{s.below(2)}.get()"


@STATEMENTS("set context variable", 3, "has:tasks")
def set_context_variable(s: Source, c: Scope, room: int) -> list[str]:
    name = f"V{s.below(2)}"
    if not s.chance(0.3) or not c.shallow or c.character == "wild":
        return [f"{name}.set({integer(s, c)})"]
    token = s.fresh("v")
    inner = c.inside(can_yield=False)
    lines = [f"{token} = {name}.set({integer(s, c)})", "try:", *block(s, inner, room), "finally:", f"    {name}.reset({token})"]
    return [*lines, f"t.note('reset', {name}.get())"]


@INTS("shared state", 2, "has:turns")
def shared_state(s: Source, c: Scope, depth: int) -> str:
    return s.choose(("t.value", "t.queue.qsize()", "len(t.list)", "t.lock.locked()", "t.event.is_set()", "t.turns % 7"))


@INTS("done", 1, "has:turns has:task")
def done(s: Source, c: Scope, depth: int) -> str:
    return f"{s.choose(c.names['task'])}.done()"


@AWAITED("await task", 5, "has:turns has:task")
def await_task(s: Source, c: Scope, depth: int) -> str:
    return f"int(await {s.choose(c.names['task'])} or 0)"


@AWAITED("sleep", 2, "has:turns")
def sleep(s: Source, c: Scope, depth: int) -> str:
    return f"await asyncio.sleep(0, {integer(s, c, depth)})"


@AWAITED("get", 1, "has:turns")
def get(s: Source, c: Scope, depth: int) -> str:
    return f"await {s.choose(QUEUES)}.get()"


@AWAITED("shielded call", 1, "has:turns has:afn")
def shielded_call(s: Source, c: Scope, depth: int) -> str:
    f = s.choose(c.names["afn"])
    return f"await asyncio.shield(t.task({f.name}({arguments(s, c, f, depth)}), 'shielded'))"


@STATEMENTS("while waiting", 2, "can_await shallow has:turns")
def while_waiting(s: Source, c: Scope, room: int) -> list[str]:
    """A loop that ends by a state that other tasks change, or by the fuel."""
    test = f"t.burn() and {condition(s, c)}"
    return [f"while {test}:", *block(s, c, room, in_loop=True), "    await asyncio.sleep(0)"]
