"""Instances as JSON documents: those of ``--json``, and those that are had by HTTP."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from ..stores.state import Page, PastState
from .forking import Fork
from .inspection import EventView, Stack
from .lists import Summary

FIELDS = ("id", *(each.name for each in fields(Summary) if each.name not in ("instance_id", "children")))  # of an instance


def document_of(summary: Summary) -> dict[str, Any]:
    """The fields of ``info()`` but its children, which a list has not; times are seconds since 1970."""
    owner, hold = summary.owner, summary.hold
    return {
        **{name: getattr(summary, name) for name in FIELDS},
        "owner": {"host": owner.host, "pid": owner.pid} if owner is not None else None,
        "hold": hold._asdict() if hold is not None else None,
        "tags": dict(summary.tags),
        "progress": summary.progress._asdict() if summary.progress is not None else None,
    }


def list_document(page: Page) -> dict[str, Any]:
    """A page of a list; ``cursor`` asks for the next one, if it is not null."""
    return {"items": [document_of(each) for each in page], "cursor": page.cursor}


def instance_document(found: Summary, stack: Stack | None, lack: str) -> dict[str, Any]:
    """An instance with its stack. What of that cannot be told is null, and ``lack`` is the reason."""
    told: dict[str, Any] = {"call": None, "outcome": None, "data": None, "tasks": None, "stack_error": lack or None}
    if stack is not None:
        told |= {
            "call": _text(stack.call),
            "outcome": _text(stack.outcome),
            "data": {name: str(value) for name, value in stack.data.items()},
            "tasks": stack_documents(stack),
        }
    return document_of(found) | {"children": list(found.children or ())} | told


def stack_documents(stack: Stack) -> list[dict[str, Any]]:
    """Its tasks, each with its frames; asyncio's own are left out. Values are the texts that people see."""
    return [
        {
            "name": task.name,
            "path": task.path,
            "status": task.status,
            "waits_for": task.waits_for,
            "event": task.wait.event,
            "until": task.wait.until,
            "step": _step(task.wait.step),
            "outcome": _text(task.outcome),
            "frames": [
                {
                    "function": frame.function,
                    "name": frame.name,
                    "module": frame.module,
                    "file": frame.file,
                    "line": frame.line,
                    "source": frame.source,
                    "variables": {name: str(value) for name, value in frame.variables.items()},
                }
                for frame in task.frames
                if not frame.is_library
            ],
        }
        for task in stack.tasks
    ]


def history_documents(states: Iterable[PastState]) -> list[dict[str, Any]]:
    """What an instance has been, oldest first."""
    return [{"checkpoint": each.checkpoint, "location": each.location, "status": each.status} for each in states]


def event_documents(events: Iterable[EventView]) -> list[dict[str, Any]]:
    """Events that an instance has not taken yet, in their order."""
    return [{"number": each.number, "name": each.name, "payload": str(each.payload)} for each in events]


def act_document(instance_id: str, command: str, *, done: bool, status: str) -> dict[str, Any]:
    """What was asked of an instance that had this status, and whether it is done."""
    return {"id": instance_id, "command": command, "done": done, "status": status}


def fork_document(made: Fork, *, dry_run: bool) -> dict[str, Any]:
    """A fork that was made, or would be."""
    changes = [{"path": each.path, "before": each.before, "after": each.after} for each in made.changes]
    told = {"id": made.id, "forked_from": made.source, "forked_at": made.checkpoint, "dry_run": dry_run}
    return {**told, "status": made.status, "location": made.location, "changes": changes}


def _step(step: Any) -> dict[str, str] | None:
    return {"call": str(step.call), "function": step.function, "key": step.key} if step is not None else None


def _text(value: object) -> str | None:
    return str(value) if value is not None else None
