"""When an instance that cannot go on is tried again, and when it is given up."""

from __future__ import annotations

import time
from functools import partial

from ...aio.loop import InstanceLoop
from ...errors import (
    HoldLimitError,
    InstanceMismatchError,
    InstanceStuckError,
    InstanceSuspendedError,
    KeyConflictError,
    OwnershipError,
    PauseForEventException,
    RanAfterFailureError,
    StoreRefusedError,
    StoreUnavailableError,
    UnknownInstanceError,
    UnsavableStateError,
)
from ...stores.state import Failure
from .lease import InstanceLease

MAX_ATTEMPTS = 10
SUSPECT_FROM = 4  # times that a step has begun, each but the last in a life that ended before it; fewer for a small limit
LEAST_SECONDS, MOST_LIMITS = 60.0, 5  # since the last commit; in so many times the limit of attempts
LONGEST_TEXT = 4000  # characters
# The instance itself could go on: what is told concerns its caller, its owner or the store.
_NO_FAILURES = (
    InstanceMismatchError,
    InstanceStuckError,
    InstanceSuspendedError,
    OwnershipError,
    PauseForEventException,
    StoreUnavailableError,
    UnknownInstanceError,
)
# To try again would only repeat what was done since the last checkpoint.
_HOPELESS = (HoldLimitError, KeyConflictError, RanAfterFailureError, StoreRefusedError, UnsavableStateError)


def failure_by(error: BaseException, lease: InstanceLease, *, has_committed: bool) -> Failure | None:
    """What keeps an instance from going on, if that is an error by which it has left; ``has_committed``: in this life."""
    if not isinstance(error, Exception) or isinstance(error, _NO_FAILURES) or lease.claim is None:
        return None
    before = lease.claim.attempts_kept() if has_committed else lease.attempts
    attempts, limit = before + 1, lease.host.max_attempts
    return Failure(text_of(error), attempts, isinstance(error, _HOPELESS) or (limit is not None and attempts >= limit))


async def check_attempts(instance_id: str, lease: InstanceLease) -> None:
    """Give up an instance whose lives have killed their process too often: raise InstanceStuckError.

    Processes that are killed by others, one after another, may be so in lives that are too short for any progress: unless few
    attempts are allowed, that has to go on for some time, or very often.
    """
    limit, attempts = lease.host.max_attempts, lease.attempts
    if limit is None or attempts < limit or lease.error is not None:
        return
    if limit >= MAX_ATTEMPTS and attempts < limit * MOST_LIMITS:
        summary = await lease.patiently(partial(lease.host.instances.summary, instance_id), "it has not begun")
        if summary is not None and time.time() - summary.updated_at < LEAST_SECONDS:
            return
    where = f" at {lease.state.location}" if lease.state is not None and lease.state.location else ""
    times = "the process that ran it has died" if attempts == 1 else f"the processes that ran it have died, {attempts} in a row"
    lease.failure = Failure(f"{times}, behind the checkpoint{where}", attempts, True)
    raise InstanceStuckError(instance_id, lease.failure.error, attempts)


def is_past_deaths(loop: InstanceLoop, limit: int | None) -> bool:
    """Whether no step is under way that was so at several deaths: then no such step was what kills, and this life made progress.

    What runs beside a step that kills may commit in each life, so a commit alone does not say so. ``limit``: of attempts.
    """
    suspect_from = SUSPECT_FROM if limit is None else min(SUSPECT_FROM, max(limit - 1, 2))
    return all(step.attempt < suspect_from for step in loop.in_flight.values())


def text_of(error: BaseException) -> str:
    """What is kept of an error."""
    text = "\n".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", [])]).replace("\0", "\\0")
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]} ..."
