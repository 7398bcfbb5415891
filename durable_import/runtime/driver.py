"""The driver of one instance: runs its tasks, and commits the whole state before anything goes on from a wait.

A round is one pass over the callbacks that are ready, as in asyncio's own loop. First the leaves among them go on, foreign
code all of it; then, if a task is going to go on from where it waited, everything is committed; then all run in their order.
A leaf that ends without having waited is committed at once: natively nothing else would run in between. While a commit is
under way, nothing of the instance runs.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
import re
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..errors import InstanceSuspendedError, PauseForEventException, UnsavableStateError
from ..frames import ambient
from ..frames.capture import FRAME_TYPES, forget_variables, line_of, parts_of
from ..frames.leaf import DONE, FAILED, Leaf
from ..rewrite.registry import CodeInfo, info_of
from ..scheduling.loop import InstanceLoop, is_eager_factory
from ..scheduling.standard import make_asyncio_durable
from ..scheduling.task import DurableTask
from ..scheduling.timers import MIN_DURABLE_DELAY
from ..snapshot.managers import enter_again
from ..snapshot.modules import collect_references
from ..snapshot.snapshot import Encoder, Saved, Snapshot
from ..stores.base import DORMANT


@dataclass(frozen=True)
class Checkpoint:
    """What is committed: the number of the checkpoint, where the program is, the snapshot, and the functions that it has
    frames of."""

    number: int
    status: str
    location: str
    function: str
    saved: Saved
    code: tuple[CodeInfo, ...] = ()
    wake_at: float | None = None  # of a status that waits: seconds since 1970
    events: tuple[int, ...] = ()  # numbers of those that the state has, and the store perhaps still


class Kept(NamedTuple):
    """What is remembered of a checkpoint that was committed: not its frames, which may be garbage by then."""

    status: str
    wake_at: float | None
    location: str


Commit = Callable[[Checkpoint], Awaitable[None]]


class InstanceDriver:
    """Drives an instance inside the current task. Awaiting it gives the program's result or raises its exception.

    ``instance``: the coroutine of a new one, or the loop of one that was restored from checkpoint number ``checkpoint``.
    ``commit`` makes a checkpoint permanent.
    """

    def __init__(self, instance: Any, encoder: Encoder, commit: Commit, checkpoint: int = -1) -> None:
        make_asyncio_durable()
        if isinstance(instance, InstanceLoop):
            self.loop = instance
            self.coroutine = instance.root.get_coro()
        else:
            self.loop = InstanceLoop(encoder.instance_id)
            self.coroutine = instance
        self.encoder = encoder
        self.commit = commit
        self.checkpoint = checkpoint
        self.facts: dict[str, Any] = {}  # that each snapshot holds, beside ``checkpoint`` and ``function``
        self.function = parts_of(self.coroutine).code.co_qualname
        self.on_wait: Callable[[float], None] | None = None  # told when only time or events are waited for, and until when
        self.on_dormant: Callable[[], None] | None = None  # told that nothing will happen here before time or an event comes
        self.evict_after: float | None = None  # seconds to wait for time or events in memory, then it is suspended
        self.is_suspending = False
        self.holder: Any = None  # the task in whose transaction all happens now: nothing is committed, no other task goes on
        self._others: frozenset[DurableTask] = frozenset()  # the tasks that stand still meanwhile
        self._held: list[asyncio.Handle] = []  # steps of theirs
        self.kept: Kept | None = None  # committed last, in this life
        self.native: asyncio.Task[Any] | None = None  # the task of the process that awaits this
        self._cancellations = 0  # requests to cancel that one which the program knows of
        self._late_cancellation: asyncio.CancelledError | None = None
        self.deferred: Checkpoint | None = None  # of a failed leaf: committed only if the program goes on from there

    @property
    def ended(self) -> bool:
        """Whether the program came to an end of its own, by a result or an exception."""
        return hasattr(self.loop, "root") and self.loop.root.done()

    @property
    def is_paused(self) -> bool:
        """Whether the program has raised PauseForEventException, and waits for that event."""
        return bool(self.loop.inbox.pauses)

    def suspend(self) -> None:
        """Let go of the program as it was at the last checkpoint: awaiting this raises InstanceSuspendedError."""
        self.is_suspending = True
        if self.native is not None:
            self.native.cancel()

    def hold(self, task: Any) -> None:
        """Commit nothing, and let only ``task`` and tasks made from now on go on, until ``let_go``: all is one transaction."""
        self.holder = task
        self._others = frozenset(self.loop.tasks) - {task}

    def let_go(self) -> None:
        """The next checkpoint is that of the transaction; the other tasks go on."""
        self.holder, self._others = None, frozenset()
        held, self._held = self._held, []
        for handle in held:
            self.loop.step_again(handle)

    def cancel(self, number: int) -> None:
        """Event ``number`` of the store asks the program to end, as cancelling its first task does."""
        if hasattr(self.loop, "root"):
            self.loop.deliver_cancellation(number)

    # --- driving

    async def enter_again(self) -> None:
        """Enter the ``with`` blocks whose managers could not be saved."""
        loop = self.loop
        if not hasattr(loop, "root"):
            return
        is_made_anew = collect_references(self.encoder.script).is_made_anew
        for task in list(loop.tasks):
            if await enter_again(task.path, task.stack(), task, is_made_anew) and task._fut_waiter is not None:
                task._fut_waiter = None
                loop.step_soon(task)

    def __await__(self) -> Any:
        self.loop.attach()
        self.native = asyncio.current_task()
        if not hasattr(self.loop, "root"):
            self._begin()
        self._cancellations = self.native.cancelling() if self.native is not None else 0
        try:
            if self.is_suspending:
                raise self._suspended()
            yield from self._drive()
            self._give_back_context()
            if self.loop.leaving is not None:
                raise self.loop.leaving
            yield from self._give_back_cancellations()
            return self.loop.root.result()
        finally:
            if self.loop.tasks:
                self.drop()

    def _begin(self) -> None:
        """Make the first task."""
        if is_eager_factory(self.loop.real.get_task_factory()):
            self.loop.task_factory = self.loop.real.get_task_factory()
        context = contextvars.copy_context()
        context.run(ambient.current_driver.set, self.loop)
        name = self.native.get_name() if self.native is not None else ""
        if re.fullmatch(r"(Task-\d+)?", name):
            name = "Task-1"  # a number of this process
        self.loop.root = DurableTask(self.coroutine, loop=self.loop, name=name, path="0", context=context)
        if self.native is not None:
            self.loop.root._num_cancels_requested = self.native.cancelling()

    def _cancel_root(self, error: asyncio.CancelledError) -> None:
        """The task that awaits the program was cancelled, perhaps several times: natively it is the program's own."""
        root = self.loop.root
        known, self._cancellations = self._cancellations, self.native.cancelling() if self.native is not None else 0
        if root.cancel(*error.args):
            root._num_cancels_requested += max(self._cancellations - known - 1, 0)
        else:
            self._late_cancellation = error

    def _give_back_cancellations(self) -> Any:
        """The program's own requests to cancel its first task, and those that it took back, count for who awaited it."""
        if self._late_cancellation is not None:
            raise self._late_cancellation  # it came when the program had ended
        native, wanted = self.native, self.loop.root.cancelling()
        if native is None:
            return
        for _ in range(self._cancellations - wanted):
            native.uncancel()
        if self._cancellations < wanted:
            pause = _Pending(loop=self.loop.real)
            self.loop.real.call_soon(pause.count_cancellations, native, wanted - self._cancellations)
            yield from pause.__await__()

    def _give_back_context(self) -> None:
        """The program's changes of context variables are seen by who awaited it."""
        own = contextvars.copy_context()
        for variable, value in self.loop.root.get_context().items():
            if not variable.name.startswith("durable_import.") and (variable not in own or own[variable] is not value):
                variable.set(value)

    def drop(self) -> None:
        """Let go of the tasks as they are: their ``finally`` blocks are for when the program gets there."""
        self.loop.is_dropped = True
        for task in list(self.loop.tasks):
            task.drop()
        self.loop.tasks.clear()

    def _drive(self) -> Any:
        loop = self.loop
        if self.checkpoint < 0:
            yield from self._checkpoint("running")
        while True:
            loop.take_due_timers()
            was_done = loop.root.done()
            if loop.ready:
                yield from self._round_or_exit()
            if was_done and not loop.is_ending:  # natively, what is ready when the program ends still runs
                self._end_others()
            if loop.root.done() and not loop.tasks:
                return (yield from self._run_last_callbacks())
            if loop.ready or (loop.root.done() and not loop.is_ending):
                yield from self._outside(_PAUSE)
            else:
                yield from self._idle()

    def _run_last_callbacks(self) -> Any:
        """As many rounds as ``asyncio.run`` makes after the last task has ended."""
        for _ in range(4):
            if self.loop.ready:
                yield from self._round_or_exit()
                yield from self._outside(_PAUSE)

    def _round_or_exit(self) -> Any:
        try:
            yield from self._round()
        except SystemExit as leaving:  # of any task or callback: it ends the program, and that its other tasks
            self.loop.leaving = leaving
            if not self.loop.is_ending:
                self._end_others()

    def _end_others(self) -> None:
        """As ``asyncio.run`` does, cancel what the program has left running."""
        self.loop.is_ending = True
        for task in [t for t in self.loop.tasks if not t.is_shown]:
            self.loop.has_ended(task)  # a call in a thread: nobody waits for it
        for task in list(self.loop.tasks):
            task.add_done_callback(_report_failure)
            task.cancel()

    def _round(self) -> Any:
        loop = self.loop
        goes_on, failed = self._advance_leaves()
        if goes_on and loop.is_dirty:
            self._owe(None)
            yield from self._checkpoint("running")
        elif failed:
            self._defer()
        left = len(loop.ready)
        while left and loop.ready:
            handle = loop.take()
            left -= 1
            if handle._cancelled:
                continue
            task = loop.task_of(handle)
            if task is None:
                loop.called.append(handle)
                self.encoder.will_call(handle)
                with loop.inside(None):
                    handle._run()
                continue
            if task in self._others:
                self._held.append(handle)
                continue
            leaf = self._advance(task, handle)
            if leaf is not None:
                loop.put_first(loop.step_of(task))  # it goes on before all others
                left += 1
                yield from self._attend(leaf)

    def _advance_leaves(self) -> tuple[bool, bool]:
        """Let the leaves that are ready go on; gives whether a task is to go on from a wait, and whether a leaf failed."""
        loop = self.loop
        goes_on = failed = False
        for _ in range(len(loop.ready)):
            handle = loop.ready.popleft()
            task = loop.task_of(handle)
            if task is not None and task.leaf is not None and not task.done():
                task.step = None
                leaf = self._advance(task, handle)
                if leaf is None:
                    continue
                handle = task.step = loop.step_of(task)
                goes_on = goes_on or leaf.state == DONE
                failed = failed or leaf.state == FAILED
            elif task is not None and task.ended is not None and task.ended.state == FAILED:
                failed = True  # in the eager first step of a task
            elif task is not None:
                goes_on = goes_on or task.has_begun
            loop.ready.append(handle)
        return goes_on, failed

    def _advance(self, task: DurableTask, handle: asyncio.Handle) -> Leaf | None:
        """Let a task take the step that a callback is."""
        argument: Any = handle._args[0] if handle._args else None
        if asyncio.isfuture(argument):
            if argument is not task._fut_waiter:
                return None  # it does not wait for that any more
            argument = _error_of(argument)
        if task.done():
            return None
        with self.loop.inside(task):
            return task.advance(argument)

    def _attend(self, leaf: Leaf) -> Any:
        """A leaf wants to begin, or has ended without having waited: commit what has to be."""
        if leaf.state == FAILED:
            if not leaf.is_restored:
                self._defer()
        elif leaf.state == DONE:
            self._owe(None)
            yield from self._checkpoint("running")
        elif self.deferred is not None:
            deferred = self.deferred
            self._owe(None)
            yield from self._save(deferred)

    def _owe(self, deferred: Checkpoint | None) -> None:
        self.deferred = deferred
        self.loop.owes_commit = deferred is not None

    def _idle(self) -> Any:
        """Wait until something is ready."""
        loop = self.loop
        status, wake_at = self._waits_for()
        if loop.has_new_timer or (status != "running" and not self._is_known(status, wake_at)):
            self._owe(None)
            yield from self._checkpoint(status)
        is_dormant = status != "running" and self._is_known(status, wake_at) and not loop.ready
        if is_dormant and self.is_paused:
            raise PauseForEventException(loop.inbox.pauses[0])
        with loop.waiting() as waiter:
            if loop.ready:
                return
            if is_dormant:
                yield from self._dormant(waiter, math.inf if wake_at is None else wake_at)
            else:
                yield from self._outside(waiter)

    def _waits_for(self) -> tuple[str, float | None]:
        """The status of an instance that has nothing ready, and until when it waits if only time and events are waited for."""
        loop = self.loop
        deadline = loop.next_deadline()
        is_soon = deadline is not None and deadline - loop.time() < MIN_DURABLE_DELAY
        if loop.in_flight or is_soon or loop.is_ending:
            return "running", None
        if loop.inbox.is_waiting:
            return "waiting", deadline
        return ("sleeping", deadline) if deadline is not None else ("running", None)

    def _is_known(self, status: str, wake_at: float | None) -> bool:
        kept = self.kept
        return kept is not None and (kept.status, kept.wake_at) == (status, wake_at) and not self.loop.has_new_timer

    def _dormant(self, waiter: Any, until: float) -> Any:
        """Wait for time or events; too long a wait is not for memory."""
        loop, patience, timer = self.loop, self.evict_after, None
        if self.on_wait is not None:
            self.on_wait(until)
        if self.on_dormant is not None and loop.inbox.is_waiting:
            self.on_dormant()
        if patience is not None and until - loop.time() > patience:
            timer = loop.real.call_later(patience, self.suspend)
        try:
            yield from self._outside(waiter)
        finally:
            if timer is not None:
                timer.cancel()

    def _outside(self, awaitable: Any) -> Any:
        """Let the rest of the process go on; a cancellation that arrives is the program's, unless it is to be suspended."""
        try:
            yield from awaitable.__await__()
        except asyncio.CancelledError as error:
            if self.is_suspending:
                raise self._suspended() from None
            self._cancel_root(error)

    def _suspended(self) -> InstanceSuspendedError:
        where = f" at {self.kept.location}" if self.kept is not None and self.kept.location else ""
        return InstanceSuspendedError(
            f"instance {self.encoder.instance_id!r} was suspended{where}: its state is kept, and it goes on when it is run again"
        )

    def _checkpoint(self, status: str) -> Any:
        """Commit all, unless the program has failed and only cleans up: it can be tried again from where it was before."""
        if not self._has_failed() and self.holder is None:
            yield from self._save(self._capture(status))

    def _defer(self) -> None:
        """Commit what is now, a failed leaf included, when the program goes on from there."""
        if not self._has_failed() and self.holder is None:
            self._owe(self._capture("running"))

    def _has_failed(self) -> bool:
        loop = self.loop
        failed = loop.root.done() and loop.root.has_failed
        return failed or loop.leaving is not None

    def _capture(self, status: str) -> Checkpoint:
        loop = self.loop
        for task in loop.native_tasks:
            if not task.done():
                raise self._unsavable(task)
        self.checkpoint += 1
        facts = {**self.facts, "checkpoint": self.checkpoint, "function": self.function}  # see ``records.row_facts``
        saved = self.encoder.save(Snapshot(None, facts, loop))
        loop.is_dirty = loop.has_new_timer = False
        frames = [frame for frame in saved.frames if isinstance(frame, FRAME_TYPES)]
        codes = {parts_of(frame).code for frame in frames}
        infos = tuple(info for info in map(info_of, codes) if info is not None and not info.module.is_library)
        wake_at = loop.next_deadline() if status in DORMANT else None
        location, events = location_of(loop.root), tuple(loop.inbox.accepted)
        forget_variables(frames)
        return Checkpoint(self.checkpoint, status, location, self.function, saved, infos, wake_at, events)

    def _unsavable(self, task: asyncio.Task[Any]) -> UnsavableStateError:
        """A native task runs rewritten code beside the tasks of the instance."""
        code = parts_of(task.get_coro()).code
        return UnsavableStateError(
            path=task.get_name(), type_name="asyncio.Task", instance_id=self.encoder.instance_id,
            reason="code that is not durable has made it, and it is running beside the program", filename=code.co_filename,
            lineno=code.co_firstlineno, function=code.co_qualname,
            way_out="Mark the module that makes the task with `# durable: on`, or make and await it within one expression.",
        )  # fmt: skip

    def is_kept(self, checkpoint: Checkpoint) -> None:
        """A checkpoint was committed."""
        self.encoder.is_kept(checkpoint.saved)
        self.kept = Kept(checkpoint.status, checkpoint.wake_at, checkpoint.location)

    def _save(self, checkpoint: Checkpoint) -> Any:
        """Commit; a cancellation that arrives meanwhile is the program's."""
        flush_output()
        committing = asyncio.ensure_future(self.commit(checkpoint))
        while not committing.done():
            try:
                yield from asyncio.shield(committing).__await__()
            except asyncio.CancelledError as error:
                if committing.cancelled():
                    raise
                if self.is_suspending:
                    committing.cancel()
                    raise self._suspended() from None
                self._cancel_root(error)
            except Exception:
                break
        committing.result()
        self.is_kept(checkpoint)


class _Pending(asyncio.Future[None]):
    """A task that waits for it can be asked to end, which is counted, without coming to know."""

    def cancel(self, msg: Any = None) -> bool:  # noqa: ARG002  the signature of a future
        return True

    def count_cancellations(self, task: asyncio.Task[Any], number: int) -> None:
        """Ask so many times, and let the task go on."""
        for _ in range(number):
            task.cancel()
        self.set_result(None)


def flush_output() -> None:
    """Before a commit: what was printed until then is not printed again after it."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


class _Pause:
    """An await that gives way to the rest of the process once."""

    def __await__(self) -> Any:
        yield


_PAUSE = _Pause()


def _error_of(future: Any) -> BaseException | None:
    """What awaiting a future that is done would raise."""
    if future.cancelled() and hasattr(future, "_make_cancelled_error"):
        return future._make_cancelled_error()  # type: ignore[no-any-return]
    try:
        return future.exception()  # type: ignore[no-any-return]
    except asyncio.CancelledError as error:
        return error


def _report_failure(task: asyncio.Future[Any]) -> None:
    """Of a task that fails as it is cancelled at the end of the program."""
    if not task.cancelled() and task.exception() is not None:
        context = {
            "message": "unhandled exception during asyncio.run() shutdown", "exception": task.exception(), "task": task,
        }  # fmt: skip
        task.get_loop().call_exception_handler(context)


def location_of(task: DurableTask) -> str:
    """Where a task is: ``file:line function``, of its innermost frame that is not asyncio's own."""
    for frame in reversed(task.stack()):
        code = parts_of(frame).code
        info = info_of(code)
        if info is not None and not info.module.is_library:
            return f"{code.co_filename}:{line_of(frame)} {code.co_qualname}"
    return ""
