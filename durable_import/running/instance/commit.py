"""The part of a driver that commits: takes checkpoints of an instance, and waits until they are kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Any

from ...aio.loop import InstanceLoop
from ...errors import InstanceSuspendedError, UnsavableStateError
from ...frames.capture import parts_of
from ...frames.step import NEW, PENDING
from ...hook.program_version import version_today
from ...snapshot.encoder import Encoder
from ...snapshot.payload import CODE, DRIFT, HANDED, LABELS, LIVES, MOMENT, Saved, Snapshot
from ...stores.base import DORMANT
from ..slices import Slices
from .caller import Caller
from .checkpoint import Checkpoint, Commit, Kept, WayOut, flush_output
from .holding import Holding
from .key_records import KeyRecords

# Commits may go without a round of the event loop, and so may a program's steps: others get theirs after so long.
TURN_SECONDS = 0.001


class Committer:
    """Commits the state of ``loop`` by ``commit``.

    ``checkpoint``: the number of the last checkpoint, -1 before the first. ``function``: the qualified name of the instance's.
    """

    __slots__ = (
        "caller", "checkpoint", "commit", "deferred", "encoder", "facts", "function", "gives_way_at", "holding", "is_strict",
        "is_suspending", "kept", "key_records", "loop", "must_commit", "slices", "turns_of",
    )  # fmt: skip

    def __init__(self, loop: InstanceLoop, encoder: Encoder, commit: Commit, checkpoint: int, function: str) -> None:
        self.loop = loop
        self.encoder = encoder
        self.commit = commit
        self.checkpoint = checkpoint
        self.function = function
        self.facts: dict[str, Any] = {}  # that each snapshot holds, beside ``checkpoint`` and ``function``
        self.turns_of: Any = None  # the task in whose transaction all happens now: nothing is committed
        self.kept: Kept | None = None  # committed last, in this life
        self.deferred: Checkpoint | None = None  # of a failed step: committed only if the program goes on from there
        self.caller = Caller()
        self.is_suspending = False
        self.is_strict = False  # what cannot be saved is an error, and does not hold
        self.must_commit = False  # so it is for the next checkpoint: that of a transaction
        self.gives_way_at = 0.0  # by ``time.monotonic``
        self.slices: Slices | None = None  # in which its turns are taken
        self.holding = loop.holder = Holding(encoder, checkpoint)
        self.key_records = loop.key_records = KeyRecords(loop)

    def suspend(self) -> None:
        """Let go of the program as it was at the last checkpoint: awaiting this raises InstanceSuspendedError."""
        if not self.is_suspending:  # a second time it would cut what cleans up
            self.is_suspending = True
            self.caller.interrupt()

    def _suspended(self) -> InstanceSuspendedError:
        where = f" at {self.kept.location}" if self.kept is not None and self.kept.location else ""
        return InstanceSuspendedError(
            f"instance {self.encoder.instance_id!r} was suspended{where}: its state is kept, and it goes on when it is run again"
        )

    def _owe(self, deferred: Checkpoint | None) -> None:
        self.deferred = deferred
        self.loop.owes_commit = deferred is not None

    def _checkpoint(self, status: str) -> Any:
        """Commit all, unless the program has failed and only cleans up: it can be tried again from where it was before."""
        checkpoint = self._capture_unless_held(status)
        if checkpoint is not None:
            self.loop.has_asked, self.loop.asked_inside = False, ()
            yield from self._save(checkpoint)

    def _begin_again(self) -> Any:
        """Keep, with the checkpoint from which it goes on, that one more life has begun from there: this store does not count.

        What cannot be kept again is not: the next checkpoint tells of that.
        """
        loop, number = self.loop, self.checkpoint
        lives = self.facts[LIVES] = loop.earlier_lives
        self.checkpoint -= 1
        try:
            checkpoint = self._capture("running")._replace(code=())  # an earlier life has kept the sources
        except UnsavableStateError:
            self.checkpoint = number
            return
        finally:
            del self.facts[LIVES]
        yield from self._save(checkpoint)
        loop.earlier_lives = lives
        self.holding.begins_again()

    def _defer(self) -> None:
        """Commit what is now, a failed step included, when the program goes on from there."""
        checkpoint = self._capture_unless_held("running")
        if checkpoint is not None:
            self._owe(checkpoint)

    def _capture_unless_held(self, status: str) -> Checkpoint | None:
        if self.turns_of is not None or self._has_failed():
            return None
        if self.holding.holds():
            if self.loop.has_changed_much():  # what is noted since the last checkpoint is kept alive by that
                self.encoder.forget_form(self.loop)
            return None
        if self.loop.exits_for_error is not None and self._is_unwinding():
            return None
        began, number = time.monotonic(), self.checkpoint
        try:
            return self._capture(status)
        except UnsavableStateError as error:
            self.checkpoint = number
            if self.is_strict or self.must_commit:
                raise
            self.holding.is_refused(error, time.monotonic() - began)
            return None

    def _is_unwinding(self) -> bool:
        """Whether an exception is leaving blocks of libraries: the program can be tried again from before it was raised.

        If it is caught, what comes then is committed; if it is not, the last state is the one before.
        """
        exits = self.loop.exits_for_error
        if exits is None:
            return False
        left = {task: step for task, step in exits.items() if task.step in (step, None) and not task.done()}
        self.loop.exits_for_error = left or None
        return bool(left)

    def _has_unwound(self) -> None:
        """All tasks wait: those that have left such blocks have caught the exception."""
        exits = self.loop.exits_for_error
        if exits is not None:
            self.loop.exits_for_error = {task: step for task, step in exits.items() if step.state in (NEW, PENDING)} or None

    def _has_failed(self) -> bool:
        loop = self.loop
        failed = loop.root.done() and loop.root.has_failed
        return failed or loop.leaving is not None

    def _capture(self, status: str) -> Checkpoint:
        loop = self.loop
        for task in loop.native_tasks or ():
            if not task.done():
                raise self._unsavable(task)
        self.checkpoint += 1
        facts = {**self.facts, "checkpoint": self.checkpoint, "function": self.function}  # see ``records.row_facts``
        facts[CODE] = version_today()
        if loop.timers:
            facts[MOMENT] = loop.time()
        drift = loop.ahead()
        if drift:
            facts[DRIFT] = drift
        if loop.labels:
            facts[LABELS] = loop.labels
        if loop.earlier_lives and self.holding.enters_again():
            facts[LIVES] = loop.earlier_lives
        try:
            saved = self.encoder.save(Snapshot(None, facts, loop))
        except UnsavableStateError as error:
            saved = self._saved_without(error, facts)
        loop.is_dirty = loop.has_new_timer = False
        functions = tuple(info for info in saved.codes if not info.module.is_library)
        wake_at = loop.next_deadline() if status in DORMANT else None
        events = tuple(loop.inbox.accepted)
        location, version = saved.location, facts[CODE]
        checkpoint = Checkpoint(
            self.checkpoint, status, location, self.function, saved, functions, wake_at, events, version, drift
        )
        return checkpoint._replace(answers=loop.inbox.answers) if loop.inbox.answers else checkpoint

    def _saved_without(self, error: UnsavableStateError, facts: dict[str, Any]) -> Saved:
        """Save the state without those objects that only who has begun the run can still look at, if it is they that ``error``
        is about."""
        while HANDED in facts and error.path.startswith(f"({HANDED})"):
            lost = [path for path in facts[HANDED] if error.path.startswith(f"({HANDED})[{path!r}]")]
            self.facts[HANDED] = facts[HANDED] = {p: each for p, each in facts[HANDED].items() if lost and p not in lost}
            try:
                return self.encoder.save(Snapshot(None, facts, self.loop))
            except UnsavableStateError as next_one:
                error = next_one
        raise error

    def _unsavable(self, task: asyncio.Task[Any]) -> UnsavableStateError:
        """A native task runs rewritten code beside the tasks of the instance."""
        code = parts_of(task.get_coro()).code
        error = UnsavableStateError(
            path=task.get_name(),
            type_name="asyncio.Task",
            instance_id=self.encoder.instance_id,
            reason="code that is not durable has made it, and it is running beside the program",
            filename=code.co_filename,
            lineno=code.co_firstlineno,
            function=code.co_qualname,
            way_out="Mark the module that makes the task with `# durable: on`, or make and await it within one expression.",
        )
        error.blocker = _NativeTask(task)
        return error

    def is_kept(self, checkpoint: Checkpoint) -> None:
        """A checkpoint was committed."""
        self.encoder.is_kept(checkpoint.saved)
        self.holding.is_over(checkpoint.number)
        self.key_records.are_committed()
        if self.loop.earlier_lives and not self.holding.enters_again():
            self.loop.earlier_lives = 0
        self.must_commit = False
        self.kept = Kept(checkpoint.status, checkpoint.wake_at, checkpoint.location)

    def _save(self, checkpoint: Checkpoint) -> Any:
        """Commit; a cancellation that arrives meanwhile is the program's."""
        flush_output()
        if self.loop.unwinding is not None:
            checkpoint = self._with_way_out(checkpoint)
        rest = self.commit(checkpoint)
        if rest is None:
            self.is_kept(checkpoint)
            if time.monotonic() >= self.gives_way_at:
                yield from self._give_way()
            return
        yield from self._until_kept(rest)
        self.is_kept(checkpoint)
        yield from self._take_turn()

    def _with_way_out(self, checkpoint: Checkpoint) -> Checkpoint:
        """A checkpoint that is about to be committed: whether an exception is on its way out is asked of what is now."""
        unwinding = self.loop.unwinding
        assert unwinding is not None
        if not unwinding.is_under_way():
            self.loop.unwinding = None
            return checkpoint
        begins = not unwinding.is_kept or unwinding.is_over
        unwinding.is_kept, unwinding.is_over = True, False
        return checkpoint._replace(way_out=WayOut(unwinding.steps, begins))

    def _until_kept(self, rest: Awaitable[None]) -> Any:
        """Wait for the store; likewise."""
        keeping = asyncio.ensure_future(rest)
        while not keeping.done():
            try:
                yield from asyncio.shield(keeping).__await__()
            except asyncio.CancelledError as error:
                if keeping.cancelled():
                    raise
                if self.is_suspending:
                    keeping.cancel()
                self._is_cancelled(error)
            except Exception:
                break
        self._has_waited()
        keeping.result()

    def _outside(self, awaitable: Any) -> Any:
        """Let the rest of the process go on; a cancellation that arrives is the program's, unless it is to be suspended."""
        try:
            yield from awaitable.__await__()
        except asyncio.CancelledError as error:
            self._is_cancelled(error)
        finally:
            self._has_waited()

    def _give_way(self) -> Any:
        """Let the rest of the process go on, although there is something to do."""
        yield from self._outside(PAUSE)
        yield from self._take_turn()

    def _take_turn(self) -> Any:
        """Others of the process come before it if instances have had enough of this pass of the event loop."""
        if self.slices is not None and not self.slices.is_free():
            yield from self._outside(self.slices.wait())

    def _has_waited(self) -> None:
        """Others had their turn."""
        self.gives_way_at = time.monotonic() + TURN_SECONDS

    def _is_cancelled(self, error: asyncio.CancelledError) -> None:
        """While it waited for the rest of the process: that is for the program, unless it is to be suspended."""
        if self.is_suspending:
            raise self._suspended() from None
        self.caller.pass_on(error, self.loop.root)


class _NativeTask:
    """Stands in the way until it is done."""

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.value = task

    def culprit(self) -> Any:
        return self.value

    def is_gone(self) -> bool:
        return self.value.done()


class _Pause:
    """An await that gives way to the rest of the process once."""

    def __await__(self) -> Any:
        yield


PAUSE = _Pause()
