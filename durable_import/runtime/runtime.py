"""The runtime: makes instances of rewritten functions, keeps their state in a store, and brings them back."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable
from contextvars import Token
from types import CellType, FrameType, FunctionType, TracebackType
from typing import Any, Protocol

from ..errors import CodeChangedError, DurableError, InstanceMismatchError, SnapshotError, StoreError
from ..frames import ambient
from ..frames.capture import parts_of
from ..rewrite.registry import info_of
from ..snapshot.foreign import arguments_of
from ..snapshot.modules import ScriptData
from ..snapshot.seal import Seal
from ..snapshot.segment_seal import SegmentSeal
from ..snapshot.snapshot import Encoder, Saved, Snapshot
from ..stores.base import Claim, OwningStore, SegmentStore, StateStore
from ..stores.owner import Owner
from ..stores.url import key_for, open_store
from .driver import Checkpoint, InstanceDriver, flush_output
from .heartbeat import Heartbeat
from .sources import Sources

logger = logging.getLogger("durable_import")

SEGMENTS_FROM = 32  # tasks: the state of fewer is written as a whole
UNFINISHED = ("pending", "running", "sleeping", "waiting", "failed")


class Observer(Protocol):
    """Is told what happens to instances. ``state`` is the last one committed."""

    def starting(self, instance_id: str) -> None: ...

    def resuming(self, instance_id: str, state: dict[str, Any]) -> None: ...


class _Silent:
    def starting(self, instance_id: str) -> None:
        logger.debug("starting instance %s", instance_id)

    def resuming(self, instance_id: str, state: dict[str, Any]) -> None:
        logger.info("resuming instance %s at %s (checkpoint %s)", instance_id, state["location"], state["checkpoint"])


class DurableRuntime:
    """Runs rewritten functions as durable instances while it is ambient.

    ``store``: a URL such as ``sqlite:///app.db``, or a ``StateStore``. ``key`` authenticates snapshots (at least 32 bytes;
    by default that of the store). ``script``: name of the module whose module-level data belong to the snapshots.
    ``name_instance`` names instances that begin by being awaited.
    """

    def __init__(
        self, store: str | StateStore, *, key: bytes | None = None, script: str | None = None,
        name_instance: Callable[[], str] | None = None, observer: Observer | None = None,
    ) -> None:  # fmt: skip
        self.store = open_store(store)
        self._closes_store = isinstance(store, str)
        self.seal = Seal(key if key is not None else key_for(self.store))
        self.owner = Owner.current()
        self.script = script
        self.name_instance = name_instance or (lambda: str(uuid.uuid4()))
        self.observer = observer or _Silent()
        self.running: dict[str, _Run] = {}
        self.on_wait: Callable[[float], None] | None = None  # see ``InstanceDriver``
        self.heartbeat = Heartbeat(self.store)
        self.sources = Sources(self.store)
        self._token: Token[ambient.AmbientRuntime | None] | None = None

    async def __aenter__(self) -> DurableRuntime:
        ambient.ON.append(self)
        self._token = ambient.current_runtime.set(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._token is not None
        ambient.current_runtime.reset(self._token)
        ambient.ON.remove(self)
        self.heartbeat.stop()
        if self._closes_store and isinstance(self.store, OwningStore):
            await self.store.close()

    def activate(self) -> None:
        """Make this the runtime of the process, wherever no other one is ambient."""
        ambient.ON.append(self)
        ambient.default_runtime.append(self)

    def deactivate(self) -> None:
        """Undo ``activate``."""
        ambient.ON.remove(self)
        ambient.default_runtime.remove(self)

    async def run(self, function: Callable[..., Any], *arguments: Any, instance_id: str, **keywords: Any) -> Any:
        """Run a rewritten function as the instance ``instance_id``: begins it, resumes it, or gives its stored result.

        Raises InstanceMismatchError when the id belongs to another function, InstanceBusyError when another process runs
        it, and what the function raises.
        """
        return await self._instance(instance_id, lambda: function(*arguments, **keywords))

    def begin(self, frame: FrameType, cells: dict[str, CellType]) -> Awaitable[Any]:
        """See ``ambient.AmbientRuntime``."""
        function, arguments, keywords = call_of(frame, cells)
        return self._instance(self.name_instance(), lambda: function(*arguments, **keywords))

    async def _instance(self, instance_id: str, make_root: Callable[[], Any]) -> Any:
        run = _Run(self, instance_id)
        self.running[instance_id] = run
        try:
            return await run.to_end(make_root)
        finally:
            del self.running[instance_id]


class _Run:
    """One run of one instance by this process."""

    def __init__(self, runtime: DurableRuntime, instance_id: str) -> None:
        self.runtime = runtime
        self.instance_id = instance_id
        self.claim: Claim | None = None
        self.state: dict[str, Any] = {}
        self.seal = SegmentSeal(runtime.seal, instance_id)

    async def to_end(self, make_root: Callable[[], Any]) -> Any:
        """Begin or resume, and drive to the end."""
        runtime = self.runtime
        self.state = await self._acquire() or {}
        try:
            encoder = Encoder(self.instance_id, ScriptData.of(runtime.script) if runtime.script else None)
            if self.claim is not None and isinstance(runtime.store, SegmentStore):
                encoder.segments_from = SEGMENTS_FROM
            if self.state.get("status") == "completed":
                return (await self._open(encoder)).facts["result"]
            driver = await self._driver(encoder, make_root)
            driver.on_wait = runtime.on_wait
            try:
                await driver.enter_again()
                result = await driver
            except GeneratorExit:
                raise
            except Exception as error:
                if driver.ended:
                    await self._mark_failed()
                    logger.debug("instance %s failed: %r", self.instance_id, error)
                raise
            saved = encoder.save(Snapshot(None, {"result": result}))
            flush_output()
            await self._commit(Checkpoint(driver.checkpoint + 1, "completed", "", driver.function, saved))
            return result
        finally:
            await self._release()

    async def _driver(self, encoder: Encoder, make_root: Callable[[], Any]) -> InstanceDriver:
        runtime, state = self.runtime, self.state
        token = ambient.current_driver.set(_NOT_OUTERMOST)
        try:
            fresh = make_root()
            if not state:
                runtime.observer.starting(self.instance_id)
                return InstanceDriver(fresh, encoder, self._commit)
            function = parts_of(fresh).code.co_qualname
            fresh.close()
            if state["function"] != function:
                raise InstanceMismatchError(
                    f"instance {self.instance_id!r} is a run of {state['function']!r}, not of {function!r}: "
                    "choose another instance id, or start afresh"
                )
            loop = (await self._open(encoder)).loop
            runtime.observer.resuming(self.instance_id, state)
            return InstanceDriver(loop, encoder, self._commit, state["checkpoint"])
        finally:
            ambient.current_driver.reset(token)

    async def _open(self, encoder: Encoder) -> Snapshot:
        store, blob = self.runtime.store, self.state["snapshot"]
        segments: dict[str, bytes] = {}
        if isinstance(store, SegmentStore) and self.seal.is_in_segments(blob):
            segments = await store.load_segments(self.instance_id)
        payload = self.seal.open(blob, segments)
        try:
            return encoder.decode(payload, segments)
        except CodeChangedError as error:
            error.add_note(await self.runtime.sources.difference(error))
            raise
        except DurableError:
            raise
        except Exception as error:
            raise SnapshotError(
                f"the saved state of instance {self.instance_id!r} cannot be restored: {type(error).__name__}: {error}. "
                "It is kept: mend what is missing and run again, or start afresh"
            ) from error

    async def _acquire(self) -> dict[str, Any] | None:
        store = self.runtime.store
        if isinstance(store, OwningStore):
            self.claim = await store.acquire(self.instance_id, self.runtime.owner)
            self.runtime.heartbeat.add(self.claim)
            return self.claim.state
        return await store.load(self.instance_id)

    async def _commit(self, checkpoint: Checkpoint) -> None:
        await self.runtime.sources.save(checkpoint.code)
        await self._commit_state(
            {
                "status": checkpoint.status,
                "checkpoint": checkpoint.number,
                "location": checkpoint.location,
                "function": checkpoint.function,
                "snapshot": self.seal.seal(checkpoint.saved),
            },
            checkpoint.saved,
        )

    async def _commit_state(self, state: dict[str, Any], saved: Saved) -> None:
        store = self.runtime.store
        if self.claim is None:
            await store.save(self.instance_id, state)
        elif saved.segments is not None:
            assert isinstance(store, SegmentStore)
            await store.commit_segments(self.claim, state, saved.segments, is_whole=saved.is_whole)
        else:
            assert isinstance(store, OwningStore)
            await store.commit(self.claim, state)
        self.state = state

    async def _mark_failed(self) -> None:
        """The last state stays; it is tried again from there."""
        state = {**self.state, "status": "failed"}
        store = self.runtime.store
        if self.claim is not None and isinstance(store, SegmentStore):
            await store.commit_segments(self.claim, state, {}, is_whole=False)
        elif self.claim is not None and isinstance(store, OwningStore):
            await store.commit(self.claim, state)
        else:
            await store.save(self.instance_id, state)
        self.state = state

    async def _release(self) -> None:
        if self.claim is not None and isinstance(self.runtime.store, OwningStore):
            self.runtime.heartbeat.remove(self.claim)
            try:
                await self.runtime.store.release(self.claim)
            except StoreError as error:  # the lease ends by itself; what matters is committed
                logger.warning("instance %s was not released: %s", self.instance_id, error)


class _Placeholder:
    """Stands for a driver while the outermost coroutine is being made, so that it does not become an instance again."""

    def leaf(self, awaitable: Any) -> Any:
        return awaitable

    def delegates(self, iterator: Any, generator: FrameType) -> Any:  # noqa: ARG002  the protocol's signature
        return iterator

    def enters(self) -> None:
        return

    def wants_announcement(self, leaf: Any) -> bool:  # noqa: ARG002  the protocol's signature
        return False

    def leaf_steps(self, leaf: Any) -> None:  # noqa: ARG002  the protocol's signature
        return

    def leaf_rests(self, leaf: Any, token: Any) -> None:  # noqa: ARG002  the protocol's signature
        return


_NOT_OUTERMOST = _Placeholder()


def call_of(frame: FrameType, cells: dict[str, CellType]) -> tuple[FunctionType, list[Any], dict[str, Any]]:
    """The call that a frame which has just been entered came from: function, positional and keyword arguments."""
    code = frame.f_code
    info = info_of(code)
    assert info is not None
    closure = tuple(cells[name] for name in code.co_freevars)
    function = FunctionType(code, frame.f_globals, code.co_name, None, closure)
    return function, *arguments_of(code, frame.f_locals)
