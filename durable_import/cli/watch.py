"""``watch``: instances as they go on. A table that is drawn again in a terminal, in a pipe a line for each change."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeAlias

from .. import DurableError, InstanceQuery
from ..api.documents import document_of
from .asking import ask, ask_of
from .list import COLUMNS, row_of
from .show_instance import lines_of_facts, lines_of_stack
from .speech import moment
from .tables import is_rich, rich_lines, rich_table

if TYPE_CHECKING:
    from ..api.connection import Client, ClientHandle
    from ..api.lists import Summary

Look: TypeAlias = "Callable[[], list[Summary]]"

FINISHED = ("completed", "failed", "cancelled")
BY_CTRL_C = 128 + signal.SIGINT


def watch(store: str, instance_id: str | None, *, every: float, as_json: bool, **asked: Any) -> int:
    """Follow the newest instances that fit, until Ctrl-C, or one until it has ended; gives the exit status."""
    rest = _Rest(every)

    def watch_many(client: Client) -> int:
        query = InstanceQuery(**asked)
        _follow(lambda: list(client.list(query)), lambda: _table(client, query), rest, as_json, is_over=lambda _: False)
        return 0

    def watch_one(client: Client, handle: ClientHandle) -> int:  # noqa: ARG001
        _follow(lambda: [handle.info()], lambda: _stack(handle), rest, as_json, is_over=_have_ended)
        return 0

    status = ask(store, watch_many) if instance_id is None else ask_of(store, instance_id, watch_one)
    return BY_CTRL_C if rest.is_over else status


class _Rest:
    """Between two looks, until Ctrl-C: no exception, which could come between what is done to a terminal and what undoes it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._over = threading.Event()
        signal.signal(signal.SIGINT, self._end)

    def _end(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        self._over.set()

    @property
    def is_over(self) -> bool:
        """Whether Ctrl-C has come."""
        return self._over.is_set()

    def take(self) -> bool:
        """Rest; False: nothing is to be looked at any more."""
        return not self._over.wait(self._seconds)


def _have_ended(found: list[Summary]) -> bool:
    return all(each.status in FINISHED for each in found)


def _follow(look: Look, draw: Callable[[], Any], rest: _Rest, as_json: bool, is_over: Callable[[list[Summary]], bool]) -> None:
    if is_rich() and not as_json:
        _draw(look, draw, rest, is_over)
        return
    known: dict[str, Summary] = {}
    while True:
        found = look()
        for line in _changes(known, found, as_json):
            print(line, flush=True)
        known = {each.id: each for each in found}
        if is_over(found) or not rest.take():
            return


def _changes(known: dict[str, Summary], found: list[Summary], as_json: bool) -> Iterator[str]:
    """A line for each that is not as it was."""
    for each in reversed(found):
        before = known.get(each.id)
        if before is None or _standing(before) != _standing(each):
            yield json.dumps(document_of(each)) if as_json else f"{moment(time.time())}  {'  '.join(_cells(each))}"


def _standing(each: Summary) -> tuple[Any, ...]:
    return each.status, each.checkpoint, each.location, each.error, each.hold, each.owner, each.progress


def _cells(each: Summary) -> tuple[str, ...]:
    name, status, function, _, where = row_of(each)
    return name, status, function, str(each.checkpoint), where


# --- in a terminal


def _draw(look: Look, draw: Callable[[], Any], rest: _Rest, is_over: Callable[[list[Summary]], bool]) -> None:
    from rich.live import Live

    with Live(draw(), auto_refresh=False) as live:
        while not is_over(look()) and rest.take():
            live.update(draw(), refresh=True)
        live.update(draw(), refresh=True)


def _table(client: Client, query: InstanceQuery) -> Any:
    from rich.console import Group
    from rich.text import Text

    counts = ", ".join(f"{number} {status}" for status, number in sorted(client.count(query, by="status").items()))
    return Group(Text(counts or "no instances", "bold"), rich_table(COLUMNS, [row_of(each) for each in client.list(query)]))


def _stack(handle: ClientHandle) -> Any:
    lines = list(lines_of_facts(handle.info()))
    try:
        lines += [("", ""), *lines_of_stack(handle.stack())]
    except DurableError as error:
        lines += [("", ""), ("red", str(error))]
    return rich_lines(lines)
