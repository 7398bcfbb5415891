"""One life of one instance in this process: from the claim until it ends, or is suspended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from types import FrameType
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import (
    CodeChangedError,
    DurableError,
    FencedError,
    InstanceMismatchError,
    NotDurableError,
    SnapshotError,
    StoreError,
    StoreUnavailableError,
    UnknownInstanceError,
    UnsavableStateError,
)
from ..frames import ambient
from ..frames.capture import FRAME_TYPES, parts_of
from ..log import logger
from ..rewrite.registry import info_of
from ..snapshot.economy import Economy
from ..snapshot.modules import ScriptData
from ..snapshot.seal import Seal
from ..snapshot.segment_seal import SegmentSeal
from ..snapshot.snapshot import Encoder, Saved
from ..stores.base import FINISHED, Claim, EventStore, OwningStore, SegmentStore, StateStore, Transaction, keeps_history
from ..stores.owner import Owner
from .driver import Checkpoint, InstanceDriver, flush_output
from .heartbeat import Heartbeat
from .misuse import why_not_durable
from .records import Call, Outcome, Records, failure_of, row_facts, summary_of
from .sources import Sources

if TYPE_CHECKING:
    from .telemetry import Telemetry

SEGMENTS_FROM = 32  # tasks: the state of fewer is always written as a whole
CANCEL = "@cancel"  # the event that cancels an instance
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 30.0  # seconds between attempts to commit


class Observer(Protocol):
    """Is told what happens to instances. ``state`` is the last one committed."""

    def starting(self, instance_id: str) -> None: ...

    def resuming(self, instance_id: str, state: dict[str, Any]) -> None: ...


class Home(Protocol):
    """What an instance needs of the runtime that it lives in."""

    store: StateStore
    events: EventStore
    seal: Seal
    owner: Owner
    lease_seconds: float
    script: str | None
    retries_failed: bool
    patience: float | None
    on_wait: Callable[[float], None] | None
    observer: Observer
    heartbeat: Heartbeat
    sources: Sources
    telemetry: Telemetry | None
    refused_events: set[int]  # numbers of those that cannot be opened, each reported once

    def expects_events(self, instance_id: str, names: Iterable[str]) -> None:
        """An instance waits for events."""
        ...

    def about(self, instance_id: str, checkpoint: int | None = None) -> dict[str, Any]:
        """What a record of the log says of an instance."""
        ...


class InstanceRun:
    """The life of ``instance_id``. ``call`` begins it if it does not exist; None: it must exist.

    ``evict_after``: seconds to wait for time or events in memory, then it is suspended; None: for ever.
    """

    def __init__(
        self, home: Home, instance_id: str, call: Call | None = None, *, retries: bool = False, evict_after: float | None = None
    ) -> None:
        self.home = home
        self.instance_id = instance_id
        self.call = call
        self.claim: Claim | None = None
        self.state: dict[str, Any] = {}
        self.driver: InstanceDriver | None = None
        self.transaction: Transaction | None = None  # of the program's data, that the next checkpoint is committed with
        self.has_lost_transaction = False  # it could not be committed: the program has to go on from before it
        self.records = Records(home.seal, instance_id)
        self.task: asyncio.Task[Any] | None = None  # that it has of its own, if any
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_suspending = False
        self.evict_after = evict_after
        self._retries = retries or home.retries_failed
        self._seal = SegmentSeal(home.seal, instance_id)
        self._fenced: FencedError | None = None
        self._root: Any = None  # the coroutine of a call that has not begun

    # --- from beginning to end

    async def to_end(self, make_root: Callable[[], Any] | None = None) -> Outcome:
        """Begin or resume, and drive to the end. What is not an outcome of the program is raised.

        ``make_root`` gives the coroutine of an instance that begins by being awaited, without a recorded call.
        """
        try:
            await self._acquire()
            if make_root is None:
                await self._check()
            if not self.begun.done():
                self.begun.set_result(None)
            encoder = self._encoder()
            if self.state.get("status") in FINISHED and not self._tries_again():
                return self._kept_outcome(encoder)
            self.driver = await self._make_driver(encoder, make_root)
            if self.home.telemetry is None:
                return await self._drive(self.driver, encoder)
            with self.home.telemetry.life(self.driver, is_resumed=self._is_resumed()) as life:
                outcome = await self._drive(self.driver, encoder)
                life.has_outcome(outcome)
                return outcome
        except BaseException as error:
            if not self.begun.done():
                self.begun.set_exception(error)
                self.begun.exception()  # who asks is told; nobody may ask
            raise
        finally:
            if self._root is not None:
                self._root.close()
            if self.transaction is not None:
                transaction, self.transaction = self.transaction, None
                await transaction.rollback()
            await self._release()

    async def _check(self) -> None:
        """Keep the call of a new instance; refuse another call of one that exists."""
        if self.state:
            if self.call is not None:
                self.records.check_same(self.call, self.state["call"])
            return
        if self.call is None:
            raise UnknownInstanceError(
                f"there is no instance {self.instance_id!r} in {self.home.store!r}. Check the id, or start it with its function"
            )
        self._root = self._make_root(self.call)
        sealed = self.records.seal_call(self.call)
        await self._commit_state(
            {
                "status": "pending", "checkpoint": 0, "location": "", "function": self.call.name, "wake_at": None,
                "call": sealed, "snapshot": b"", "outcome": b"",
            },
            None,
        )  # fmt: skip

    def _is_before_first_checkpoint(self) -> bool:
        """Whether an instance with a recorded call begins with that: it has not begun, or it has failed at once."""
        state = self.state
        return state["status"] == "pending" or (state["status"] == "failed" and bool(state["call"]) and not state["snapshot"])

    def _is_resumed(self) -> bool:
        return bool(self.state.get("snapshot"))

    def _tries_again(self) -> bool:
        return self.state["status"] == "failed" and self._retries

    def _kept_outcome(self, encoder: Encoder) -> Outcome:
        return self.records.open_outcome(self.state, encoder)

    def _encoder(self) -> Encoder:
        home = self.home
        encoder = Encoder(self.instance_id, ScriptData.of(home.script) if home.script else None)
        if self.claim is not None and isinstance(home.store, SegmentStore) and not keeps_history(home.store):
            encoder.economy = Economy(SEGMENTS_FROM)
        return encoder

    async def _make_driver(self, encoder: Encoder, make_root: Callable[[], Any] | None) -> InstanceDriver:
        home, state = self.home, self.state
        if state and not self._is_before_first_checkpoint():
            if make_root is not None:
                self._check_function(make_root)
            driver = await self._open(encoder)
            home.observer.resuming(self.instance_id, state)
        elif make_root is not None:
            home.observer.starting(self.instance_id)
            driver = InstanceDriver(self._without_instance(make_root), encoder, self._commit)
        else:
            home.observer.starting(self.instance_id)
            root, self._root = self._root or self._make_root(self._recorded_call()), None
            driver = InstanceDriver(root, encoder, self._commit, state["checkpoint"])
        if state:
            driver.facts["call"] = row_facts(state)["call"]
        driver.on_wait = home.on_wait
        driver.on_dormant = lambda: home.expects_events(self.instance_id, list(driver.loop.inbox.waiting))
        driver.evict_after = self.evict_after
        return driver

    def _recorded_call(self) -> Call:
        call = self.records.open_call(self.state["call"])
        self.records.check_row(self.state, {"checkpoint": 0, "function": call.name})
        return call

    def _check_function(self, make_root: Callable[[], Any]) -> None:
        fresh = self._without_instance(make_root)
        function = parts_of(fresh).code.co_qualname
        fresh.close()
        if self.state["function"] != function:
            raise InstanceMismatchError(
                f"instance {self.instance_id!r} is a run of {self.state['function']!r}, not of {function!r}: "
                "choose another instance id, or start afresh"
            )

    def _make_root(self, call: Call) -> Any:
        """The coroutine of a call. Raises NotDurableError if its code is not rewritten, and what the call raises."""
        made = self._without_instance(lambda: call.function(*call.arguments, **call.keywords))
        if isinstance(made, FRAME_TYPES) and info_of(parts_of(made).code) is not None:
            return made
        why = why_not_durable(made)
        if hasattr(made, "close"):
            made.close()
        raise NotDurableError(
            f"{call.name} of module {getattr(call.function, '__module__', '?')!r} cannot run as instance {self.instance_id!r}: "
            f"it gave {why}"
        )

    @staticmethod
    def _without_instance(make: Callable[[], Any]) -> Any:
        token = ambient.current_driver.set(_NOT_OUTERMOST)
        try:
            return make()
        finally:
            ambient.current_driver.reset(token)

    async def _open(self, encoder: Encoder) -> InstanceDriver:
        store, blob = self.home.store, self.state["snapshot"]
        segments: dict[str, bytes] = {}
        if isinstance(store, SegmentStore) and self._seal.is_in_segments(blob):
            segments = await store.load_segments(self.instance_id)
        payload = self._seal.open(blob, segments)
        self.records.check_is_snapshot(payload)
        try:
            snapshot = encoder.decode(payload, segments)
        except CodeChangedError as error:
            error.add_note(await self.home.sources.difference(error))
            raise
        except DurableError:
            raise
        except Exception as error:
            raise SnapshotError(
                f"the saved state of instance {self.instance_id!r} cannot be restored: {type(error).__name__}: {error}. "
                "It is kept: mend what is missing and run again, or start afresh"
            ) from error
        assert snapshot.loop is not None
        driver = InstanceDriver(snapshot.loop, encoder, self._commit, self.state["checkpoint"])
        try:
            self.records.check_row(self.state, snapshot.facts)
        except SnapshotError:
            driver.drop()
            raise
        driver.facts = snapshot.facts
        return driver

    async def _drive(self, driver: InstanceDriver, encoder: Encoder) -> Outcome:
        try:
            await driver.enter_again()
            if self.is_suspending:
                driver.suspend()
            await self._take_first_events()
            result = await driver
        except asyncio.CancelledError as error:
            if not driver.ended:
                raise
            outcome = Outcome("cancelled", None, error)
        except Exception as error:
            if self._fenced is not None:
                raise self._fenced from None
            if not driver.ended:
                raise
            outcome = Outcome("failed", None, failure_of(error))
        except BaseException as error:
            if not driver.ended or self.task is None:
                raise  # natively it ends the program that awaits this, and not only the instance
            outcome = Outcome("failed", None, failure_of(error))
        else:
            outcome = Outcome("completed", result)
        try:
            await self._finish(outcome, driver, encoder)
        except UnsavableStateError as error:
            outcome = Outcome("failed", None, error)
            await self._finish(outcome, driver, encoder)
        return outcome

    async def _finish(self, outcome: Outcome, driver: InstanceDriver, encoder: Encoder) -> None:
        """Keep how it ended. The last state of a failed one stays: it can be tried again from there.

        Raises UnsavableStateError for a result.
        """
        state = {**self.state, "status": outcome.status, "wake_at": None}
        if outcome.status == "failed":
            if self.task is not None:
                logger.warning(
                    "instance %s failed: %s", self.instance_id, summary_of(outcome.error),
                    exc_info=outcome.error, extra=self._about(),
                )  # fmt: skip
            else:  # who awaits it is told
                logger.debug("instance %s failed: %s", self.instance_id, summary_of(outcome.error), extra=self._about())
            state["outcome"] = self.records.seal_outcome(outcome, state, encoder)
            await self._patiently(state, Saved(b"", {}, is_whole=False))
            return
        state |= {"checkpoint": driver.checkpoint + 1, "location": "", "snapshot": b""}
        state["outcome"] = self.records.seal_outcome(outcome, state, encoder)
        flush_output()
        await self._patiently(state, None)
        events = await self.home.events.load_events(self.instance_id)
        if events:
            await self._remove_events(tuple(event.number for event in events), {})

    # --- from outside

    def suspend(self) -> None:
        """Let go of it as it was at the last checkpoint."""
        self.is_suspending = True
        if self.driver is not None:
            self.driver.suspend()
        elif self.task is not None:
            self.task.cancel()

    def is_lost(self) -> None:
        """Somebody else has it now."""
        self._fenced = FencedError(
            f"instance {self.instance_id!r} was taken over by another owner while this process held it (its lease had run "
            "out): it was let go of here, and goes on there."
        )
        self.suspend()

    async def _take_first_events(self) -> None:
        try:
            await self.take_events()
        except (StoreError, OSError) as error:  # the dispatcher looks again
            logger.warning("events of instance %s were not read: %s", self.instance_id, error, extra=self._about())

    async def take_events(self) -> None:
        """Give the program the events that the store has for it."""
        driver = self.driver
        if driver is None or driver.ended:
            return
        for event in await self.home.events.load_events(self.instance_id):
            try:
                payload = self.records.open_event(event.name, event.payload)
            except SnapshotError as error:
                driver.evict_after = None  # because of the event it would be taken up again at once
                if event.number not in self.home.refused_events:
                    self.home.refused_events.add(event.number)
                    logger.error("event %r cannot be delivered: %s", event.name, error, extra=self._about())
                continue
            if event.name == CANCEL:
                driver.cancel(event.number)
            else:
                driver.loop.deliver(event.number, event.name, payload)

    # --- the store

    async def _acquire(self) -> None:
        store = self.home.store
        if isinstance(store, OwningStore):
            self.claim = await store.acquire(self.instance_id, self.home.owner, self.home.lease_seconds)
            self.home.heartbeat.add(self.claim, self.is_lost)
            state = self.claim.state
        else:
            state = await store.load(self.instance_id)
        self.state = self.records.check_state(state) if state is not None else {}

    async def _commit(self, checkpoint: Checkpoint) -> None:
        in_transaction = self.transaction is not None  # others who write have to wait for it, the sources too
        if not in_transaction:
            await self.home.sources.save(checkpoint.code)
        await self._patiently(
            {
                "status": checkpoint.status,
                "checkpoint": checkpoint.number,
                "location": checkpoint.location,
                "function": checkpoint.function,
                "wake_at": checkpoint.wake_at,
                "call": self.state.get("call", b""),
                "snapshot": self._seal.seal(checkpoint.saved),
                "outcome": b"",
            },
            checkpoint.saved,
        )
        if in_transaction:
            await self.home.sources.save(checkpoint.code)
        if checkpoint.events and self.driver is not None:
            await self._remove_events(checkpoint.events, self.driver.loop.inbox.accepted)

    async def _remove_events(self, numbers: tuple[int, ...], accepted: dict[int, str]) -> None:
        """The state has these events: the store need not keep them, nor then the state their numbers."""
        try:
            await self.home.events.remove_events(self.instance_id, numbers)
        except StoreError as error:  # they stay accepted: the next commit tries again
            logger.debug("events of instance %s were not removed: %s", self.instance_id, error, extra=self._about())
            return
        for number in numbers:
            accepted.pop(number, None)

    async def _patiently(self, state: dict[str, Any], saved: Saved | None) -> None:
        """Commit; while the store is unavailable, try again."""
        if self.transaction is not None:
            await self._commit_transaction(state, saved)
            return
        waited, pause = 0.0, FIRST_PAUSE
        while True:
            try:
                await self._commit_state(state, saved)
                return
            except (StoreUnavailableError, OSError) as error:
                if self.home.patience is not None and waited >= self.home.patience:
                    raise
                logger.warning(
                    "checkpoint %s of instance %s is not kept yet, next attempt in %.1f s: %s",
                    state["checkpoint"], self.instance_id, pause, error, extra=self._about(),
                )  # fmt: skip
            await asyncio.sleep(pause)
            waited, pause = waited + pause, min(pause * 2, LONGEST_PAUSE)

    async def _commit_transaction(self, state: dict[str, Any], saved: Saved | None) -> None:
        """Commit with the program's data, or neither."""
        transaction, self.transaction = self.transaction, None
        assert transaction is not None
        assert self.claim is not None
        segments, is_whole = (saved.segments, saved.is_whole) if saved is not None else (None, True)
        try:
            await transaction.commit(self.claim, state, segments, is_whole)
        except (StoreUnavailableError, OSError):
            self.has_lost_transaction = True
            raise
        self.state = state

    async def _commit_state(self, state: dict[str, Any], saved: Saved | None) -> None:
        store = self.home.store
        if self.claim is None:
            await store.save(self.instance_id, state)
        elif saved is not None and saved.segments is not None and isinstance(store, SegmentStore):
            await store.commit_segments(self.claim, state, saved.segments, is_whole=saved.is_whole)
        else:
            assert isinstance(store, OwningStore)
            await store.commit(self.claim, state)
        self.state = state

    async def _release(self) -> None:
        if self.claim is not None and isinstance(self.home.store, OwningStore):
            self.home.heartbeat.remove(self.claim)
            try:
                await self.home.store.release(self.claim)
            except StoreError as error:  # the lease ends by itself; what matters is committed
                logger.warning("instance %s was not released: %s", self.instance_id, error, extra=self._about())

    def _about(self) -> dict[str, Any]:
        return self.home.about(self.instance_id, self.state.get("checkpoint"))


class _Placeholder:
    """Stands for a driver while the outermost coroutine is being made, so that it does not become an instance again."""

    def leaf(self, awaitable: Any) -> Any:
        return awaitable

    def delegates(self, iterator: Any, generator: FrameType) -> Any:  # noqa: ARG002  the protocol's signature
        return iterator

    def enters(self) -> None:
        return

    def pauses(self, exception: Any) -> None:  # noqa: ARG002  the protocol's signature
        return

    def wants_announcement(self, leaf: Any) -> bool:  # noqa: ARG002  the protocol's signature
        return False

    def leaf_steps(self, leaf: Any) -> None:  # noqa: ARG002  the protocol's signature
        return

    def leaf_rests(self, leaf: Any, token: Any) -> None:  # noqa: ARG002  the protocol's signature
        return


_NOT_OUTERMOST = _Placeholder()
