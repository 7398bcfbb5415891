"""Asking an instance that runs, and waiting for its answer: by a runtime, and by a client that runs nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from ..errors import InstanceFinishedError, InstanceStuckError, UnknownInstanceError
from ..running.instance.records import Records, mailbox_of
from ..running.validation import check_event, check_id, check_seconds
from ..snapshot.sealing.seal import Seal
from ..stores.state import FINISHED, STUCK, InstanceSummary
from ..stores.store import Store

FIRST_PAUSE, LONGEST_PAUSE = 0.005, 0.25  # seconds between two looks for an answer


def check_question(instance_id: str, name: Any, timeout: Any) -> None:
    """Raise TypeError or ValueError for what cannot be asked."""
    check_id(instance_id)
    check_event(name)
    check_seconds(timeout=timeout)


async def ask(
    store: Store,
    seal: Seal,
    instance_id: str,
    name: str,
    question_id: str,
    send: Callable[[], Awaitable[object]],
    timeout: float | None,
    *,
    keeps: bool,
    opened: Callable[[Records, bytes], Any] = Records.open_answer,
) -> Any:
    """Send a question, unless it was sent before, and wait for the answer. ``keeps``: it may be asked for again after a crash.
    ``opened``: what is made of it."""
    mailbox = mailbox_of(question_id)

    async def answer() -> list[Any]:
        events = await store.load_events(mailbox)
        if events and not keeps:
            await store.remove_events(mailbox, [event.number for event in events])
        return [opened(Records(seal, mailbox), event.payload) for event in events]

    try:
        async with asyncio.timeout(timeout) as limit:
            if not keeps or not await store.was_published(question_id):
                _check_asked(instance_id, name, await store.summary(instance_id), store)
                await send()
            return await _wait(store, instance_id, name, answer)
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise TimeoutError(
            f"instance {instance_id!r} has not answered {name!r} within {timeout:g} s. It may still take the question: "
            "ask again with more time, or look at what it does"
        ) from error


async def _wait(store: Store, instance_id: str, name: str, answer: Callable[[], Awaitable[list[Any]]]) -> Any:
    pause = FIRST_PAUSE
    while True:
        summary = await store.summary(instance_id)
        for value in await answer():  # asked for after that: what has ended has sent its answers before
            return value
        _check_asked(instance_id, name, summary, store)
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)


def _check_asked(instance_id: str, name: str, summary: InstanceSummary | None, store: Store) -> None:
    """Raise the error for an instance that does not answer."""
    if summary is None:
        raise UnknownInstanceError(f"there is no instance {instance_id!r} in {store!r} that could answer {name!r}: check the id")
    if summary.status == STUCK:
        raise InstanceStuckError(instance_id, summary.error or "", summary.attempts)
    if summary.status in FINISHED and summary.error is None:  # else it is tried again
        raise InstanceFinishedError(
            f"instance {instance_id!r} has ended ({summary.status}) without an answer to {name!r}: look at its result"
        )
