"""The runtime: makes instances of rewritten functions, keeps their state in a store, and brings them back."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from contextvars import Token
from functools import cached_property, partial
from types import CellType, CodeType, FrameType, TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, get_args, overload

from ..aio.foreign_calls import ask_when
from ..aio.gate import Gate
from ..errors import (
    DurableError,
    FencedError,
    InstanceBusyError,
    InstanceFinishedError,
    InstanceStuckError,
    InstanceSuspendedError,
    OwnershipError,
    PauseForEventException,
    RanAfterFailureError,
    UnknownInstanceError,
)
from ..frames import ambient
from ..log import logger
from ..pythons import forks
from ..pythons.tasks import get_running_loop
from ..running.dispatcher import Dispatcher
from ..running.held_back import HeldBack
from ..running.instance.driver import GRACE_SECONDS
from ..running.instance.failed import Failed, look_at_failure
from ..running.instance.giving_up import MAX_ATTEMPTS
from ..running.instance.host import InstanceObserver
from ..running.instance.mail import ASK, CANCEL
from ..running.instance.migration import MIGRATE, Migration
from ..running.instance.records import Call, Outcome, Records
from ..running.instance.rewinding import REWIND
from ..running.instance.root import call_of
from ..running.instance.run import InstanceRun
from ..running.keeper import Keeper
from ..running.patience import AWAY, FIRST_PAUSE, patiently
from ..running.registry import InstanceRegistry
from ..running.slices import Slices
from ..running.sources import Sources
from ..running.validation import check_event, check_function, check_id, check_loop, check_seconds, check_tags
from ..snapshot.sealing.seal import Seal
from ..stores.backend import BackendEvents, BackendStore, OrchestrationBackend
from ..stores.base import StateStore
from ..stores.owner import DEFAULT_LEASE_SECONDS
from ..stores.state import (
    ABANDONED,
    FINISHED,
    NO_ORIGIN,
    STUCK,
    CountedBy,
    InstanceQuery,
    InstanceState,
    InstanceSummary,
    Origin,
    Page,
    PastState,
    check_size,
)
from ..stores.store import Begun, Store
from ..stores.url import full_store, key_for, open_store
from ..tags import DETACHED
from ..upgrades.policies import OnChange
from .asking import ask, check_question
from .children import to_cancel
from .handle import InstanceHandle
from .lists import EVERYTHING, count_in, for_all
from .options import Options
from .patient_store import patient
from .set_going import begins_unnamed, id_from_parts, id_from_step, running_instance
from .transaction import TransactionBlock, check_outside
from .trial import check_python

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from ..running.telemetry import Telemetry
    from .inspection import Inspection

P = ParamSpec("P")
R = TypeVar("R")

ASKED_AFTER = 0.5  # seconds that a script runs before somebody may have asked something of it
WEEK = 7 * 24 * 3600.0  # seconds


class _Logged:
    """Says in the log what happens to instances."""

    def __init__(self, runtime: DurableRuntime) -> None:
        self._runtime = runtime

    def starting(self, instance_id: str) -> None:
        logger.debug("starting instance %s", instance_id, extra=self._runtime.about(instance_id))

    def resuming(self, instance_id: str, state: InstanceState) -> None:
        about = self._runtime.about(instance_id, state.checkpoint)
        logger.info("resuming instance %s at %s (checkpoint %s)", instance_id, state.location, state.checkpoint, extra=about)

    def moved(self, instance_id: str, sentence: str) -> None:
        logger.info("instance %s goes on in %s", instance_id, sentence, extra=self._runtime.about(instance_id))

    def held(self, instance_id: str, sentence: str) -> None:
        logger.warning("instance %s is %s", instance_id, sentence, extra=self._runtime.about(instance_id))


class DurableRuntime:
    """Runs rewritten functions as durable instances while it is ambient.

    All times are in seconds.

    Args:
        store: A URL such as ``sqlite:///app.db``, a ``StateStore`` or an ``OrchestrationBackend``.
        key: Authenticates snapshots; at least 32 bytes. By default that of the store, or DURABLE_KEY.
        lease_seconds: How long other processes leave the instances of one that has stopped alone.
        evict_after: Instances that were started, and wait that long for an event or for time, leave the memory until there is
            something to do. None: never.
        keep_finished: How long results and exceptions are kept. None: for ever.
        poll_interval: How often a store that does not tell of changes is looked at.
        patience: How long a commit that the store refuses is tried again. None: until it succeeds.
        hold_limit: An instance of which nothing could be saved for longer (see "Holds" in the documents) is stuck, with
            HoldLimitError. None: never; 0: nothing may hold.
        max_attempts: So often in a row an instance may be unable to go on, or end with the death of its process, before it is
            stuck. None: however often.
        grace_seconds: How long foreign code that an instance is in may clean up when that is suspended.
        on_change: What becomes of instances in the middle of a function whose code has changed. "pin" lets them go on in the
            code that they began with, "move" in that of today where their place in it is certain, "refuse" raises
            CodeChangedError; ``durable_import.on_change`` says it for single functions.
        script: Name of the module whose module-level data belong to the snapshots.
        name_instance: Names instances that begin by being awaited.
        observer: Is told of those that begin, go on and are held, in place of the log.
        telemetry: Whether to make spans and metrics of OpenTelemetry, by the global providers; spans by the one given.
        meters: What makes the metrics, if there is telemetry, in place of the global provider.

    Raises:
        UnknownStoreError: No store answers to the URL.
        MissingDriverError: The extra that the store needs is not installed.
        MissingKeyError: There is no key, or others may read it.
        UnsupportedPythonError: Instances cannot run on this Python.
        TypeError, ValueError: What is given is no number of seconds, or no policy.
    """

    def __init__(
        self,
        store: str | StateStore | OrchestrationBackend,
        *,
        key: bytes | None = None,
        lease_seconds: float = DEFAULT_LEASE_SECONDS,
        evict_after: float | None = 60.0,
        keep_finished: float | None = WEEK,
        poll_interval: float = 1.0,
        patience: float | None = None,
        hold_limit: float | None = None,
        max_attempts: int | None = MAX_ATTEMPTS,
        grace_seconds: float = GRACE_SECONDS,
        on_change: OnChange = "pin",
        script: str | None = None,
        name_instance: Callable[[], str] | None = None,
        observer: InstanceObserver | None = None,
        telemetry: bool | TracerProvider = False,
        meters: MeterProvider | None = None,
    ) -> None:
        check_python(DurableRuntime)
        check_seconds(evict_after=evict_after, keep_finished=keep_finished, poll_interval=poll_interval, patience=patience)
        check_seconds(hold_limit=hold_limit)
        check_seconds(least=0.001, lease_seconds=lease_seconds)
        check_seconds(grace_seconds=grace_seconds)
        self.store = open_store(store)
        self.instances: Store = full_store(self.store)
        self._asked = patient(self.instances, self._patience_of_asking)
        backend = self.store.backend if isinstance(self.store, BackendStore) else store
        self._backend_events = BackendEvents(backend, self._publish) if isinstance(backend, OrchestrationBackend) else None
        self._closes_store = isinstance(store, str)
        self.seal = Seal(key if key is not None else key_for(self.store))
        self.evict_after = evict_after
        self.keep_finished = keep_finished
        self.patience = patience
        self.hold_limit = hold_limit
        self.max_attempts = max_attempts
        self.grace_seconds = grace_seconds
        if on_change not in get_args(OnChange):
            raise ValueError(f"on_change={on_change!r} is not one of {', '.join(map(repr, get_args(OnChange)))}")
        self.on_change: OnChange = on_change
        self.script = script
        self.retries_failed = script is not None
        self.from_failure = False  # see ``Host``
        self.name_instance = name_instance or _random_name
        self.observer = observer or _Logged(self)
        self._registry = InstanceRegistry(self)
        self.running = self._registry.running
        self.refused_events: set[int] = set()
        self.on_wait: Callable[[float], None] | None = None  # see ``InstanceDriver``
        self.on_left: Callable[[str, Exception], None] | None = None  # see ``Host``
        self.sources = Sources(self.instances)
        self.slices = Slices()
        self.telemetry = _telemetry(self.instances, telemetry, meters) if telemetry is not False else None
        self.dispatcher = Dispatcher(self, poll_interval)
        self.keeper = Keeper(self.instances, lease_seconds, self.dispatcher.wake_soon)
        self.held_back = HeldBack(self._look_for_more)
        self.is_closing = self._is_entered = False
        self._by_hand: set[CodeType] = set()  # functions that ran where no event loop does
        self._loop: asyncio.AbstractEventLoop | None = None  # where it was entered
        self._token: Token[ambient.AmbientRuntime | None] | None = None
        self._at_fork = forks.AtFork(self._start_over)

    def _start_over(self) -> None:
        """In a forked process: what ran in the parent goes on there."""
        self.running.clear()
        self._loop = None
        self.dispatcher.start_over()
        self.held_back.start_over()

    def __reduce__(self) -> tuple[Any, ...]:
        return _ambient, ()  # a program's variable that holds it holds the one that the program is resumed by

    # --- being ambient

    async def __aenter__(self) -> DurableRuntime:
        check_loop(self._loop)
        self._loop = asyncio.get_running_loop()
        self.is_closing, self._is_entered = False, True
        ambient.switch_on(self)
        self._token = ambient.current_runtime.set(self)
        self.dispatcher.ensure()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._token is not None
        with suppress(ValueError):  # it was entered in another context, as fixtures of tests are: that one is gone
            ambient.current_runtime.reset(self._token)
        ambient.ON.remove(self)
        self._is_entered = False
        await self.close()
        self._loop = None

    async def close(self) -> None:
        """Suspend the instances that run here, give them up, and let go of the store if it was named by a URL."""
        self.is_closing = True
        while self in ambient.default_runtime:
            self.deactivate()
        await self.dispatcher.stop()
        if self._backend_events is not None:
            self._backend_events.stop()
        runs = list(self.running.values())
        for run in runs:
            run.suspend()
        tasks = [run.task for run in runs if run.task is not None]
        if tasks:
            await asyncio.wait(tasks)
        await self.keeper.close()
        if self._closes_store:
            await self.instances.close()

    def activate(self) -> None:
        """Make this the runtime of the process, wherever no other one is ambient."""
        ambient.switch_on(self)
        ambient.default_runtime.append(self)

    def deactivate(self) -> None:
        """Undo ``activate``."""
        ambient.ON.remove(self)
        ambient.default_runtime.remove(self)

    # --- instances

    @overload
    async def run(
        self, function: Callable[..., Awaitable[R]], *arguments: Any, instance_id: str | None, **keywords: Any
    ) -> R: ...
    @overload
    async def run(self, function: Callable[P, Awaitable[R]], *arguments: P.args, **keywords: P.kwargs) -> R: ...
    async def run(
        self, function: Callable[..., Awaitable[Any]], *arguments: Any, instance_id: Any = None, **keywords: Any
    ) -> Any:
        """Run a durable function as the instance ``instance_id`` and wait for what it returns.

        One that exists is attached to if it runs, resumed if it was interrupted, and else its stored result is given or its
        stored exception raised. Cancelling the wait does not cancel the instance. Raises InstanceMismatchError when the id
        belongs to another function or other arguments, PauseForEventException when the instance has raised that, and what the
        function raises.
        """
        handle = await self.start(function, *arguments, instance_id=instance_id, **keywords)
        return (await self.outcome_of(handle.id, is_run=True)).give(handle.id)

    @overload
    async def start(
        self, function: Callable[..., Awaitable[R]], *arguments: Any, instance_id: str | None, **keywords: Any
    ) -> InstanceHandle[R]: ...
    @overload
    async def start(self, function: Callable[P, Awaitable[R]], *arguments: P.args, **keywords: P.kwargs) -> InstanceHandle[R]: ...
    async def start(
        self, function: Callable[..., Awaitable[Any]], *arguments: Any, instance_id: Any = None, **keywords: Any
    ) -> InstanceHandle[Any]:
        """As ``run``, but return once it is kept that the instance is to run: it goes on in the background.

        Without an id it gets one of its own: inside an instance always the same, so that a crash does not begin it twice.
        Raises InstanceMismatchError as ``run`` does, NotDurableError for a function whose code is not rewritten,
        UnsavableStateError for arguments that cannot be saved, and StoreUnavailableError.
        """
        return await self.start_call(Call(function, arguments, keywords), instance_id)

    def options(
        self, *, instance_id: str | None = None, tags: Mapping[str, str] | None = None, detached: bool = False
    ) -> Options:
        """For an instance that is to have more than its function and arguments: ``await runtime.options(tags={"customer":
        "c1"}).start(function, *arguments)``, or ``.run``. All keywords of these are the function's.

        ``tags``: texts by names that a new instance has from its beginning, for ``list``. ``detached``: it goes on when the
        instance that begins it is cancelled. Raises TypeError and ValueError for what cannot be tags, or no id.
        """
        if instance_id is not None:
            check_id(instance_id)
        own = ((DETACHED, "yes"),) if detached else ()
        return Options(self, instance_id, (*(check_tags(tags) if tags is not None else ()), *own))

    async def start_call(self, call: Call, instance_id: Any, tags: tuple[tuple[str, str], ...] = ()) -> InstanceHandle[Any]:
        """See ``start``. One that is started by an instance has that as its parent."""
        check_function(call.function)
        check_loop(self._loop)
        check_outside(self, "an instance was started")
        await self.slices.turn()
        name = instance_id
        if name is None:
            name = id_from_step(lambda: Records(self.seal, "").content_of_call(call)) or self.name_instance()
        check_id(name)
        self.dispatcher.ensure()
        parent = running_instance()
        origin = Origin(parent, tags) if parent is not None or tags else NO_ORIGIN
        while not await self._patiently(lambda: self._joins(name, call, origin), f"instance {name} is not started yet"):
            pass
        return InstanceHandle(self, name)

    async def _joins(self, instance_id: str, call: Call, origin: Origin) -> bool:
        """Begin an instance, or join the one that runs. False: it is to be tried again, as that one could not begin, which its
        own caller was told, or has another owner and is not in the store yet.
        """
        run = self.running.get(instance_id)
        if run is None:
            run = self._registry.launch(instance_id, call, origin=origin)
            try:
                await asyncio.shield(run.begun)
            except InstanceBusyError:  # it runs in another process
                kept = await self.instances.load(instance_id)
                if kept is None:  # which has not committed it yet, and may stop before it does
                    await asyncio.sleep(FIRST_PAUSE)
                    return False
                records = Records(self.seal, instance_id)
                records.check_state(kept.state)
                records.check_same(call, kept.call)
            return True
        try:
            await asyncio.shield(run.begun)
        except Exception:
            if run.task is None:
                raise
            await asyncio.wait([run.task])
            return False
        run.records.check_same(call, run.lease.call)
        return True

    def handle(self, instance_id: str) -> InstanceHandle[Any]:
        """A handle of an instance that exists, or will. Nothing is asked of the store yet: its methods raise
        UnknownInstanceError. Raises TypeError and ValueError for what is no id.
        """
        check_id(instance_id)
        return InstanceHandle(self, instance_id)

    async def list(self, query: InstanceQuery = EVERYTHING) -> Page:
        """Instances with what is small of each, whoever runs them: ``await runtime.list(InstanceQuery(status="failed",
        tag=("customer", "c1"), limit=50))``. The page's ``cursor``, if it has one, asks for the next page.

        Raises DurableError when the store cannot list its instances, ValueError for a cursor that is none, and StoreError.
        """
        check_loop(self._loop)
        return await self._asked.list(query)

    @overload
    async def count(self, query: InstanceQuery = ..., by: None = None) -> int: ...
    @overload
    async def count(self, query: InstanceQuery = ..., *, by: CountedBy) -> dict[str, int]: ...
    async def count(self, query: InstanceQuery = EVERYTHING, by: CountedBy | None = None) -> int | dict[str, int]:
        """How many instances fit, whatever the query's limit is; ``by`` 'status' or 'function': by what each has there.

        Raises DurableError when the store cannot list its instances, and StoreError.
        """
        check_loop(self._loop)
        return await count_in(self._asked, query, by)

    async def cancel_all(self, query: InstanceQuery) -> int:
        """Ask all instances that fit, and have not ended, to end; gives how many. Raises as ``list``."""
        return await for_all(self._asked, query, lambda summary: self.cancel(summary.instance_id))

    async def retry_all(self, query: InstanceQuery) -> int:
        """Let all instances that fit, and have failed or are stuck, go on; gives how many. Raises as ``list``."""
        count = await for_all(self._asked, query, lambda summary: self._asked.retry(summary.instance_id))
        self.dispatcher.ensure()
        self.dispatcher.wake()
        return count

    async def delete_all(self, query: InstanceQuery) -> int:
        """Forget all instances that fit, whoever runs them; gives how many. Raises as ``list``."""

        async def forget(summary: InstanceSummary) -> bool:
            await self._asked.delete(summary.instance_id)
            return True

        return await for_all(self._asked, query, forget)

    async def delete(self, instance_id: str) -> None:
        """Forget an instance, with its events, whoever runs it: the next commit of that is refused. Raises
        UnknownInstanceError and StoreError."""
        await self.summary_of(instance_id)
        await self._asked.delete(instance_id)

    async def recover(self) -> builtins.list[InstanceHandle[Any]]:
        """Let all unfinished instances go on that nobody owns; gives handles of those that were taken up now.

        What could not go on before, and was to be tried again later, is tried now: its code may have been mended meanwhile.
        From then on, instances whose owner stops are taken over when their lease has run out. Those that wait for an event or
        for time are taken up when there is something to do. Raises DurableError when the store cannot look for work.
        """
        check_loop(self._loop)
        with suppress(FencedError):  # taken for dead: it is registered again below
            await self.instances.claim((await self.keeper.ownership()).number, 0, 0)  # not every store can
        await self.instances.hasten()
        self.dispatcher.takes_orphans = True
        self.dispatcher.ensure()
        return [InstanceHandle(self, run.instance_id) for run in await self.dispatcher.take_up_all()]

    async def retry(self, instance_id: str, *, from_failure: bool = False) -> InstanceHandle[Any]:
        """Let an instance that has failed or is stuck go on from its last checkpoint before the exception was raised: what failed
        is tried again. ``from_failure``: also if steps of the program's own code ran while the exception was on its way out.

        Raises UnknownInstanceError, InstanceBusyError while another process runs it, and RanAfterFailureError, which lists such
        steps, without ``from_failure``.
        """
        check_id(instance_id)
        if instance_id not in self.running:
            if not from_failure:
                await self._check_way_out(instance_id)
            await self._asked.retry(instance_id)
            launched = self.running.get(instance_id)
            run = launched or self._registry.launch(instance_id, None, retries=True, from_failure=from_failure)
            await asyncio.shield(run.begun)
        return InstanceHandle(self, instance_id)

    async def _check_way_out(self, instance_id: str) -> None:
        """Raise RanAfterFailureError if steps of the program ran after the failure of an instance."""
        failure = await self.failure_of(instance_id)
        if failure is not None and failure.steps:
            raise RanAfterFailureError(instance_id, failure.steps, failure.place)

    async def failure_of(self, instance_id: str) -> Failed | None:
        """How an instance has failed, and from where it can be tried again; None if it has not."""
        kept = await self._asked.load(instance_id)
        return look_at_failure(kept, self.seal, instance_id) if kept is not None and kept.state.status == "failed" else None

    async def migrate(self, instance_id: str, *, to_new_code: bool = False, undo: bool = False) -> bool:
        """Let an instance go on in the code of today, where all of it can; False if it has ended.

        What stands in functions that have changed moves, whatever ``on_change`` says; ``to_new_code``: also what was pinned to
        the code that it began with. What the instance was before is kept: ``undo`` lets it be that again, and what it has done
        since runs once more. The request is kept, and obeyed by whoever has the instance or takes it up next, with the code
        that process has; if the instance cannot move it stays as it is, and the log there says why. Raises
        UnknownInstanceError, StoreUnavailableError.
        """
        check_id(instance_id)
        check_outside(self, "an instance was migrated")
        migration = Migration(to_new_code, undo)
        event_id = id_from_step(lambda: Records(self.seal, instance_id).content_of_event(MIGRATE, migration.payload()))
        if (await self.summary_of(instance_id)).status in ("completed", "cancelled"):
            return await self._was_published(event_id)
        await self._publish(instance_id, MIGRATE, migration.payload(), event_id)
        return True

    async def fork(
        self,
        instance_id: str,
        checkpoint: int | None = None,
        new_id: str | None = None,
        changes: Mapping[str, Any] | None = None,
    ) -> InstanceHandle[Any]:
        """Begin a new instance from what another one was at a checkpoint, or is (None), with some variables changed.

        ``changes``: plain data by the path of a variable as ``show`` prints it, ``{"0/main.order.lines[0].price": 7}``, or a
        short one where it is unique (``"price"``). Steps that had ended by then do not run again, all others do, with keys of the
        new instance; what the other one has set going stays its own, and so do events that it has not taken yet. ``new_id``: by
        default that of the other one with a random end; inside an instance always the same. The other one goes on as it is.

        Raises UnknownInstanceError, DurableError when the store keeps no history and ``checkpoint`` is not the present one, or
        where an instance forks itself as it is, ValueError for a checkpoint or a variable that is not there, TypeError for a
        value that is no plain data, InstanceMismatchError for a ``new_id`` that there is already, SnapshotError, StoreError.
        """
        from .forking import Forker  # rarely needed

        check_loop(self._loop)
        check_outside(self, "an instance was forked")
        if checkpoint is None and running_instance() == instance_id:
            raise DurableError(
                f"instance {instance_id!r} forks itself as it is, in the middle of that call: its fork would make the call "
                "again, without end. Give the checkpoint that it is to go on from, and let the program tell by its id which it is"
            )
        given = (checkpoint, new_id, dict(changes or {}))
        from_step = id_from_step(lambda: Records(self.seal, instance_id).content_of_event("@fork", given))
        forker, name = Forker(self.instances, self.seal, self.inspection), new_id or from_step
        if from_step is None or name is None or not await forker.is_made(name, instance_id):
            plan = await forker.plan(instance_id, checkpoint, name, changes)
            name = plan.fork.id
            await forker.make(plan, self.keeper)
        self.dispatcher.ensure()
        run = self.running.get(name) or self._registry.launch(name, None)
        with suppress(InstanceBusyError):  # another process has taken it up
            await asyncio.shield(run.begun)
        return InstanceHandle(self, name)

    async def rewind(self, instance_id: str, checkpoint: int | None = None, *, undo: bool = False) -> bool:
        """Let an instance be what it was at an earlier checkpoint: what it has done since runs again, with the same keys, and is
        not undone. Of one that has ended, too.

        What it is now is kept: ``undo`` lets it be that again. Where a process runs it, this one too, that is asked to do it,
        within a second, and the answer is False; else it is done, and the instance goes on here. Raises DurableError when the
        store keeps no history, ValueError for a checkpoint that is not there or is the present one, or where there is nothing to
        undo, UnknownInstanceError, SnapshotError, StoreError.
        """
        from .rewinding import Rewinder  # rarely needed

        check_loop(self._loop)
        check_outside(self, "an instance went back")
        if (checkpoint is None) == (not undo):
            raise TypeError("rewind takes the number of a checkpoint, or undo=True")
        rewinder = Rewinder(self.instances, self.seal, self.inspection)
        if undo:
            ask = partial(self._publish, instance_id, MIGRATE, Migration(undo=True).payload())
            is_done = await rewinder.undo(instance_id, self._keeper_beside(instance_id), ask)
        else:
            assert checkpoint is not None
            plan = await rewinder.plan(instance_id, checkpoint)
            ask = partial(self._publish, instance_id, REWIND, checkpoint)
            is_done = await rewinder.rewind(plan, self._keeper_beside(instance_id), ask)
        if is_done and (await self.summary_of(instance_id)).status not in FINISHED and instance_id not in self.running:
            run = self._registry.launch(instance_id, None)
            with suppress(InstanceBusyError):  # another process has taken it up
                await asyncio.shield(run.begun)
        return is_done

    def _keeper_beside(self, instance_id: str) -> Keeper | None:
        """None: the instance runs here, and would be taken from itself."""
        return self.keeper if instance_id not in self.running else None

    async def publish_event(self, instance_id: str, name: str, payload: Any = None) -> None:
        """Send an event to an instance, which gets it by ``wait_for_event(name)``, once, also if it begins to wait later.

        When this returns, the event is kept as safely as states are, until the instance has it in its own state; one for an
        instance that does not exist yet, until that does. ``payload``: anything that can be saved. What an instance sends is
        sent once: if the call is made again after a crash, the store drops the second. Raises
        InstanceFinishedError, UnsavableStateError, ValueError for a name that begins with "@", and StoreUnavailableError.
        """
        check_id(instance_id)
        check_outside(self, "an event was published")
        check_event(name)
        if name.startswith("@"):
            raise ValueError(f"the event name {name!r} begins with '@', which is for durable_import's own ones: choose another")
        event_id = id_from_step(lambda: Records(self.seal, instance_id).content_of_event(name, payload))
        summary = await self._look(instance_id)
        if summary is not None and summary.status in FINISHED:
            if await self._was_published(event_id):
                return
            kept = await self._asked.load(instance_id)
            if kept is not None:
                Records(self.seal, instance_id).check_state(kept.state)  # somebody may have put that status there
            raise InstanceFinishedError(
                f"instance {instance_id!r} has ended ({summary.status}): event {name!r} was not sent, nobody would get it"
            )
        await self._publish(instance_id, name, payload, event_id)

    async def cancel(self, instance_id: str) -> bool:
        """See ``InstanceHandle.cancel``."""
        check_outside(self, "an instance was cancelled")
        event_id = id_from_step(lambda: Records(self.seal, instance_id).content_of_event(CANCEL, None))
        if (await self.summary_of(instance_id)).status in FINISHED:
            return await self._was_published(event_id)
        await self._publish(instance_id, CANCEL, None, event_id)
        return True

    async def ask(self, instance_id: str, name: str, payload: Any = None, timeout: float | None = None) -> Any:
        """See ``InstanceHandle.ask``."""
        check_question(instance_id, name, timeout)
        check_outside(self, "an instance was asked")
        check_loop(self._loop)
        from_step = id_from_step(lambda: Records(self.seal, instance_id).content_of_event(name, payload))
        question = from_step or _random_name()
        send = partial(self._publish, instance_id, ASK, (question, name, payload), question)
        return await ask(self._asked, self.seal, instance_id, name, question, send, timeout, keeps=from_step is not None)

    def transaction(self) -> TransactionBlock:
        """``async with runtime.transaction() as connection``: what is done by the connection, in the database that keeps the
        states, is committed together with the checkpoint at the end of the block. A crash leaves both or neither.

        ``connection``: a ``sqlite3.Connection`` or a ``psycopg.AsyncConnection``. The block is one step: nothing is committed
        inside it, after a crash it runs again from its beginning, and meanwhile the other tasks of the instance stand still.
        An exception that leaves it undoes what was done. Keep it short: others wait. Raises DurableError outside of an
        instance, inside another one of the same instance, and when the store has no such transactions.
        """
        return TransactionBlock(self)

    async def cancel_children(self, instance_id: str, run: str) -> None:
        """See ``Host``."""
        origins = {name: child.lease.origin for name, child in self.running.items()}
        begun_here = [name for name, (parent, tags) in origins.items() if parent == instance_id and DETACHED not in dict(tags)]
        for child in {*begun_here, *await to_cancel(self._asked, instance_id)}:
            await self._publish(child, CANCEL, None, id_from_parts(CANCEL, run, child))

    async def _publish(self, instance_id: str, name: str, payload: Any, event_id: str | None = None) -> None:
        sealed = Records(self.seal, instance_id).seal_event(name, payload)
        check_size(instance_id, f"event {name!r}", len(sealed))
        publish = partial(self.instances.publish, instance_id, name, sealed, event_id)
        await (self._patiently(publish, f"an event of instance {instance_id} is not kept yet") if event_id else publish())
        run = self.running.get(instance_id)
        if run is not None:
            try:
                await run.take_events()
            except AWAY as error:  # it is kept: who has sent it need not know that it comes later
                logger.debug(
                    "an event of instance %s was not brought at once: %s", instance_id, error, extra=self.about(instance_id)
                )
            else:
                return
        self.dispatcher.ensure()
        self.dispatcher.wake()

    async def _patiently(self, ask: Callable[[], Awaitable[R]], what: str) -> R:
        return await patiently(ask, self._patience_of_asking(), what, dict)

    def _patience_of_asking(self) -> float | None:
        """What an instance asks of the store is done as it is committed; others are told at once that the store is away."""
        is_inside = getattr(ambient.current_driver.get(), "instance_id", None) is not None
        return self.patience if is_inside else 0.0

    async def _was_published(self, event_id: str | None) -> bool:
        """Whether an instance has published an event, before a crash of it."""
        return event_id is not None and await self._asked.was_published(event_id)

    async def summary_of(self, instance_id: str) -> InstanceSummary:
        """What is small of what is kept of an instance. Raises UnknownInstanceError."""
        summary = await self._look(instance_id)
        if summary is None:
            raise UnknownInstanceError(f"there is no instance {instance_id!r} in {self.store!r}: check the id")
        return summary

    async def outcome_so_far(self, instance_id: str) -> Outcome | None:
        """How an instance ended, if it has, and is not being tried again here."""
        is_running = instance_id in self.running  # it may end while its state is loaded, which is then that of before
        summary = await self.summary_of(instance_id)
        if is_running or instance_id in self.running:
            return None
        if summary.status == STUCK:
            self.dispatcher.check_refused(instance_id)
            raise InstanceStuckError(instance_id, summary.error or "", summary.attempts)
        if summary.status not in FINISHED or summary.error is not None:  # that is to be tried again
            return None
        kept = await self._asked.load(instance_id)
        records = Records(self.seal, instance_id)
        if kept is None or records.check_state(kept.state).status not in FINISHED:
            return None  # it was removed, or tried again, meanwhile
        return records.open_outcome(kept.state, kept.call)

    @cached_property
    def inspection(self) -> Inspection:
        """What looks at instances; rarely needed."""
        from .inspection import Inspection

        return Inspection(self._asked, lambda: self.seal)

    async def history(self, instance_id: str) -> builtins.list[PastState]:
        """What an instance has been, oldest first, with the present last: checkpoint, status and location of each state kept.

        Raises DurableError when the store keeps no history, and UnknownInstanceError.
        """
        check_loop(self._loop)
        return await self.inspection.history(instance_id)

    async def _look(self, instance_id: str) -> InstanceSummary | None:
        check_loop(self._loop)
        summary = await self._asked.summary(instance_id)
        if summary is not None and summary.status != STUCK:
            Records(self.seal, instance_id).check_status(summary.status)
        return summary

    async def outcome_of(self, instance_id: str, is_run: bool = False) -> Outcome:
        """How an instance ended; waits for that, wherever it runs. Raises what keeps it from going on here.

        ``is_run``: its caller wants it to run: it goes on here when its owner has stopped, and PauseForEventException is raised
        when it is paused.
        """
        while True:
            run = self.running.get(instance_id)
            if run is not None and run.task is not None:
                try:
                    return await asyncio.shield(run.task)
                except InstanceSuspendedError:
                    if self.is_closing:
                        raise
                except PauseForEventException:
                    if is_run:
                        raise
                except OwnershipError:
                    pass  # it goes on elsewhere
            with self.dispatcher.awaited.waiting_for(instance_id):
                outcome = await self.outcome_so_far(instance_id)
                if outcome is not None:
                    return outcome
                if self.is_closing:
                    raise InstanceSuspendedError(
                        f"instance {instance_id!r} has not ended and this runtime was closed: ask another one"
                    )
                if instance_id not in self.running:
                    self.dispatcher.check_refused(instance_id)
                    if not (is_run and await self._resumes_left(instance_id)):
                        await self.dispatcher.wait_for_look()

    async def _resumes_left(self, instance_id: str) -> bool:
        """Let an instance go on here that another process was in the middle of, and has left; False: there is none."""
        summary = await self._asked.summary(instance_id)
        if summary is None or summary.status not in ABANDONED or (summary.owner is not None and not summary.owner.is_dead()):
            return False
        if instance_id not in self.running and not self.is_closing:  # by now
            self._registry.launch(instance_id, None)
        return True

    # --- for the parts of the runtime

    def _look_for_more(self) -> None:
        """Let the dispatcher look at the store, unless it was stopped for good: an instance may come to rest after that."""
        if not self.is_closing:
            self.dispatcher.ensure()

    def expects_events(self, instance_id: str, names: Iterable[str]) -> None:
        """An instance waits for events."""
        self._look_for_more()
        if self._backend_events is not None:
            self._backend_events.listen(instance_id, names)

    def take_up(self, begun: Begun, gate: Gate) -> InstanceRun:
        """See ``Dispatcher``."""
        return self._registry.launch(begun.claim.instance_id, None, taken=(begun, gate))

    def about(self, instance_id: str, checkpoint: int | None = None) -> dict[str, Any]:
        """What each record of the log says of an instance, as attributes."""
        return {"instance_id": instance_id, "checkpoint": checkpoint}

    def can_begin(self, frame: FrameType) -> bool:
        """See ``ambient.AmbientRuntime``. Elsewhere the function runs as it does natively, which is told once."""
        if get_running_loop() is not None:
            return True
        if not ambient.STRICT and frame.f_code not in self._by_hand:
            self._by_hand.add(frame.f_code)
            logger.warning(
                "%s:%s: %s runs without an event loop of asyncio: something else advances its coroutine. It is no durable "
                "instance, and nothing of it is saved",
                frame.f_code.co_filename,
                frame.f_code.co_firstlineno,
                frame.f_code.co_qualname,
            )
        return False

    def begin(self, frame: FrameType, cells: dict[str, CellType]) -> Awaitable[Any]:
        """See ``ambient.AmbientRuntime``."""
        function, arguments, keywords = call_of(frame, cells)
        return self._awaited(self.name_instance(), lambda: function(*arguments, **keywords))

    async def _awaited(self, instance_id: str, make: Callable[[], Any]) -> Any:
        """An instance that begins by being awaited, in the task that awaits it."""
        looks = None
        if not self.dispatcher.takes_work:  # under ``run`` nothing else looks for what is asked of it
            looks = asyncio.get_running_loop().call_later(ASKED_AFTER, self.dispatcher.ensure)
        try:
            outcome = await self._registry.begin(instance_id, make)
        finally:
            if looks is not None:
                looks.cancel()
            if not self._is_entered and not self.running:
                await self.dispatcher.stop()  # it was begun when the instance waited for an event
        if outcome.error is not None:
            raise outcome.error
        return outcome.result


def _random_name() -> str:
    import uuid  # slow to import

    return str(uuid.uuid4())


def _telemetry(store: Store, provider: bool | TracerProvider, meters: MeterProvider | None) -> Telemetry:
    """Raises MissingDriverError when OpenTelemetry is not installed."""
    from ..running.telemetry import Telemetry

    return Telemetry(store, None if isinstance(provider, bool) else provider, meters)


def _ambient() -> DurableRuntime:
    runtime = ambient.find_runtime()
    if runtime is None:
        raise DurableError("a variable holds the runtime of the program, and none is ambient here")
    assert isinstance(runtime, DurableRuntime)
    return runtime


# An instance is committed before it sets something going, so that after a crash it is the same thing.
ask_when(DurableRuntime.start, begins_unnamed)
ask_when(DurableRuntime.run, begins_unnamed)
ask_when(DurableRuntime.fork)
for _function in (
    DurableRuntime.publish_event, DurableRuntime.cancel, DurableRuntime.ask, InstanceHandle.send, InstanceHandle.cancel,
    InstanceHandle.ask,
):  # fmt: skip
    ask_when(_function)
