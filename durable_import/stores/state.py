"""What is kept of an instance, and how it is asked for."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Self, TypeAlias, get_args

from durable_import.errors import FencedError, StateLostError, StoreRefusedError
from durable_import.stores.owner import Owner
from durable_import.tags import Progress, tags_for

FINISHED = ("completed", "failed", "cancelled")
DORMANT = ("waiting", "sleeping")  # nothing is to be done before an event comes, or the time
ABANDONED = ("pending", "running")  # what such an instance is if nobody owns it
STATUSES = (*ABANDONED, *DORMANT, *FINISHED)
STUCK = "stuck"  # the status, in lists, of an instance that was given up for now, whatever it is in its state
ANNOUNCED = ("pending", *FINISHED)  # those who wait for a change want to know of a commit as one of these
TRUSTED_AFTER = 10.0  # seconds, twice as many for each attempt: so long a life is no killer's
LONGEST_PAUSE = 600.0  # seconds
ANSWER_TO = "@answer/"  # begins the ids under which answers are kept as events, until somebody has them, or for a day
LARGEST = 1_000_000_000  # bytes of a snapshot, a result, a call or an event
MANY = 20  # attempts: more make no difference


class InstanceState(NamedTuple):
    """The last state of an instance, without the call that began it, which never changes.

    ``location``: 'file:line function'; before the first checkpoint empty, or which life of the instance began last. ``wake_at``:
    when an instance that waits is to go on even if nothing happens, in seconds since 1970. ``snapshot`` is empty before the first
    checkpoint, ``outcome`` (the result or exception) before the end; both are sealed before a store sees them.
    """

    status: str
    checkpoint: int
    location: str
    function: str
    wake_at: float | None
    snapshot: bytes
    outcome: bytes

    def without_snapshot(self) -> InstanceState:
        """What is small of it."""
        return InstanceState(*self[:5], b"", self.outcome)


class Origin(NamedTuple):
    """What an instance has from its beginning. ``parent``: the id of the instance that has begun it; ``tags``: names with
    values, to find it by."""

    parent: str | None = None
    tags: tuple[tuple[str, str], ...] = ()


NO_ORIGIN = Origin()


class Claim(NamedTuple):
    """The right to commit to an instance until a later claim exists. ``number``: by which a store finds it.

    ``attempts``: lives before this one that have killed their process, in a row. A commit ends the row if it is made from
    ``proven_at`` on, by ``time.monotonic``: what runs beside the killer may commit in each life.
    """

    instance_id: str
    epoch: int
    number: int = 0
    attempts: int = 0
    proven_at: float = 0.0

    def attempts_kept(self) -> int:
        """Those that are kept with a commit."""
        return self.attempts if self.attempts and time.monotonic() < self.proven_at else 0

    def after(self, attempts: int, error: str | None) -> Claim:
        """The same, of an instance that had so many attempts, the last of which ended with this error, or a death."""
        if not attempts or error is not None:
            return self
        return self._replace(attempts=attempts, proven_at=time.monotonic() + TRUSTED_AFTER * 2.0 ** min(attempts, MANY))


def check_size(instance_id: str, what: str, size: int) -> None:
    """Raise StoreRefusedError for more bytes than any store can keep in one place: some only break the connection then."""
    if size > LARGEST:
        raise StoreRefusedError(
            f"{what} of instance {instance_id!r} has {size:,} bytes, and no store keeps more than {LARGEST:,}. Keep large data "
            "in files or tables of your own, and only their names in variables"
        )


class Failure(NamedTuple):
    """What kept an instance from going on. ``attempts``: how often something has, since it made progress. ``is_stuck``: it is
    left alone from now on, else it is tried again after ``pause_after``."""

    error: str
    attempts: int
    is_stuck: bool


def pause_after(attempts: int) -> float:
    """Seconds until what could not go on is tried again."""
    return min(2.0 ** min(max(attempts, 1) - 1, MANY), LONGEST_PAUSE)


class HoldRecord(NamedTuple):
    """What keeps an instance from being saved, and where in the program; since when, in seconds since 1970."""

    what: str
    since: float


def owner_lost(owner: int) -> FencedError:
    """The error for an owner that is not alive any more, as far as the store knows."""
    return FencedError(
        f"this process (owner {owner}) was taken for dead, as its lease was not renewed in time: what it owned goes on "
        "elsewhere. It may register again, and begin instances again."
    )


def fenced(instance_id: str, epoch: int) -> FencedError:
    """The error for a claim that is not current."""
    return FencedError(
        f"instance {instance_id!r} was taken over, released or deleted: this owner's claim (epoch {epoch}) is not current, and "
        "its commit was refused. The newer state is safe; stop this process, or resume the instance to get a new claim."
    )


def state_lost(instance_id: str, kept: int, found: object) -> StateLostError:
    """The error for a claim that is current, in a store that has an earlier checkpoint than the one that it had confirmed."""
    return StateLostError(
        f"the store has gone back: instance {instance_id!r} stands at checkpoint {found}, and {kept} was committed. A standby "
        "without the last commits has taken over, or a backup was restored. It goes on from there."
    )


class OwnerRow(NamedTuple):
    """A process that owns instances, as a store has it. ``beat`` differs after each renewal; ``until``: in seconds since 1970,
    by the clock of who renewed it; ``is_dead``: somebody has found that out, and others may take what it has left. ``since``:
    when it was registered, by the clock of what says when texts were saved; 0: nobody knows."""

    id: int
    who: Owner
    beat: int
    lease: float
    until: float
    is_dead: bool
    since: float = 0.0


@dataclass(frozen=True)
class InstanceSummary:
    """One instance that has a state. Times are seconds since 1970, 0 where a store does not tell; ``owner`` is None when nobody
    owns it. ``attempts``: how often it could not go on since it made progress, the last time because of ``error`` (None: its
    process died; empty: one that has failed is tried again). ``hold``: what keeps it from being saved now. ``parent``: the id of
    the instance that has begun it; ``is_detached``: it is not cancelled with that. ``tags``: values by names, that it was begun
    with or has set; ``progress``: likewise. ``children``: the ids of the first 100 that it has begun, from
    ``info()`` only (None: nobody has asked the store, or it cannot say). ``forked_from``: the id of the instance that it is
    a fork of, ``forked_at``: from which checkpoint of that."""

    instance_id: str
    status: str
    checkpoint: int
    location: str
    function: str
    wake_at: float | None
    updated_at: float
    owner: Owner | None
    lease_until: float | None
    created_at: float = 0.0
    attempts: int = 0
    error: str | None = None
    hold: HoldRecord | None = None
    parent: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    is_detached: bool = False
    progress: Progress | None = None
    children: tuple[str, ...] | None = None
    forked_from: str | None = None
    forked_at: int | None = None

    def all_tags(self) -> dict[str, str]:
        """With those of durable_import's own: as a store keeps them."""
        fork = (self.forked_from, self.forked_at) if self.forked_from is not None and self.forked_at is not None else None
        return {**self.tags, **tags_for(is_detached=self.is_detached, progress=self.progress, fork=fork)}

    @property
    def id(self) -> str:
        """The same as ``instance_id``: as handles call it."""
        return self.instance_id


@dataclass(frozen=True, kw_only=True, slots=True)
class InstanceQuery:
    """Which instances a list has: those that fit all that is given.

    ``status``: one of ``STATUSES``, or 'stuck'. ``prefix``: of the id. ``tag``: a name and a value. ``parent``: the id of the
    instance that has begun them. ``since``: begun then or later, in seconds since 1970 (changed, where a store does not tell when
    they began). ``order``: likewise. ``cursor``: that of the page before.
    """

    status: str | None = None
    function: str | None = None
    prefix: str = ""
    tag: tuple[str, str] | None = None
    parent: str | None = None
    since: float = 0.0
    order: Literal["newest", "oldest"] = "newest"
    limit: int = 1000
    cursor: str | None = None


class Page:
    """A part of a list, to be iterated over. ``cursor`` asks for the next one; None: this is the last."""

    __slots__ = ("cursor", "instances")

    instances: list[InstanceSummary]
    cursor: str | None

    def __new__(cls, instances: list[InstanceSummary], cursor: str | None) -> Self:
        """Not by ``__init__``: snapshots of earlier releases have the call of this, when pages were tuples."""
        made = super().__new__(cls)
        made.instances, made.cursor = instances, cursor
        return made

    def __getnewargs__(self) -> tuple[list[InstanceSummary], str | None]:
        return self.instances, self.cursor

    def __getstate__(self) -> None:
        return None

    def __repr__(self) -> str:
        return f"Page(instances={self.instances!r}, cursor={self.cursor!r})"

    def __iter__(self) -> Iterator[InstanceSummary]:
        return iter(self.instances)

    def __len__(self) -> int:
        return len(self.instances)

    def __getitem__(self, index: int) -> InstanceSummary:
        return self.instances[index]


CountedBy: TypeAlias = Literal["status", "function"]
COUNTED_BY = get_args(Literal["status", "function"])


def check_counted_by(by: str | None) -> None:
    """Raise ValueError for what instances are not counted by."""
    if by is not None and by not in COUNTED_BY:
        raise ValueError(f"by={by!r} is not one of {', '.join(map(repr, COUNTED_BY))}")


@dataclass(frozen=True)
class Event:
    """A message for an instance. ``number`` tells it from all other events of the store; ``payload`` is sealed."""

    number: int
    name: str
    payload: bytes


class PastState(NamedTuple):
    """What an instance was once."""

    checkpoint: int
    status: str
    location: str
