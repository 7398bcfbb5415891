"""What calls do with keys. Not marked: each is a step."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any

from durable_import import current_runtime, step_key
from tests.running.effects import world


async def charge(name: object, key: str) -> str:
    """Wait, and note it."""
    await asyncio.sleep(0)
    world.append(f"{name} {key}")
    return key


async def instant(name: object, key: str) -> str:
    """Note it at once."""
    world.append(f"{name} {key}")
    return key


def _key() -> str:
    return step_key()


async def ask_through(name: object) -> str:
    """Ask by a function."""
    key = _key()
    await asyncio.sleep(0)
    world.append(f"{name} {key}")
    return key


async def ask_late(name: object) -> str:
    """Ask when it has waited."""
    await asyncio.sleep(0)
    key = _key()
    await asyncio.sleep(0)
    world.append(f"{name} {key}")
    return key


def _decorated(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(function)
    async def wrapper(*arguments: Any) -> Any:
        return await function(*arguments)

    return wrapper


wrapped = _decorated(ask_through)


async def close(what: Any, key: str) -> str:
    """Do away with it."""
    await asyncio.sleep(0)
    what.close()
    return key


messages: list[str] = []


async def deliver() -> None:
    """Hand on what there is, one by one, and one by a task of its own; then fail if there is a reason."""
    runtime = current_runtime()
    assert runtime is not None
    for message in messages:
        if message == "broken":
            raise ConnectionError(message)
        await runtime.publish_event("receiver", "message", message)
    await asyncio.create_task(runtime.publish_event("receiver", "message", "of a task"))


_ways = {"key": _key}


def unforeseen(name: object) -> Callable[[], str]:
    """What asks in a thread; that it does is not remembered."""

    def call() -> str:
        key = _ways["key"]()
        world.append(f"{name} {key}")
        return key

    return call
