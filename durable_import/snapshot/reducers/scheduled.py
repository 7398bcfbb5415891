"""Reducers for what a library's scheduler has given: a job of apscheduler is that of its scheduler, which has it again."""

from __future__ import annotations

from typing import Any

from ...holds.jobs import find_job, new_job, parts_of

Reduced = tuple[Any, ...]


def reduce_job(job: Any) -> Reduced:
    """A job; one that is in no store in memory, as it was removed or has run, with what it is made of."""
    scheduler = job._scheduler
    is_kept = scheduler is not None and find_job(scheduler, job.id) is job
    return restore_job, (scheduler, job.id, job._jobstore_alias, None if is_kept else parts_of(job))


def restore_job(scheduler: Any, number: str, alias: str | None, parts: dict[str, Any] | None) -> Any:
    """The job that the scheduler has, or one that it has no more."""
    found = find_job(scheduler, number) if parts is None else None
    return found if found is not None else new_job(scheduler, alias, parts or {"id": number})
