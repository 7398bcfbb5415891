# durable: on
"""Tasks are created with names and with contexts of their own; a context outlives its task."""
import asyncio
import contextvars

from world import effect

tenant = contextvars.ContextVar("tenant", default="nobody")
depth = contextvars.ContextVar("depth")


async def bill(amount):
    me = asyncio.current_task()
    depth.set(depth.get(0) + 1)
    before = tenant.get()
    await effect(f"bill {before} by {me.get_name()}")
    tenant.set(f"{before}+{amount}")
    await asyncio.sleep(0)
    return me.get_name(), before, tenant.get(), depth.get()


async def rename(new):
    me = asyncio.current_task()
    old = me.get_name()
    me.set_name(new)
    await asyncio.sleep(0)
    return old, me.get_name()


async def main():
    tenant.set("house")
    acme = contextvars.copy_context()
    acme.run(tenant.set, "acme")
    empty = contextvars.Context()

    tasks = [
        asyncio.create_task(bill(1), name="plain"),
        asyncio.create_task(bill(2), name="for acme", context=acme),
        asyncio.create_task(bill(4), name="from nothing", context=empty),
    ]
    results = [await t for t in tasks]
    again = await asyncio.create_task(bill(8), name="acme once more", context=acme)

    async with asyncio.TaskGroup() as group:
        grouped = group.create_task(bill(16), name="grouped", context=acme)

    renamed = asyncio.create_task(rename("worker-b"), name="worker-a")
    names = [renamed.get_name(), await renamed, renamed.get_name()]
    number = asyncio.create_task(asyncio.sleep(0), name=42)
    await number
    return (
        results,
        again,
        grouped.result(),
        tenant.get(),
        depth.get("unset here"),
        (acme[tenant], acme[depth], empty[tenant]),
        names,
        number.get_name(),
    )


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
