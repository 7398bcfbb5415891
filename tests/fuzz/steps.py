"""Statements of many tasks in programs with foreign code, which takes any number of turns.

Tasks run functions at module level, each with a trace of its own. They meet in patterns whose outcome does not depend on how
fast anybody is: who is cancelled is known to wait, who fails is the only one, and what is shared is combined commutatively.
"""

# ruff: noqa: ARG001 - all productions of a table are called with the same arguments

from __future__ import annotations

from dataclasses import replace

from .blocks import block
from .expressions import AWAITED, arguments, constant, integer
from .scope import INHERITED, Scope, Source, indent
from .statements import STATEMENTS

CONSTANTS = Scope("constants", dict.fromkeys(INHERITED, ()))  # where no expression can fail
NEVER = ("asyncio.Event().wait()", "asyncio.sleep(1000)", "asyncio.Queue().get()", "asyncio.get_running_loop().create_future()")


def child(s: Source, c: Scope, name: str, depth: int = 0) -> str:
    """A call with a trace of its own; with `depth` 0 evaluating it cannot fail."""
    trace = f"t.fork({name!r})"
    if c.names.get("spawn") and s.chance(0.75):
        f = replace(s.choose(c.names["spawn"]), takes_trace=False)
        given = arguments(s, c if depth else CONSTANTS, f, depth)
        return f"{f.name}({', '.join(filter(None, (trace, given)))})"
    return f"work({trace}, {s.effect()}, {integer(s, c, depth) if depth else constant(s)})"


def contained_child(s: Source, c: Scope, name: str) -> str:
    return f"contained(t.fork({name!r}), {child(s, c, name)})"


def quiet_block(s: Source, c: Scope, room: int) -> list[str]:
    """A block that neither fails nor jumps nor yields, so that what stands after it happens."""
    name = s.fresh("x")
    inside = block(s, c, room, in_loop=False, can_return=False, can_yield=False, in_handler=False, caught=True)
    return ["try:", *inside, f"except Exception as {name}:", f"    t.note('quiet', *tell({name}))"]


def contained(s: Source, lines: list[str], label: str) -> list[str]:
    if s.chance(0.3):
        return lines
    name = s.fresh("x")
    return ["try:", *indent(lines), f"except Exception as {name}:", f"    t.note({label!r}, *tell({name}))"]


def waiting(s: Source, c: Scope, name: str, ready: str) -> str:
    """A coroutine that waits until it is cancelled, and then cleans up, which takes its time."""
    cleanup = f", t.hold({child(s, c, name)})" if s.chance(0.7) else ""
    made = f"t.hold(forever(t.fork({name!r}), {ready}{cleanup}))"
    return f"nest({made})" if s.chance(0.2) else made


def cancelled(task: str) -> list[str]:
    return ["try:", f"    await {task}", "except asyncio.CancelledError as e:", "    t.note('was cancelled', *tell(e))"]


# ---------------------------------------------------------------- tasks that end by themselves


@STATEMENTS("spawn", 14, "can_await has:steps")
def spawn(s: Source, c: Scope, room: int) -> list[str]:
    name = s.fresh("k")
    made = child(s, c, name, 1)
    c.add("task", name)
    lines = [f"{name} = t.task({made}, {name!r})"]
    return [*lines, f"{name}.add_done_callback(t.called)"] if s.chance(0.3) else lines


@STATEMENTS("join", 10, "can_await has:steps has:task")
def join(s: Source, c: Scope, room: int) -> list[str]:
    name = s.choose(c.names["task"])
    form = s.choose(("{}", "{}", "asyncio.shield({})", "asyncio.wait_for({}, 60)", "asyncio.gather({})"))
    return contained(s, [f"t.note('joined', await {form.format(name)})"], "join failed")


@AWAITED("await own task", 5, "has:steps has:task")
def await_own_task(s: Source, c: Scope, depth: int) -> str:
    return f"await {s.choose(c.names['task'])}"


@STATEMENTS("gather results", 7, "can_await has:steps")
def gather_results(s: Source, c: Scope, room: int) -> list[str]:
    names = [f"t.hold({child(s, c, s.fresh('k'))})" for _ in range(1 + s.below(4))]
    names += [s.choose(c.names["task"])] if c.names.get("task") and s.chance(0.4) else []
    return [f"t.note('results', *map(told, await asyncio.gather({', '.join(names)}, return_exceptions=True)))"]


@STATEMENTS("gather or fail", 3, "can_await has:steps")
def gather_or_fail(s: Source, c: Scope, room: int) -> list[str]:
    """Which of several fails first is not known: only that one does."""
    names = [s.fresh("k") for _ in range(2 + s.below(2))]
    made = [f"t.task({child(s, c, name)}, {name!r})" for name in names]
    return ["try:", f"    t.note('all', await asyncio.gather({', '.join(made)}))", "except Exception:", "    t.note('not all')"]


@STATEMENTS("group of tasks", 6, "can_await shallow has:steps")
def group_of_tasks(s: Source, c: Scope, room: int) -> list[str]:
    group, names = s.fresh("tg"), [s.fresh("k") for _ in range(1 + s.below(3))]
    lines = [f"{name} = {group}.create_task({contained_child(s, c, name)})" for name in names]
    lines += quiet_block(s, c, room)
    lines = [f"async with asyncio.TaskGroup() as {group}:", *indent(lines)]
    return [*lines, f"t.note('group', {', '.join(f'{name}.result()' for name in names)})"]


@STATEMENTS("as they end", 2, "can_await has:steps")
def as_they_end(s: Source, c: Scope, room: int) -> list[str]:
    each, found = s.fresh("v"), s.fresh("u")
    made = ", ".join(f"t.task({contained_child(s, c, name)}, {name!r})" for name in (s.fresh("k"), s.fresh("k")))
    lines = [f"{found} = []", f"for {each} in asyncio.as_completed([{made}]):", f"    {found}.append(await {each} or 0)"]
    return [*lines, f"t.note('ended', sorted({found}))"]


@STATEMENTS("wait for tasks", 5, "can_await has:steps")
def wait_for_tasks(s: Source, c: Scope, room: int) -> list[str]:
    """All of some that end; or some of which one is known to be the first, or none in time."""
    first, second, ready, sets = s.fresh("k"), s.fresh("k"), s.fresh("u"), s.fresh("v")
    mode = s.choose(("ALL_COMPLETED", "FIRST_COMPLETED", "FIRST_EXCEPTION", "timeout"))
    if mode == "ALL_COMPLETED":
        lines = [f"{name} = t.task({child(s, c, name)}, {name!r})" for name in (first, second)]
        call = f"asyncio.wait([{first}, {second}])"
    else:
        lines = [f"{ready} = []", f"{first} = t.task({waiting(s, c, first, ready)}, {first!r})"]
        after = f"(t.fork({second!r}), {ready}, 1, {s.effect()}, "
        ending = f"fails{after}{s.error()})" if mode == "FIRST_EXCEPTION" else f"ends{after}{constant(s)})"
        lines += [f"{second} = t.task({ending}, {second!r})"] if mode != "timeout" else [f"{second} = {first}"]
        how = "timeout=0.02" if mode == "timeout" else f"return_when=asyncio.{mode}"
        call = f"asyncio.wait([{first}, {second}], {how})"
    lines += [f"{sets} = await {call}", f"t.note('wait', *(sorted(k.get_name() for k in part) for part in {sets}))"]
    return lines if mode == "ALL_COMPLETED" else [*lines, f"{first}.cancel({s.choose(('', '3'))})", *cancelled(first)]


# ---------------------------------------------------------------- failures, cancellation and timeouts


@STATEMENTS("failing group", 6, "can_await shallow has:steps")
def failing_group(s: Source, c: Scope, room: int) -> list[str]:
    group, ready, caught, count = s.fresh("tg"), s.fresh("u"), s.fresh("x"), 1 + s.below(3)
    lines = [f"{group}.create_task({waiting(s, c, s.fresh('k'), ready)})" for _ in range(count)]
    lines.append(f"{group}.create_task(fails(t.fork('failing'), {ready}, {count}, {s.effect()}, {s.error()}))")
    if s.chance(0.4):
        lines += ["try:", f"    await {s.choose(NEVER)}", "finally:", *indent(quiet_block(s, c, min(room, 2)))]
    lines = [f"{ready} = []", "try:", *indent([f"async with asyncio.TaskGroup() as {group}:", *indent(lines)])]
    lines += [f"except* {s.choose(('Exception', '(ValueError, LookupError)'))} as {caught}:"]
    handler = block(s, c, min(room, 2), ending=0.1, in_loop=False, can_return=False, in_handler=True)
    return [*lines, f"    t.note('group failed', *tell({caught}))", *handler]


@STATEMENTS("timeout that fires", 5, "can_await shallow has:steps")
def timeout_that_fires(s: Source, c: Scope, room: int) -> list[str]:
    name, caught, ready = s.fresh("v"), s.fresh("x"), s.fresh("u")
    several = ", ".join(waiting(s, c, s.fresh("k"), ready) for _ in range(2))
    one = s.choose((*NEVER, f"asyncio.gather({several})", f"asyncio.wait_for({s.choose(NEVER)}, 60)"))
    lines = [f"await {one}"]
    if s.chance(0.7):
        lines = ["try:", *indent(lines), "finally:", *indent(quiet_block(s, c, min(room, 2)))]
    lines = [f"async with asyncio.timeout({s.choose(('0.01', '0.02', '0'))}) as {name}:", *indent(lines)]
    if s.chance(0.3):
        lines = ["async with asyncio.timeout(60):", *indent(lines)]
    lines = ["try:", *indent(lines), "except TimeoutError as " + caught + ":", f"    t.note('timeout', *tell({caught}))"]
    return [f"{ready} = []", *lines, *block(s, c, min(room, 2), in_handler=True), f"t.note({name}.expired())"]


@STATEMENTS("timeout in time", 3, "can_await shallow has:steps")
def timeout_in_time(s: Source, c: Scope, room: int) -> list[str]:
    return ["async with asyncio.timeout(60):", *block(s, c, room, can_yield=False)]


@STATEMENTS("cancel who waits", 5, "can_await shallow has:steps")
def cancel_who_waits(s: Source, c: Scope, room: int) -> list[str]:
    task, ready = s.fresh("k"), s.fresh("u")
    lines = [f"{ready} = []", f"{task} = t.task({waiting(s, c, task, ready)}, {task!r})"]
    lines += [f"while not {ready}:", "    await asyncio.sleep(0)", *quiet_block(s, c, room)]
    return [*lines, f"t.note('cancel', {task}.cancel({s.choose(('', constant(s)))}))", *cancelled(task)]


@STATEMENTS("shielded work", 3, "can_await shallow has:steps")
def shielded_work(s: Source, c: Scope, room: int) -> list[str]:
    inner, outer, ready, event = s.fresh("k"), s.fresh("k"), s.fresh("u"), s.fresh("v")
    lines = [f"{ready}, {event} = [], asyncio.Event()"]
    lines += [f"{inner} = t.task(waits_for(t.fork({inner!r}), {event}, {child(s, c, inner)}), {inner!r})"]
    lines += [f"{outer} = t.task(shields(t.fork({outer!r}), {ready}, {inner}), {outer!r})"]
    lines += [f"while not {ready}:", "    await asyncio.sleep(0)", f"{outer}.cancel()", *quiet_block(s, c, min(room, 2))]
    return [*lines, *cancelled(outer), f"{event}.set()", f"t.note('shielded', await {inner})"]


# ---------------------------------------------------------------- what tasks share


def together(s: Source, calls: list[str]) -> list[str]:
    """Run these at the same time and observe what they give."""
    if s.chance(0.5):
        return [f"t.note('together', await asyncio.gather({', '.join(calls)}))"]
    group, result = s.fresh("tg"), s.fresh("u")
    lines = [f"async with asyncio.TaskGroup() as {group}:"]
    lines.append(f"    {result} = [{', '.join(f'{group}.create_task({call})' for call in calls)}]")
    return [*lines, f"t.note('together', [k.result() for k in {result}])"]


def forks(s: Source) -> list[str]:
    return [f"t.fork({s.fresh('k')!r})" for _ in range(2 + s.below(3))]


@STATEMENTS("lock and sums", 4, "can_await has:steps")
def lock_and_sums(s: Source, c: Scope, room: int) -> list[str]:
    sums, lock = s.fresh("u"), s.fresh("v")
    made = s.choose(("asyncio.Lock()", "asyncio.Semaphore(1)", "asyncio.Condition()"))
    calls = [f"guard({trace}, {lock}, {sums}, {s.effect()}, {constant(s)})" for trace in forks(s)]
    return [f"{sums}, {lock} = {{}}, {made}", *together(s, calls), f"t.note('sums', {sums})"]


@STATEMENTS("semaphore", 2, "can_await has:steps")
def semaphore(s: Source, c: Scope, room: int) -> list[str]:
    name, held, limit = s.fresh("v"), s.fresh("u"), 1 + s.below(2)
    calls = [f"limited({trace}, {name}, {limit}, {held}, {s.effect()})" for trace in forks(s)]
    return [f"{held}, {name} = [], asyncio.{s.choose(('Bounded', ''))}Semaphore({limit})", *together(s, calls)]


@STATEMENTS("condition", 2, "can_await has:steps")
def condition(s: Source, c: Scope, room: int) -> list[str]:
    name, found, traces = s.fresh("v"), s.fresh("u"), forks(s)
    calls = [f"gathers({trace}, {name}, {found}, {s.effect()}, {constant(s)})" for trace in traces]
    return [f"{found}, {name} = [{len(traces) + 1}], asyncio.Condition()", *together(s, calls), f"t.note(sorted({found}))"]


@STATEMENTS("meeting", 2, "can_await has:steps")
def meeting(s: Source, c: Scope, room: int) -> list[str]:
    name, traces = s.fresh("v"), forks(s)
    calls = [f"meets({trace}, {name}, {s.effect()}, {constant(s)})" for trace in traces]
    return [f"{name} = asyncio.Barrier({len(traces)})", *together(s, calls)]


@STATEMENTS("pipeline", 4, "can_await has:steps")
def pipeline(s: Source, c: Scope, room: int) -> list[str]:
    """Producers, and either this task takes what they make, or tasks that are cancelled when nothing is left."""
    queue, found, sums = s.fresh("v"), s.fresh("u"), s.fresh("u")
    makers = [(trace, [s.below(10) for _ in range(1 + s.below(3))]) for trace in forks(s)[: 1 + s.below(2)]]
    lines = [f"{queue}, {found}, {sums} = asyncio.Queue({s.below(3)}), [], {{}}"]
    calls = [f"t.task(produce({trace}, {queue}, {s.effect()}, {values}), 'producer')" for trace, values in makers]
    if s.chance(0.6):
        lines += calls
        lines += [f"for _ in range({sum(len(values) for _, values in makers)}):", f"    {found}.append(await {queue}.get())"]
        return [*lines, f"t.note('taken', {found if len(makers) == 1 else f'sorted({found})'})"]
    consumers = [s.fresh("k") for _ in range(1 + s.below(2))]
    lines += [f"{name} = t.task(consume(t, {queue}, {sums}), {name!r})" for name in consumers]
    lines += [f"await asyncio.gather({', '.join(calls)})", f"await {queue}.join()", f"t.note('consumed', {sums})"]
    return [*lines, *(line for name in consumers for line in (f"{name}.cancel()", *cancelled(name)))]


@STATEMENTS("event and waiters", 3, "can_await shallow has:steps")
def event_and_waiters(s: Source, c: Scope, room: int) -> list[str]:
    event, names = s.fresh("v"), [s.fresh("k") for _ in range(1 + s.below(3))]
    lines = [f"{name} = t.task(waits_for(t.fork({name!r}), {event}, {child(s, c, name)}), {name!r})" for name in names]
    lines = [f"{event} = asyncio.Event()", *lines, *quiet_block(s, c, room), f"{event}.set()"]
    return [*lines, f"t.note('after the event', await asyncio.gather({', '.join(names)}))"]


@STATEMENTS("shared cell", 3, "can_await can_define has:steps")
def shared_cell(s: Source, c: Scope, room: int) -> list[str]:
    """A variable and a list that several tasks change through a closure."""
    total, items, name, amount = s.fresh("v"), s.fresh("u"), s.fresh("cell"), s.fresh("p")
    lines = [f"async def {name}({amount}):", f"    nonlocal {total}", f"    {amount} = await effect({s.effect()}, {amount})"]
    lines += [f"    {total} += {amount}", f"    {items}.append({amount})", f"    return await effect({s.effect()}, {amount} + 1)"]
    calls = [f"{name}({constant(s)})" for _ in range(2 + s.below(3))]
    return [f"{total}, {items} = 0, []", *lines, *together(s, calls), f"t.note('cell', {total}, sorted({items}))"]
