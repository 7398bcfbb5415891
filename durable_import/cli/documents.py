"""Instances as JSON documents."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..api.inspection import Stack
    from ..api.lists import Summary


def document_of(summary: Summary) -> dict[str, Any]:
    """The fields of ``info()`` but its children, which a list has not; times are seconds since 1970."""
    found = {each.name: getattr(summary, each.name) for each in fields(summary)}
    del found["instance_id"], found["children"]
    owner, hold = summary.owner, summary.hold
    return {
        "id": summary.id,
        **found,
        "owner": {"host": owner.host, "pid": owner.pid} if owner is not None else None,
        "hold": hold._asdict() if hold is not None else None,
        "tags": dict(summary.tags),
        "progress": summary.progress._asdict() if summary.progress is not None else None,
    }


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


def _step(step: Any) -> dict[str, str] | None:
    return {"call": str(step.call), "function": step.function, "key": step.key} if step is not None else None


def _text(value: object) -> str | None:
    return str(value) if value is not None else None
