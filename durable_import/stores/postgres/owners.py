"""Who owns instances in a PostgreSQL database: a row for each process, which it renews. These block; see ``store.Store``."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from durable_import.errors import StoreUnavailableError
from durable_import.stores.owner import UNKNOWN, Owner
from durable_import.stores.postgres.address import Address
from durable_import.stores.postgres.columns import query
from durable_import.stores.postgres.driver import psycopg
from durable_import.stores.postgres.failures import explain, is_to_be_repeated
from durable_import.stores.postgres.pipeline import ATTEMPTS, opened
from durable_import.stores.postgres.session import OURS, Connection, is_to_be_replaced
from durable_import.stores.state import OwnerRow

T = TypeVar("T")

RETIRED_AT_ONCE = 500  # instances
LEAST_PATIENCE = 1.0  # seconds


class OwnersDesk:
    """For the threads of keepers: it has a connection of its own from the first use on. ``patience``: seconds to wait at most; a
    renewal waits for a third of its lease, since another one is due then."""

    def __init__(self, address: Address, patience: float) -> None:
        self._address = address
        self._patience = patience
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._manners = OURS
        self.registered: set[int] = set()  # owners of this process

    def register(self, who: Owner, lease: float) -> int:
        number = number_of(who)
        row = {"owner": number, "who": who.to_json(), "lease": lease}

        def work() -> None:
            self._do("forget_idle_owners", {})
            self._do("put_owner", row)

        self._transact(work, self._patience)
        self.registered.add(number)
        return number

    def renew(self, owner: int, old: int, new: int, lease: float) -> bool:
        row = {"owner": owner, "old": old, "new": new, "lease": lease}
        patience = max(lease / 3, LEAST_PATIENCE)
        return self._transact(lambda: self._do("renew", row).rowcount > 0, patience, is_one=True)

    def owners(self) -> list[OwnerRow]:
        now = time.time()  # leases run by the clock of the database
        found = self._transact(lambda: self._do("owners", {}).fetchall(), self._patience, is_one=True)
        missing = self._transact(lambda: self._do("missing_owners", {}).fetchall(), self._patience, is_one=True)
        return [OwnerRow(number, UNKNOWN, 0, 0.0, 0.0, True) for (number,) in missing] + [
            OwnerRow(number, Owner.from_json(who), beat, lease, now + left, is_dead, since)
            for number, who, beat, lease, left, is_dead, since in found
        ]

    def bury(self, owner: int, beat: int, limit: int) -> int:
        def work() -> int:
            row = {"owner": owner, "beat": beat, "limit": limit}
            if self._do("declare_dead", row).rowcount == 0 and self._do("is_known", row).rowcount:
                return 0
            freed = self._free("bury", row)
            if freed < limit:
                self._do("forget_owner", row)
            return freed

        return self._transact(work, self._patience)

    def retire(self, owner: int) -> None:
        row = {"owner": owner, "limit": RETIRED_AT_ONCE}

        def work() -> int:
            self._do("retire", row)
            freed = self._free("let_go", row)
            self._do("forget_owner", row)
            return freed

        while self._transact(work, self._patience):
            pass
        with self._lock:
            self.registered.discard(owner)
            if not self.registered:
                self._disconnect()

    def close(self) -> None:
        """Let go of the connection; the next use makes another one."""
        with self._lock:
            self._disconnect()

    def _free(self, how: str, row: dict[str, Any]) -> int:
        keys = sorted(key for (key,) in self._do("owned", row).fetchall())
        for name in (how, "forget_unborn", "shelve", "wake") if keys else ():
            self._do(name, {"keys": keys})
        return len(keys)

    def _do(self, name: str, row: dict[str, Any]) -> psycopg.Cursor[tuple[Any, ...]]:
        assert self._connection is not None
        text = query(name, self._address.schema)
        return self._connection.execute(text, row, prepare=self._manners.prepares, binary=True)

    def _transact(self, work: Callable[[], T], patience: float, *, is_one: bool = False) -> T:
        """Do something in a transaction; what the server gives up is done again. ``is_one``: it is one statement."""
        with self._lock:
            for attempt in range(ATTEMPTS):
                try:
                    return self._attempt(work, patience, is_one)
                except psycopg.Error as error:
                    self._disconnect()  # the server rolls back what has no connection
                    if not is_to_be_repeated(error, attempt) or attempt == ATTEMPTS - 1:
                        raise explain(error, self._address) from error
                except BaseException:
                    self._disconnect()
                    raise
        raise StoreUnavailableError(f"the database ({self._address}) has given up the same work again and again. Run again")

    def _attempt(self, work: Callable[[], T], patience: float, is_one: bool) -> T:
        if self._connection is not None and is_to_be_replaced(self._connection):
            self._disconnect()
        if self._connection is None:
            self._connection, self._manners = opened(self._address, self._patience)
        connection = self._connection
        connection.deadline = time.monotonic() + patience
        if is_one and not self._manners.is_pooled:
            return work()
        for text in self._manners.opening:
            connection.execute(text, prepare=False)
        answer = work()
        connection.execute("COMMIT", prepare=False)
        return answer

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def number_of(who: Owner) -> int:
    """The number under which an owner has its row."""
    return int(who.session or "0", 16) & 0x3FFFFFFFFFFFFFFF
