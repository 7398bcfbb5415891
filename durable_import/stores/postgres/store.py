"""A store in a PostgreSQL database, shared by the processes of many machines."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from durable_import.stores.base import FullStateStore, check_state
from durable_import.stores.bounds import bound_of
from durable_import.stores.flat import to_dict, to_kept
from durable_import.stores.postgres.address import Address
from durable_import.stores.postgres.instances import PostgresStore


class PostgresStateStore(FullStateStore):
    """Keeps states in the database of ``url``: ``postgresql://user:password@host:5432/database``.

    Its options are those of libpq, and ``schema``: where the tables are, made when they are first needed (by default
    ``durable_import``). The password may as well be in PGPASSWORD or in the password file. Leases run by the clock of the
    database. ``patience``: seconds to wait for a connection, a lock or an answer. A process has up to three connections, for its
    instances, its lease and its changes, and a small pool while transactions are used. A pooler may be in front. ``history``, or
    that option of the URL: keep the states before the last one too: True, how many, or for how long, as in ``"7d"``.
    """

    def __init__(self, url: str, *, patience: float = 30.0, history: bool | int | str = False) -> None:
        asked = dict(parse_qsl(url.partition("?")[2])).get("history", history)
        self.instances: PostgresStore = PostgresStore(Address.of(url), patience, bound_of(asked))

    @property
    def address(self) -> Address:
        """Where it is."""
        return self.instances.address

    def __repr__(self) -> str:
        return repr(self.instances)

    async def load(self, instance_id: str) -> dict[str, Any] | None:
        """See ``StateStore``."""
        kept = await self.instances.load(instance_id)
        return to_dict(kept.state, kept.call) if kept is not None else None

    async def save(self, instance_id: str, state: dict[str, Any]) -> None:
        """See ``StateStore``. Raises InstanceBusyError while another one that may be alive owns the instance."""
        check_state(state)
        kept = to_kept(state)
        await self.instances.save(instance_id, kept.state, kept.call)

    async def bloat(self) -> str:
        """Whether there are more dead rows than live ones, in large tables."""
        return await self.instances.bloat()

    async def close(self) -> None:
        """Let go of connections and threads; the next use opens the store again."""
        await self.instances.close()
