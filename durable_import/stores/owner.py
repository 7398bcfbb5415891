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
_LAST_MOMENT = 2.0**37  # seconds since 1970: a row may have any number, and not each is a time


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
        # Another boot of the machine proves nothing: a clone of it has the same name and the same id.
        if (self.host, self.machine, self.boot, self.pid_space) != (here.host, here.machine, here.boot, here.pid_space):
            return False
        return not is_running(self.pid, self.started)

    def to_json(self) -> str:
        return _json_of(self)

    @classmethod
    def from_json(cls, text: object) -> Owner:
        """What ``to_json`` gave; of anything else an owner of whom nothing is known."""
        try:
            fields = json.loads(text)  # type: ignore[arg-type]
            owner = cls(**fields)
        except (TypeError, ValueError, RecursionError):
            return UNKNOWN
        is_ours = all(type(value) is type(getattr(UNKNOWN, key)) for key, value in fields.items())
        return owner if is_ours and 0 < owner.pid < _MOST_PIDS else UNKNOWN


@lru_cache(maxsize=16)
def _json_of(owner: Owner) -> str:
    return json.dumps(dataclasses.asdict(owner))


_MOST_PIDS = 1 << 31
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
        raise refusal(instance_id, self.owner, self.since, self.until, now=now)


def refusal(
    instance_id: str, owner: Owner, since: float, until: float, holder: int = 0, now: float | None = None
) -> InstanceBusyError:
    """The error for an instance that has another owner, for so long and until then; ``holder``: the row of that."""
    began = time.localtime(min(max(0.0, since), _LAST_MOMENT))  # in this order: it may be no number
    moment, left = time.strftime("%Y-%m-%d %H:%M:%S", began), until - (time.time() if now is None else now)
    lease = f"its lease runs for {left:.0f} s more unless renewed" if left > 0 else "its lease was not renewed in time"
    return InstanceBusyError(
        f"instance {instance_id!r} is being run by process {owner.pid} on host {owner.host} since {moment} ({lease}). Wait until "
        "it ends, stop that process, or choose another instance id.",
        holder=holder,
    )


@cache
def _machine() -> str:
    identity = machine_id()  # confidential; a keyed hash of it is not
    return hashlib.sha256(f"durable_import:{identity}".encode()).hexdigest()[:16] if identity else ""


_boot = cache(boot_id)
