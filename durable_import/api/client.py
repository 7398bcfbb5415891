"""A client: sees and asks for things in a store, in a process that runs no instances and has none of their code.

What it asks for is kept in the store, and is taken up by whoever owns the instance, or takes it up next. A store that was there
before, and is away for a moment, is asked again.
"""

from __future__ import annotations

import builtins
import uuid
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from types import TracebackType
from typing import Any, cast, overload

from ..errors import InstanceFinishedError
from ..inspect.records import Answer, plain_answer
from ..inspect.stack import InstanceStack
from ..inspect.values import Limits
from ..running.instance.mail import ASK, CANCEL
from ..running.instance.migration import MIGRATE, Migration
from ..running.instance.records import Records
from ..running.instance.rewinding import REWIND
from ..running.keeper import Keeper
from ..running.validation import check_event, check_id
from ..snapshot.sealing.seal import Seal
from ..stores.backend import OrchestrationBackend
from ..stores.base import StateStore
from ..stores.state import (
    FINISHED,
    CountedBy,
    InstanceQuery,
    InstanceSummary,
    Page,
    PastState,
    check_size,
)
from ..stores.store import Store
from ..stores.url import check_there, full_store, key_for, open_store
from .asking import ask, check_question
from .children import InstanceTree
from .forking import Fork, Forker
from .inspection import EventView, Inspection
from .lists import EVERYTHING, count_in, for_all
from .patient_store import PatientStore, once_there
from .rewinding import Rewind, Rewinder


class AsyncClient:
    """What ``async with connect(...)`` gives. Ends with ``close``.

    All methods raise StoreError when the store cannot be used. What is sealed needs the key, and raises MissingKeyError or
    SnapshotAuthenticationError, which name it, without: variables, events, and what is sent.
    """

    def __init__(self, store: str | StateStore | OrchestrationBackend, key: bytes | None = None) -> None:
        self._given = open_store(store)
        self._key = key
        self._closes_store = isinstance(store, str)
        self._is_there = False

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._given!r})"

    async def close(self) -> None:
        """Let go of the store, if it was named by a URL."""
        if self._closes_store and "_full" in vars(self):
            await self._full.close()

    @cached_property
    def _full(self) -> Store:
        return full_store(self._given)

    @cached_property
    def _patient(self) -> PatientStore:
        return once_there(self._full)

    @property
    def _store(self) -> Store:
        if not self._is_there:
            check_there(self._given)
            self._is_there = True
        return cast("Store", self._patient)

    @cached_property
    def _seal(self) -> Seal:
        return Seal(self._key if self._key is not None else key_for(self._given))

    @property
    def inspection(self) -> Inspection:
        """What looks."""
        return Inspection(self._store, lambda: self._seal)

    # --- many instances

    async def list(self, query: InstanceQuery = EVERYTHING) -> Page:
        """A page of instances, to be iterated over; its ``cursor``, if it has one, asks for the next. Raises ValueError for a
        cursor that is none, and DurableError when the store cannot list its instances."""
        return await self._store.list(query)

    @overload
    async def count(self, query: InstanceQuery = ..., by: None = None) -> int: ...
    @overload
    async def count(self, query: InstanceQuery = ..., *, by: CountedBy) -> dict[str, int]: ...
    async def count(self, query: InstanceQuery = EVERYTHING, by: CountedBy | None = None) -> int | dict[str, int]:
        """How many instances fit, whatever the limit is; ``by`` 'status' or 'function', by what each has there."""
        return await count_in(self._store, query, by)

    async def cancel_all(self, query: InstanceQuery) -> int:
        """Ask all that fit and have not ended to end; gives how many."""
        return await for_all(self._store, query, lambda summary: self.cancel(summary.instance_id))

    async def retry_all(self, query: InstanceQuery) -> int:
        """Let all that fit, and have failed or are stuck, go on; gives how many."""
        return await for_all(self._store, query, lambda summary: self._store.retry(summary.instance_id))

    async def delete_all(self, query: InstanceQuery) -> int:
        """Forget all that fit; gives how many."""
        return await for_all(self._store, query, lambda summary: self.delete(summary.instance_id))

    # --- one instance

    def handle(self, instance_id: str) -> AsyncClientHandle:
        """An instance by its id; nothing is asked of the store yet. Raises TypeError and ValueError for what is no id."""
        check_id(instance_id)
        return AsyncClientHandle(self, instance_id)

    async def cancel(self, instance_id: str) -> bool:
        """See ``AsyncClientHandle``; as for all methods below."""
        if (await self.inspection.summary(instance_id)).status in FINISHED:
            return False
        await self._publish(instance_id, CANCEL, None)
        return True

    async def retry(self, instance_id: str) -> bool:
        await self.inspection.summary(instance_id)
        return await self._store.retry(instance_id)

    async def migrate(self, instance_id: str, *, to_new_code: bool = False, undo: bool = False) -> bool:
        return await self.ask_to_migrate(instance_id, Migration(to_new_code, undo))

    async def ask_to_migrate(self, instance_id: str, migration: Migration) -> bool:
        """Let whoever has an instance, or takes it up next, do what a request says; False if it has ended."""
        summary = await self.inspection.summary(instance_id)
        if summary.status in FINISHED and summary.status != "failed":
            return False
        await self._publish(instance_id, MIGRATE, migration.payload())
        if migration.undo:
            await self._store.retry(instance_id)
        return True

    async def withdraw_migration(self, instance_id: str, *, dry_run: bool = False) -> bool:
        """Forget requests to migrate that nobody has obeyed; gives whether there were any. ``dry_run``: only look."""
        numbers = [event.number for event in await self._store.load_events(instance_id) if event.name == MIGRATE]
        if numbers and not dry_run:
            await self._store.remove_events(instance_id, numbers)
        return bool(numbers)

    async def load_before(self, instance_id: str) -> bytes | None:
        """What an instance was before it was moved by hand."""
        return await self._store.load_before(instance_id)

    async def fork(
        self,
        instance_id: str,
        checkpoint: int | None = None,
        new_id: str | None = None,
        changes: Mapping[str, Any] | None = None,
    ) -> AsyncClientHandle:
        """As ``DurableRuntime.fork``: none of the program's code is needed for it. Whoever looks for work takes the new instance
        up."""
        plan, keeper = await self._forker.plan(instance_id, checkpoint, new_id, changes), Keeper(self._store)
        try:
            await self._forker.make(plan, keeper)
        finally:
            await keeper.close()
        return self.handle(plan.fork.id)

    async def plan_fork(
        self,
        instance_id: str,
        checkpoint: int | None = None,
        new_id: str | None = None,
        changes: Mapping[str, Any] | None = None,
    ) -> Fork:
        """What ``fork`` would make; nothing is written. Raises the same."""
        return (await self._forker.plan(instance_id, checkpoint, new_id, changes)).fork

    async def rewind(self, instance_id: str, checkpoint: int | None = None, *, undo: bool = False) -> bool:
        """As ``DurableRuntime.rewind``; who looks for work takes it up."""
        if (checkpoint is None) == (not undo):
            raise TypeError("rewind takes the number of a checkpoint, or undo=True")
        keeper, rewinder = Keeper(self._store), self._rewinder
        try:
            if checkpoint is None:
                ask = partial(self._publish, instance_id, MIGRATE, Migration(undo=True).payload())
                return await rewinder.undo(instance_id, keeper, ask)
            plan = await rewinder.plan(instance_id, checkpoint)
            return await rewinder.rewind(plan, keeper, partial(self._publish, instance_id, REWIND, checkpoint))
        finally:
            await keeper.close()

    async def plan_rewind(self, instance_id: str, checkpoint: int) -> Rewind:
        """What ``rewind`` would do, with the checkpoints that are behind that one; nothing is written. Raises the same."""
        return await self._rewinder.plan(instance_id, checkpoint)

    @property
    def _rewinder(self) -> Rewinder:
        return Rewinder(self._store, self._seal, self.inspection)

    @property
    def _forker(self) -> Forker:
        return Forker(self._store, self._seal, self.inspection)

    async def delete(self, instance_id: str) -> bool:
        await self.inspection.summary(instance_id)
        await self._store.delete(instance_id)
        return True

    async def send(self, instance_id: str, name: str, payload: Any = None) -> None:
        check_event(name)
        if name.startswith("@"):
            raise ValueError(f"the event name {name!r} begins with '@', which is for durable_import's own ones: choose another")
        summary = await self._store.summary(instance_id)
        if summary is not None and summary.status in FINISHED:
            raise InstanceFinishedError(
                f"instance {instance_id!r} has ended ({summary.status}): event {name!r} was not sent, nobody would get it"
            )
        await self._publish(instance_id, name, payload)

    async def ask(self, instance_id: str, name: str, payload: Any = None, timeout: float | None = None) -> Any:
        return await self._ask(instance_id, name, payload, timeout, Records.open_answer)

    async def ask_plainly(self, instance_id: str, name: str, payload: Any = None, timeout: float | None = None) -> Answer:
        answer: Answer = await self._ask(instance_id, name, payload, timeout, _look_at_answer)
        return answer

    async def _ask(
        self, instance_id: str, name: str, payload: Any, timeout: float | None, opened: Callable[[Records, bytes], Any]
    ) -> Any:
        check_question(instance_id, name, timeout)
        question = str(uuid.uuid4())
        send = partial(self._publish, instance_id, ASK, (question, name, payload), question)
        return await ask(self._store, self._seal, instance_id, name, question, send, timeout, keeps=False, opened=opened)

    async def _publish(self, instance_id: str, name: str, payload: Any, event_id: str | None = None) -> None:
        sealed = Records(self._seal, instance_id).seal_event(name, payload)
        check_size(instance_id, f"event {name!r}", len(sealed))
        once = event_id or f"sent {uuid.uuid4()}"  # so that it may be sent again
        await self._patient.patiently(partial(self._store.publish, instance_id, name, sealed, once), "an event is not kept yet")


class AsyncClientHandle:
    """The instance ``id``, as a client has it. All methods raise UnknownInstanceError when there is none of this id."""

    def __init__(self, client: AsyncClient, instance_id: str) -> None:
        self._client = client
        self.id = instance_id

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r})"

    async def info(self) -> InstanceSummary:
        """What is small of it: status, place and times, owner, hold, attempts and error, tags and progress, parent and children.
        Needs no key, as the next two."""
        return await self._client.inspection.info(self.id)

    async def children(self) -> builtins.list[InstanceSummary]:
        """The same of those that it has begun, the oldest first."""
        return await self._client.inspection.children(self.id)

    async def tree(self) -> InstanceTree:
        """With all below them; ``str`` of it has a line for each."""
        return await self._client.inspection.tree(self.id)

    async def stack(self, limits: Limits | None = None, checkpoint: int | None = None) -> InstanceStack:
        """All that it was at its last checkpoint: tasks, frames with source lines and variables, what each waits for; or at the
        one of this number, in a store that keeps history (ValueError if it is not there).

        Nothing of the program is imported or run; objects are told as ``Type(field=...)``. ``limits``: how much of each.
        """
        return await self._client.inspection.stack(self.id, limits, checkpoint)

    async def events(self, limits: Limits | None = None) -> builtins.list[EventView]:
        """The events for it that it has not taken yet."""
        return await self._client.inspection.events(self.id, limits)

    async def history(self) -> builtins.list[PastState]:
        """What it has been, oldest first. Raises DurableError when the store keeps no history."""
        return await self._client.inspection.history(self.id)

    async def send(self, event: str, payload: Any = None) -> None:
        """Publish an event for it; one that does not exist yet gets it when it does. Raises InstanceFinishedError."""
        await self._client.send(self.id, event, payload)

    async def ask(self, name: str, payload: Any = None, timeout: float | None = None) -> Any:
        """What it answers, as ``InstanceHandle.ask``. A value of the program's own classes needs their modules."""
        return await self._client.ask(self.id, name, payload, timeout)

    async def ask_plainly(self, name: str, payload: Any = None, timeout: float | None = None) -> Answer:
        """The same as JSON has it: no code of the program is needed or run, and an exception is told, not raised."""
        return await self._client.ask_plainly(self.id, name, payload, timeout)

    async def cancel(self) -> bool:
        """Ask it to end, as ``asyncio.Task.cancel`` does; False if it has ended. The request is kept until it has it."""
        return await self._client.cancel(self.id)

    async def retry(self) -> bool:
        """Let it go on that has failed or is stuck, in the next process that looks for work; False if it is neither."""
        return await self._client.retry(self.id)

    async def migrate(self, *, to_new_code: bool = False, undo: bool = False) -> bool:
        """Let it go on in the code of today, where all of it can; False if it has ended. ``to_new_code``: also what goes on in
        the code that it began with. ``undo``: let it be what it was before that.

        The request is kept until whoever has it, or takes it up next, obeys it with the code that process has: see "By hand" in
        the documents. If it cannot move it stays as it is, and the log of that process says why.
        """
        return await self._client.migrate(self.id, to_new_code=to_new_code, undo=undo)

    async def delete(self) -> None:
        """Forget it, no matter who owns it: its owner's next commit is refused."""
        await self._client.delete(self.id)


def _look_at_answer(records: Records, sealed: bytes) -> Answer:
    """An answer, of which nothing is made."""
    return plain_answer(records.unopened("answer", sealed))
