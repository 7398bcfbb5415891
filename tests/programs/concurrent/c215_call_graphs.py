# durable: on
# requires: 3.14
"""Call graphs of waiting tasks, taken between effects: names, functions, lines, and what awaits what."""
import asyncio

from world import effect


async def innermost(event):
    await event.wait()
    return "done"


async def middle(event):
    return await innermost(event)


async def gathers(event):
    return await asyncio.gather(middle(event), middle(event))


async def groups(event):
    async with asyncio.TaskGroup() as group:
        task = group.create_task(middle(event), name="in a group", eager_start=True)
        await asyncio.wait_for(middle(event), 60)
    return task.result()


async def fails(event):
    await event.wait()
    raise ValueError


async def gives_up(survivor, event):
    try:
        await asyncio.gather(survivor, fails(event))
    except ValueError:
        return await survivor


def shape(graph):
    lines = [(e.frame.f_code.co_name, e.frame.f_lineno) for e in graph.call_stack if e.frame.f_code.co_filename == __file__]
    name = graph.future.get_name() if isinstance(graph.future, asyncio.Task) else "future"
    name = "one without a name" if name.startswith("Task-") else name
    return name, lines, sorted(shape(above) for above in graph.awaited_by)


def shapes():
    waiting = asyncio.all_tasks() - {asyncio.current_task()}
    return sorted(shape(asyncio.capture_call_graph(task)) for task in waiting)


async def main():
    first, second = asyncio.Event(), asyncio.Event()
    survivor = asyncio.create_task(middle(second), name="survivor")
    tasks = [
        survivor,
        asyncio.create_task(gathers(second), name="gathers"),
        asyncio.create_task(groups(second), name="groups"),
        asyncio.create_task(gives_up(survivor, first), name="gives up"),
    ]
    for _ in range(5):
        await asyncio.sleep(0)
    await effect("begun")
    seen = [shapes()]
    await effect("again")
    seen.append(shapes() == seen[0])
    await effect("looked at twice")
    seen.append([task.get_stack()[0].f_lineno for task in tasks])
    first.set()
    for _ in range(5):
        await asyncio.sleep(0)
    await effect("one gave up")
    await effect("its edge is gone")
    seen.append(shapes())
    second.set()
    return seen, await asyncio.gather(*tasks)
