"""One life of one instance in this process: from the claim until it ends, or is suspended."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from ...aio.gate import Gate
from ...aio.questions import ASKED
from ...errors import (
    CodeChangedError,
    DurableError,
    FencedError,
    InstanceMismatchError,
    InstanceSuspendedError,
    RanAfterFailureError,
    SnapshotError,
    StoreUnavailableError,
    UnknownInstanceError,
    UnsavableStateError,
)
from ...frames.capture import is_rewritten_function, parts_of
from ...holds.opening import leave_opened
from ...hook.code_table import info_of
from ...log import logger
from ...snapshot.encoder import Encoder
from ...snapshot.incremental.format_policy import FormatPolicy
from ...snapshot.module_data.modules import ScriptData
from ...snapshot.payload import DRIFT, HANDED, LABELS, LIVES, Snapshot
from ...snapshot.sealing.way_out import StateBefore
from ...snapshot.tasks.contexts import is_ours
from ...stores.state import FINISHED, NO_ORIGIN, Event, HoldRecord, InstanceState, Origin, check_size
from ...stores.store import Begun
from ...upgrades.kept import KeptTexts
from ...upgrades.renames import is_called
from .checkpoint import Checkpoint, flush_output
from .claiming import Claiming
from .driver import InstanceDriver
from .failed import restore_way_out, skip_keys, way_taken
from .given import NOTHING_GIVEN, given_by, set_again, warn_of_lost
from .giving_up import check_attempts, failure_by, is_past_deaths
from .handed import Handed, give_back, handed_to, handed_today
from .host import Host
from .labels import LabelWriter
from .lease import InstanceLease
from .lives import count_lives, lives_before, with_another_life
from .mail import Mail
from .migration import MIGRATE, Migration, asked_by, packed, put_back, request_for
from .opening import Opening, OpeningCancelledError
from .process_changes import tell_of_process_changes
from .records import Call, Outcome, Records, WayTaken, digest_of_call, failure_of, incarnation_of, mailbox_of, summary_of
from .reopening import reopened
from .rewinding import REWIND, rewind_if_asked
from .root import make_root, without_instance

T = TypeVar("T")
SEGMENTS_FROM = 32  # tasks: the state of fewer is always written as a whole


class InstanceRun:
    """The life of ``instance_id``. ``call`` begins it if it does not exist; None: it must exist.

    ``context``: the context variables of who begins it; ``origin``: what else a new one has from that. ``evict_after``: seconds
    to wait for time or events in memory, then it is suspended; None: for ever.
    """

    __slots__ = (
        "_before", "_claiming", "_cut", "_from_failure", "_given", "_handed", "_labels", "_mail", "_migration",
        "_opening", "_recording", "_retries", "_root", "_way", "begins_again", "begun", "call", "context", "driver",
        "evict_after", "host", "instance_id", "is_suspending", "lease", "records", "task",
    )  # fmt: skip

    def __init__(
        self,
        host: Host,
        instance_id: str,
        call: Call | None = None,
        *,
        context: contextvars.Context,
        origin: Origin = NO_ORIGIN,
        retries: bool = False,
        from_failure: bool = False,
        evict_after: float | None = None,
    ) -> None:
        self.host = host
        self.instance_id = instance_id
        self.call = call
        self.context = context
        self.driver: InstanceDriver | None = None
        self.records = Records(host.seal, instance_id, context)
        self.lease = InstanceLease(host, instance_id, self.records, origin)
        self.task: asyncio.Task[Any] | None = None  # that it has of its own, if any
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_suspending = False
        self.begins_again = False  # when it is suspended
        self.evict_after = evict_after
        self._retries = retries or host.retries_failed
        self._from_failure = from_failure or host.from_failure
        self._way = WayTaken()  # of the exception by which it has failed
        self._before: StateBefore | None = None  # that it goes back to
        self._migration: Migration | None = None  # that it was asked for before it goes on
        self._claiming = Claiming(self.lease, self._is_kept)
        self._mail = Mail(self.lease, self._obeys)
        self._opening: Opening[Any] | None = None  # of what the program had open
        self._cut: FencedError | StoreUnavailableError | None = None  # why it is let go of
        self._given = NOTHING_GIVEN
        self._recording: asyncio.Task[None] | None = None  # of a hold, for others to see
        self._handed: Handed = {}  # to a run that was begun before, by the code that resumes it
        self._labels: LabelWriter | None = None  # once there were any
        self._root: Any = None  # the coroutine of a call that has not begun

    @property
    def state(self) -> InstanceState | None:
        """What is kept of it; None before anything is."""
        return self.lease.state

    # --- from beginning to end

    async def to_end(self, make: Callable[[], Any] | None = None, after: float = 0.0) -> Outcome:
        """Begin or resume, and drive to the end. What is not an outcome of the program is raised.

        ``make`` gives the coroutine of an instance that begins by being awaited, without a recorded call. ``after``: seconds to
        wait before it begins once more, and then until the store is there: it was away in a transaction.
        """
        self._cut, self.driver = None, None
        try:
            if after:
                await asyncio.sleep(after)
            is_new = await self._begin(make, begins_again=after > 0.0)
            if make is None:
                await self.host.slices.turn()
            elif self.host.script is not None and self.state is not None:
                self._handed = handed_today(make)
            if self.state is not None and self.state.status in FINISHED and not self._tries_again(self.state):
                return self._giving_back(self.records.open_outcome(self.state, self.lease.call, self._encoder()))
            self._migration = await self._request_to_migrate()
            self._find_before()
            self._take_context(make, is_new=is_new)
            encoder = self._encoder()
            try:
                self.driver = await self._make_driver(encoder, make, is_new=is_new)
            except OpeningCancelledError:
                assert self.state is not None
                return await self._cancelled_unopened(self.state.checkpoint, encoder)
            if make is None or self.host.script is None:  # else the script's own code sets them again
                warn_of_lost(self._given, self.instance_id, parts_of(self.driver.coroutine).code, self.lease.about())
            if self.host.telemetry is None:
                return self._giving_back(await self._drive(self.driver, encoder))
            with self.host.telemetry.life(self.driver, is_resumed=self._is_resumed(), wake_at=self._wake_at()) as life:
                outcome = await self._drive(self.driver, encoder)
                life.has_outcome(outcome)
                return self._giving_back(outcome)
        except asyncio.CancelledError as error:
            raise self._has_left(self._why_suspended() if self.is_suspending else error) from None
        except BaseException as error:
            self._has_left(error)
            self._note_failure(error, make)
            raise
        finally:
            self._drop_root()
            await self._finish_labels()
            await self.lease.release(has_lived=self.driver is not None)

    async def _finish_labels(self) -> None:
        labels, self._labels = self._labels, None
        if labels is not None:
            await labels.finish()

    def _giving_back(self, outcome: Outcome) -> Outcome:
        return give_back(outcome, self._handed) if self._handed else outcome

    def _has_left(self, error: BaseException) -> BaseException:
        """Tell its caller, if there is one, why it did not begin."""
        if not self.begun.done():
            self.begun.set_exception(error)
            self.begun.exception()
        return error

    def _note_failure(self, error: BaseException, make: Callable[[], Any] | None) -> None:
        """Keep, as it is let go of, why it cannot go on; a person, or the program that awaits it, is told, and decides."""
        was_refused = self.call is not None and self.begun.done() and self.begun.exception() is not None
        if make is None and self.host.script is None and self.lease.failure is None and not was_refused:
            has_committed = self.driver is not None and self.driver.kept is not None
            self.lease.failure = failure_by(error, self.lease, has_committed=has_committed)

    def _why_suspended(self) -> DurableError:
        """What has cut it short, wherever it was: while it was taken up, or while what it had opened was being left."""
        return self._cut or InstanceSuspendedError(
            f"instance {self.instance_id!r} was suspended: its state is kept, and it goes on when it is run again"
        )

    async def _begin(self, make: Callable[[], Any] | None, *, begins_again: bool) -> bool:
        """Claim it; a new one with a call is kept from then on. Gives whether it is new."""
        if make is not None:  # what it is given is kept with its first state
            self._given = given_by(self.context, self.records)
            new, call = None, self.records.seal_call(None, self._given.record)
        else:
            new, call = self._first_state() or (None, b"")
        is_awaited = make is not None or self.host.script is not None
        is_new = await self._claiming.begin(new, call, is_awaited=is_awaited, is_patient=begins_again) or self.state is None
        if is_new and new is None and make is None:
            await self._keep_first()
        elif not is_new:
            self._check(make, call)
            if self.host.script is None:
                await check_attempts(self.instance_id, self.lease)
        if not self.begun.done():
            self.begun.set_result(None)
        return is_new

    async def _is_kept(self) -> None:
        """Its caller need not wait until it goes on: it is kept, and by the same call."""
        kept = await self.host.instances.load(self.instance_id)
        if kept is not None and not self.begun.done():
            self.records.check_state(kept.state)
            self.lease.call = kept.call
            self._check(None)
            self.begun.set_result(None)

    def receives(self, begun: Begun, gate: Gate) -> bool:
        """Go on by a claim of somebody else in this process, if it is held back."""
        return not self.is_suspending and self._claiming.receives(begun, gate)

    def _first_state(self) -> tuple[InstanceState, bytes] | None:
        """The state of an instance that has not begun, and its call, for one that is perhaps new; None: only when it is known to
        be that can the call be made, or is told what is wrong with it."""
        if self.call is None or not is_rewritten_function(self.call.function):
            return None
        if not self.call.function.__code__.co_flags & inspect.CO_COROUTINE:
            return None
        try:
            self._root = make_root(self.call, self.instance_id)
            return self._pending(self.call)
        except Exception:
            return None

    def _pending(self, call: Call) -> tuple[InstanceState, bytes]:
        self._given = given_by(self.context, self.records)
        state = InstanceState("pending", 0, "", call.name, None, b"", b"")
        return state, self.records.seal_call(call, self._given.record)

    def _drop_root(self) -> None:
        """Let go of a call that is not going to be made."""
        root, self._root = self._root, None
        if root is not None:
            root.close()

    def _check(self, make: Callable[[], Any] | None, sealed: bytes = b"") -> None:
        """Refuse another call of an instance that exists. ``sealed``: the record of this call, if there is one."""
        self._drop_root()
        if make is None and self.call is not None:
            self.records.check_same(self.call, self.lease.call, sealed)

    async def _keep_first(self) -> None:
        """Keep the call of a new instance."""
        if self.call is None:
            raise UnknownInstanceError(
                f"there is no instance {self.instance_id!r} in {self.host.instances!r}. Check the id, or start it with its "
                "function"
            )
        self._drop_root()
        self._root = make_root(self.call, self.instance_id)
        await self.lease.begin(*self._pending(self.call))

    def _take_context(self, make: Callable[[], Any] | None, *, is_new: bool) -> None:
        """Let the variables that it was given when it began be those of this task."""
        if not is_new:
            given = self.records.open_given(self.lease.call)
            self._given = set_again(given, self.instance_id, self.lease.about())
            return
        if make is None:
            for variable, value in self.context.items():
                if not is_ours(variable):
                    variable.set(value)

    def _is_before_first_checkpoint(self, make: Callable[[], Any] | None, state: InstanceState) -> bool:
        """Whether an instance begins with its call: it has not begun, or it has failed before anything was saved."""
        has_call = make is not None or bool(self.lease.call)
        return state.status == "pending" or (state.status == "failed" and has_call and not state.snapshot)

    def _is_resumed(self) -> bool:
        return self.state is not None and bool(self.state.snapshot)

    def _wake_at(self) -> float | None:
        """When it was to go on, if it was out of memory until then."""
        return self.state.wake_at if self.state is not None else None

    def _tries_again(self, state: InstanceState) -> bool:
        return state.status == "failed" and (self._retries or self.lease.error is not None)

    def _find_before(self) -> None:
        """Of one that has failed, and is tried again: the state from which it goes on, if that is not the last one.

        Raises RanAfterFailureError if it is a person who decides that.
        """
        state, self._way, self._before = self.state, WayTaken(), None
        if state is None or state.status != "failed":
            return
        self._way = self.records.way_taken(state.outcome)
        before = self.lease.go_back() if self._way.has_before else None
        if self._way.steps and not self._from_failure:
            place = (before.location if before is not None else state.location).rpartition(" ")[0]
            raise RanAfterFailureError(self.instance_id, self._way.told(), place)
        self._before = before

    def _encoder(self) -> Encoder:
        host = self.host
        encoder = Encoder(self.instance_id, ScriptData.of(host.script) if host.script else None, self._given.base())
        encoder.begin()
        if self.lease.keeps_segments:
            encoder.format_policy = FormatPolicy(SEGMENTS_FROM)
        return encoder

    async def _make_driver(self, encoder: Encoder, make: Callable[[], Any] | None, *, is_new: bool) -> InstanceDriver:
        host, state, before = self.host, self.state, self._before
        if state is not None and before is not None:
            state = state._replace(checkpoint=before.checkpoint, location=before.location)
        if state is not None and not self._is_before_first_checkpoint(make, state):
            if make is not None:
                self._check_function(make, state)
            driver = await self._open(encoder, state)
            host.observer.resuming(self.instance_id, state)
        elif make is not None:
            host.observer.starting(self.instance_id)
            driver = InstanceDriver(without_instance(make), encoder, self._commit)
            skip_keys(driver.loop, driver.facts, self._way)
            if host.script is not None:
                driver.facts[HANDED] = handed_to(driver.coroutine)
        else:
            assert state is not None
            host.observer.starting(self.instance_id)
            if not is_new and state.status == "pending":
                self._root = make_root(self._recorded_call(state), self.instance_id)
                if self.lease.lives is None:
                    state = with_another_life(state)
                    await self.lease.commit(state, None)
            root, self._root = self._root or make_root(self._recorded_call(state), self.instance_id), None
            assert self.state is not None
            driver = InstanceDriver(root, encoder, self._commit, self.state.checkpoint)
            skip_keys(driver.loop, driver.facts, self._way)
            driver.loop.incarnation = incarnation_of(self.lease.call)
            driver.loop.earlier_lives = self._earlier_lives(is_new=is_new, otherwise=lives_before(state))
        if self.lease.call or state is not None:
            driver.facts["call"] = digest_of_call(self.lease.call)
        if driver.loop.earlier_lives:
            driver.holding.begins_again()
        driver.loop.gate = self.lease.gate
        driver.key_records.keeper = self.lease
        driver.on_wait = host.on_wait
        driver.slices = host.slices
        driver.is_strict = host.hold_limit == 0
        if host.hold_limit is not None:
            driver.holding.limit, driver.holding.wake = host.hold_limit, driver.loop.wake
        driver.holding.life = self
        driver.on_dormant = self._expects_events
        driver.evict_after = self.evict_after
        driver.grace_seconds = host.grace_seconds
        return driver

    def _earlier_lives(self, *, is_new: bool, otherwise: int) -> int:
        """Of an instance that has not come to its first checkpoint."""
        lives = self.lease.lives
        if lives is None:
            return otherwise
        return 0 if is_new else 1 + lives

    # --- for ``holding.Life``

    def record_hold(self, hold: HoldRecord) -> None:
        self._recording = asyncio.ensure_future(self.lease.record_hold(hold))

    def seal_answer(self, question_id: str, *, is_error: bool, value: Any) -> bytes:
        sealed = Records(self.host.seal, mailbox_of(question_id)).seal_answer(is_error=is_error, value=value)
        check_size(self.instance_id, "an answer", len(sealed))
        return sealed

    def has_labels(self) -> None:
        if self._labels is None:
            assert self.driver is not None
            self._labels = LabelWriter(self.driver.loop, self.lease, self.begun.get_loop())
        self._labels.is_told()

    def is_held(self, sentence: str) -> None:
        self.host.observer.held(self.instance_id, sentence)
        if self.host.telemetry is not None and self.driver is not None:
            self.host.telemetry.holds(self.driver.function)

    # ---

    def _recorded_call(self, state: InstanceState) -> Call:
        call = self.records.open_call(self.lease.call)
        assert call is not None  # one that began by being awaited was awaited again
        name = state.function if is_called(state.function, getattr(call.function, "__module__", ""), call.name) else call.name
        self.records.check_row(state, self.lease.call, {"checkpoint": 0, "function": name})
        return call

    def _check_function(self, make: Callable[[], Any], state: InstanceState) -> None:
        fresh = without_instance(make)
        info = info_of(parts_of(fresh).code)
        module, function = info.module.name if info is not None else "", parts_of(fresh).code.co_qualname
        fresh.close()
        if state.function != function and not is_called(state.function, module, function):
            raise InstanceMismatchError(
                f"instance {self.instance_id!r} is a run of {state.function!r}, not of {function!r}: "
                "choose another instance id, or start afresh. If it is the same one under another name, say so at module level: "
                f'durable_import.renamed("{module}:{state.function}", "{module}:{function}")'
            )

    async def _open(self, encoder: Encoder, state: InstanceState) -> InstanceDriver:
        payload, segments = await self.lease.load_snapshot()
        migration, snapshot = self._migration, None
        if migration is not None and not migration.undo:
            snapshot = await self._moved_by_hand(encoder, payload, segments, migration, has_failed=state.status == "failed")
        if snapshot is None:
            encoder.kept_texts = KeptTexts(self.host.on_change, has_failed=state.status == "failed")
            snapshot = await self._read(encoder, payload, segments)
        kept = encoder.kept_texts
        assert kept is not None
        changed = {**kept.moved, **kept.pinned}
        if changed:
            self.host.observer.moved(self.instance_id, ", ".join(sorted(changed.values())))
        assert snapshot.loop is not None
        assert self.state is not None
        driver = InstanceDriver(snapshot.loop, encoder, self._commit, self.state.checkpoint)
        try:
            self.records.check_row(state, self.lease.call, snapshot.facts)
        except SnapshotError:
            driver.drop()
            raise
        if migration is not None:
            driver.loop.inbox.accepted.update((number, "") for number in migration.numbers)
            driver.commits_first = True
        driver.may_enter_again = snapshot.has_blocks or bool(driver.loop.slots)
        driver.facts = snapshot.facts
        driver.loop.earlier_lives, driver.loop.drift = 1 + driver.facts.pop(LIVES, 0), driver.facts.pop(DRIFT, 0.0)
        driver.loop.labels = driver.facts.pop(LABELS, None)
        if self.lease.lives:
            count_lives(driver.loop, self.lease.lives)
        driver.keeps_life = self._before is not None or (state.status == "running" and self.lease.lives is None)
        restore_way_out(driver.loop, driver.facts, self._way, self.lease.before)
        return driver

    async def _read(self, encoder: Encoder, payload: bytes, segments: dict[str, bytes]) -> Snapshot:
        """A snapshot, to go on; raises a SnapshotError that says what is in the way."""
        try:
            return await reopened(encoder, payload, segments, self.host.sources, self._opened)
        except CodeChangedError as error:
            if error.digest:
                error.add_note(await self.host.sources.difference(error))
            raise
        except (DurableError, OpeningCancelledError):
            raise
        except Exception as error:
            about = "; ".join([str(error), *getattr(error, "__notes__", [])])
            raise SnapshotError(
                f"the saved state of instance {self.instance_id!r} cannot be restored: {type(error).__name__}: {about}. "
                "It is kept: mend what is missing and run again, or start afresh"
            ) from error

    # --- to other code by hand, and back: see ``migration``

    async def _request_to_migrate(self) -> Migration | None:
        """What is asked for of one that is about to go on from a snapshot; what is to be undone is, before anything is read."""
        if self.state is None or not self.state.snapshot:
            return None
        await rewind_if_asked(self.lease)
        if not self.state.snapshot:
            return None  # it begins again
        migration = await request_for(self.lease)
        if migration is not None and migration.undo:
            await put_back(self.lease, self.state)
        return migration

    async def _moved_by_hand(
        self, encoder: Encoder, payload: bytes, segments: dict[str, bytes], migration: Migration, *, has_failed: bool
    ) -> Snapshot | None:
        """The snapshot in the code of today, when it is kept what it was; None if it cannot move, which is told."""
        kept = encoder.kept_texts = KeptTexts("move", by_hand=True, unpins=migration.to_new_code, has_failed=has_failed)
        try:
            snapshot = await self._read(encoder, payload, segments)
        except SnapshotError as error:
            what = "instance %s stays in the code that it is in: %s"
            logger.warning(what, self.instance_id, error, extra=self.lease.about())
            return None
        if kept.moved:
            assert self.state is not None
            await self.lease.keep_before(packed(self.state, await self.lease.load_segments()))
        return snapshot

    def _obeys(self, event: Event) -> bool:
        """Whether an event is a request to move it, of one that is under way."""
        if event.name == MIGRATE:
            self._is_asked_to_migrate(event)
        elif event.name == REWIND:
            self._is_asked_to_rewind()
        else:
            return False
        return True

    def _is_asked_to_migrate(self, event: Event) -> None:
        """Of one that is under way: what is in the code of this process already has nothing to do, else it begins again."""
        driver = self.driver
        assert driver is not None
        migration = asked_by([event], self.records.open_event)
        if migration is None or event.number in driver.loop.inbox.accepted:
            return
        if not migration.is_for_this_process():
            driver.evict_after = None  # because of the event it would be taken up again at once
        elif (migration.undo or migration.to_new_code) and self._has_snapshot(driver):
            self.suspend()
            self.begins_again = True
        else:
            driver.loop.inbox.accepted[event.number] = ""
            driver.loop.is_dirty = True

    def _is_asked_to_rewind(self) -> None:
        """Of one that is under way: it begins again, from there. One that was never saved has nothing to go back to."""
        assert self.driver is not None
        if self._has_snapshot(self.driver):
            self.suspend()
            self.begins_again = True

    def _has_snapshot(self, driver: InstanceDriver) -> bool:
        """Whether there is one to begin again from: it was opened, or committed since."""
        return driver.encoder.kept_texts is not None or driver.kept is not None

    async def _drive(self, driver: InstanceDriver, encoder: Encoder) -> Outcome:
        """One coroutine, for each takes memory while the instance waits."""
        if driver.loop.labels:
            self.has_labels()
        if driver.loop.inbox.answers:
            await self._mail.send_answers(driver.loop.inbox.answers, driver.loop)
        try:
            if driver.may_enter_again:
                try:
                    await self._opened(driver.enter_again())
                except OpeningCancelledError:
                    return await self._cancelled_unopened(driver.checkpoint, encoder)
            try:
                if self.is_suspending:
                    driver.suspend()
                await self._mail.take_first(driver)
                outcome = Outcome("completed", await driver)
            except BaseException as error:
                failed = self._outcome_of(error, driver)
                if failed is None:
                    raise
                outcome = failed
            if HANDED in driver.facts:
                outcome = replace(outcome, handed=driver.facts[HANDED])
            return await self._finished(outcome, driver.checkpoint, encoder)
        finally:
            driver.give_back()
            if not driver.ended:
                await leave_opened(driver.loop)

    def _outcome_of(self, error: BaseException, driver: InstanceDriver) -> Outcome | None:
        """How the program ended by an exception; None: it did not."""
        is_failure = isinstance(error, Exception)
        if is_failure and self._cut is not None:
            raise self._cut from None
        if not driver.ended:
            return None
        if isinstance(error, asyncio.CancelledError):
            return Outcome("cancelled", None, error)
        if not is_failure and self.task is None:
            return None  # natively it ends the program that awaits this, and not only the instance
        return Outcome("failed", None, failure_of(error))

    async def _finished(self, outcome: Outcome, checkpoint: int, encoder: Encoder) -> Outcome:
        """The same, or what is kept in its place, once it is kept."""
        try:
            await self._finish(outcome, checkpoint, encoder)
        except UnsavableStateError as error:
            outcome = Outcome("failed", None, error)
            await self._finish(outcome, checkpoint, encoder)
        return outcome

    async def _opened(self, opening: Coroutine[Any, Any, T]) -> T:
        """What opening again what the program had open gives; suspending and cancelling the instance do not wait for it."""
        begun: Opening[T] = Opening(opening)
        self._opening = begun
        try:
            return await begun.result(self.instance_id)
        finally:
            self._opening = None

    async def _cancelled_unopened(self, checkpoint: int, encoder: Encoder) -> Outcome:
        """It was cancelled when it had nothing that it could go on with."""
        logger.warning(
            "instance %s was cancelled, and what it had open could not be opened again: its `finally` blocks do not run",
            self.instance_id,
            extra=self.lease.about(),
        )
        outcome = Outcome("cancelled", None, asyncio.CancelledError())
        await self._finish(outcome, checkpoint, encoder)
        return outcome

    async def _finish(self, outcome: Outcome, checkpoint: int, encoder: Encoder) -> None:
        """Keep how it ended, after a checkpoint. The last state of a failed one stays: it can be tried again from there.

        Raises UnsavableStateError for a result.
        """
        await self._finish_labels()
        call = self.lease.call
        if self.driver is not None and self.driver.loop.inbox.answers:
            await self._mail.send_answers(self.driver.loop.inbox.answers, self.driver.loop)
        if outcome.status == "cancelled":
            cancel = partial(self.host.cancel_children, self.instance_id, incarnation_of(call))
            await self.lease.patiently(cancel, "the children are not cancelled yet")
        before = self.state or InstanceState("running", 0, "", self._function(), None, b"", b"")
        if outcome.status == "failed":
            about = self.lease.about()
            if self.task is not None:
                what, error = summary_of(outcome.error), outcome.error
                logger.warning("instance %s failed: %s", self.instance_id, what, exc_info=error, extra=about)
            else:  # the task that awaits it is told
                logger.debug("instance %s failed: %s", self.instance_id, summary_of(outcome.error), extra=about)
            way = way_taken(self.driver.loop, has_before=self.lease.before is not None) if self.driver is not None else WayTaken()
            outcome = replace(outcome, way=way)
            state = before._replace(status="failed", wake_at=None)
            state = state._replace(outcome=self.records.seal_outcome(outcome, state, call, encoder))
            await self.lease.end(state, keeps_snapshot=True)
            return
        state = InstanceState(outcome.status, checkpoint + 1, "", before.function, None, b"", b"")
        state = state._replace(outcome=self.records.seal_outcome(outcome, state, call, encoder))
        flush_output()
        await self.lease.end(state, keeps_snapshot=False)

    def _function(self) -> str:
        """Of one of which nothing could be saved."""
        assert self.driver is not None
        return self.driver.function

    def _commit(self, checkpoint: Checkpoint) -> Awaitable[None] | None:
        tell_of_process_changes(checkpoint.code, self.instance_id, in_application=self.host.script is None)
        if self.lease.attempts and self.driver is not None and is_past_deaths(self.driver.loop, self.host.max_attempts):
            self.lease.is_trusted()
        committing = self.lease.commit_checkpoint(checkpoint)
        if committing is None and not checkpoint.events and not checkpoint.answers:
            return None
        return self._commit_in_time(committing, checkpoint)

    async def _commit_in_time(self, committing: Awaitable[None] | None, checkpoint: Checkpoint) -> None:
        if committing is not None:
            await committing
        if checkpoint.way_out is None and self.driver is not None:  # else the state before has not had them
            await self._mail.is_in_state(checkpoint, self.driver.loop)

    # --- from outside

    def suspend(self) -> None:
        """Let go of it as it was at the last checkpoint."""
        self.is_suspending, self.begins_again = True, False
        if self._opening is not None:
            self._opening.suspend()
        elif self.driver is not None:
            self.driver.suspend()
        elif self.task is not None:
            self.task.cancel()

    def is_lost(self) -> None:
        """Somebody else has it now."""
        self._cut = FencedError(
            f"instance {self.instance_id!r} was taken over by another owner while this process owned it (its lease had run "
            "out): it was let go of here, and goes on there."
        )
        self.suspend()

    def loses_transaction(self, error: StoreUnavailableError) -> None:
        """It has to go on from before the transaction that it is in: see ``InstanceLease.has_lost_transaction``."""
        assert self.driver is not None
        self._cut, self.lease.has_lost_transaction = error, True
        self.driver.suspend()

    def _expects_events(self) -> None:
        assert self.driver is not None
        self.host.expects_events(
            self.instance_id, [name for name in self.driver.loop.inbox.waiting if not name.startswith(ASKED)]
        )

    async def take_events(self) -> None:
        """Give the program the events that the store has for it."""
        opening = self._opening
        if opening is not None:
            await self._mail.is_cancelled_while(opening, lambda: self._opening is not None)
        else:
            await self._mail.take(self.driver)
