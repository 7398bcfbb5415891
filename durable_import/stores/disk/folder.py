"""The files of a disk store, used by one thread at a time.

    <path>/format                  which format this folder has
    <path>/lock                    locked by the process that writes; never removed
    <path>/event                   the number given to an event last
    <path>/change                  counts what others wait for
    <path>/instances/NAME.state    one line of JSON, then the values that are bytes
    <path>/instances/NAME.claim    who owns the instance, and what else changes of it without a commit
    <path>/owners/NUMBER           a process that owns instances
    <path>/history/NAME/NUMBER     the states before the last one, if they are kept, by checkpoint
    <path>/events/NAME/NUMBER      one line of JSON, then the payload
    <path>/published/NAME          ids of events that were published, without content
    <path>/sources/NAME            texts of the program; changed when one is needed again
    <path>/before/NAME             what an instance was before something that can be undone

A write replaces a whole file, so readers need no lock.
"""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from durable_import.errors import StoreUnavailableError
from durable_import.log import about, logger
from durable_import.stores.bounds import HistoryBound
from durable_import.stores.disk.records import (
    check_head,
    claim_record,
    damaged,
    head_of,
    is_state_head,
    json_of,
    line,
    number_of,
    read_record,
    read_state,
    read_state_head,
    registered_of,
    row_of,
    state_record,
)
from durable_import.stores.files import file_name, make_folder, remove_durably, text_of, write_durably
from durable_import.stores.flat import from_dict, to_dict
from durable_import.stores.owner import Owner
from durable_import.stores.plain.row import InstanceRow, Registered
from durable_import.stores.plain.rows import Rows
from durable_import.stores.state import Event, InstanceState

FORMAT = "durable_import folder 3"
EVENT_HEAD = {"instance_id": str, "name": str, "published_at": float}
OLDER = ("durable_import folder 1", "durable_import folder 2")  # read as well; one that is written to gets the newest format


class Folder(Rows):
    """The files below ``path``. The caller of a method that writes holds the lock; ``changed`` is called when something happens
    that others may wait for."""

    def __init__(self, path: Path, bound: HistoryBound | None, changed: Callable[[], None]) -> None:
        super().__init__()
        self.path = path
        self._bound = bound
        self._changed = changed
        self._history = path / "history"
        self._instances = path / "instances"
        self._events = path / "events"
        self._sources = path / "sources"
        self._before = path / "before"
        self._owner_files = path / "owners"
        self._published_ids = path / "published"
        self._change_file = path / "change"
        self._reported: set[tuple[Path, int]] = set()  # damaged files, and when they were changed last

    def prepare(self) -> None:
        for folder in (self._instances, self._events, self._sources, self._owner_files):
            make_folder(folder)

    def check_format(self) -> None:
        file = self.path / "format"
        if not file.exists():
            write_durably(file, FORMAT.encode() + b"\n")
        found = file.read_text(encoding="utf-8", errors="replace").strip()
        if found in OLDER:
            self._bring_up_to_date()
            write_durably(file, FORMAT.encode() + b"\n")
        elif found != FORMAT:
            raise StoreUnavailableError(
                f"the store {self.path} has format {found!r}, this durable_import knows {FORMAT!r}. "
                f"Use the durable_import that wrote it; the folder was left as it is."
            )
        if not self._change_file.exists():
            self._change_file.write_bytes(bytes(8))

    def _bring_up_to_date(self) -> None:
        """Let claims of earlier releases, each with a lease of its own, be those of owners."""
        for file in self._instances.glob("*.claim"):
            claim = json_of(file)
            if isinstance(claim.get("owner"), dict):
                who = Owner.from_json(json.dumps(claim["owner"]))
                number = self.register(who, 0.0)
                lease = self._owner(number)
                if lease is not None and isinstance(claim.get("until"), float):
                    self._keep_owner(number, dataclasses.replace(lease, until=max(lease.until, claim["until"])))
                write_durably(file, json.dumps({"owner": number, "epoch": 0}).encode())

    def has_instances(self) -> bool:
        return any(self._instances.glob("*.state"))

    # --- rows

    def _find(self, instance_id: str) -> InstanceRow | None:
        name = file_name(instance_id)
        found = self.load_dict(instance_id)
        if found is None:
            return row_of({"instance_id": instance_id}, self._claim(name), None)
        return row_of(read_state_head(self._state_file(name)) or {}, self._claim(name), from_dict(instance_id, found))

    def _keep(self, row: InstanceRow, *, is_committed: bool = False) -> None:
        name = file_name(row.instance_id)
        if is_committed and row.state is not None:
            if self._bound is not None:
                self._keep_past(name, row.state.checkpoint, self._bound)
            head, data = state_record(row.instance_id, to_dict(row.state, row.call), head_of(row))
            write_durably(self._state_file(name), line(head), data)
        claim = claim_record(row)
        if claim != self._claim(name):
            write_durably(self._claim_file(name), json.dumps(claim).encode())

    def _remove(self, instance_id: str) -> None:
        name = file_name(instance_id)
        for number in self._numbers_in(self._history / name):
            remove_durably(self._history / name / str(number))
        if self.load_before(instance_id) is not None:
            remove_durably(self._before / name)
        remove_durably(self._claim_file(name))
        remove_durably(self._state_file(name))  # last: after a crash in between it is found again

    def _rows(self, *, owner: int | None = None, may_work: bool = False) -> Iterator[InstanceRow]:  # noqa: ARG002
        if owner is None:
            yield from (row for _, row in self._heads())
            return
        for file in self._instances.glob("*.claim"):
            if (claim := json_of(file)).get("owner") == owner:
                row = self._row(file.with_suffix(".state")) or row_of(claim, claim, None)
                if row is not None:
                    yield row

    def _heads(self) -> Iterator[tuple[Path, InstanceRow]]:
        for file in self._instances.glob("*.state"):
            row = self._row(file)
            if row is not None:  # else deleted since the folder was read, damaged, or no state
                yield file, row

    def _row(self, file: Path) -> InstanceRow | None:
        """The row of a state file, without bytes."""
        try:
            head = read_state_head(file)
        except StoreUnavailableError as error:
            self._report(file, error)
            return None
        return row_of(head, self._claim(file.stem), None) if head is not None and is_state_head(head) else None

    def _summarised(self, instance_id: str) -> InstanceRow | None:
        name = file_name(instance_id)
        head = read_state_head(self._state_file(name))
        return row_of(head, self._claim(name), None) if head is not None and is_state_head(head) else None

    def _put(self, instance_id: str, state: dict[str, Any]) -> None:
        name = file_name(instance_id)
        head, data = state_record(instance_id, state, {})
        write_durably(self._state_file(name), line(head), data)
        remove_durably(self._claim_file(name))

    def _holder(self, instance_id: str) -> int | None:
        return number_of(self._claim(file_name(instance_id)).get("owner"))

    def load_dict(self, instance_id: str) -> dict[str, Any] | None:
        try:
            return read_state(self._state_file(file_name(instance_id)))
        except StoreUnavailableError as error:
            raise StoreUnavailableError(f"the state of instance {instance_id!r} cannot be read: {error}") from None

    def load_history(self, instance_id: str) -> list[InstanceState]:
        name = file_name(instance_id)
        files = [self._history / name / str(number) for number in sorted(self._numbers_in(self._history / name))]
        found = [read_state(file, name) for file in files if not self._is_too_old(file)]
        states = [from_dict(instance_id, state).state for state in (*found, self.load_dict(instance_id)) if state is not None]
        return [state for state in states[:-1] if state.checkpoint < states[-1].checkpoint] + states[-1:]

    def _keep_past(self, name: str, checkpoint: int, bound: HistoryBound) -> None:
        """Keep the last state before one with this checkpoint number is written, and none but those that are to be kept."""
        file = self._state_file(name)
        head = read_state_head(file)
        if head is not None and is_state_head(head) and head["values"]["checkpoint"] != checkpoint:
            make_folder(self._history / name)
            write_durably(self._history / name / str(head["values"]["checkpoint"]), file.read_bytes())
            if bound != HistoryBound() or head["values"]["checkpoint"] > checkpoint:
                self._clear_past(self._history / name, checkpoint, bound.first_kept(checkpoint - 1) or 0)

    def _clear_past(self, folder: Path, checkpoint: int, first: int) -> None:
        """Remove what is not to be kept, and of an instance that goes back what came later."""
        for number in self._numbers_in(folder):
            if number >= checkpoint or number < first or self._is_too_old(folder / str(number)):
                remove_durably(folder / str(number))

    def _is_too_old(self, past: Path) -> bool:
        """Whether a past state was written before those that are kept."""
        seconds = self._bound.seconds if self._bound is not None else None
        return seconds is not None and past.stat().st_mtime < time.time() - seconds

    def _claim(self, name: str) -> dict[str, Any]:
        return json_of(self._claim_file(name))

    def _state_file(self, name: str) -> Path:
        return self._instances / f"{name}.state"

    def _claim_file(self, name: str) -> Path:
        return self._instances / f"{name}.claim"

    # --- owners

    def _owners(self) -> dict[int, Registered]:
        found = {number: self._owner(number) for number in self._numbers_in(self._owner_files)}
        return {number: owner for number, owner in found.items() if owner is not None}

    def _owner(self, number: int) -> Registered | None:
        return registered_of(json_of(self._owner_files / str(number)))

    def _keep_owner(self, number: int, owner: Registered | None) -> None:
        file = self._owner_files / str(number)
        if owner is None:
            remove_durably(file)
        else:
            write_durably(file, json.dumps(dataclasses.asdict(owner)).encode())

    # --- events

    def publish(self, instance_id: str, name: str, payload: bytes, event_id: str | None) -> bool:
        folder = self._events / file_name(instance_id)
        if event_id is not None:
            if self.was_published(event_id):
                return False
            events = self._events_in(folder, is_head_enough=True)
            is_new = all(head.get("id") != event_id for _, head, _ in events)  # else a crash has kept its id from being noted
            if is_new:
                self._publish(folder, {"instance_id": instance_id, "name": name, "id": event_id}, payload)
            make_folder(self._published_ids)
            write_durably(self._published_ids / file_name(event_id))
            return is_new
        self._publish(folder, {"instance_id": instance_id, "name": name}, payload)
        return True

    def _publish(self, folder: Path, head: dict[str, Any], payload: bytes) -> None:
        make_folder(folder)
        write_durably(folder / str(self._next_event()), line({**head, "published_at": time.time()}), payload)
        self._announce()

    def _next_event(self) -> int:
        file = self.path / "event"
        try:
            number = int(file.read_bytes()) + 1 if file.exists() else 1
        except ValueError:
            raise damaged(file, "it is not a number") from None
        write_durably(file, b"%d\n" % number)
        return number

    def was_published(self, event_id: str) -> bool:
        return (self._published_ids / file_name(event_id)).exists()

    def _forget_event_ids(self, before: float) -> None:
        for file in self._published_ids.glob("*"):
            if file.stat().st_mtime <= before:
                remove_durably(file)

    def load_events(self, instance_id: str) -> list[Event]:
        events = self._events_in(self._events / file_name(instance_id))
        return [Event(number, head["name"], payload) for number, head, payload in events]

    def _addressees(self) -> Iterator[tuple[str, int]]:
        for folder in self._events.glob("*"):
            for _, head, _ in islice(self._events_in(folder, is_head_enough=True), 1):
                yield head["instance_id"], max(self._numbers_in(folder), default=0)

    def remove_events(self, instance_id: str, numbers: Iterable[int] | None) -> None:
        folder = self._events / file_name(instance_id)
        present = self._numbers_in(folder)
        for number in present if numbers is None else set(numbers).intersection(present):
            remove_durably(folder / str(number))
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()

    def _published(self, instance_id: str) -> float | None:
        for _, head, _ in self._events_in(self._events / file_name(instance_id), is_head_enough=True):
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

    # --- the rest

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
        self._changed()

    def last_change(self) -> bytes:
        return self._change_file.read_bytes() if self._change_file.exists() else bytes(8)

    def save_source(self, digest: str, text: str) -> None:
        file = self._sources / file_name(digest)
        if file.exists():
            self._is_needed(file.name)
        else:
            write_durably(file, text.encode("utf-8", "surrogatepass"))

    def load_source(self, digest: str) -> str | None:
        try:
            return text_of((self._sources / file_name(digest)).read_bytes())
        except FileNotFoundError:
            return None

    def _old_sources(self, before: float) -> Iterator[str]:
        return (file.name for file in self._sources.glob("*") if file.stat().st_mtime < before)

    def _source_name(self, digest: str) -> str:
        return file_name(digest)

    def _is_needed(self, name: str) -> None:
        os.utime(self._sources / name)

    def _remove_source(self, name: str) -> None:
        remove_durably(self._sources / name)

    def _put_before(self, instance_id: str, data: bytes) -> None:
        make_folder(self._before)
        write_durably(self._before / file_name(instance_id), data)

    def load_before(self, instance_id: str) -> bytes | None:
        try:
            return (self._before / file_name(instance_id)).read_bytes()
        except FileNotFoundError:
            return None
