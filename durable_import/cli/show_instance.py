"""``show``: what a store has of one instance, and what is to be done about it."""

from __future__ import annotations

from collections.abc import Iterator

from .. import DurableError, UnknownInstanceError, connect
from ..api.lists import Summary
from .list import moment
from .speech import OURS, USAGE, say


def show_instance(instance_id: str, *, store: str) -> int:
    """Print a line for each fact, and the stack if the key is there; gives the exit status."""
    try:
        with connect(store) as client:
            handle = client.handle(instance_id)
            found = handle.info()
            for name, value in _facts(found):
                print(f"{name + ':':<12}{value}")
            try:
                print("", *list(handle.stack().lines())[1:], sep="\n")
            except DurableError as error:
                say(f"its stack is not shown: {error}")
    except UnknownInstanceError:
        say(f"there is no instance {instance_id!r} in {store}")
        return USAGE
    except ValueError as error:
        say(str(error))
        return USAGE
    except DurableError as error:
        say(f"error: {error}")
        return OURS
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
