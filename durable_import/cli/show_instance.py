"""``show``: what a store has of one instance, and what is to be done about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .. import DurableError, InstanceQuery
from ..api.documents import instance_document
from .asking import ask_of
from .speech import moment, print_document, say, shown, shown_lines
from .tables import STYLES, Tree, print_lines, print_tree

if TYPE_CHECKING:
    from ..api.connection import Client, ClientHandle
    from ..api.inspection import Stack
    from ..api.lists import Summary

_MOST_CHILDREN = 100  # in all generations

_STYLES = (("Task ", "bold"), ("  File ", "cyan"), ("    ", ""), ("", ""))


def show_instance(instance_id: str, *, store: str, as_json: bool) -> int:
    """Print a line for each fact, and the stack if the key is there; or one document. Gives the exit status."""

    def show(client: Client, handle: ClientHandle) -> int:
        found = handle.info()
        stack, lack = None, ""
        try:
            stack = handle.stack()
        except DurableError as error:
            lack = str(error)
        if as_json:
            print_document(instance_document(found, stack, lack))
        else:
            _print(client, found, stack, lack)
        return 0

    return ask_of(store, instance_id, show)


def _print(client: Client, found: Summary, stack: Stack | None, lack: str) -> None:
    print_lines(lines_of_facts(found))
    children = _children(client, found.id)
    if children:
        print_tree(children, "children:")
    if stack is None:
        say(f"its stack is not shown: {lack}")
    else:
        print_lines([("", ""), *lines_of_stack(stack)])
    if found.status == "stuck":
        say(f"mend what the error names, then: durable retry {found.id}")


def lines_of_facts(found: Summary) -> Iterator[tuple[str, str]]:
    """What is small of it, each with its style."""
    for name, value in _facts(found):
        first, *rest = shown_lines(str(value)) or [""]
        yield STYLES.get(str(value), ""), f"{name + ':':<12}{first}"
        yield from (("", f"{'':<12}{line}") for line in rest)


def lines_of_stack(stack: Stack) -> Iterator[tuple[str, str]]:
    """Its stack, without the heading."""
    return ((_style(line), line) for line in list(stack.lines(names=True))[1:])


def _style(line: str) -> str:
    return next(style for beginning, style in _STYLES if line.startswith(beginning))


def _facts(found: Summary) -> Iterator[tuple[str, object]]:
    yield "status", found.status
    yield "function", found.function
    yield "began", moment(found.created_at)
    yield "changed", moment(found.updated_at)
    yield "checkpoint", f"{found.checkpoint} {found.location}".rstrip()
    if found.wake_at is not None:
        yield "wakes up", moment(found.wake_at)
    if found.owner is not None:
        lease = f", lease until {moment(found.lease_until)}" if found.lease_until else ""
        yield "owner", f"process {found.owner.pid} on host {found.owner.host}{lease}"
    if found.hold is not None:
        yield "held by", f"{found.hold.what}, since {moment(found.hold.since)}"
    if found.attempts:
        yield "attempts", found.attempts
    if found.error:
        yield "error", found.error
    if found.progress is not None:
        yield "progress", str(found.progress)
    if found.parent is not None:
        yield "parent", f"{found.parent} (detached)" if found.is_detached else found.parent
    if found.forked_from is not None:
        yield "fork of", f"{found.forked_from}, checkpoint {found.forked_at}"
    for name, value in found.tags.items():
        yield "tag", f"{name}={value}"


def _children(client: Client, instance_id: str) -> Tree:
    """Those that it has started, with theirs, the oldest first."""
    left = [_MOST_CHILDREN]

    def below(parent: str, around: frozenset[str]) -> Tree:
        found: dict[str, Tree] = {}
        for child in client.list(InstanceQuery(parent=parent, order="oldest", limit=left[0])) if left[0] else ():
            left[0] -= 1
            line = f"{shown(child.id)}  {child.status}  {shown(child.function or '-')}{'  detached' if child.is_detached else ''}"
            found[line] = below(child.id, around | {child.id}) if child.id not in around and left[0] > 0 else {}
        return found

    return below(instance_id, frozenset([instance_id]))
