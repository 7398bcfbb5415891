"""The watchdog bites what takes too long, and nothing else."""

from __future__ import annotations

import threading
import time

from durable_import.stores.postgres.watchdog import Watchdog


def test_long_block_is_bitten_once() -> None:
    """A block within its time is left alone, also after many others; one beyond it is bitten."""
    bites: list[float] = []
    dog = Watchdog(0.2, lambda: bites.append(time.monotonic()))
    for _ in range(30):
        with dog.watching():
            time.sleep(0.01)
    assert bites == []
    begun = time.monotonic()
    with dog.watching():
        time.sleep(0.6)
    assert len(bites) == 1
    assert 0.15 < bites[0] - begun < 0.55
    with dog.watching():
        time.sleep(0.6)
    assert len(bites) == 2
    dog.stop()


def test_stopped_watchdog_leaves_no_thread() -> None:
    """After ``stop`` the thread ends at once, and another block is watched again."""
    bitten = threading.Event()
    dog = Watchdog(0.1, bitten.set)
    for _ in range(2):
        with dog.watching():
            assert bitten.wait(5)
        bitten.clear()
        dog.stop()
        dog.stop()
        deadline = time.monotonic() + 5
        while any(each.name == "durable_import watchdog" for each in threading.enumerate()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
