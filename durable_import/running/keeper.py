"""Keeps the row alive that this process has in a store, and buries the owners that have died, from a thread of its own: a program
may keep its event loop busy.

An owner is dead if that is certain on this machine (see ``Owner.is_dead``), or if its beat was seen unchanged for long enough.
Nothing is concluded from clocks of others: what was seen is forgotten after a look that failed, or that came late.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, TypeVar

from ..aio.gate import Gate
from ..errors import DurableError, FencedError, InstanceBusyError, StoreError
from ..log import logger
from ..pythons import forks
from ..pythons.systems import passing
from ..stores.owner import DEFAULT_LEASE_SECONDS, Owner
from ..stores.state import NO_ORIGIN, InstanceState, Origin, OwnerRow, owner_lost
from ..stores.store import Begun, Store
from ..stores.suspects import Rule

T = TypeVar("T")

REMEMBERED = 1000  # beats
ROUNDS = 6  # a lease: who lives renews twice before anybody can take it for dead
BURIED_AT_ONCE = 500  # instances
LONGEST_LEASE = 24 * 3600.0  # seconds; a row may say anything
_UNDECIDED = object()


class Ownership(Gate):
    """The row that this process has in a store. Steps begin while it surely counts, and wait for a renewal else."""

    __slots__ = ("_keeper", "beat", "earlier", "is_lost", "next_beat", "number")

    def __init__(self, keeper: Keeper, number: int, closes_at: float) -> None:
        super().__init__(closes_at)
        self._keeper = keeper
        self.number = number
        self.beat = 0  # the last one that the store has confirmed
        self.next_beat = 0  # that it was asked for, and has not confirmed: it may have it
        self.earlier: deque[int] = deque(maxlen=REMEMBERED)  # beats: it may go back to one
        self.is_lost = False

    async def opens(self) -> None:
        """Raises FencedError when the process was taken for dead."""
        await self._keeper.confirmed(self)

    def ends(self) -> None:
        """What was begun under it does not go on here."""
        self.is_lost, self.closes_at = True, -math.inf


class _Seen(NamedTuple):
    """A beat that was seen, and when its owner is dead if it still has that."""

    beat: int
    dead_at: float


class Keeper:
    """See the module. ``wake`` is called, in the thread, when instances have become free."""

    fork_rank = 0

    def __init__(
        self, store: Store, lease_seconds: float = DEFAULT_LEASE_SECONDS, wake: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._lease = lease_seconds
        self._wake = wake
        self._prepare()
        forks.joins(self)

    def _prepare(self) -> None:
        self._lock = threading.Lock()
        self._at_work = threading.Lock()  # held in a round
        self._rest = forks.Rest(self._at_work)
        self._asked: list[tuple[asyncio.Future[Any], Callable[[Exception | None], Any]]] = []
        self._call = threading.Event()  # somebody wants a round
        self._thread: threading.Thread | None = None
        self._is_stopped = False
        self.own: Ownership | None = None
        self._is_wanted = False  # that this process has a row
        self._rows: dict[int, OwnerRow] = {}  # of the others, when they were looked at last
        self._seen: dict[int, _Seen] = {}
        self._looked_at = -math.inf
        self.oldest_since = 0.0  # when the first of those that live was registered, this process among them; 0: not known
        self._unburied: dict[int, Exception] = {}  # why
        self._has_failed = False  # in the last round

    def rest(self, seconds: float) -> None:
        """See ``forks.Forking``."""
        self._rest.begin(seconds)

    def go_on(self) -> None:
        """See ``forks.Forking``."""
        self._rest.end()

    def start_over(self) -> None:
        """See ``forks.Forking``. What the parent owns does not go on here."""
        if self.own is not None:
            self.own.ends()
        forks.keep(self._asked)  # futures of the parent's event loops
        self._prepare()

    # --- for event loops

    async def ownership(self) -> Ownership:
        """That of this process, which is registered if it is not yet. Raises what the store raises then."""
        own = self.own
        if own is not None and not own.is_lost:
            return own
        self._is_wanted = True
        return await self._ask(self._registered)  # type: ignore[no-any-return]

    async def begin(
        self,
        instance_id: str,
        new: InstanceState | None,
        call: bytes,
        origin: Origin = NO_ORIGIN,
        rule: Rule | None = None,
    ) -> tuple[Begun, Ownership]:
        """Become the owner of an instance: see ``Store.begin``. One whose owner has died is free at once if that is certain."""
        epoch, has_looked = secrets.randbits(62) | 1, False
        while True:
            own = await self.ownership()
            try:
                return await self._store.begin(instance_id, own.number, epoch, new, call, origin, rule), own
            except FencedError:  # not the instance, but this process was taken for dead
                own.ends()
            except InstanceBusyError as error:
                if has_looked or not await self.is_gone(error.holder):
                    raise
                has_looked = True

    async def is_gone(self, owner: int) -> bool:
        """Look at another owner now; gives whether it is buried. If its lease has run out, it is watched until that is known."""
        if not owner or (self.own is not None and owner == self.own.number):
            return False
        beats: list[int] = []
        return await self._ask(lambda error: self._verdict(owner, beats, error))  # type: ignore[no-any-return]

    async def confirmed(self, own: Ownership) -> None:
        """Return when an ownership surely counts. Raises FencedError when it does not any more."""
        await self._ask(lambda _: None if own.is_lost or passing() < own.closes_at else _UNDECIDED)
        if own.is_lost:
            raise owner_lost(own.number)

    async def close(self) -> None:
        """Give up the row, and end the thread."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        with self._lock:  # told to stop before it is asked, the thread may be gone by then, and nobody would answer
            if self._thread is None:
                return
            self._asked.append((future, lambda _: _UNDECIDED))
            self._is_stopped = True
        self._call.set()
        with suppress(DurableError):
            await future

    async def _ask(self, answer: Callable[[Exception | None], Any]) -> Any:
        """What ``answer`` gives, or raises, after a round that begins now, or a later one; it is told what has failed."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        with self._lock:
            self._asked.append((future, answer))
            if self._thread is None:
                self._is_stopped = False
                serve = partial(_serve, weakref.ref(self), self._call)
                weakref.finalize(self, self._call.set).atexit = False  # then it looks whether anybody has the keeper
                self._thread = threading.Thread(target=serve, name="durable_import keeper", daemon=True)
                self._thread.start()
        self._call.set()
        return await future

    def _registered(self, error: Exception | None) -> Any:
        if self.own is not None and not self.own.is_lost:
            return self.own
        if error is not None:
            raise error
        self._is_wanted = True  # one may be lost in the round that made it
        return _UNDECIDED

    def _verdict(self, owner: int, beats: list[int], error: Exception | None) -> Any:
        if error is not None:
            raise error
        row = self._rows.get(owner)
        if row is None:
            return True
        if owner in self._unburied:
            raise self._unburied[owner]
        beats.append(row.beat)
        is_silent = row.until <= time.time() and row.beat == beats[0]
        return _UNDECIDED if is_silent else False

    # --- the thread

    def _serve_once(self) -> float | None:
        """Take a round, and answer; gives how long to rest then, None: nothing more is to be done."""
        if self._is_stopped:
            self._leave()
            return None
        try:
            with self._lock:
                asked = list(self._asked)
            error = self._attempt()
            answered = {each[0] for each in asked if _answer(*each, error)}
            with self._lock:
                self._asked = [each for each in self._asked if each[0] not in answered]
        except BaseException:  # such as no memory: what is not answered stays asked
            return self._lease / 10
        return self._lease / (ROUNDS if error is None else 10)

    def _attempt(self) -> Exception | None:
        """One round; gives what has failed in it. Whatever that is, the next one may go well."""
        try:
            with self._at_work:
                self._round()
        except BaseException as error:
            self._seen.clear()
            if not self._has_failed:
                self._has_failed = True
                with suppress(BaseException):
                    logger.warning("the lease of this process was not renewed, or others not looked at; trying again: %r", error)
            return error if isinstance(error, Exception) else StoreError(f"looking after the lease has failed: {error!r}")
        self._has_failed = False
        return None

    def _round(self) -> None:
        self._renew()
        now = passing()
        if now - self._looked_at > self._lease / 3:
            self._seen.clear()
        self._look()
        self._looked_at = now
        dead = [row for row in self._rows.values() if self._is_dead(row, now)]
        self._unburied = {row.id: error for row in dead if (error := self._bury(row)) is not None}
        if dead:
            self._look()

    def _look(self) -> None:
        own = self.own.number if self.own is not None else 0
        rows = self._store.owners()
        self._rows = {row.id: row for row in rows if row.id != own}
        self.oldest_since = min((row.since for row in rows if not row.is_dead), default=0.0)
        self._seen = {number: seen for number, seen in self._seen.items() if number in self._rows}

    def _renew(self) -> None:
        own = self.own
        if own is None or own.is_lost:
            if self._is_wanted:
                sent = passing()
                self.own = Ownership(self, self._store.register(Owner.current(), self._lease), sent + self._lease)
                self._is_wanted = False
            return
        own.next_beat = own.next_beat or secrets.randbits(62) | 1
        if self._renew_from(own, own.beat) or self._renew_from(own, own.next_beat):
            return
        found = next((row for row in self._store.owners() if row.id == own.number), None)
        # A store that has lost its last commits has an earlier beat of ours. One that we do not know is that of a twin: this
        # machine was copied while it ran.
        if found is not None and not found.is_dead and found.beat in own.earlier and self._renew_from(own, found.beat):
            return
        own.ends()
        logger.warning("%s", owner_lost(own.number))

    def _renew_from(self, own: Ownership, beat: int) -> bool:
        """Let the lease run on, if the store has that beat."""
        sent = passing()
        if not self._store.renew(own.number, beat, own.next_beat, self._lease):
            return False
        own.earlier.append(own.beat)
        own.beat, own.next_beat, own.closes_at = own.next_beat, 0, sent + self._lease
        return True

    def _is_dead(self, row: OwnerRow, now: float) -> bool:
        if row.is_dead or row.who.is_dead():
            return True
        seen = self._seen.get(row.id)
        if seen is not None and seen.beat == row.beat:
            return now >= seen.dead_at
        lease = min(max(0.0, row.lease), LONGEST_LEASE)  # in this order: what stands in a row may be no number
        self._seen[row.id] = _Seen(row.beat, now + min(max(lease / 3, row.until - time.time()), lease))
        return False

    def _bury(self, row: OwnerRow) -> Exception | None:
        """Let others have what a dead owner has; gives what has failed."""
        freed, renew_at = 0, passing() + self._lease / ROUNDS
        try:
            while part := self._store.bury(row.id, row.beat, BURIED_AT_ONCE):
                freed += part
                if passing() >= renew_at:
                    self._renew()
                    renew_at = passing() + self._lease / ROUNDS
        except Exception as error:
            self._seen.pop(row.id, None)
            if row.id not in self._unburied:
                logger.warning("what process %d on host %s has left is not free yet: %s", row.who.pid, row.who.host, error)
            return error
        finally:
            if freed:
                logger.info("process %d on host %s has died: %d instances of it are free", row.who.pid, row.who.host, freed)
                self._wake()
        return None

    def _leave(self) -> None:
        """Give up the row."""
        own, self.own = self.own, None
        if own is not None:
            own.ends()
            try:
                self._store.retire(own.number)
            except BaseException as error:  # it is buried by others
                logger.warning("this process has not given up its lease: %r", error)
        with self._lock:
            self._thread = None
            asked, self._asked = self._asked, []
        for future, _ in asked:
            _answer(future, _is_closed, None)


def _serve(keeper: weakref.ref[Keeper], call: threading.Event) -> None:
    """What the thread does, until it is to stop, or until nobody has the keeper any more: then others bury what it has left."""
    while (living := keeper()) is not None:
        pause = living._serve_once()
        del living
        if pause is None:
            return
        try:
            call.wait(pause)
            call.clear()
        except BaseException:  # such as no memory: the next round may go well
            time.sleep(pause)


def _is_closed(_: Exception | None) -> Any:
    raise DurableError("the runtime was closed meanwhile")


def _answer(future: asyncio.Future[Any], answer: Callable[[Exception | None], Any], error: Exception | None) -> bool:
    """Tell who has asked, in its event loop; False: the answer is not known yet."""
    result, failure = None, None
    try:
        result = answer(error)
    except Exception as raised:
        failure = raised
    if result is _UNDECIDED:
        return future.cancelled() or future.get_loop().is_closed()
    with suppress(RuntimeError):  # nobody waits in a closed loop
        future.get_loop().call_soon_threadsafe(_tell, future, result, failure)
    return True


def _tell(future: asyncio.Future[Any], result: Any, failure: Exception | None) -> None:
    if future.done():
        return
    if failure is not None:
        future.set_exception(failure)
    else:
        future.set_result(result)
