"""Keeps the leases of running instances alive, from a thread of its own: a program may keep its event loop busy."""

from __future__ import annotations

import asyncio
import logging
import threading

from ..errors import StoreError
from ..stores.base import Claim, OwningStore, StateStore
from ..stores.owner import DEFAULT_LEASE_SECONDS

logger = logging.getLogger("durable_import")


class Heartbeat:
    """Renews the claims added to it, three times a lease, while there are any."""

    def __init__(self, store: StateStore, interval: float = DEFAULT_LEASE_SECONDS / 3) -> None:
        self._store = store
        self._interval = interval
        self._claims: dict[tuple[str, int], Claim] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, claim: Claim) -> None:
        """Keep a claim's lease alive from now on."""
        with self._lock:
            self._claims[claim.instance_id, claim.epoch] = claim
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
        while not self._stopped.wait(self._interval):
            with self._lock:
                claims = list(self._claims.values())
            if not claims or not isinstance(self._store, OwningStore):
                continue
            try:
                asyncio.run(self._store.renew(claims))
            except StoreError as error:  # the next commit says whether the instance is still ours
                logger.warning("leases were not renewed: %s", error)
