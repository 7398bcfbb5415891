"""A store as those have it who look at it, or ask for something in it: by the same policy as commits, see ``patience``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar, cast

from ..running.patience import patiently
from ..stores.store import Store

T = TypeVar("T")

PATIENCE = 10.0  # seconds of those who are in no instance, for a store that was there before

# To do them twice is no harm: an answer may have been lost, and what was asked for done.
REPEATED = frozenset((
    "count", "delete", "list", "load", "load_before", "load_events", "load_history", "load_segments", "load_source",
    "remove_events", "retry", "summary", "was_published",
))  # fmt: skip


class PatientStore:
    """``store``, whose calls are made again while it is away, for as many seconds as ``patience`` says then (None: for ever)."""

    def __init__(self, store: Store, patience: Callable[[], float | None]) -> None:
        self._store = store
        self._patience = patience
        self.has_answered = False

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if name == "history" and found is not None:
            return PatientStore(found, self._patience)
        return partial(self._ask, name, found) if name in REPEATED else found

    def __repr__(self) -> str:
        return repr(self._store)

    async def _ask(self, name: str, method: Callable[..., Awaitable[T]], *arguments: Any, **keywords: Any) -> T:
        return await self.patiently(partial(method, *arguments, **keywords), f"the store has not answered ({name})")

    async def patiently(self, ask: Callable[[], Awaitable[T]], what: str) -> T:
        """What ``ask`` gives, which may be done twice."""
        answer = await patiently(ask, self._patience(), what, dict)
        self.has_answered = True
        return answer


def patient(store: Store, patience: Callable[[], float | None]) -> Store:
    """See ``PatientStore``."""
    return cast("Store", PatientStore(store, patience))


def once_there(store: Store) -> PatientStore:
    """For who is in no instance: told at once that a store is not there, but asks again if it was there before."""
    found = PatientStore(store, lambda: PATIENCE if found.has_answered else 0.0)
    return found
