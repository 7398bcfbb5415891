"""What the rest of the package needs of a store. ``adapted`` makes one of the small stores that users implement."""

from __future__ import annotations

import builtins
from collections.abc import Awaitable, Callable, Collection, Generator, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from durable_import.errors import StoreUnavailableError
from durable_import.stores.changes import Awaited
from durable_import.stores.owner import Owner
from durable_import.stores.state import (
    NO_ORIGIN,
    Claim,
    CountedBy,
    Event,
    Failure,
    HoldRecord,
    InstanceQuery,
    InstanceState,
    InstanceSummary,
    Origin,
    OwnerRow,
    Page,
)
from durable_import.stores.suspects import ALONE_FROM, Rule

Segments = Mapping[str, bytes | None]  # those to put, and None for those to remove


class Committing:
    """A commit that is to be awaited: it begins then, and leaves nothing behind if it is not."""

    __slots__ = ("_begin",)

    def __init__(self, begin: Callable[[], Awaitable[None]]) -> None:
        self._begin = begin

    def __await__(self) -> Generator[Any, Any, None]:
        return self._begin().__await__()


class Begun(NamedTuple):
    """An instance that is owned from now on. ``state`` is what it has, ``call`` the record of the call that began it.

    ``is_new``: the state was made now. ``events``: those that it has; None: they are to be loaded. ``lives``: how often it was
    begun since its last commit, without this time; None: this store does not count. ``attempts``, ``error``: see
    ``InstanceSummary``.
    """

    claim: Claim
    state: InstanceState | None
    call: bytes
    is_new: bool
    events: list[Event] | None
    lives: int | None = None
    attempts: int = 0
    error: str | None = None


class Kept(NamedTuple):
    """What a store has of an instance: its last state, and the record of the call that began it, empty without one."""

    state: InstanceState
    call: bytes


class OpenTransaction(Protocol):
    """A transaction in the store's database, for data of the user that a state is to be committed together with.

    It ends with ``commit`` or ``rollback``; both leave ``connection`` closed. If the connection itself has ended it
    (``COMMIT``, ``connection.commit()``), ``commit`` raises StoreError. ``keeps_lease``: while it is open nobody can be taken for
    dead, nor renew a lease.
    """

    @property
    def keeps_lease(self) -> bool: ...

    @property
    def connection(self) -> Any:
        """The driver's connection, in the transaction; for the running event loop and its thread."""
        ...

    async def commit(self, claim: Claim, state: InstanceState, segments: Segments | None = None, is_whole: bool = True) -> None:
        """As ``Store.commit``, together with what was done by the connection: both happen, or neither.

        Nothing has happened if it raises, with one exception: after a StoreUnavailableError because the connection broke, look
        at the state that the store has. A commit whose awaiting task is cancelled still happens.
        """
        ...

    def lost(self, error: BaseException) -> StoreUnavailableError | None:
        """Whether an error by which the transaction was left says that the store is away, so that it could be tried again."""
        ...

    async def rollback(self) -> None:
        """Undo what was done by the connection; nothing happens if the transaction has ended."""
        ...


class Transactions(Protocol):
    """Makes transactions. Others may have to wait while one is open."""

    async def begin_transaction(self) -> OpenTransaction: ...


class History(Protocol):
    """Has the states before the last one."""

    async def load_history(self, instance_id: str) -> builtins.list[InstanceState]:
        """The last state of each checkpoint number, oldest first; the present one is the last."""
        ...

    async def load_past_segments(self, instance_id: str, checkpoint: int) -> dict[str, bytes]:
        """The segments of the state of a checkpoint, a past one or the present one."""
        ...


class Store(Protocol):
    """Keeps instances and events, for one process or many. All methods may raise StoreUnavailableError.

    ``transactions`` and ``history`` are None if it has none. ``keeps_segments``: only what has changed of a snapshot in segments
    is written.
    """

    @property
    def transactions(self) -> Transactions | None: ...

    @property
    def history(self) -> History | None: ...

    @property
    def keeps_segments(self) -> bool: ...

    # --- who owns instances: these block, and have a connection of their own; for the thread of a keeper

    def register(self, who: Owner, lease: float) -> int:
        """Add this process, whose lease runs for ``lease`` seconds and whose beat is 0; gives the number of its row. What
        renewing needs is open from then on."""
        ...

    def renew(self, owner: int, old: int, new: int, lease: float) -> bool:
        """Let the lease run for so long, and the beat be ``new``, if it is ``old`` and nobody took the owner for dead; gives
        whether that was done. It costs the same however much the owner has."""
        ...

    def owners(self) -> builtins.list[OwnerRow]:
        """All of them."""
        ...

    def bury(self, owner: int, beat: int, limit: int) -> int:
        """Mark an owner dead if its beat is still ``beat``, and let go of up to ``limit`` of its instances; gives of how many.
        0: it is alive, or it is done and the row is gone. Those that were at work have one more attempt behind them."""
        ...

    def retire(self, owner: int) -> None:
        """Remove the row of this process; what it still has is free."""
        ...

    # --- the life of an instance

    async def begin(
        self,
        instance_id: str,
        owner: int,
        epoch: int,
        new: InstanceState | None,
        call: bytes,
        origin: Origin = NO_ORIGIN,
        rule: Rule | None = None,
    ) -> Begun:
        """Become the owner. If the instance has no state, keep ``new``, and with its first state, whenever that is, ``call`` and
        ``origin``.

        ``epoch`` is random: one whose answer was lost is repeated with it. Raises InstanceBusyError while another owner has it
        that nobody has taken for dead: whether it is, is not found out here. The same ``owner`` may begin again: its earlier
        claim is fenced. Raises FencedError for an owner that is not alive, InstanceStuckError for an instance that was given
        up, and InstanceHeldBackError, with nothing done, for one that ``rule`` leaves no room for in this process; without a rule
        it is let in however many are in flight.
        """
        ...

    async def claim(
        self,
        owner: int,
        epoch: int,
        room: int,
        queues: Sequence[str] = ("",),
        *,
        orphans: bool = True,
        alone_from: int = ALONE_FROM,
        is_again: bool = False,
    ) -> builtins.list[Begun]:
        """Become the owner of instances that have something to do and that nobody owns: at most ``room``, all with ``epoch``.

        That is: waiting or sleeping with ``wake_at`` in the past, or with an event; to be tried again now; with ``orphans`` also
        pending and running ones. Those that have not ended with the death of their process come first, then the longest waiting;
        of the others so many are in flight in this process as ``suspects`` says, one at a time after ``alone_from`` deaths.
        ``is_again``: an earlier claim with this epoch was not answered; what it has taken is given. What is damaged is stuck from
        then on. Raises FencedError for an owner that is not alive.
        """
        ...

    def commit(
        self, claim: Claim, state: InstanceState, segments: Segments | None = None, is_whole: bool = True
    ) -> Awaitable[None] | None:
        """Keep ``state`` if ``claim`` is current, else raise FencedError and change nothing. None: it was done at once; else it
        is to be awaited, and happens even if that is cancelled.

        ``segments`` change with it; ``is_whole``: all others are removed.
        """
        ...

    async def end(self, claim: Claim, state: InstanceState, *, keeps: bool) -> None:
        """Keep the last state, and let go of the instance. ``keeps``: its snapshot and its events stay, else both are removed."""
        ...

    async def release(self, claim: Claim, *, has_lived: bool = True, failure: Failure | None = None) -> None:
        """Let go of the instance; nothing happens if the claim is not current. ``has_lived``: it was begun to go on with it.

        ``failure``: it could not go on.
        """
        ...

    async def note_hold(self, claim: Claim, hold: HoldRecord, checkpoint: int) -> None:
        """Keep what holds the instance since a checkpoint, for others to see, until it is committed or somebody else has it.
        Nothing happens if it was committed already, or the claim is not current."""
        ...

    async def set_tags(self, claim: Claim, tags: Mapping[str, str | None]) -> None:
        """Put tags in place of those of the same names; None removes one. They are seen at once, whatever is committed. Nothing
        happens if the claim is not current."""
        ...

    async def keep_key(self, claim: Claim, key: str, digest: bytes) -> bytes:
        """Keep which call is given a key, unless one is known already; gives the digest of the first. It then survives a crash.

        Raises FencedError for a claim that is not current. The next commit with this claim forgets it, and the end. What other
        lives have kept stays: the key may come up again.
        """
        ...

    async def keep_before(self, claim: Claim, data: bytes) -> None:
        """Keep what an instance was before something that can be undone; in place of what was kept so. It goes with the
        instance. Raises FencedError for a claim that is not current."""
        ...

    async def retry(self, instance_id: str) -> bool:
        """Let an instance be taken up now that is stuck, or is to be tried again later, or has failed; False if it is none of
        these. Its attempts start over. Keys that came up with another digest are forgotten."""
        ...

    async def hasten(self) -> None:
        """Let all be taken up now that are to be tried again later; their attempts count on."""
        ...

    async def delete(self, instance_id: str) -> None:
        """Forget the instance, no matter who owns it; its owner's next commit is refused."""
        ...

    # --- looking

    async def load(self, instance_id: str) -> Kept | None:
        """The last state, and the call."""
        ...

    async def load_segments(self, instance_id: str, names: Collection[str] | None = None) -> dict[str, bytes]:
        """The segments of the last state; of these ``names``, those that there are."""
        ...

    async def load_before(self, instance_id: str) -> bytes | None:
        """What ``keep_before`` has kept."""
        ...

    async def summary(self, instance_id: str) -> InstanceSummary | None:
        """What is small of an instance."""
        ...

    async def list(self, query: InstanceQuery) -> Page:
        """Instances that have a state."""
        ...

    async def count(self, query: InstanceQuery, by: CountedBy | None = None) -> dict[str, int]:
        """How many fit, whatever ``limit`` and ``cursor`` are, by what each has there; without ``by`` all under an empty text."""
        ...

    async def remove_finished(self, seconds: float) -> int:
        """Delete what has been finished for so long and nobody owns; gives how many."""
        ...

    # --- events

    async def publish(self, instance_id: str, name: str, payload: bytes, event_id: str | None = None) -> bool:
        """Keep an event, unless one with this id was published before; gives whether it was. It then survives a crash."""
        ...

    async def was_published(self, event_id: str) -> bool:
        """Whether an event with this id was published."""
        ...

    async def load_events(self, instance_id: str) -> builtins.list[Event]:
        """The events of an instance, in the order in which they were published."""
        ...

    async def remove_events(self, instance_id: str, numbers: Iterable[int]) -> None:
        """Forget events; nothing happens for those that are gone already."""
        ...

    async def pending(self, owner: int, since: int) -> dict[str, int]:
        """Ids of the owner's instances that have events of a higher number than ``since``, each with the highest number."""
        ...

    async def wait_for_change(self, timeout: float, awaited: Awaited | None = None) -> None:
        """Returns when there may be something to look for, at the latest after ``timeout`` seconds; ends are something to look
        for if they are ``awaited``."""
        ...

    # --- beside the instances

    async def save_source(self, digest: str, text: str) -> None:
        """Keep a text of the program, each once; and, each time, that it is needed from now on."""
        ...

    async def load_source(self, digest: str) -> str | None:
        """The text, if it is kept."""
        ...

    async def need_sources(self, digests: Collection[str]) -> set[str]:
        """The same of some that are perhaps kept already; gives those that are."""
        ...

    async def has_old_sources(self, before: float) -> bool:
        """Whether there are texts that nobody has saved since a time, in seconds since 1970."""
        ...

    async def remove_sources(self, before: float, needed: Collection[str]) -> int:
        """Remove those, but for some that are needed still, as if they were saved now; gives how many. What is saved meanwhile
        stays."""
        ...

    async def load_blobs(self, after: str, limit: int) -> tuple[builtins.list[bytes], str]:
        """All that is kept of instances in bytes, whatever it is, a page at a time: states with their segments, calls, history,
        and what was before. ``after``: what the page before gave, empty for the first; at the end an empty one is given."""
        ...

    async def close(self) -> None:
        """Let go of files and threads; the next use opens the store again."""
        ...
