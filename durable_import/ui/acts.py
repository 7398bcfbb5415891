"""What can be asked of an instance, by a form or by a program: each gives the document that ``durable ... --json`` gives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..api.client import AsyncClient, AsyncClientHandle
from ..api.documents import act_document, fork_document
from ..errors import UnknownInstanceError

ASKED_FOR = ("cancel", "retry", "delete")
LONGEST = 300.0  # seconds to wait for an answer
USUAL = 30.0
FORKING: Mapping[str, Any] = {"checkpoint": None, "new_id": None, "changes": {}, "dry_run": False}


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


async def fork(client: AsyncClient, instance_id: str, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Make a fork of an instance, or only say what it would be: see ``AsyncClient.fork`` for what is sent, and raised."""
    checkpoint, new_id, changes, dry_run = (sent[each] for each in FORKING)
    if type(checkpoint) not in (int, type(None)) or not isinstance(changes, dict) or type(dry_run) is not bool:
        raise ValueError("checkpoint is a whole number, changes an object with values by paths, dry_run true or false")
    try:
        made = await client.plan_fork(instance_id, checkpoint, new_id, changes)
        if not dry_run:
            await client.fork(instance_id, checkpoint, made.id, changes)
    except TypeError as error:
        raise ValueError(str(error)) from error
    return fork_document(made, dry_run=dry_run)


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
