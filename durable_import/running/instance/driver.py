"""The driver of one instance: runs its tasks, and commits the whole state before anything goes on from a wait.

A round is one pass over the callbacks that are ready, as in asyncio's own loop. First the steps among them go on, foreign
code all of it; then, if a task is going to go on from where it waited, everything is committed; then all run in their order.
A step that ends without having waited is committed at once: natively nothing else would run in between. While a commit is
under way, nothing of the instance runs. Where the key of a call was asked for, all is committed before any next step begins:
steps that come to that in one round begin together, after one commit.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
from collections.abc import Callable, Collection
from typing import Any

from ...aio.foreign_calls import foreign_call
from ...aio.generators import drop_generators
from ...aio.loop import InstanceLoop
from ...aio.questions import answer_questions, is_asked
from ...aio.standard import make_asyncio_durable
from ...aio.taking import give_back
from ...aio.task import DurableTask
from ...aio.timers import MIN_DURABLE_DELAY
from ...errors import PauseForEventException
from ...frames import ambient
from ...frames.capture import parts_of
from ...frames.step import DONE, FAILED, NEW, Step
from ...holds.kinds import forget_kinds
from ...holds.noting import begin as begin_noting
from ...hook.companions import rewrite_companions
from ...pythons.systems import passing
from ...pythons.tasks import is_eager_factory
from ...snapshot.encoder import Encoder
from ...snapshot.module_data.module_names import Names
from ...snapshot.references import References
from ...snapshot.tasks.stacks import location_of
from ...snapshot.with_blocks.entering import enter_again
from .caller import give_back_context
from .checkpoint import Commit
from .commit import PAUSE, Committer
from .leaving import OpenBlock, has_to_leave, leave_instance, open_blocks
from .taking import leave_queues, take_again, tell_given_back, waits_for_others

_NO_TURNS: list[Any] = []  # stays empty, as the next one: most instances wait, and need little memory
_NO_STEPS: dict[Any, Any] = {}
GRACE_SECONDS = 10.0  # that foreign code has to clean up when an instance is suspended


class InstanceDriver(Committer):
    """Drives an instance inside the current task. Awaiting it gives the program's result or raises its exception.

    ``instance``: the coroutine of a new one, or the loop of one that was restored from checkpoint number ``checkpoint``.
    ``commit`` makes a checkpoint permanent: see ``Committer``, and ``Caller`` for the task that awaits this.
    """

    __slots__ = (
        "_at_doors", "_others", "_put_off", "_waiting", "commits_first", "coroutine", "evict_after", "grace_seconds",
        "keeps_life", "may_enter_again", "on_dormant", "on_wait",
    )  # fmt: skip

    def __init__(self, instance: Any, encoder: Encoder, commit: Commit, checkpoint: int = -1) -> None:
        make_asyncio_durable()
        begin_noting()
        if rewrite_companions():
            forget_kinds()
        loop = instance if isinstance(instance, InstanceLoop) else InstanceLoop(encoder.instance_id)
        loop.owns_process = encoder.script is not None
        self.coroutine = instance.root.coroutine if loop is instance else instance
        super().__init__(loop, encoder, commit, checkpoint, parts_of(self.coroutine).code.co_qualname)
        self.commits_first = False  # what was read is not what is kept
        self.keeps_life = False  # whether it goes on from the middle of something: it is kept that it does that again
        self.may_enter_again = False  # whether ``enter_again`` has perhaps something to do
        self.on_wait: Callable[[float], None] | None = None  # told when only time or events are waited for, and until when
        self.on_dormant: Callable[[], None] | None = None  # told that nothing will happen here before time or an event comes
        self.evict_after: float | None = None  # seconds to wait for time or events in memory, then it is suspended
        self.grace_seconds = GRACE_SECONDS
        self._others: Collection[DurableTask] = ()  # the tasks that stand still while ``turns_of`` takes turns
        self._waiting: list[asyncio.Handle] = _NO_TURNS  # their turns
        self._at_doors: list[tuple[DurableTask, asyncio.Handle]] = _NO_TURNS  # turns that wait until the instance can be saved
        self._put_off: dict[DurableTask, Step] = _NO_STEPS  # that begin when a commit was made that others wait for too

    @property
    def ended(self) -> bool:
        """Whether the program came to an end of its own, by a result or an exception."""
        return hasattr(self.loop, "root") and self.loop.root.done()

    @property
    def is_paused(self) -> bool:
        """Whether the program has raised PauseForEventException, and waits for that event."""
        return bool(self.loop.inbox.pauses)

    def take_turns(self, task: Any) -> None:
        """Commit nothing, and let only ``task`` and tasks made from now on go on, until ``end_turns``: all is one transaction."""
        self.turns_of, self.loop.key_records = task, None  # others who write have to wait for the transaction
        self._others = frozenset(self.loop.tasks) - {task}

    def end_turns(self) -> None:
        """The next checkpoint is that of the transaction; the other tasks go on."""
        self.must_commit = True
        self.turns_of, self._others, self.loop.key_records = None, (), self.key_records
        held, self._waiting = self._waiting, _NO_TURNS
        for handle in held:
            self.loop.turn_again(handle)

    def cancel(self, number: int) -> None:
        """Event ``number`` of the store asks the program to end, as cancelling its first task does."""
        if hasattr(self.loop, "root"):
            self.loop.deliver_cancellation(number)

    # --- driving

    async def enter_again(self) -> None:
        """Enter the ``with`` blocks whose managers could not be saved; take the slots of semaphores that it had."""
        loop = self.loop
        if not hasattr(loop, "root"):
            return
        await take_again(loop)
        script = self.encoder.script
        references, slots = References(Names.of(script), script), {id(semaphore) for semaphore, *_ in loop.slots}

        def is_made_again(manager: Any) -> bool:
            return id(manager) not in slots and references.is_made_again(manager)

        for task in list(loop.tasks):
            if await enter_again(task.path, task.stack(), task, is_made_again) and task._fut_waiter is not None:
                task.stops_waiting()
                loop.turn_soon(task)

    def __await__(self) -> Any:
        self.loop.attach()
        self.caller.attach(self.loop.instance_id)
        if not hasattr(self.loop, "root"):
            self._begin()
        try:
            if self.is_suspending:
                raise self._suspended()
            yield from self._drive()
            give_back_context(self.loop.root)
            self.loop.hand_over_generators()
            if self.loop.leaving is not None:
                raise self.loop.leaving
            yield from self.caller.give_back_cancellations(self.loop)
            return self.loop.root.result()
        except (Exception, asyncio.CancelledError):
            yield from self._leave()
            raise
        finally:
            self.holding.stop_reminding()
            self.caller.detach()
            self.loop.ignore_signals()
            if self.loop.tasks:
                self.drop()
            self.give_back()

    def _begin(self) -> None:
        """Make the first task."""
        if is_eager_factory(self.loop.real.get_task_factory()):
            self.loop.task_factory = self.loop.real.get_task_factory()
        context = contextvars.copy_context()
        context.run(ambient.current_driver.set, self.loop)
        self.loop.root = DurableTask(self.coroutine, loop=self.loop, name=self.caller.name, path="0", context=context)
        self.caller.hand_over(self.loop.root)

    def _leave(self) -> Any:
        """Let what foreign code has begun end; a cancellation of who awaits this, or another one, cuts that."""
        if self.loop.tasks:
            yield from leave_instance(self.loop, self._advance, self._open_blocks, self.grace_seconds)

    def has_to_leave(self) -> bool:
        """Whether foreign code has begun something that ends when the instance is suspended."""
        return has_to_leave(self.loop, self._open_blocks)

    def _open_blocks(self) -> list[OpenBlock]:
        return open_blocks(self.holding.blocks)

    def give_back(self) -> None:
        """Give back what it has taken and shares with others: they would wait for ever."""
        given = give_back(self.loop)
        if given and self.ended:
            tell_given_back(self.loop, given)

    def drop(self) -> None:
        """Let go of the tasks as they are: their ``finally`` blocks are for when the program gets there."""
        if self.loop.notes is not None:
            self.loop.notes.keep_opened()
        self.loop.is_dropped = True
        for task in self.loop.tasks:
            leave_queues(task)
        drop_generators(self.loop)
        for task in list(self.loop.tasks):
            task.drop()
        self.loop.tasks.clear()

    def _drive(self) -> Any:
        loop = self.loop
        if self.checkpoint < 0 or self.commits_first:
            yield from self._checkpoint("running")
        elif self.keeps_life:
            yield from self._begin_again()
        while True:
            loop.take_due_timers()
            was_done = loop.root.done()
            if loop.ready:
                yield from self._round_or_exit()
            if loop.inbox.answerers:
                answer_questions(loop)
            if was_done and not loop.is_ending:  # natively, what is ready when the program ends still runs
                self._end_others()
            if loop.root.done() and not loop.tasks:
                return (yield from self._run_last_callbacks())
            if loop.ready or (loop.root.done() and not loop.is_ending):
                yield from self._give_way()
            else:
                yield from self._idle()

    def _run_last_callbacks(self) -> Any:
        """As many rounds as ``asyncio.run`` makes after the last task has ended."""
        for _ in range(4):
            if self.loop.ready:
                yield from self._round_or_exit()
                yield from self._outside(PAUSE)

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
        if self._at_doors:
            self._let_in()
        if loop.asked_inside or self.key_records.conflict is not None:
            yield from self._keep_keys()
        if self.holding.owes:  # what is committed needs no gate: its commit would be refused
            yield from self._pass_gate()
        goes_on, failed = self._advance_steps()
        if goes_on and loop.is_dirty and not self._is_unwinding():
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
                outside = loop.enter(None)
                try:
                    handle._run()
                finally:
                    loop.leave(outside)
                continue
            if task in self._others:
                self._waiting = self._waiting or []
                self._waiting.append(handle)
                continue
            if self.holding.keeps_from_turn(task):
                self._keep_out(task, handle)
                continue
            if task in self._put_off or (loop.asked_inside and task.step is not None):
                loop.put_first(handle)
                left += 1
                yield from self._keep_keys(task, self._put_off.pop(task, None))
                continue
            step = self._advance(task, handle)
            if step is None:
                continue
            if step.state == NEW and self.holding.keeps_out(task, loop):
                self._keep_out(task, loop.turn_of(task))
                continue
            if left and self._may_begin_later(step):
                self._put_off = self._put_off or {}
                self._put_off[task] = step
                loop.put_behind(loop.turn_of(task), left)
                left += 1
                continue
            loop.put_first(loop.turn_of(task))  # it goes on before all others
            left += 1
            yield from self._attend(task, step)

    def _keep_keys(self, task: DurableTask | None = None, step: Step | None = None) -> Any:
        """If keys were asked for since the last checkpoint, commit before the calls go out, ``step`` among them.

        While the instance is held that is not possible: then it is kept which calls these are.
        """
        loop, asked = self.loop, self.loop.asked_inside
        if self.key_records.conflict is not None:
            raise self.key_records.conflict
        loop.asked_inside = ()
        if not loop.has_asked:
            return
        self._owe(None)
        yield from self._checkpoint("running")
        if loop.has_asked and self.turns_of is None and not self._has_failed():
            begins = self.key_records.asked_by(task, step) if task is not None and step is not None else ()
            for each in (*asked, *begins):
                yield from self._until_kept(self.key_records.keep(*each))

    def _may_begin_later(self, step: Step) -> bool:
        """Whether a step that wants to begin may do so after the turns of others in this round, which may ask for keys too.

        One that ends without having waited may not: natively nothing else runs meanwhile.
        """
        loop = self.loop
        if step.state != NEW or not loop.has_asked or self.turns_of is not None or self._has_failed():
            return False
        return bool(loop.ready) and loop.task_of(loop.ready[0]) is not None and foreign_call(step.awaitable).waits

    # --- doors: see ``holds.doors``

    def _keep_out(self, task: DurableTask, handle: asyncio.Handle) -> None:
        """Let a turn wait; in a checkpoint it is one that is ready."""
        self._at_doors = self._at_doors or []
        self._at_doors.append((task, handle))
        self.loop.note_turn(task, handle)

    def _let_in(self) -> None:
        """Make ready the turns that wait no longer."""
        is_open = self.holding.doors_are_open(self.loop)
        waiting, self._at_doors = self._at_doors, []
        for task, handle in waiting:
            if is_open or task.is_to_be_cancelled():
                self.loop.turn_again(handle)
            else:
                self._at_doors.append((task, handle))

    def _advance_steps(self) -> tuple[bool, bool]:
        """Let the steps that are ready go on; gives whether a task is to go on from a wait, and whether a step failed."""
        loop = self.loop
        goes_on = failed = False
        for _ in range(len(loop.ready)):
            handle = loop.ready.popleft()
            task = loop.task_of(handle)
            if task is not None and task.step is not None and not task.done():
                task.turn = None
                step = self._advance(task, handle)
                if step is None:
                    continue
                handle = task.turn = loop.turn_of(task)
                goes_on = goes_on or ((step.state == DONE or _ends_iteration(step)) and not self.holding.puts_off(task))
                if step.state == FAILED:
                    failed = True
                    loop.step_failed(task)
            elif task is not None and task.ended is not None and task.ended.state == FAILED:
                failed = True  # in the eager first turn of a task
            elif task is not None:
                goes_on = goes_on or task.has_begun
            loop.ready.append(handle)
        return goes_on, failed

    def _advance(self, task: DurableTask, handle: asyncio.Handle) -> Step | None:
        """Let a task take the turn that a callback is."""
        argument: Any = handle._args[0] if handle._args else None
        if asyncio.isfuture(argument):
            if argument is not task._fut_waiter:
                return None  # it does not wait for that any more
            argument = _error_of(argument)
        if task.done():
            return None
        outside = self.loop.enter(task)
        try:
            return task.advance(argument)
        finally:
            self.loop.leave(outside)

    def _attend(self, task: DurableTask, step: Step) -> Any:
        """A step wants to begin, or has ended without having waited: commit what has to be."""
        if step.state == FAILED and step.is_restored:
            return
        if step.state == FAILED and not _ends_iteration(step):
            self._defer()
        elif step.state != NEW:
            if not self.holding.puts_off(task) and not self._is_unwinding():
                self._owe(None)
                yield from self._checkpoint("running")
        else:
            if self.loop.unwinding is not None:
                self.loop.unwinding.note_step(task, step)
            yield from self._keep_keys(task, step)
            if self.deferred is not None and not self._is_unwinding():
                deferred = self.deferred
                self._owe(None)
                yield from self._save(deferred)
            elif self.holding.owes:
                yield from self._checkpoint("running")
            yield from self._pass_gate()

    def _pass_gate(self) -> Any:
        """Wait until it is certain that this process still owns the instance; raise FencedError if it does not."""
        while passing() >= self.loop.gate.closes_at:
            yield from self._outside(self.loop.gate.opens())

    def _idle(self) -> Any:
        """Wait until something is ready."""
        loop = self.loop
        self._has_unwound()
        status, wake_at = self._waits_for()
        answers = loop.inbox.answers
        is_news = loop.has_new_timer or bool(answers) or self.holding.owes or self.holding.is_due(status)
        if is_news or (status != "running" and not self._is_known(status, wake_at)):
            self._owe(None)
            yield from self._checkpoint(status)
        if self._at_doors:
            self._let_in()
        is_dormant = status != "running" and self._is_known(status, wake_at) and not loop.ready and not self.holding.owes
        if is_dormant and self.is_paused:
            raise PauseForEventException(loop.inbox.pauses[0])
        waiter, timer = loop.begin_wait(), None
        try:
            if loop.ready or loop.inbox.answers not in (answers, None) or is_asked(loop):  # since the checkpoint began
                return
            due = self.holding.until_doors_open() if self._at_doors else self.holding.until_due()
            if due is not None:
                timer = loop.real.call_later(due, loop.wake)
            if self.holding.owes and status != "running":
                self.holding.waits(wake_at, loop.time(), location_of(loop.root))
            if is_dormant:
                timer = self._goes_dormant(math.inf if wake_at is None else wake_at)
            yield from waiter.__await__()  # as ``_outside`` does, but with a frame less: most instances are here
        except asyncio.CancelledError as error:
            self._is_cancelled(error)
        finally:
            self._has_waited()
            loop.end_wait()
            if timer is not None:
                timer.cancel()
        yield from self._take_turn()

    def _waits_for(self) -> tuple[str, float | None]:
        """The status of an instance that has nothing ready, and until when it waits if only time and events are waited for."""
        loop = self.loop
        deadline = loop.next_deadline()
        is_soon = deadline is not None and deadline - loop.time() < MIN_DURABLE_DELAY
        if loop.in_flight or is_soon or loop.is_ending or waits_for_others(loop, self.encoder):
            return "running", None
        if loop.inbox.is_waiting:
            return "waiting", deadline
        return ("sleeping", deadline) if deadline is not None else ("running", None)

    def _is_known(self, status: str, wake_at: float | None) -> bool:
        kept = self.kept
        return kept is not None and (kept.status, kept.wake_at) == (status, wake_at) and not self.loop.has_new_timer

    def _goes_dormant(self, until: float) -> asyncio.TimerHandle | None:
        """Only time or events are waited for; too long a wait is not for memory, and ended by the timer that this gives.

        An instance that is inside a section which it shares with others stays: it would not be there while it is not in memory.
        """
        loop, patience = self.loop, self.evict_after
        if self.on_wait is not None:
            self.on_wait(until)
        if self.on_dormant is not None and loop.inbox.is_waiting:
            self.on_dormant()
        if patience is not None and not loop.taken and until - loop.time() > patience:
            return loop.real.call_later(patience, self.suspend)
        return None


def _ends_iteration(step: Step) -> bool:
    """Whether a step has ended as an asynchronous iterator does, which is no failure: blocks of foreign managers end so."""
    return step.state == FAILED and isinstance(step.value, StopAsyncIteration)


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
            "message": "unhandled exception during asyncio.run() shutdown",
            "exception": task.exception(),
            "task": task,
        }
        task.get_loop().call_exception_handler(context)
