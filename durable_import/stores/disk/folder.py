"""The files of a disk store, used by its worker thread only.

    <path>/format                  which format this folder has
    <path>/lock                    locked by the process that writes; never removed
    <path>/epoch                   the epoch given last
    <path>/event                   the number given to an event last
    <path>/change                  counts what others wait for
    <path>/instances/NAME.state    one line of JSON, then the values that are bytes
    <path>/instances/NAME.claim    who owns the instance now
    <path>/history/NAME/NUMBER     the states before the last one, if they are kept, by checkpoint
    <path>/events/NAME/NUMBER      one line of JSON, then the payload
    <path>/published/NAME          ids of events that were published, without content
    <path>/sources/NAME            texts of functions

A write replaces a whole file, so readers need no lock.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from durable_import.errors import DurableError, StoreUnavailableError
from durable_import.log import about, logger
from durable_import.stores.base import ANNOUNCED, MIN_ID_AGE, Claim, Event, InstanceSummary, fenced, is_state, summary_of
from durable_import.stores.disk.records import (
    check_head,
    damaged,
    is_state_head,
    line,
    read_record,
    read_state,
    read_state_head,
    state_record,
)
from durable_import.stores.files import file_name, locked, make_folder, refused_by_system, remove_durably, text_of, write_durably
from durable_import.stores.owner import DEFAULT_LEASE_SECONDS, Lease, Owner
from durable_import.stores.work import find_finished, find_work
from durable_import.stores.worker import Job

FORMAT = "durable_import folder 2"
EVENT_HEAD = {"instance_id": str, "name": str, "published_at": float}
OLDER = ("durable_import folder 1",)  # read as well; a folder that is written to gets the newest format


class FolderEngine:
    """Runs jobs on a Folder; all that arrive together share one locking, of ``patience`` seconds' wait."""

    def __init__(self, path: Path, patience: float, history: bool = False) -> None:
        self._folder = Folder(path, history)
        self._patience = patience

    def run(self, jobs: Sequence[Job[Folder]]) -> None:
        if not any(job.writes for job in jobs):
            self._do(jobs)
            return
        try:
            self._folder.prepare()
            with locked(self._folder.path / "lock", self._patience):
                self._folder.check_format()
                self._do(jobs)
        except (OSError, DurableError) as error:
            for job in jobs:
                job.fail(self._explain(error))

    def close(self) -> None:
        """Nothing stays open between batches."""

    def _do(self, jobs: Sequence[Job[Folder]]) -> None:
        for job in jobs:
            try:
                job.succeed(job.work(self._folder))
            except Exception as error:  # the answer to the caller of this job
                job.fail(self._explain(error))

    def _explain(self, error: Exception) -> Exception:
        if not isinstance(error, OSError):
            return error
        explained = refused_by_system(self._folder.path, error)
        explained.__cause__ = error
        return explained


class Folder:
    """The files below ``path``. The caller of a method that writes holds the lock."""

    def __init__(self, path: Path, history: bool = False) -> None:
        self.path = path
        self._history = path / "history"
        self._keeps_history = history
        self._instances = path / "instances"
        self._events = path / "events"
        self._sources = path / "sources"
        self._published = path / "published"
        self._change_file = path / "change"
        self._reported: set[tuple[Path, int]] = set()  # damaged files, and when they were changed last

    def prepare(self) -> None:
        for folder in (self._instances, self._events, self._sources):
            make_folder(folder)

    def check_format(self) -> None:
        file = self.path / "format"
        if not file.exists():
            write_durably(file, FORMAT.encode() + b"\n")
        found = file.read_text(encoding="utf-8", errors="replace").strip()
        if found in OLDER:
            write_durably(file, FORMAT.encode() + b"\n")
        elif found != FORMAT:
            raise StoreUnavailableError(
                f"the store {self.path} has format {found!r}, this durable_import knows {FORMAT!r}. "
                f"Use the durable_import that wrote it; the folder was left as it is."
            )
        if not self._change_file.exists():
            self._change_file.write_bytes(bytes(8))

    def has_instances(self) -> bool:
        return any(self._instances.glob("*.state"))

    def load(self, instance_id: str) -> dict[str, Any] | None:
        try:
            return read_state(self._state_file(instance_id))
        except StoreUnavailableError as error:
            raise StoreUnavailableError(f"the state of instance {instance_id!r} cannot be read: {error}") from None

    def save(self, instance_id: str, owner: Owner, state: dict[str, Any]) -> None:
        claim = self.acquire(instance_id, owner, DEFAULT_LEASE_SECONDS)
        self.commit(claim, state)
        self.release(claim)

    def acquire(self, instance_id: str, owner: Owner, lease_seconds: float) -> Claim:
        held = self._lease(self._claim_file(instance_id))
        if held is not None:
            held.check_free(instance_id, owner)
        state = self.load(instance_id)
        now = time.time()
        lease = Lease(self._next("epoch"), owner, now, now + lease_seconds)
        self._write_lease(instance_id, lease)
        return Claim(instance_id, lease.epoch, state)

    def commit(self, claim: Claim, state: dict[str, Any]) -> None:
        if self._current(claim) is None:
            raise fenced(claim)
        if self._keeps_history:
            self._keep(claim.instance_id, state.get("checkpoint"))
        head, data = state_record(claim.instance_id, state)
        write_durably(self._state_file(claim.instance_id), line(head), data)
        if is_state(state) and state["status"] in ANNOUNCED:
            self._announce()

    def renew(self, claims: Sequence[Claim], lease_seconds: float) -> list[Claim]:
        lost = []
        for claim in claims:
            lease = self._current(claim)
            if lease is None:
                lost.append(claim)
            else:
                renewed = dataclasses.replace(lease, until=time.time() + lease_seconds)
                self._write_lease(claim.instance_id, renewed)
        return lost

    def release(self, claim: Claim) -> None:
        if self._current(claim) is not None:
            remove_durably(self._claim_file(claim.instance_id))

    def delete(self, instance_id: str) -> None:
        remove_durably(self._claim_file(instance_id))
        self.remove_events(instance_id, self._numbers_in(self._event_folder(instance_id)))
        for file in self._past_files(instance_id):
            remove_durably(file)
        remove_durably(self._state_file(instance_id))  # last: after a crash in between it is found again

    def load_history(self, instance_id: str) -> list[dict[str, Any]]:
        name = file_name(instance_id)
        found = [read_state(file, name) for file in self._past_files(instance_id)]
        return [state for state in (*found, self.load(instance_id)) if state is not None]

    def _keep(self, instance_id: str, checkpoint: object) -> None:
        """Keep the last state before one with this checkpoint number is written."""
        file = self._state_file(instance_id)
        head = read_state_head(file)
        if head is not None and is_state_head(head) and head["values"]["checkpoint"] != checkpoint:
            folder = self._history / file.stem
            make_folder(folder)
            write_durably(folder / str(head["values"]["checkpoint"]), file.read_bytes())

    def _past_files(self, instance_id: str) -> list[Path]:
        folder = self._history / file_name(instance_id)
        return [folder / str(number) for number in self._numbers_in(folder)]

    def summaries(self) -> list[InstanceSummary]:
        found = [self._summary(file, head) for file, head in self._heads()]
        return sorted(found, key=lambda each: each.updated_at, reverse=True)

    def find_work(self, limit: int, *, orphans: bool) -> list[str]:
        return find_work(
            ((self._summary(file, head), self._published_at(file)) for file, head in self._states()), limit, orphans=orphans
        )

    def remove_finished(self, seconds: float) -> int:
        gone = find_finished((self._summary(file, head) for file, head in self._states()), seconds)
        for instance_id in gone:
            self.delete(instance_id)
        self._forget_event_ids(time.time() - max(seconds, MIN_ID_AGE))
        return len(gone)

    def publish_event(self, instance_id: str, name: str, payload: bytes, event_id: str = "") -> int:
        folder = self._event_folder(instance_id)
        make_folder(folder)
        number = self._next("event")
        head = {"instance_id": instance_id, "name": name, "published_at": time.time()} | ({"id": event_id} if event_id else {})
        write_durably(folder / str(number), line(head), payload)
        self._announce()
        return number

    def publish_once(self, instance_id: str, name: str, payload: bytes, event_id: str) -> bool:
        if self.was_published(event_id):
            return False
        events = self._events_in(self._event_folder(instance_id), is_head_enough=True)
        is_new = all(head.get("id") != event_id for _, head, _ in events)  # else a crash has kept its id from being noted
        if is_new:
            self.publish_event(instance_id, name, payload, event_id)
        make_folder(self._published)
        write_durably(self._published / file_name(event_id))
        return is_new

    def was_published(self, event_id: str) -> bool:
        return (self._published / file_name(event_id)).exists()

    def _forget_event_ids(self, before: float) -> None:
        """Those of events that were published before this time."""
        for file in self._published.glob("*"):
            if file.stat().st_mtime <= before:
                remove_durably(file)

    def load_events(self, instance_id: str) -> list[Event]:
        events = self._events_in(self._event_folder(instance_id))
        return [Event(number, head["name"], payload) for number, head, payload in events]

    def addressees(self) -> list[str]:
        found = set()
        for folder in self._events.glob("*"):
            for _, head, _ in islice(self._events_in(folder, is_head_enough=True), 1):
                found.add(head["instance_id"])
        return sorted(found)

    def remove_events(self, instance_id: str, numbers: Iterable[int]) -> None:
        folder = self._event_folder(instance_id)
        for number in set(numbers).intersection(self._numbers_in(folder)):
            remove_durably(folder / str(number))
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()

    def last_change(self) -> bytes:
        return self._change_file.read_bytes() if self._change_file.exists() else bytes(8)

    def save_source(self, digest: str, text: str) -> None:
        file = self._sources / file_name(digest)
        if not file.exists():
            write_durably(file, text.encode("utf-8", "surrogatepass"))

    def load_source(self, digest: str) -> str | None:
        try:
            return text_of((self._sources / file_name(digest)).read_bytes())
        except FileNotFoundError:
            return None

    def _heads(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        for file in self._instances.glob("*.state"):
            try:
                head = read_state_head(file)
            except StoreUnavailableError as error:
                self._report(file, error)
            else:
                if head is not None:  # else deleted since the folder was read
                    yield file, head

    def _states(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        return ((file, head) for file, head in self._heads() if is_state_head(head))

    def _summary(self, file: Path, head: dict[str, Any]) -> InstanceSummary:
        lease = self._lease(file.with_suffix(".claim"))
        return summary_of(head["instance_id"], head["values"], head["updated_at"], lease)

    def _published_at(self, file: Path) -> float | None:
        """When the first event of the instance with this state was published."""
        for _, head, _ in self._events_in(self._events / file.stem, is_head_enough=True):
            return float(head["published_at"])
        return None

    def _events_in(self, folder: Path, *, is_head_enough: bool = False) -> Iterator[tuple[int, dict[str, Any], bytes]]:
        """Number, head and payload of each event; a damaged one keeps no other from being read."""
        for number in self._numbers_in(folder):
            file, head = folder / str(number), {}
            try:
                found = read_record(file, is_head_enough=is_head_enough)
                if found is not None:
                    head = found[0]
                    check_head(file, folder.name, head, EVENT_HEAD)
                    yield number, *found
            except StoreUnavailableError as error:
                self._report(file, error, head.get("instance_id"))

    def _report(self, file: Path, error: StoreUnavailableError, instance_id: str | None = None) -> None:
        """Log once that a file is damaged."""
        try:
            version = file, file.stat().st_mtime_ns
        except FileNotFoundError:
            return
        if version not in self._reported:
            self._reported.add(version)
            logger.error("%s", error, extra=about(instance_id))

    def _numbers_in(self, folder: Path) -> list[int]:
        try:
            return sorted(int(each.name) for each in folder.iterdir() if each.name.isdecimal())
        except FileNotFoundError:
            return []

    def _announce(self) -> None:
        """Count on in place: that takes no space on the disk, so it does not fail after what it tells of was kept."""
        with self._change_file.open("r+b") as opened:
            count = int.from_bytes(opened.read(8), "big") + 1
            opened.seek(0)
            opened.write(count.to_bytes(8, "big"))

    def _current(self, claim: Claim) -> Lease | None:
        lease = self._lease(self._claim_file(claim.instance_id))
        return lease if lease is not None and lease.epoch == claim.epoch else None

    def _lease(self, file: Path) -> Lease | None:
        """The lease that a file holds; a damaged one has run out."""
        try:
            fields = json.loads(file.read_bytes())
            return Lease.of(fields["epoch"], json.dumps(fields["owner"]), fields["since"], fields["until"])
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError):
            return None

    def _write_lease(self, instance_id: str, lease: Lease) -> None:
        write_durably(self._claim_file(instance_id), json.dumps(dataclasses.asdict(lease)).encode())

    def _next(self, counter: str) -> int:
        file = self.path / counter
        try:
            number = int(file.read_bytes()) + 1 if file.exists() else 1
        except ValueError:
            raise damaged(file, "it is not a number") from None
        write_durably(file, b"%d\n" % number)
        return number

    def _state_file(self, instance_id: str) -> Path:
        return self._instances / f"{file_name(instance_id)}.state"

    def _claim_file(self, instance_id: str) -> Path:
        return self._instances / f"{file_name(instance_id)}.claim"

    def _event_folder(self, instance_id: str) -> Path:
        return self._events / file_name(instance_id)
