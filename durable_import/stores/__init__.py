"""Where snapshots live.

``url`` finds a store by its URL. ``store`` says what the rest of the package needs of one, ``state`` what is kept of an
instance; ``base`` is what users implement, ``backend`` what the original library called so, and ``adapted`` makes of these what
``store`` says. ``memory``, ``disk`` and ``sqlite`` are the embedded stores, ``postgres`` is for many machines. They share
``owner`` (who advances an instance, and until when), ``suspects`` (how many of those are taken up that may kill), ``worker`` (a
thread for what blocks), ``changes`` (waiting for a change), ``listing`` (pages of lists), ``plain`` (the lives of instances, in
memory and on disk), ``flat`` (states as dicts), ``inline_commit_policy`` (which commits an event loop waits for), ``sql`` and
``files``. ``former`` has names of earlier releases. What is in ``__all__`` is public: the stores, and what a store of the user's
own is made of. A store's module, and its driver, are loaded when it is asked for.

Rejected:

- One connection per event loop, or work in the default executor: a slow disk would starve other users of the executor,
  and commits of many instances could not share one fsync. One thread per store groups them.
- Epochs that count: per instance, a stalled owner's old one would be current again after delete and start again; per store,
  all would write one row. They are random numbers in SQLite, and only compared.
- A lease for each instance: a renewal would cost what a process owns. In SQLite a process has one.
- Optional protocols that a store of the user's own is searched for: each was another way to do half of it, and how they went
  together was nobody's promise. Such a store loads and saves, or is a whole ``Store``.
- What instances are looked for by in the row that a commit writes: each commit would touch indexes.
- PostgreSQL: advisory locks or an open transaction as the claim. They end with the connection, not with the process, and a
  pooler or a short break of the network would take instances away from their owner.
- PostgreSQL: a counter of changes from a sequence. It would count before the change can be seen, and a reader would miss it.
- PostgreSQL: ids as keys. An index has no room for long ones; rows are found by a digest.
- Transactions of users on the store's own connection: the store could not renew a lease while one is open.
- Locks of the operating system as the only proof of life: they do not survive a suspended process that must be fenced.
"""

from typing import TYPE_CHECKING

from ..late import late_names

if TYPE_CHECKING:
    from .base import FullStateStore, KeyedStore, StateStore
    from .disk.store import DiskStateStore
    from .former import (
        DistinctEventStore,
        EventStore,
        HistoryStore,
        LifeStore,
        OwningStore,
        QuickStore,
        SegmentStore,
        SourceStore,
        Transaction,
        TransactionStore,
        WatchedStore,
        WorkStore,
    )
    from .memory import InMemoryStateStore
    from .owner import DEFAULT_LEASE_SECONDS, Owner
    from .postgres.store import PostgresStateStore
    from .sqlite.store import SQLiteStateStore
    from .state import Claim, Event, InstanceQuery, InstanceSummary, Page, PastState
    from .store import Store

__all__ = [
    "DEFAULT_LEASE_SECONDS", "Claim", "DiskStateStore", "DistinctEventStore", "Event", "EventStore", "FullStateStore",
    "HistoryStore", "InMemoryStateStore", "InstanceQuery", "InstanceSummary", "KeyedStore", "LifeStore", "Owner", "OwningStore",
    "Page", "PastState", "PostgresStateStore", "QuickStore", "SQLiteStateStore", "SegmentStore", "SourceStore", "StateStore",
    "Store", "Transaction", "TransactionStore", "WatchedStore", "WorkStore",
]  # fmt: skip

_LATE = dict.fromkeys(__all__, "former") | {
    **dict.fromkeys(("FullStateStore", "KeyedStore", "StateStore"), "base"),
    **dict.fromkeys(("Claim", "Event", "InstanceQuery", "InstanceSummary", "Page", "PastState"), "state"),
    "DEFAULT_LEASE_SECONDS": "owner",
    "DiskStateStore": "disk.store",
    "InMemoryStateStore": "memory",
    "Owner": "owner",
    "PostgresStateStore": "postgres.store",
    "SQLiteStateStore": "sqlite.store",
    "Store": "store",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = late_names(__name__, _LATE)
