"""What holds an instance: while something does, no checkpoint of it is made. See ``holds``."""

from __future__ import annotations

import asyncio
import sys
import time
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any, Protocol

from ...aio.loop import InstanceLoop
from ...aio.taking import Taken
from ...aio.task import DurableTask
from ...errors import DurableError, HoldLimitError, UnsavableStateError
from ...frames.capture import capture
from ...frames.step import Step
from ...holds.blocks import HeldLock, HoldingBlock, HoldingBlocks
from ...holds.doors import Hold
from ...holds.kinds import advice_for, type_name
from ...holds.places import frame_of_program, line_of_place, place_of
from ...log import logger
from ...pythons.tasks import LoopBound
from ...snapshot.encoder import Encoder
from ...snapshot.tasks.stacks import location_of
from ...stores.state import HoldRecord

_NOTHING: frozenset[str] = frozenset()
LEAST_PATIENCE = 0.5  # seconds between two trials to save what could not be saved
PATIENCE_FACTOR = 10  # ... or so many times what a trial costs
MOMENT = 0.05  # seconds for which a checkpoint is put off, see ``Holding.puts_off``
REMINDERS = (30.0, 300.0, 3600.0)  # seconds after which a hold is told again; the last one repeats
RECORDED_AFTER = 1.0  # seconds until others are told too
LONG = 60.0  # seconds: a longer wait inside a hold is told


class Met:
    """Objects by their identity; it keeps none of them alive. None is never among them."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[int, weakref.ref[Any] | type] | None = None  # by id; of what takes no weak reference the class

    def add(self, value: Any) -> None:
        """Remember an object."""
        if value is not None:
            self._known = self._known or {}
            try:
                self._known[id(value)] = weakref.ref(value)
            except TypeError:
                self._known[id(value)] = type(value)

    def __contains__(self, value: Any) -> bool:
        known = self._known.get(id(value)) if self._known is not None else None
        return known() is value if isinstance(known, weakref.ref) else known is type(value)


NOTHING_MET = Met()  # stays empty


class Life(Protocol):
    """That of the instance, which lets people know."""

    def is_held(self, sentence: str) -> None:
        """Say so."""
        ...

    def record_hold(self, hold: HoldRecord) -> None:
        """Keep it for others to see."""
        ...

    def seal_answer(self, question_id: str, *, is_error: bool, value: Any) -> bytes:
        """What is kept of the answer to a question."""
        ...

    def has_labels(self) -> None:
        """There are labels to be written. In any thread."""
        ...


class Holding:
    """Of one instance; the ``Holder`` of its loop. ``life`` is told of it.

    ``checkpoint``: the number of the last one.
    """

    __slots__ = (
        "_alarm", "_hold", "_is_first", "_recorder", "_refusal", "_reminder", "_seen", "_since", "_told", "_told_of",
        "_told_within", "_try_again_at", "checkpoint", "encoder", "is_due_at", "known_blocks", "life", "limit", "owes", "wake",
    )  # fmt: skip

    def __init__(self, encoder: Encoder, checkpoint: int) -> None:
        self.encoder = encoder
        self.checkpoint = checkpoint
        self.life: Life | None = None
        self.known_blocks: HoldingBlocks | None = None  # most instances have none
        self.owes = False
        self.is_due_at: float | None = None  # when a checkpoint is due that was put off, by ``time.monotonic``: see ``puts_off``
        self._hold: Hold | None = None  # that of an object
        self._refusal: UnsavableStateError | None = None  # what could not be saved, if a checkpoint was tried
        self._try_again_at = 0.0  # by ``time.monotonic``
        self._told = _NOTHING
        self._told_of = NOTHING_MET  # in this hold: managers, and what could not be saved
        self._told_within = NOTHING_MET  # the variables' values in which that was
        self._seen = ""  # the last refusal
        self.limit: float | None = None  # seconds: a longer hold is an error
        self.wake: Callable[[], None] | None = None  # lets what drives the instance look again
        self._since = 0.0  # when the hold began, by ``time.monotonic``
        self._reminder: asyncio.TimerHandle | None = None
        self._alarm: asyncio.TimerHandle | None = None  # for the limit
        self._recorder: asyncio.TimerHandle | None = None
        self._is_first = False  # nothing was committed in this life, of an instance that had another one

    # --- for the loop and the driver

    @property
    def blocks(self) -> HoldingBlocks:
        """Those that are open, and what is known of them."""
        if self.known_blocks is None:
            self.known_blocks = HoldingBlocks(self.encoder.is_shared_lock, lambda: self.owes or self.is_due_at is not None)
        return self.known_blocks

    def _first_open(self) -> HoldingBlock | None:
        return self.known_blocks.first_open() if self.known_blocks is not None else None

    def exit_of(self, manager: Any, leave: Any, frame: FrameType, task: Any, *, is_async: bool) -> Any:
        """See ``aio.loop.Holder``; as for the next one."""
        counted = self.blocks.exit_of(manager, leave, frame, task, is_async=is_async)
        if counted is not leave and self.limit == 0:
            place = line_of_place(self.blocks.entering.pop(task).place)
            raise HoldLimitError(
                f"{place}: a {type_name(manager)} holds while its block is open, and `hold_limit` is 0: nothing may be done that "
                f"runs again after a crash{_what_to_do(manager)}"
            )
        if counted is not leave:
            counted.block.is_again = task.loop.reentering is task
        return counted

    def takes(self, primitive: Any, frame: FrameType, task: DurableTask, step: Step | None) -> None:
        """See ``aio.loop.Holder``."""
        if not self.encoder.has_shared(primitive):
            return
        taken = Taken(primitive, task.loop, task, _place_of_taking(frame, task), step)
        taken.begin()
        if not isinstance(primitive, asyncio.Semaphore):
            self.blocks.has_taken(taken)
        if taken.block is not None and self.limit == 0:
            primitive.release()
            raise HoldLimitError(
                f"{line_of_place(taken.place)}: a {type_name(primitive)} that instances share holds until it is released, and "
                "`hold_limit` is 0: nothing may be done that runs again after a crash"
            )

    def is_in_doubt(self, task: DurableTask) -> bool:
        """See ``aio.loop.Holder``."""
        blocks = self.known_blocks
        return blocks is None or task in blocks.entering or not any(block.surely_holds() for block in blocks.open)

    def why(self) -> str:
        block = self._first_open()
        if block is not None:
            return block.described(type_name(block.manager))
        refusal = self._refusal
        if refusal is not None and refusal.blocker is not None and refusal.blocker.is_gone():
            return ""
        return f"`{refusal.path}` at {refusal.filename}:{refusal.lineno}, a {refusal.type_name}" if refusal is not None else ""

    def holds(self) -> bool:
        """Whether nothing can be saved now. That is remembered, and told: a checkpoint would have been made."""
        if self.known_blocks is None and self._refusal is None:
            return False
        block = self._first_open()
        held = block is not None or self._is_blocked()
        if held:
            self._is_held()
        if block is not None and block.manager not in self._told_within and not self._is_told(block.place, block.manager):
            self._tell(block.place, _about_block(block), block.manager)
        return held

    def _is_held(self) -> None:
        """Remember it, and raise HoldLimitError if it has been so for too long."""
        now = time.monotonic()
        if not self.owes:
            self.owes, self._since = True, now
            self._told_of, self._told_within = Met(), Met()
            if self.life is not None:
                self._recorder = asyncio.get_running_loop().call_later(RECORDED_AFTER, self._record)
            if self.limit is not None and self.wake is not None:
                self._alarm = asyncio.get_running_loop().call_later(self.limit, self.wake)
        elif self.limit is not None and now - self._since >= self.limit:
            raise HoldLimitError(
                f"instance {self.encoder.instance_id!r} was held for more than {self.limit:g} s by {self.why()}: it was let go "
                f"of, and goes on from checkpoint {max(self.checkpoint, 0)} when it is run again. Keep what holds shorter, or "
                "raise `hold_limit`"
            )

    def _record(self) -> None:
        why = self.why()
        if why and self.life is not None:
            self.life.record_hold(HoldRecord(why, time.time() - (time.monotonic() - self._since)))

    def seal_answer(self, question_id: str, *, is_error: bool, value: Any) -> bytes:
        """See ``Life``."""
        if self.life is None:
            raise DurableError("nobody can be answered here: the instance runs without a runtime")
        return self.life.seal_answer(question_id, is_error=is_error, value=value)

    def has_labels(self) -> None:
        """See ``Life``."""
        if self.life is not None:
            self.life.has_labels()

    def _is_blocked(self) -> bool:
        refusal = self._refusal
        if refusal is None or self._is_gone():
            return False
        return time.monotonic() < self._try_again_at

    def _is_gone(self) -> bool:
        """Whether what could not be saved is there no more; then it is forgotten."""
        refusal = self._refusal
        if refusal is not None and refusal.blocker is not None and refusal.blocker.is_gone():
            self._forget_refusal()
            return True
        return False

    def _forget_refusal(self) -> None:
        self._refusal = None
        if self._hold is not None:
            self.blocks.doors.hold_closed(self._hold, time.monotonic())
            self._hold = None

    def is_refused(self, error: UnsavableStateError, cost: float) -> None:
        """A checkpoint could not be made, and trying that took ``cost`` seconds."""
        error.__traceback__ = error.__cause__ = error.__context__ = None  # they would keep alive what the program lets go of
        if self._refusal is not None and not _is_same(error, self._refusal):
            self._forget_refusal()
        self._refusal = error
        self._is_held()
        if error.blocker is not None:
            self.blocks.could_not_save(error.blocker.value)
        if self._hold is None:
            self._hold = self.blocks.doors.hold_opened(error.lineno, time.monotonic(), is_block=False)
        least = LEAST_PATIENCE if error.blocker is not None else LEAST_PATIENCE / 10
        self._try_again_at = time.monotonic() + max(least, PATIENCE_FACTOR * cost)
        if error.blocker is not None or self._seen == str(error):  # else it may be over in a moment
            self._tell_refusal(error)
        self._seen = str(error)

    def _tell_refusal(self, error: UnsavableStateError) -> None:
        culprit, value = (error.blocker.culprit(), error.blocker.value) if error.blocker is not None else (None, None)
        if value in self._told_of:
            return
        self._tell(f"{error.filename} {error.function} {error.type_name}", str(error), culprit)
        self._told_within.add(value)

    def is_over(self, checkpoint: int) -> None:
        """A checkpoint was made."""
        self.checkpoint, self._is_first, self.is_due_at = checkpoint, False, None
        if self.owes:  # else nothing was told, and no timer runs
            self.owes = False
            self._forget_refusal()
            self._told_of = self._told_within = NOTHING_MET
            self.stop_reminding()
        if self.known_blocks is not None and self.known_blocks.known_doors is not None:
            self.known_blocks.known_doors.committed(time.monotonic())

    def begins_again(self) -> None:
        """It goes on from a checkpoint of another life, or from its call."""
        self._is_first = True

    def enters_again(self) -> bool:
        """Whether a block is being entered that an earlier life has entered perhaps, and gone on from there."""
        return self.known_blocks is not None and any(block.is_again for block in self.known_blocks.entering.values())

    def puts_off(self, task: Any) -> bool:
        """Whether the checkpoint that the end of a step of ``task`` is may be made a moment later: it brings next to nothing.

        A block that holds is entered again on resume, whatever of that has been done: of ``task`` nothing would be kept. To leave
        a block whose response was read, and saved, is no more than plain code. Often another step ends before the moment is over.
        """
        blocks = self.known_blocks
        if blocks is None:
            return False
        now = time.monotonic()
        if task in blocks.entering:
            puts_off = blocks.known_doors is not None and blocks.known_doors.has_just_committed(now)
        else:
            puts_off = any(block.task is task and block.was_spent for block in blocks.open)
        if puts_off and self.is_due_at is None:
            self.is_due_at = now + MOMENT
        return puts_off

    def is_due(self, status: str) -> bool:
        """Whether such a checkpoint is to be made now, where nothing of the instance is ready: then it delays nothing."""
        if self.is_due_at is None or (status == "running" and time.monotonic() < self.is_due_at):
            return False
        self.is_due_at = None
        return True

    def until_due(self) -> float | None:
        """Seconds until then."""
        return None if self.is_due_at is None or self.owes else max(self.is_due_at - time.monotonic(), 0.0)

    def check_free(self, task: Any, what: str) -> None:
        """Raise DurableError if ``task`` is inside a block that holds: then ``what`` is not possible."""
        block = self.blocks.of_task(task)
        if block is not None:
            here = line_of_place(place_of(sys._getframe(1)))
            raise DurableError(f"{here}: {what} is not possible {block.inside(type_name(block.manager))}")

    async def until_free(self, task: Any, what: str) -> None:
        """Wait until no block is open that holds. Raises as ``check_free`` does."""
        delay = 0.001
        while self._first_open() is not None:
            self.check_free(task, what)
            await asyncio.sleep(delay)
            delay = min(2 * delay, 0.05)

    # --- doors

    def keeps_out(self, task: Any, loop: InstanceLoop) -> bool:
        """Whether a task that is about to open a block that holds has to wait."""
        blocks = self.known_blocks
        if blocks is None or task not in blocks.entering or blocks.of_task(task) is not None:
            return False
        return not self.doors_are_open(loop)

    def keeps_from_turn(self, task: Any) -> bool:
        """Whether a task that holds nothing does not get its turn: it has opened a hold from there before."""
        if self.known_blocks is None:
            return False
        doors = self.known_blocks.known_doors
        if doors is None or doors.opens_at is None or self.blocks.of_task(task) is not None:
            return False
        stack = task.stack()
        state = capture(stack[-1]) if stack else None
        return state is not None and not doors.may_take_turn((state.info.code, state.label), time.monotonic())

    def doors_are_open(self, loop: InstanceLoop) -> bool:
        """Whether blocks may be opened now."""
        doors = self.blocks.doors
        self._is_gone()
        if doors.opens_at is not None and any(_waits_for_instance(block.task, loop) for block in self.blocks.all_open()):
            doors.waits_for_us()
        return doors.may_open(time.monotonic())

    def until_doors_open(self) -> float:
        """Seconds until they open by themselves."""
        doors = self.known_blocks.known_doors if self.known_blocks is not None else None
        return max(doors.opens_at - time.monotonic(), 0.0) if doors is not None and doors.opens_at is not None else 0.0

    # --- telling

    def waits(self, until: float | None, now: float, place: str) -> None:
        """Nothing of the instance will happen before an event comes, or until the time given."""
        if until is not None and until - now <= LONG:
            return
        what = "an event" if until is None else f"{until - now:.0f} s"
        self._tell(
            f"wait {place}",
            f"it waits for {what} at {place} while it is held by {self.why()}: after a crash what ran since checkpoint "
            f"{self.checkpoint} runs again. Wait behind the block",
        )

    def _tell(self, key: str, sentence: str, subject: Any = None) -> None:
        """Once for each key, and once for what the sentence is about while it holds."""
        is_known = self._is_told(key, subject)
        self._told |= {key}
        self._told_of.add(subject)
        if is_known:
            return
        again = f"what ran since checkpoint {self.checkpoint} was held before too, and runs again. " if self._is_first else ""
        self._is_first = False
        self._say(f"held since checkpoint {max(self.checkpoint, 0)}: {again}{sentence}")
        self._remind(0)

    def _say(self, sentence: str) -> None:
        if self.life is not None:
            self.life.is_held(sentence)
        else:
            logger.warning(sentence)

    def _is_told(self, key: str, subject: Any) -> bool:
        return key in self._told or subject in self._told_of

    def _remind(self, number: int) -> None:
        if self._reminder is not None:
            self._reminder.cancel()
        seconds = REMINDERS[min(number, len(REMINDERS) - 1)]
        self._reminder = asyncio.get_running_loop().call_later(seconds, self._tell_again, number)

    def _tell_again(self, number: int) -> None:
        why = self.why()
        if why:
            self._say(f"held since checkpoint {max(self.checkpoint, 0)}, still, by {why}: nothing is saved meanwhile")
            self._remind(number + 1)

    def stop_reminding(self) -> None:
        """The hold is over, or the instance is let go of."""
        for timer in filter(None, (self._reminder, self._alarm, self._recorder)):
            timer.cancel()
        self._reminder = self._alarm = self._recorder = None


def _is_same(error: UnsavableStateError, before: UnsavableStateError) -> bool:
    """Whether the same object could not be saved."""
    if error.blocker is not None and before.blocker is not None:
        return error.blocker.value is before.blocker.value
    return str(error) == str(before)


def _waits_for_instance(task: Any, loop: InstanceLoop) -> bool:
    """Whether a task waits for what another task or a callback of the instance does: not for a step, and not for time."""
    waiter = task._fut_waiter
    if waiter is None or task.step is not None or task.turn is not None:
        return False
    coming: list[asyncio.Handle] = [*loop.timers, *loop.ready]  # the timers whose time has come are ready already
    return not any(part is waiter for handle in coming if not handle.cancelled() for part in handle._args or ())


_OF_SHARED = "What to do: release it before what takes long; one that the instance makes itself is part of its state"


def _about_block(block: HoldingBlock) -> str:
    if isinstance(block, HeldLock):
        return (
            f"{block.described(type_name(block.manager))} is shared with other instances. Nothing is saved until it is released: "
            f"after a crash what ran since then runs again. {_OF_SHARED}"
        )
    if isinstance(block.manager, LoopBound):
        return (
            f"the `with` block at {line_of_place(block.place)} has taken a {type_name(block.manager)} that is shared with other "
            f"instances. Nothing is saved until the block ends: after a crash what ran since then runs again. {_OF_SHARED}"
        )
    return (
        f"the `with` block at {line_of_place(block.place)} has a {type_name(block.manager)} open, which could not be brought "
        f"back. Nothing is saved until the block ends: after a crash what ran since then runs again{_what_to_do(block.manager)}"
    )


def _what_to_do(manager: Any) -> str:
    advice = advice_for(manager, is_open=True)
    return f". What to do: {advice}" if advice else ""


def _place_of_taking(frame: FrameType, task: DurableTask) -> str:
    """Where the program has taken a lock; ``wait_for`` does that in a task of its own in Python 3.11."""
    if frame_of_program(frame) is not None:
        return place_of(frame)
    above = task.path.rpartition(".")[0]
    return next((location_of(each) for each in task.loop.tasks if each.path == above), "") or place_of(frame)
