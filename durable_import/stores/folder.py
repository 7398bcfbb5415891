"""The files of a disk store, used by its worker thread only.

    <path>/format                  which format this folder has
    <path>/lock                    locked by the process that writes; never removed
    <path>/epoch                   the epoch given last
    <path>/instances/NAME.state    one line of JSON, then the snapshot
    <path>/instances/NAME.claim    who owns the instance now
    <path>/sources/NAME            texts of functions

A write replaces a whole file, so readers need no lock.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from durable_import.errors import DurableError, StoreUnavailableError
from durable_import.stores.base import Claim, InstanceSummary, fenced
from durable_import.stores.files import locked, make_folder, refused_by_system, remove_durably, write_durably
from durable_import.stores.owner import DEFAULT_LEASE_SECONDS, Lease, Owner
from durable_import.stores.worker import Job

FORMAT = "durable_import folder 1"


class FolderEngine:
    """Runs jobs on a Folder; all that arrive together share one hold of the lock, of ``patience`` seconds' wait."""

    def __init__(self, path: Path, patience: float) -> None:
        self._folder = Folder(path)
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
    """The files below ``path``. Whoever calls a method that writes holds the lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._instances = path / "instances"
        self._sources = path / "sources"

    def prepare(self) -> None:
        for folder in (self._instances, self._sources):
            make_folder(folder)

    def check_format(self) -> None:
        file = self.path / "format"
        if not file.exists():
            write_durably(file, FORMAT.encode() + b"\n")
        found = file.read_text(encoding="utf-8", errors="replace").strip()
        if found != FORMAT:
            raise StoreUnavailableError(
                f"the store {self.path} has format {found!r}, this durable_import knows {FORMAT!r}. "
                f"Use the durable_import that wrote it; the folder was left as it is."
            )

    def has_instances(self) -> bool:
        return any(self._instances.glob("*.state"))

    def load(self, instance_id: str) -> dict[str, Any] | None:
        found = self._read(self._state_file(instance_id))
        return found[1] if found else None

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
        lease = Lease(self._next_epoch(), owner, now, now + lease_seconds)
        self._write_lease(instance_id, lease)
        return Claim(instance_id, lease.epoch, state)

    def commit(self, claim: Claim, state: dict[str, Any]) -> None:
        if self._current(claim) is None:
            raise fenced(claim)
        head = {"instance_id": claim.instance_id, "updated_at": time.time(), **state}
        snapshot = head.pop("snapshot")
        write_durably(self._state_file(claim.instance_id), json.dumps(head).encode() + b"\n", snapshot)

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
        remove_durably(self._state_file(instance_id))

    def summaries(self) -> list[InstanceSummary]:
        found = [self._summary(file) for file in self._instances.glob("*.state")]
        return sorted((each for each in found if each), key=lambda each: each.updated_at, reverse=True)

    def save_source(self, digest: str, text: str) -> None:
        file = self._sources / _file_name(digest)
        if not file.exists():
            write_durably(file, text.encode("utf-8", "surrogatepass"))

    def load_source(self, digest: str) -> str | None:
        try:
            return (self._sources / _file_name(digest)).read_bytes().decode("utf-8", "surrogatepass")
        except FileNotFoundError:
            return None

    def _summary(self, file: Path) -> InstanceSummary | None:
        found = self._read(file)
        if found is None:
            return None  # deleted since the folder was read
        head, state = found
        lease = self._lease(file.with_suffix(".claim"))
        return InstanceSummary(
            instance_id=head["instance_id"],
            status=state["status"],
            checkpoint=state["checkpoint"],
            location=state["location"],
            function=state["function"],
            updated_at=head["updated_at"],
            owner=lease.owner if lease else None,
            lease_until=lease.until if lease else None,
        )

    def _read(self, file: Path) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Head and state, or None; raises StoreUnavailableError for a damaged file."""
        try:
            line, _, snapshot = file.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        try:
            head = json.loads(line)
            state = {key: head[key] for key in ("status", "checkpoint", "location", "function")}
            return head, {**state, "snapshot": snapshot}
        except (ValueError, KeyError, TypeError) as error:
            raise StoreUnavailableError(
                f"the file {file} is damaged: its first line is not the head of a state. It was left as it is; "
                f"put a copy back, or delete the instance."
            ) from error

    def _current(self, claim: Claim) -> Lease | None:
        lease = self._lease(self._claim_file(claim.instance_id))
        return lease if lease is not None and lease.epoch == claim.epoch else None

    def _lease(self, file: Path) -> Lease | None:
        try:
            fields = json.loads(file.read_bytes())
        except FileNotFoundError:
            return None
        return Lease(**{**fields, "owner": Owner(**fields["owner"])})

    def _write_lease(self, instance_id: str, lease: Lease) -> None:
        write_durably(self._claim_file(instance_id), json.dumps(dataclasses.asdict(lease)).encode())

    def _next_epoch(self) -> int:
        file = self.path / "epoch"
        epoch = int(file.read_bytes()) + 1 if file.exists() else 1
        write_durably(file, b"%d\n" % epoch)
        return epoch

    def _state_file(self, instance_id: str) -> Path:
        return self._instances / f"{_file_name(instance_id)}.state"

    def _claim_file(self, instance_id: str) -> Path:
        return self._instances / f"{_file_name(instance_id)}.claim"


def _file_name(name: str) -> str:
    """Safe on every file system, also one that ignores case; the digest makes it unique, the rest is for people."""
    readable = re.sub(r"[^a-z0-9_-]+", "-", name.lower())[:40]
    return f"{readable}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
