"""``connect``: a client for programs with an event loop and for those without."""

from __future__ import annotations

import asyncio
import builtins
import threading
from collections.abc import Coroutine, Mapping
from types import TracebackType
from typing import Any, TypeVar, overload

from ..inspect.stack import InstanceStack
from ..inspect.values import Limits
from ..stores.backend import OrchestrationBackend
from ..stores.base import StateStore
from ..stores.state import CountedBy, InstanceQuery, InstanceSummary, Page, PastState
from .children import InstanceTree
from .client import AsyncClient, AsyncClientHandle
from .forking import Fork
from .inspection import EventView
from .lists import EVERYTHING
from .rewinding import Rewind

T = TypeVar("T")


def connect(store: str | StateStore | OrchestrationBackend, *, key: bytes | None = None) -> Connection:
    """A client of the instances in a store, for scripts, shells and services that run none of them.

    ``with connect(url) as client: client.list(query)``, or ``async with connect(url) as client: await client.list(query)``.
    It lists, counts, shows and searches, sends events, and asks for cancelling, retrying and deleting. It needs none of the
    programs' modules, and runs no code of theirs; looking makes no file. ``store`` and ``key``: as for ``DurableRuntime``; the
    key is looked for when it is needed. Raises UnknownStoreError and MissingDriverError.
    """
    return Connection(AsyncClient(store, key))


class Connection:
    """What ``connect`` gives: it is entered with ``with`` or with ``async with``."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._entered: Client | None = None

    def __enter__(self) -> Client:
        self._entered = Client(self._client)
        return self._entered

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._entered is not None:
            self._entered.close()

    async def __aenter__(self) -> AsyncClient:
        return await self._client.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, traceback)


class _LoopThread:
    """An event loop of its own, so that it works where another one runs, as in a notebook."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="durable_import client", daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What a coroutine gives."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def close(self) -> None:
        """End it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Client:
    """What ``with connect(...)`` gives: ``AsyncClient``, for programs without an event loop. Ends with ``close``."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._thread = _LoopThread()
        self.run = self._thread.run

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._client!r})"

    def close(self) -> None:
        """Let go of the store, if it was named by a URL."""
        try:
            self.run(self._client.close())
        finally:
            self._thread.close()

    def list(self, query: InstanceQuery = EVERYTHING) -> Page:
        """See ``AsyncClient``; as for all methods below."""
        return self.run(self._client.list(query))

    @overload
    def count(self, query: InstanceQuery = ..., by: None = None) -> int: ...
    @overload
    def count(self, query: InstanceQuery = ..., *, by: CountedBy) -> dict[str, int]: ...
    def count(self, query: InstanceQuery = EVERYTHING, by: CountedBy | None = None) -> int | dict[str, int]:
        return self.run(self._client.count(query)) if by is None else self.run(self._client.count(query, by=by))

    def cancel_all(self, query: InstanceQuery) -> int:
        return self.run(self._client.cancel_all(query))

    def retry_all(self, query: InstanceQuery) -> int:
        return self.run(self._client.retry_all(query))

    def delete_all(self, query: InstanceQuery) -> int:
        return self.run(self._client.delete_all(query))

    def fork(
        self,
        instance_id: str,
        checkpoint: int | None = None,
        new_id: str | None = None,
        changes: Mapping[str, Any] | None = None,
    ) -> ClientHandle:
        return ClientHandle(self, self.run(self._client.fork(instance_id, checkpoint, new_id, changes)))

    def plan_fork(
        self,
        instance_id: str,
        checkpoint: int | None = None,
        new_id: str | None = None,
        changes: Mapping[str, Any] | None = None,
    ) -> Fork:
        return self.run(self._client.plan_fork(instance_id, checkpoint, new_id, changes))

    def rewind(self, instance_id: str, checkpoint: int | None = None, *, undo: bool = False) -> bool:
        return self.run(self._client.rewind(instance_id, checkpoint, undo=undo))

    def plan_rewind(self, instance_id: str, checkpoint: int) -> Rewind:
        return self.run(self._client.plan_rewind(instance_id, checkpoint))

    def handle(self, instance_id: str) -> ClientHandle:
        return ClientHandle(self, self._client.handle(instance_id))


class ClientHandle:
    """The instance ``id``: ``AsyncClientHandle``, for programs without an event loop."""

    def __init__(self, client: Client, handle: AsyncClientHandle) -> None:
        self._run = client.run
        self._handle = handle
        self.id = handle.id

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r})"

    def info(self) -> InstanceSummary:
        """See ``AsyncClientHandle``; as for all methods below."""
        return self._run(self._handle.info())

    def children(self) -> builtins.list[InstanceSummary]:
        return self._run(self._handle.children())

    def tree(self) -> InstanceTree:
        return self._run(self._handle.tree())

    def stack(self, limits: Limits | None = None, checkpoint: int | None = None) -> InstanceStack:
        return self._run(self._handle.stack(limits, checkpoint))

    def events(self, limits: Limits | None = None) -> builtins.list[EventView]:
        return self._run(self._handle.events(limits))

    def history(self) -> builtins.list[PastState]:
        return self._run(self._handle.history())

    def send(self, event: str, payload: Any = None) -> None:
        self._run(self._handle.send(event, payload))

    def ask(self, name: str, payload: Any = None, timeout: float | None = None) -> Any:
        return self._run(self._handle.ask(name, payload, timeout))

    def cancel(self) -> bool:
        return self._run(self._handle.cancel())

    def retry(self) -> bool:
        return self._run(self._handle.retry())

    def migrate(self, *, to_new_code: bool = False, undo: bool = False) -> bool:
        return self._run(self._handle.migrate(to_new_code=to_new_code, undo=undo))

    def delete(self) -> None:
        self._run(self._handle.delete())
