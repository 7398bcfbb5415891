"""The watchdog bites what takes too long, and nothing else."""

from __future__ import annotations

import threading
import time

from durable_import.stores.postgres.watchdog import Watchdog


def test_long_block_is_bitten_once() -> None:
    """A block beyond its time is bitten, however long it goes on, and the next one again."""
    bites = threading.Semaphore(0)
    dog = Watchdog(0.05, bites.release)
    for _ in range(2):
        with dog.watching():
            assert bites.acquire(timeout=300)
            assert not bites.acquire(timeout=0.2)
    dog.stop()


def test_block_within_its_time_is_left_alone() -> None:
    """Many blocks, one after another, together longer than one may be, are not bitten unless one was that long."""
    bites: list[None] = []
    dog = Watchdog(0.2, lambda: bites.append(None))
    long_ones = 0
    for _ in range(30):
        begun = time.monotonic()
        with dog.watching():
            time.sleep(0.01)
        long_ones += time.monotonic() - begun >= 0.2  # the machine may be busy
    assert len(bites) <= long_ones
    dog.stop()


def test_stopped_watchdog_leaves_no_thread() -> None:
    """After ``stop`` the thread ends at once, and another block is watched again."""
    bitten = threading.Event()
    dog = Watchdog(0.1, bitten.set)
    for _ in range(2):
        with dog.watching():
            assert bitten.wait(60)
        bitten.clear()
        dog.stop()
        dog.stop()
        deadline = time.monotonic() + 60
        while any(each.name == "durable_import watchdog" for each in threading.enumerate()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
