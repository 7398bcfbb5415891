# durable: on
"""Tokens of context variables are reset after awaits, in order and in finally."""
import asyncio
import contextlib
import contextvars

from world import effect


level = contextvars.ContextVar("level", default=0)
tag = contextvars.ContextVar("tag")


@contextlib.contextmanager
def raised(n):
    token = level.set(level.get() + n)
    try:
        yield level.get()
    finally:
        level.reset(token)


async def main():
    out = []
    token = tag.set("first")
    await effect("one")
    second = tag.set("second")
    out.append((second.old_value, token.old_value is contextvars.Token.MISSING, second.var is tag))
    await effect("two")
    tag.reset(second)
    out.append(tag.get())
    with raised(2) as a:
        await effect(f"level {a}")
        with raised(3) as b:
            out.append((a, b, await effect(f"level {b}", level.get())))
        out.append(level.get())
    await effect("three")
    tag.reset(token)
    out.append((tag.get("unset"), level.get()))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
