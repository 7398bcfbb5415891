# durable: on
"""Context variables set in the program are still set after each await and can be set back by value."""
import asyncio
import contextvars

from world import effect


user = contextvars.ContextVar("user", default="nobody")
depth = contextvars.ContextVar("depth")
trail = contextvars.ContextVar("trail")


async def nested(n):
    depth.set(depth.get(0) + 1)
    trail.get().append((n, depth.get(), user.get()))
    await effect(f"nested {n}")
    if n:
        await nested(n - 1)
    depth.set(depth.get() - 1)


async def main():
    shared = []
    trail.set(shared)
    out = [user.get()]
    user.set("ann")
    await effect("set")
    out.append(user.get())
    await nested(2)
    out.append(depth.get())
    user.set(await effect("name", "bob"))
    await effect("again")
    out.append((user.get(), trail.get() is shared))
    return out, shared


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
