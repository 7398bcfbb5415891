# durable: on
"""Each task has its own context: what it sets its siblings and its parent do not see."""
import asyncio as aio
import contextvars
from contextlib import contextmanager

from world import effect

user: contextvars.ContextVar[str] = contextvars.ContextVar("user")
trail = contextvars.ContextVar("trail", default=())


@contextmanager
def acting_as(name):
    token = user.set(name)
    try:
        yield token.old_value is contextvars.Token.MISSING
    finally:
        user.reset(token)


async def step(text):
    trail.set((*trail.get(), f"{user.get('nobody')} {text}"))
    await aio.sleep(0)


async def handle(name, steps):
    user.set(name)
    for text in steps:
        await step(text)
        await effect(f"{name} {text}")
    child = aio.create_task(sub_handle())
    seen = await child
    return trail.get(), seen, user.get()


async def sub_handle():
    inherited = user.get(), len(trail.get())
    user.set("child")
    await step("child step")
    return inherited, trail.get()[-1]


async def collect():
    """An async generator runs in the context of the one who asks."""
    while True:
        yield user.get("nobody")


async def main():
    trail.set(("main",))
    results = await aio.gather(handle("ann", ["reads", "writes"]), handle("bob", ["waits"]))
    after = user.get("unset"), trail.get()

    with acting_as("root") as fresh:
        await step("directly awaited")
        inside = await aio.create_task(sub_handle())
        nested = []
        with acting_as("deeper") as not_fresh:
            nested = await aio.gather(handle("cid", []), sub_handle())
        back = user.get()
    seen = []
    generator = collect()
    with acting_as("asker"):
        seen.append(await anext(generator))
    seen.append(await anext(generator))
    await generator.aclose()
    copied = contextvars.copy_context()
    called = aio.get_running_loop().create_future()
    copied.run(user.set, "callback")
    aio.get_running_loop().call_soon(lambda: called.set_result(user.get()), context=copied)
    return results, after, fresh, not_fresh, inside, nested, back, trail.get(), seen, await called, user.get("unset")


if __name__ == "__main__":
    print(repr(aio.run(main())))
