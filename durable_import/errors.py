"""Every error that durable_import raises on purpose.

    DurableError
    |-- UnsupportedSyntaxError        (also SyntaxError) code that cannot be rewritten
    |-- UnsupportedPythonError        this Python is not one that instances can run on
    |-- AlreadyDurableException       the function is durable already
    |-- NoSourceCodeException         the function has no source to rewrite
    |-- PauseForEventException        a program asks to be suspended until an event arrives
    |-- CheckpointException           execution stopped at a checkpoint
    |-- SnapshotError                 a saved state cannot be made or used
    |   |-- UnsavableStateError       a variable cannot be saved
    |   |-- SnapshotAuthenticationError   tampered, torn, swapped or foreign bytes
    |   |-- SnapshotFormatError       made by another format version
    |   |-- CodeChangedError          the code of a saved frame is not the code of today
    |   |-- MissingCodeError          the module or function of a saved frame is gone
    |   `-- DataChangedError          a saved object does not fit the class of today
    |-- HoldLimitError                nothing of an instance could be saved for longer than `hold_limit`
    |-- KeyConflictError              the key of a call has come up again with another call
    |-- StoreError                    a store cannot do its work
    |   |-- UnknownStoreError         no store answers to this URL
    |   |-- MissingDriverError        the extra that this store needs is not installed
    |   |-- MissingKeyError           no key to authenticate snapshots
    |   |-- StoreRefusedError         what can never be kept: too large, or the tables are gone
    |   `-- StoreUnavailableError     locked, full, read-only, unreachable
    |-- OwnershipError                another process owns the instance
    |   |-- InstanceBusyError         it is being run elsewhere right now
    |   |-- InstanceHeldBackError     it may be what kills its process, as others that run here, and waits for those
    |   `-- FencedError               it was taken over; this owner's commit was refused
    |       `-- StateLostError        the store has gone back to an earlier state of it
    |-- InstanceMismatchError         the id belongs to another function or other arguments
    |-- InstanceFailedError           an instance failed by an exception that is not kept itself
    |-- InstanceCancelledError        an instance was cancelled
    |-- InstanceFinishedError         an instance has ended: nothing can be sent to it
    |-- InstanceSuspendedError        an instance was suspended before its end
    |-- RanAfterFailureError          an instance failed, and steps of the program ran on the exception's way out
    |-- InstanceStuckError            an instance could not go on, and was given up until it is retried
    |-- UnknownInstanceError          no instance has this id
    `-- NotDurableError               a function whose code is not rewritten was to be run as an instance

Errors carry their facts as attributes; the message says what happened, where, and what to do next.
Signals that unwind a program without ending it are not errors and are private (see ``frames.signals``).
"""

from __future__ import annotations

from typing import Any, Protocol


class DurableError(Exception):
    """Base of all errors of this package."""


class UnsupportedSyntaxError(DurableError, SyntaxError):
    """A marked module uses code that cannot be rewritten; ``filename`` and ``lineno`` say where."""

    def __init__(self, reason: str, *, filename: str, lineno: int, way_out: str) -> None:
        message = f"{filename}:{lineno}: cannot make this durable: {reason}. {way_out}"
        super().__init__(message)
        self.msg = message
        self.reason = reason
        self.filename = filename
        self.lineno = lineno
        self.way_out = way_out

    def __str__(self) -> str:
        return self.msg


class UnsupportedPythonError(DurableError):
    """This Python lacks what instances need: it is newer than those that are known, or altered. ``lack`` says what."""

    def __init__(self, message: str, *, lack: str) -> None:
        super().__init__(message)
        self.lack = lack


class AlreadyDurableException(DurableError):
    """The function given is durable already."""

    def __init__(self, message: str = "Function is already durable") -> None:
        super().__init__(message)


class NoSourceCodeException(DurableError):
    """The function given has no source code that could be rewritten."""

    def __init__(self, message: str = "Function has no source code, cannot make durable") -> None:
        super().__init__(message)


class PauseForEventException(DurableError):
    """Raised by a program to be suspended until ``event`` is published for its instance."""

    def __init__(self, event: str) -> None:
        super().__init__(event)
        self.event = event

    def __str__(self) -> str:
        return f"Execution waiting for event {self.event}"


class CheckpointException(DurableError):
    """Execution stopped at checkpoint number ``checkpoint`` with the variables ``namespace``."""

    def __init__(self, checkpoint: int, namespace: dict[str, Any]) -> None:
        super().__init__(f"Execution paused at checkpoint {checkpoint}")
        self.checkpoint = checkpoint
        self.namespace = namespace

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.checkpoint, self.namespace)


class SnapshotError(DurableError):
    """A state could not be saved or restored."""


class Blocker(Protocol):
    """What stands in the way of a checkpoint."""

    @property
    def value(self) -> Any:
        """The object that does, or has in it what does."""
        ...

    def culprit(self) -> Any:
        """What cannot be saved itself; None if it is gone, or is not known."""
        ...

    def is_gone(self) -> bool:
        """Whether it may be possible now."""
        ...


class UnsavableStateError(SnapshotError):
    """A variable of a durable program cannot be saved.

    Attributes: ``instance_id``, ``filename``, ``lineno``, ``function``, ``path`` (the variable and the way inside it,
    such as ``session.pool[0]._lock``), ``type_name`` (of the culprit).
    """

    def __init__(
        self,
        *,
        path: str,
        type_name: str,
        reason: str,
        way_out: str,
        instance_id: str | None = None,
        filename: str = "?",
        lineno: int = 0,
        function: str = "?",
    ) -> None:
        of = f" of instance {instance_id!r}" if instance_id else ""
        what = f"`{path}`" if path.startswith("(") else f"variable `{path}`"  # a step's outcome is in no variable yet
        where = f"{filename}:{lineno}, in {function}: " if lineno else ""  # what comes from outside stands in no function
        super().__init__(f"{where}{what}{of} cannot be saved: it holds a {type_name} ({reason}). {way_out}")
        self.instance_id = instance_id
        self.filename = filename
        self.lineno = lineno
        self.function = function
        self.path = path
        self.type_name = type_name
        self.reason = reason
        self.blocker: Blocker | None = None


class HoldLimitError(DurableError):
    """Nothing of an instance could be saved for longer than its runtime's ``hold_limit``: it was let go of.

    It is kept as it was at its last checkpoint, from which it goes on when it is run again.
    """


class KeyConflictError(DurableError):
    """The key of a call that was made before a crash has come up again with another call, which was not made. ``key`` is it."""

    def __init__(self, message: str, *, key: str) -> None:
        super().__init__(message)
        self.key = key


class SnapshotAuthenticationError(SnapshotError):
    """The bytes were not written by an owner of this store's key for this instance, or are torn."""


class SnapshotFormatError(SnapshotError):
    """The snapshot was made by another, incompatible version of the format."""


class CodeChangedError(SnapshotError):
    """The code of a saved frame differs from the code of today.

    Attributes: ``filename``, ``lineno``, ``function`` (its place in the module), ``digest`` (of the code that was saved).
    """

    def __init__(self, message: str, *, filename: str, lineno: int, function: str, digest: str) -> None:
        super().__init__(message)
        self.filename = filename
        self.lineno = lineno
        self.function = function
        self.digest = digest


class MissingCodeError(SnapshotError):
    """The module or function that a saved frame or value belongs to cannot be found."""


class DataChangedError(SnapshotError):
    """An object of the saved state does not fit its class of today: a member or a field is not what it was.

    Attributes: ``filename``, ``lineno`` (where the class is today), ``name`` (``module:Class``).
    """

    def __init__(self, message: str, *, filename: str, lineno: int, name: str) -> None:
        super().__init__(message)
        self.filename = filename
        self.lineno = lineno
        self.name = name


class StoreError(DurableError):
    """A store cannot do its work."""


class UnknownStoreError(StoreError):
    """No store answers to this URL."""


class MissingDriverError(StoreError):
    """The optional package that this store needs is not installed."""


class MissingKeyError(StoreError):
    """There is no key to authenticate snapshots with."""


class StoreUnavailableError(StoreError):
    """The store is locked, full, read-only, unreachable or damaged; what was committed before is safe."""


class StoreRefusedError(StoreError):
    """The store can never keep this: it is too large, or the store's tables are gone or altered. To try again is of no use."""


class OwnershipError(DurableError):
    """Another process owns the instance."""


class InstanceBusyError(OwnershipError):
    """The instance is being run by another owner. ``holder``: the row of that one in the store; 0: it is not known."""

    def __init__(self, message: str, *, holder: int = 0) -> None:
        super().__init__(message)
        self.holder = holder


class InstanceHeldBackError(OwnershipError):
    """Processes that ran the instance have died, and others of which the same is true run here: it waits until they have ended,
    made progress or lived for a while. ``attempts``: how many have died, in a row."""

    def __init__(self, instance_id: str, attempts: int) -> None:
        times = "a process that ran it has died" if attempts == 1 else f"processes that ran it have died, {attempts} in a row"
        super().__init__(
            f"instance {instance_id!r} is held back: {times}, and others that run here now may do that too. It goes on when they "
            "have ended, made progress or lived for a while"
        )
        self.instance_id = instance_id
        self.attempts = attempts

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.instance_id, self.attempts)


class FencedError(OwnershipError):
    """The instance was taken over by a newer owner, or this process was taken for dead; what it asked for was refused."""


class StateLostError(FencedError):
    """The store has lost states of the instance that it had kept: a standby without the last commits has taken over, or a backup
    was restored. A commit on top of them is refused.
    """


class InstanceMismatchError(DurableError):
    """The instance id is in use for another function or other arguments."""


class InstanceFailedError(DurableError):
    """An instance failed by an exception that cannot be saved, or that would end the process that asks for the result
    (SystemExit); the message has its traceback.
    """


class InstanceCancelledError(DurableError):
    """The instance that is waited for was cancelled."""


class InstanceFinishedError(DurableError):
    """The instance has ended; what was sent to it was not kept."""


class InstanceSuspendedError(DurableError):
    """The instance was suspended, by the end of its runtime mostly; it goes on when it is run or recovered again."""


class RanAfterFailureError(DurableError):
    """An instance has failed, and ``steps`` of the program ran while the exception was on its way out: a person decides whether
    it goes on from before the failure. ``location``: where that is."""

    def __init__(self, instance_id: str, steps: tuple[str, ...], location: str) -> None:
        listed = "".join(f"\n  {step}" for step in steps)
        super().__init__(
            f"instance {instance_id!r} has failed, and these steps of the program ran while the exception was on its way out:"
            f"{listed}\nThey would run again if it failed again. Go on all the same from before the failure, at "
            f"{location or 'the beginning'}, with `run --from-failure` (of an application: `retry(id, from_failure=True)`), or "
            "start afresh (`run --fresh`); the saved state is kept."
        )
        self.instance_id = instance_id
        self.steps = steps
        self.location = location

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.instance_id, self.steps, self.location)


class InstanceStuckError(DurableError):
    """The instance could not go on, and was given up for now: it is kept, and left alone until ``retry``.

    Attributes: ``instance_id``, ``error`` (what kept it from going on, as text), ``attempts`` (how often that was tried).
    """

    def __init__(self, instance_id: str, error: str, attempts: int) -> None:
        times = "once" if attempts == 1 else f"{attempts} times"
        super().__init__(
            f"instance {instance_id!r} is stuck, it was tried {times}: {error}. It is kept as it was at its last checkpoint. "
            f"Mend what the error names, then let it go on: `handle.retry()` or `python -m durable_import retry {instance_id}`"
        )
        self.instance_id = instance_id
        self.error = error
        self.attempts = attempts

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.instance_id, self.error, self.attempts)


class UnknownInstanceError(DurableError):
    """There is no state under this instance id."""


class NotDurableError(DurableError):
    """A function was to be run as an instance, but its code is not rewritten."""
