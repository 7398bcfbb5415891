# durable: on
"""An instance that looks at others, and asks for things, by the store."""

from durable_import import InstanceQuery, current_runtime, wait_for_event
from tests.running.effects import effect


async def waits():
    return await wait_for_event("go")


async def fails():
    raise ValueError("as always")


async def looks_around():
    runtime = current_runtime()
    child = await runtime.start(waits, instance_id="child")
    found = [await child.status() in ("pending", "running", "waiting")]
    await child.send("go", 7)
    found.append(await child.result())
    found.append(await child.result())
    await effect("child")
    other = await runtime.start(waits, instance_id="other")
    found.append(await other.cancel())
    try:
        await other.result()
    except Exception as error:
        found.append(type(error).__name__)
    wrong = await runtime.start(fails, instance_id="wrong")
    try:
        await wrong.result()
    except ValueError as error:
        found.append(str(error))
    await effect("others")
    found.append((await child.info()).status)
    found.append([each.id for each in await runtime.list(InstanceQuery(prefix="child"))])
    found.append(await runtime.count(InstanceQuery(prefix="o")))
    await child.delete()
    found.append(await runtime.count(InstanceQuery(prefix="child")))
    await effect("looked")
    return found
