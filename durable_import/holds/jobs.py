"""The jobs of an apscheduler that are in memory: what each calls, when it is due, and the trigger that says when it is next.

A scheduler is made and started again without jobs. They are put into it while it is paused; it goes on when all has been read,
and treats what was due meanwhile as it does with the jobs of any store: see ``misfire_grace_time`` there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

JOBS = "jobs of apscheduler"  # as ``Known.keeps`` calls them
_PARTS = (
    "id", "trigger", "executor", "func", "func_ref", "args", "kwargs", "name", "misfire_grace_time", "coalesce", "max_instances",
    "next_run_time",
)  # fmt: skip
_MISSING = object()
_PAUSED = 2
Job = tuple[str, bool, dict[str, Any]]  # the name of its store, whether it waits for the start, its attributes


def jobs_of(scheduler: Any) -> tuple[int, list[Job]]:
    """Whether it runs or pauses, and the jobs that no store keeps by itself."""
    return scheduler.state, [(alias, is_pending, parts_of(job)) for alias, is_pending, job in _jobs_in(scheduler)]


def parts_of(job: Any) -> dict[str, Any]:
    """What a job is made of."""
    parts = {name: getattr(job, name, _MISSING) for name in _PARTS}
    return {name: value for name, value in parts.items() if value is not _MISSING}


def _jobs_in(scheduler: Any) -> Iterator[tuple[str, bool, Any]]:
    in_memory: Any = getattr(sys.modules.get("apscheduler.jobstores.memory"), "MemoryJobStore", ())
    for alias, store in scheduler._jobstores.items():
        if isinstance(store, in_memory):
            yield from ((alias, False, job) for job in store.get_all_jobs())
    yield from ((alias, True, job) for job, alias, _ in scheduler._pending_jobs)


def find_job(scheduler: Any, number: str) -> Any:
    """The job with an id; None if it has none that is in memory."""
    return next((job for _, _, job in _jobs_in(scheduler) if job.id == number), None)


def put_jobs(scheduler: Any, kept: tuple[int, list[Job]]) -> Callable[[], object]:
    """The opposite of ``jobs_of``; gives what lets it go on. One that its module has made again has the jobs of then, too."""
    state, jobs = kept
    if state and not scheduler.running:
        del scheduler._pending_jobs[:]
        scheduler.start(paused=True)
    elif state:
        scheduler.state = _PAUSED
    del scheduler._pending_jobs[:]
    for alias, is_pending, parts in jobs:
        job = new_job(scheduler, alias, parts)
        if is_pending:
            scheduler._pending_jobs.append((job, alias, False))
        else:
            scheduler._jobstores[alias].add_job(job)

    def go_on() -> None:
        scheduler.state = state
        if state and state != _PAUSED:
            scheduler.wakeup()

    return go_on


def new_job(scheduler: Any, alias: str | None, parts: dict[str, Any]) -> Any:
    """A job of a scheduler, in none of its stores."""
    cls = sys.modules["apscheduler.job"].Job
    job = cls.__new__(cls)
    job._scheduler, job._jobstore_alias = scheduler, alias
    for name, value in parts.items():
        setattr(job, name, value)
    return job
