"""The definitions that random programs of many tasks lean on, and how such a program is put together.

In programs of the kind "turns" no code is foreign: `effect` is a coroutine of the program, and asyncio is exact, so that
all tasks share one trace. A clock, a callback that calls for itself again, counts the turns; when nothing has happened for
some of them it cancels a task, so that whatever waits in vain goes on. In programs of the kind "steps" effects are foreign
and take any number of turns: each task has a trace of its own.
"""

from __future__ import annotations

from .preamble import MODULES, PIECES, TELL, TRACE, mentions

TURNS_TRACE = """
CAUGHT = (Exception, asyncio.CancelledError, BaseExceptionGroup)


class Trace:
    def __init__(self, fuel):
        self.items = []
        self.opened = []
        self.fuel = fuel
        self.closing = 0
        self.tasks = []
        self.turns = self.steps = self.seen = self.stalled = self.rescues = 0
        self.is_over = False
        self.list, self.dict, self.value = [1, 2, 3], {0: 1, 1: 2}, 0
        self.lock, self.condition, self.event = asyncio.Lock(), asyncio.Condition(), asyncio.Event()
        self.semaphore, self.barrier = asyncio.Semaphore(2), asyncio.Barrier(2)
        self.queue, self.narrow = asyncio.Queue(), asyncio.Queue(1)
        self.ordered, self.stack = asyncio.PriorityQueue(2), asyncio.LifoQueue()

    def note(self, *what):
        self.steps += 1
        self.items.append(what)

    def burn(self):
        self.steps += 1
        self.fuel -= 1
        return self.fuel > 0

    def hold(self, thing):
        self.opened.append(thing)
        return thing

    def close(self, generator):
        self.closing += 1
        try:
            generator.close()
        finally:
            self.closing -= 1

    async def aclose(self, generator):
        self.closing += 1
        try:
            await generator.aclose()
        finally:
            self.closing -= 1

    def watch(self, task):
        self.tasks.append(task)
        task.add_done_callback(self.ended)
        return task

    def task(self, coroutine, name, **options):
        self.fuel -= 1
        return self.watch(asyncio.create_task(coroutine, name=name, **options))

    def child(self, group, coroutine, name, **options):
        self.fuel -= 1
        return self.watch(group.create_task(self.hold(coroutine), name=name, **options))

    def ended(self, task):
        self.note('ended', named_task(task), *ending(task))

    def start(self):
        self.tasks.append(asyncio.current_task())
        asyncio.current_task().set_name('main')
        self.tick()

    def tick(self):
        self.turns += 1
        self.stalled = self.stalled + 1 if self.seen == self.steps else 0
        self.seen = self.steps
        if self.stalled >= 12:
            self.stalled = 0
            self.rescues += 1
            alive = [task for task in self.tasks if not task.done()]
            task = alive[self.rescues % len(alive)]
            self.note('rescue', named_task(task), task.cancel(self.rescues))
            self.seen = self.steps
        if not self.is_over:
            asyncio.get_running_loop().call_soon(self.tick)

    async def join(self, task):
        try:
            self.note('end', named_task(task), await task)
        except CAUGHT as e:
            self.note('end', named_task(task), *tell(e))

    async def finish(self):
        for _ in range(100):
            alive = [task for task in self.tasks[1:] if not task.done()]
            for task in alive:
                task.cancel()
            if not alive:
                break
            for _ in range(3):
                await self.pause()
        self.note('alive', [named_task(task) for task in alive], self.turns)
        await self.shut()
        await self.pause()
        self.is_over = True

    async def pause(self):
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError as e:
            self.note('pause', *tell(e))

    async def shut(self):
        while self.opened:
            thing = self.opened.pop()
            for _ in range(50):
                try:
                    if hasattr(thing, 'aclose'):
                        await self.aclose(thing)
                    else:
                        self.close(thing)
                    break
                except CAUGHT as e:
                    self.note('shut', *tell(e))


def named_task(task):
    return task.get_name() if hasattr(task, 'get_name') else type(task).__name__


def ending(task):
    if task.cancelled():
        return ('cancelled',)
    return tell(task.exception()) if task.exception() is not None else (shown(task.result()),)


def shown(value):
    if isinstance(value, (list, tuple)):
        return [shown(item) for item in value]
    if isinstance(value, BaseException):
        return tell(value)
    return value if type(value) in (int, bool, str, dict, type(None), Box) else type(value).__name__


async def effect(name, value=None):
    for _ in range((1, 0, 2, 1)[sum(map(ord, name)) % 4]):
        await asyncio.sleep(0)
    return value


async def fail(name, exc):
    await effect(name)
    raise exc
"""

STEPS_TRACE = """
class Own(Trace):
    def __init__(self, path, fuel):
        super().__init__(fuel)
        self.path = path
        self.made = 0
        self.tasks = []
        self.traces = []
        self.late = []

    def fork(self, name):
        self.made += 1
        trace = Own(f'{self.path}/{name}.{self.made}', self.fuel // 3)
        self.fuel -= 1
        self.traces.append(trace)
        return trace

    def task(self, coroutine, name, **options):
        return self.watch(asyncio.create_task(coroutine, name=name, **options))

    def watch(self, task):
        self.tasks.append(task)
        task.add_done_callback(seen)
        return task

    def called(self, task):
        self.late.append((task.get_name(), named(type(task.exception()))))

    def all(self):
        yield self
        for trace in self.traces:
            yield from trace.all()

    async def finish(self):
        while alive := [task for trace in self.all() for task in trace.tasks if not task.done()]:
            await asyncio.wait(alive)
        await asyncio.sleep(0)  # for the last callbacks
        for trace in list(self.all()):
            await trace.shut()
        return [(trace.path, trace.items, sorted(trace.late)) for trace in self.all()]


def seen(task):
    if not task.cancelled():
        task.exception()


def told(value):
    return tell(value) if isinstance(value, BaseException) else (value,)
"""

ORDERED = """
class Ordered(dict):
    def add(self, item):
        self[item] = None

    def discard(self, item):
        self.pop(item, None)
"""

#: Definitions of programs of many tasks, those of sequential programs aside.
TASK_PIECES = {
    "Group": """
class Group(asyncio.TaskGroup):
    def __init__(self):
        super().__init__()
        self._tasks = Ordered()
""",
    "work": """
async def work(t, name, value):
    t.note('work', await effect(name, value), V0.get())
    return value
""",
    "forever": """
async def forever(t, ready, cleanup=None):
    t.note('waits', V0.get())
    ready.append(t.path)
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError as e:
        t.note('told to end', *tell(e))
        raise
    finally:
        t.note('ends')
        if cleanup is not None:
            t.note('cleaned', await contained(t, cleanup))
""",
    "fails": """
async def fails(t, ready, count, name, error):
    while len(ready) < count:
        await asyncio.sleep(0)
    t.note('fails', await effect(name, count))
    raise error
""",
    "ends": """
async def ends(t, ready, count, name, value):
    while len(ready) < count:
        await asyncio.sleep(0)
    return await effect(name, value)
""",
    "nest": """
async def nest(waiting):
    async with asyncio.TaskGroup() as group:
        group.create_task(waiting)
""",
    "shields": """
async def shields(t, ready, task):
    ready.append(t.path)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError as e:
        t.note('gave up', *tell(e))
        raise
""",
    "contained": """
async def contained(t, coroutine):
    try:
        return await coroutine
    except Exception as e:
        t.note('contained', *tell(e))
        return len(t.items)
""",
    "produce": """
async def produce(t, queue, name, values):
    for value in values:
        await queue.put(await effect(name, value))
        t.note('put', value)
    return len(values)
""",
    "consume": """
async def consume(t, queue, sums):
    while True:
        value = await queue.get()
        sums['consumed'] = sums.get('consumed', 0) + value
        queue.task_done()
""",
    "guard": """
async def guard(t, lock, sums, name, amount):
    async with lock:
        before = sums.get('guarded', 0)
        sums['guarded'] = before + await effect(name, amount)
    t.note('guarded', amount)
    return amount
""",
    "limited": """
async def limited(t, semaphore, limit, held, name):
    async with semaphore:
        held.append(name)
        t.note('within', len(held) <= limit)
        await effect(name)
        held.remove(name)
    return limit
""",
    "waits_for": """
async def waits_for(t, event, coroutine):
    t.note('event', await event.wait())
    return await contained(t, coroutine)
""",
    "gathers": """
async def gathers(t, condition, found, name, value):
    value = await effect(name, value)
    async with condition:
        found.append(value)
        condition.notify_all()
    async with condition:
        await condition.wait_for(lambda: len(found) >= found[0])
    t.note('all are here', len(found))
    return value
""",
    "meets": """
async def meets(t, barrier, name, value):
    await effect(name)
    await barrier.wait()
    t.note('met', value)
    return await effect(name + '-after', value)
""",
}


def assemble_tasks(body: str, title: str, kind: str, every: int) -> str:
    """The complete program: `body` with the header, the imports and the definitions that it mentions."""
    own = [TASK_PIECES[name] for name in TASK_PIECES if mentions(name, body)]
    if not mentions("contained", body) and any(mentions("contained", piece) for piece in own):
        own.append(TASK_PIECES["contained"])
    if mentions("Group", body):
        own.insert(0, ORDERED)
    pieces = [PIECES[name] for name in PIECES if name == "Box" or mentions(name, body)]
    trace = [TRACE, STEPS_TRACE] if kind == "steps" else [TURNS_TRACE]
    variables = "\n".join(f"V{n} = contextvars.ContextVar('V{n}', default={n})" for n in range(2))
    definitions = "\n".join([f"\n{variables}\n", TELL, *trace, *pieces, *own])
    modules = "".join(f"import {name}\n" for name in MODULES if mentions(name, body))
    world = "from world import effect, fail\n\n" if kind == "steps" else ""
    header = f'# durable: on\n# fuzz: {kind}, every={every}\n"""{title}"""\nimport asyncio\nimport contextvars\n'
    footer = "\n\nif __name__ == '__main__':\n    print(repr(asyncio.run(main())))\n"
    return f"{header}{modules}\n{world}{definitions}\n\n{body}{footer}"
