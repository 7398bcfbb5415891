"""What can be asked of an instance, by a form or by a program: each gives the document that ``durable ... --json`` gives."""

from __future__ import annotations

import json
from typing import Any

from ..api.client import AsyncClientHandle
from ..api.documents import act_document
from ..errors import UnknownInstanceError

ASKED_FOR = ("cancel", "retry", "delete")
LONGEST = 300.0  # seconds to wait for an answer
USUAL = 30.0


class AnswerError(Exception):
    """An instance has answered by an exception."""


async def act(handle: AsyncClientHandle, command: str) -> dict[str, Any]:
    """Ask an instance for what a command says. Raises UnknownInstanceError and StoreError."""
    status = (await handle.info()).status
    done = await {"cancel": handle.cancel, "retry": handle.retry, "delete": handle.delete}[command]()
    return act_document(handle.id, command, done=done is not False, status=status)


async def send(handle: AsyncClientHandle, name: str, payload: Any) -> dict[str, Any]:
    """Send an event; one for an instance that is not there yet is kept. Raises as ``AsyncClientHandle.send``."""
    _check_name(name)
    try:
        await handle.info()
        is_there = True
    except UnknownInstanceError:
        is_there = False
    await handle.send(name, payload)
    return {"id": handle.id, "event": name, "is_there": is_there}


async def ask(handle: AsyncClientHandle, name: str, payload: Any, timeout: float) -> dict[str, Any]:
    """Ask a question, and wait for the answer. Raises AnswerError for one that is an exception, and UnknownInstanceError,
    InstanceFinishedError, InstanceStuckError, TimeoutError and StoreError."""
    _check_name(name)
    await handle.info()
    answer = await handle.ask_plainly(name, payload, timeout)
    if answer.is_error:
        raise AnswerError(f"instance {handle.id!r} answers {name!r} by {answer.value}")
    return {"id": handle.id, "question": name, "answer": answer.value}


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not name:
        raise ValueError("what is its name? It is empty")


def read_payload(text: str) -> Any:
    """A payload as somebody has typed it: JSON, or nothing. Raises ValueError."""
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f'the payload is not JSON: {error}. Text stands in double quotes: "yes"') from error


def read_timeout(value: Any) -> float:
    """Seconds, within bounds. Raises ValueError."""
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = -1.0
    if not 0 <= seconds <= LONGEST:
        raise ValueError(f"timeout is {value!r}: it is a number of seconds, {LONGEST:g} at most")
    return seconds
