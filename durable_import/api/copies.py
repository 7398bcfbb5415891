"""Copies of instances: as files, and in other stores, all of what is kept of each but its history.

A copy is sealed as it was, for the same id: it can be used with the same key only. Its times are those of the copying. Whoever
runs the one that was copied goes on with it: two of one instance do everything twice, so one of them is to be deleted.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, cast

from ..errors import DurableError, MissingKeyError, StoreUnavailableError, UnknownInstanceError
from ..hook.program_version import modules_in
from ..running.instance.records import OUTCOMES, Records
from ..running.keeper import Keeper
from ..running.sources import place_key
from ..running.unneeded import names_in
from ..running.validation import check_id
from ..snapshot.sealing.seal import Seal
from ..snapshot.sealing.segment_seal import SegmentSeal
from ..stores.base import KeyFileStore, StateStore
from ..stores.state import FINISHED, STUCK, Failure, InstanceQuery, InstanceState, Origin
from ..stores.store import Kept, Store
from ..stores.url import check_there, full_store, key_for, open_store
from .inspection import TRIES
from .patient_store import once_there

FORMAT = "durable_import instance, version 1"
_BYTES = ("snapshot", "outcome", "call")


@dataclass(frozen=True)
class Copy:
    """What is kept of an instance. ``events``: names and sealed payloads of those that it has not taken; ``sources``: the texts
    of its code, by their names in a store; ``before``: what it was before something that can be undone."""

    instance_id: str
    status: str
    checkpoint: int
    location: str
    function: str
    wake_at: float | None
    snapshot: bytes
    outcome: bytes
    call: bytes
    segments: dict[str, bytes] = field(default_factory=dict)
    events: list[tuple[str, bytes]] = field(default_factory=list)
    before: bytes | None = None
    parent: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    attempts: int = 0
    error: str | None = None
    is_stuck: bool = False
    sources: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> InstanceState:
        """Its last state."""
        return InstanceState(
            self.status, self.checkpoint, self.location, self.function, self.wake_at, self.snapshot, self.outcome
        )


# --- as files


async def export_instance(store: str, instance_id: str) -> bytes:
    """An instance in the store of this URL, as the content of a file: JSON, with bytes in base64. Needs no key.

    Raises ValueError for what is no id, UnknownInstanceError, StoreError.
    """
    check_id(instance_id)
    opened = open_store(store)
    check_there(opened)
    full = cast("Store", once_there(full_store(opened)))
    try:
        return _written(await _copy_of(full, instance_id, set()))
    finally:
        await full.close()


async def import_instance(store: str, data: bytes) -> str:
    """Keep an instance that was exported in the store of this URL, which is made if it is not there; gives its id.

    Raises ValueError for what is no such file, DurableError if the store has one of this id, SnapshotAuthenticationError if its
    key is another one, MissingKeyError, StoreError.
    """
    copy = _read(data)
    opened = open_store(store)
    _check_has_key(opened)
    async with receiver_of(opened) as receiver:
        if not await receiver.put(copy):
            raise DurableError(
                f"there is an instance {copy.instance_id!r} in {opened!r} already, and it was left as it is: delete it first if "
                "the other one is to take its place"
            )
    return copy.instance_id


def _written(copy: Copy) -> bytes:
    document = asdict(copy)
    for name in (*_BYTES, "before"):
        document[name] = _text_of(document[name])
    document["segments"] = {key: _text_of(each) for key, each in copy.segments.items()}
    document["events"] = [[name, _text_of(payload)] for name, payload in copy.events]
    return json.dumps({"format": FORMAT, **document}, indent=1).encode()


def _read(data: bytes) -> Copy:
    try:
        document = json.loads(data)
        if document.pop("format") != FORMAT:
            raise ValueError("it has another format")
        for name in (*_BYTES, "before"):
            document[name] = _bytes_of(document[name])
        document["segments"] = {key: _bytes_of(each) for key, each in document["segments"].items()}
        document["events"] = [(name, _bytes_of(payload)) for name, payload in document["events"]]
        copy = Copy(**document)
        check_id(copy.instance_id)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"this is no instance that was exported by this version of durable_import: {error!r}") from error
    wrong = [each.name for each in fields(Copy) if not isinstance(getattr(copy, each.name), _KINDS[str(each.type)])]
    if wrong:
        raise ValueError(f"this is no instance that was exported: {wrong[0]} is not what it should be")
    return copy


_KINDS: dict[str, Any] = {
    "str": str, "int": int, "bytes": bytes, "bool": bool, "float | None": (float, int, type(None)),
    "bytes | None": (bytes, type(None)), "str | None": (str, type(None)), "dict[str, str]": dict, "dict[str, bytes]": dict,
    "list[tuple[str, bytes]]": list,
}  # fmt: skip


def _text_of(data: bytes | None) -> str | None:
    return b64encode(data).decode() if data is not None else None


def _bytes_of(text: str | None) -> bytes | None:
    return b64decode(text, validate=True) if text is not None else None


# --- a whole store


@dataclass
class Copied:
    """``copied``: how many; ``left``: ids of those that were there already; ``owned``: of those that some process runs."""

    copied: int = 0
    left: list[str] = field(default_factory=list)
    owned: list[str] = field(default_factory=list)


async def copy_store(source: str, target: str, tell: Callable[[Copied], object] = lambda _: None) -> Copied:
    """Copy all instances from one store to another, which is made if it is not there, and then gets the key of the first. What is
    there already is left as it is, so it may be done again. ``tell`` is called now and then.

    Raises SnapshotAuthenticationError if the keys differ, MissingKeyError, StoreError, DurableError if ``source`` cannot list.
    """
    given, taker = open_store(source), open_store(target)
    check_there(given)
    key = key_for(given)
    if isinstance(taker, KeyFileStore) and not taker.is_there() and not taker.key_file.exists():
        taker.take_key(key)
    _check_has_key(taker)
    full = cast("Store", once_there(full_store(given)))
    done, seen, query = Copied(), set[str](), InstanceQuery(order="oldest", limit=100)
    try:
        async with receiver_of(taker) as receiver:
            while True:
                page = await full.list(query)
                for summary in page:
                    await _copy_one(full, summary.instance_id, summary.owner is not None, receiver, seen, done)
                tell(done)
                if page.cursor is None:
                    return done
                query = replace(query, cursor=page.cursor)
    finally:
        await full.close()


async def _copy_one(full: Store, instance_id: str, is_owned: bool, receiver: Receiver, seen: set[str], done: Copied) -> None:
    try:
        copy = await _copy_of(full, instance_id, seen)
    except UnknownInstanceError:  # it has been deleted meanwhile
        return
    if not await receiver.put(copy):
        done.left.append(instance_id)
        return
    done.copied += 1
    if is_owned:
        done.owned.append(instance_id)


# --- from a store


async def _copy_of(store: Store, instance_id: str, seen: set[str]) -> Copy:
    """``seen``: names of texts that are not wanted any more; those of this one are added."""
    summary = await store.summary(instance_id)
    kept, segments = await _load(store, instance_id)
    if summary is None:
        raise _unknown(instance_id, store)
    events = await store.load_events(instance_id)
    before = await store.load_before(instance_id)
    blobs = [kept.state.snapshot, kept.call, kept.state.outcome, *segments.values(), *([before] if before else [])]
    sources = await _sources(store, names_in(blobs) - seen)
    seen.update(sources)
    state = kept.state
    return Copy(
        instance_id,
        *state,
        kept.call,
        segments,
        [(event.name, event.payload) for event in events],
        before,
        summary.parent,
        summary.all_tags(),
        summary.attempts,
        summary.error,
        summary.status == STUCK,
        sources,
    )


async def _load(store: Store, instance_id: str) -> tuple[Kept, dict[str, bytes]]:
    """A state with its segments: its owner may go on meanwhile."""
    for _ in range(TRIES):
        first = await store.load(instance_id)
        segments = await store.load_segments(instance_id)
        kept = await store.load(instance_id)
        if kept is None:
            raise _unknown(instance_id, store)
        if kept == first:
            return kept, segments
    raise StoreUnavailableError(
        f"instance {instance_id!r} was committed again each of the {TRIES} times that its parts were read: try at a moment when "
        "it waits"
    )


def _unknown(instance_id: str, store: Store) -> UnknownInstanceError:
    return UnknownInstanceError(f"there is no instance {instance_id!r} in {store!r}: check the id")


async def _sources(store: Store, names: Iterable[str]) -> dict[str, str]:
    """The texts that a store has of some names, and those that these name."""
    found: dict[str, str] = {}
    waiting = [*names]
    while waiting:
        name = waiting.pop()
        text = await store.load_source(name) if name not in found else None
        if text is not None:
            found[name] = text
            waiting += [place_key(name), *modules_in(text).values()]
    return found


# --- into a store


def _check_has_key(store: StateStore) -> None:
    """A key that was made now would open nothing of what is brought."""
    if isinstance(store, KeyFileStore) and not store.key_file.exists():
        raise MissingKeyError(
            f"{store!r} has no key yet, and a new one would not open what comes from another store: copy the key file of that "
            f"one to {store.key_file} first"
        )


@asynccontextmanager
async def receiver_of(opened: StateStore) -> AsyncIterator[Receiver]:
    seal, store = Seal(key_for(opened)), full_store(opened)
    keeper = Keeper(store)
    try:
        yield Receiver(store, keeper, seal)
    finally:
        await keeper.close()
        await store.close()


def _is_half(there: InstanceState, state: InstanceState) -> bool:
    """Whether what is there was left by a copying that ended before it had put how the instance ended."""
    return there == state._replace(outcome=b"") != state


class Receiver:
    """Puts instances into a store, with the lease of a keeper."""

    def __init__(self, store: Store, keeper: Keeper, seal: Seal) -> None:
        self._store = store
        self._keeper = keeper
        self._seal = seal

    async def put(self, copy: Copy) -> bool:
        """Keep an instance; False if there is one of its id. Nothing of it is seen before all is there but how it ended."""
        store, state = self._store, copy.state
        there = await store.load(copy.instance_id)
        if there is not None and not _is_half(there.state, state):
            return False
        self._check(copy)
        for name, text in copy.sources.items():
            await store.save_source(name, text)
        origin = Origin(copy.parent, tuple(copy.tags.items()))
        begun, _ = await self._keeper.begin(copy.instance_id, None, copy.call, origin)
        claim = begun.claim
        if there is None and begun.state is not None:  # somebody else was first
            await store.release(claim, has_lived=False)
            return False
        for name, payload in copy.events:
            await store.publish(copy.instance_id, name, payload, f"copy {hashlib.sha256(payload).hexdigest()}")
        if state.snapshot or state.status not in FINISHED:
            committing = store.commit(claim, state._replace(outcome=b""), copy.segments or None, True)
            if committing is not None:
                await committing
        if copy.before is not None:
            await store.keep_before(claim, copy.before)
        if state.status in FINISHED:
            await store.end(claim, state, keeps=bool(state.snapshot))
        elif copy.attempts:
            failure = Failure(copy.error or "the process that ran it has died", copy.attempts, copy.is_stuck)
            await store.release(claim, failure=failure)
        else:
            await store.release(claim, has_lived=False)
        return True

    def _check(self, copy: Copy) -> None:
        """Raise what opening it would raise: it has another key, or was changed."""
        records, state = Records(self._seal, copy.instance_id), copy.state
        if SegmentSeal.is_in_segments(state.snapshot) and not self._store.keeps_segments:
            raise DurableError(
                f"the state of instance {copy.instance_id!r} is in pieces, as SQLite and PostgreSQL keep it, and {self._store!r} "
                "keeps none: take one of these"
            )
        if state.snapshot:
            SegmentSeal(self._seal, copy.instance_id).open(state.snapshot, copy.segments)
        if copy.call:
            records.called(copy.call)
        if state.outcome and state.status in OUTCOMES:
            records.unopened(OUTCOMES[state.status], state.outcome)
        for _, payload in copy.events:
            records.unopened("event", payload)
