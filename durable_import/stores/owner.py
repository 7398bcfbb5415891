"""Who advances an instance, and whether that process still lives.

Only a process of the same machine and boot whose process ids we can see is ever declared dead; of all others we know
nothing until their lease runs out. A wrong guess costs a refused commit (FencedError), never a damaged state.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import secrets
import socket
import time
from dataclasses import dataclass
from functools import cache, lru_cache

from durable_import.errors import InstanceBusyError
from durable_import.pythons.systems import boot_id, is_running, machine_id, pid_space, start_of

DEFAULT_LEASE_SECONDS = 30.0


@dataclass(frozen=True)
class Owner:
    """One user of a store in one process.

    ``machine`` (a hash of the machine id), ``boot`` (boot id), ``pid_space`` (pid namespace: containers share a boot)
    and ``started`` (start of the process in clock ticks after boot) are '' where the system does not tell.
    ``session`` tells two owners in one process apart.
    """

    host: str
    pid: int
    machine: str = ""
    boot: str = ""
    pid_space: str = ""
    started: str = ""
    session: str = ""

    @classmethod
    def current(cls) -> Owner:
        """A new owner in this process; keep it: another call gives another owner."""
        pid = os.getpid()
        return cls(
            host=socket.gethostname(),
            pid=pid,
            machine=_machine(),
            boot=_boot(),
            pid_space=pid_space(),
            started=start_of(pid)[0],
            session=secrets.token_hex(8),
        )

    def is_dead(self) -> bool:
        """True only if it is certain that the process is gone."""
        here = Owner.current()
        if (self.host, self.machine) != (here.host, here.machine):
            return False
        if self.boot != here.boot:
            # a reboot; without a machine id it could as well be a twin of the same name
            return bool(self.machine and self.boot and here.boot)
        return self.pid_space == here.pid_space and not is_running(self.pid, self.started)

    def to_json(self) -> str:
        return _json_of(self)

    @classmethod
    def from_json(cls, text: object) -> Owner:
        """What ``to_json`` gave; of anything else an owner of whom nothing is known."""
        try:
            fields = json.loads(text)  # type: ignore[arg-type]
            owner = cls(**fields)
        except (TypeError, ValueError):
            return UNKNOWN
        return owner if all(type(value) is type(getattr(UNKNOWN, key)) for key, value in fields.items()) else UNKNOWN


@lru_cache(maxsize=16)
def _json_of(owner: Owner) -> str:
    return json.dumps(dataclasses.asdict(owner))


UNKNOWN = Owner("(unknown: the claim is damaged)", 0)


@dataclass(frozen=True)
class Lease:
    """``owner`` may advance an instance under ``epoch``; times are seconds since 1970."""

    epoch: int
    owner: Owner
    since: float
    until: float

    @classmethod
    def of(cls, epoch: object, owner: object, since: object, until: object) -> Lease:
        """From what a store has; a lease that does not say until when has run out."""
        return cls(
            epoch if isinstance(epoch, int) else 0,
            Owner.from_json(owner),
            since if isinstance(since, float) else 0.0,
            until if isinstance(until, float) else 0.0,
        )

    def check_free(self, instance_id: str, newcomer: Owner, now: float | None = None) -> None:
        """Raise InstanceBusyError unless ``newcomer`` may take the instance over.

        ``now`` is the time by the clock that the lease was made with; without it, that of this machine.
        """
        now = time.time() if now is None else now
        if self.owner == newcomer or self.until <= now or self.owner.is_dead():
            return
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since))
        raise InstanceBusyError(
            f"instance {instance_id!r} is being run by process {self.owner.pid} on host {self.owner.host} since "
            f"{moment} (its lease runs for {self.until - now:.0f} s more unless renewed). Wait until it ends, "
            f"stop that process, or choose another instance id."
        )


@cache
def _machine() -> str:
    identity = machine_id()  # confidential; a keyed hash of it is not
    return hashlib.sha256(f"durable_import:{identity}".encode()).hexdigest()[:16] if identity else ""


_boot = cache(boot_id)
