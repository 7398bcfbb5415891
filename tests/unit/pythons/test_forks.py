"""Coming to rest for a fork."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

from durable_import.pythons import forks

ORDER: list[str] = []


class Member:
    """Notes what it is told."""

    def __init__(self, name: str, rank: int) -> None:
        self.name, self.fork_rank = name, rank
        forks.joins(self)

    def rest(self, seconds: float) -> None:
        ORDER.append(f"{self.name} rests")
        assert 0 <= seconds <= forks.PATIENCE

    def go_on(self) -> None:
        ORDER.append(f"{self.name} goes on")

    def start_over(self) -> None:
        ORDER.append(f"{self.name} starts over")


def test_who_uses_others_rests_first() -> None:
    """And goes on last, or starts over, in the child."""
    members = [Member("store", 1), Member("keeper", 0)]
    ORDER.clear()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, ", ".join(ORDER).encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as said:
        assert said.read() == "keeper rests, store rests, store starts over, keeper starts over"
    assert ORDER == ["keeper rests", "store rests", "store goes on", "keeper goes on"]
    del members


def test_a_lock_that_is_held_for_long_does_not_keep_a_fork() -> None:
    """It goes on without, and gives back nothing that it has not."""
    lock = threading.Lock()
    rest = forks.Rest(lock)
    assert rest.begin(0.01)
    rest.end()
    lock.acquire()
    began = time.monotonic()
    assert not rest.begin(0.01)
    rest.end()
    assert lock.locked()
    assert time.monotonic() >= began


def test_what_is_inherited_is_never_closed() -> None:
    """Also not when the child exits as processes do."""
    code = """
import os, sys
from durable_import.pythons import forks
class Connection:
    def __del__(self):
        os.write(1, b"closed")
connection = Connection()
child = os.fork()
if not child:
    forks.keep(connection)
    del connection
    sys.exit(0)
os.waitpid(child, 0)
os._exit(0)
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b""
