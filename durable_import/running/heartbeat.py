"""Keeps the leases of running instances alive, from a thread of its own: a program may keep its event loop busy."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from ..errors import StoreError
from ..log import logger
from ..stores.owner import DEFAULT_LEASE_SECONDS
from ..stores.state import Claim
from ..stores.store import Store


class Heartbeat:
    """Renews the claims added to it, three times a lease, while there are any."""

    def __init__(self, store: Store, lease_seconds: float = DEFAULT_LEASE_SECONDS) -> None:
        self._store = store
        self._lease_seconds = lease_seconds
        self._claims: dict[tuple[str, int], tuple[Claim, Callable[[], None], asyncio.AbstractEventLoop]] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, claim: Claim, is_lost: Callable[[], None]) -> None:
        """Keep a claim's lease alive from now on; ``is_lost`` is called, in the running loop, when it is not current any more."""
        with self._lock:
            self._claims[claim.instance_id, claim.epoch] = claim, is_lost, asyncio.get_running_loop()
            if self._thread is None or not self._thread.is_alive():
                self._stopped.clear()
                self._thread = threading.Thread(target=self._beat, name="durable_import heartbeat", daemon=True)
                self._thread.start()

    def remove(self, claim: Claim) -> None:
        """Let a claim's lease end by itself."""
        with self._lock:
            self._claims.pop((claim.instance_id, claim.epoch), None)

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()

    def _beat(self) -> None:
        while not self._stopped.wait(self._lease_seconds / 3):
            with self._lock:
                claims = [claim for claim, _, _ in self._claims.values()]
            if not claims:
                continue
            try:
                lost = asyncio.run(self._store.renew(claims, self._lease_seconds))
            except StoreError as error:  # the next commit says whether the instance is still ours
                logger.warning("leases were not renewed: %s", error)
                continue
            for claim in lost:
                self._tell(claim)

    def _tell(self, claim: Claim) -> None:
        with self._lock:
            _, is_lost, loop = self._claims.pop((claim.instance_id, claim.epoch), (None, None, None))
        if is_lost is not None and loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(is_lost)
