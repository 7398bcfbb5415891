"""``show``: what a store has of one instance, and what is to be done about it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from .. import DurableError
from ..api.lists import Summary, look_at_instance
from .list import moment
from .speech import OURS, USAGE, say


def show_instance(instance_id: str, *, store: str) -> int:
    """Print a line for each fact; gives the exit status."""
    try:
        found = asyncio.run(look_at_instance(store, instance_id))
    except DurableError as error:
        say(f"error: {error}")
        return OURS
    if found is None:
        say(f"there is no instance {instance_id!r} in {store}")
        return USAGE
    for name, value in _facts(found):
        print(f"{name + ':':<12}{value}")
    if found.status == "stuck":
        say(f"mend what the error names, then: durable retry {instance_id}")
    return 0


def _facts(found: Summary) -> Iterator[tuple[str, object]]:
    yield "status", found.status
    yield "function", found.function
    yield "began", moment(found.created_at)
    yield "changed", moment(found.updated_at)
    yield "checkpoint", f"{found.checkpoint} {found.location}".rstrip()
    if found.wake_at is not None:
        yield "until", moment(found.wake_at)
    if found.owner is not None:
        yield "owner", f"process {found.owner.pid} on host {found.owner.host}"
    if found.hold is not None:
        yield "held by", f"{found.hold.what}, since {moment(found.hold.since)}"
    if found.attempts:
        yield "attempts", found.attempts
    if found.error:
        yield "error", found.error.replace("\n", "\n            ")
    if found.parent is not None:
        yield "parent", found.parent
    for name, value in found.tags.items():
        yield "tag", f"{name}={value}"
