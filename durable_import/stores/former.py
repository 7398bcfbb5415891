"""What stores could optionally be in earlier releases: names that are kept for one release, and that nothing is asked of.

Of a store of the user's own only ``load`` and ``save`` are used. One that does more derives from ``base.FullStateStore``, and
gives a whole ``store.Store``.
"""

from durable_import.stores.base import StateStore
from durable_import.stores.store import OpenTransaction as Transaction

__all__ = [
    "DistinctEventStore", "EventStore", "HistoryStore", "LifeStore", "OwningStore", "QuickStore", "SegmentStore", "SourceStore",
    "Transaction", "TransactionStore", "WatchedStore", "WorkStore",
]  # fmt: skip


class OwningStore(StateStore):
    """A store with owners of its own."""


class DistinctEventStore:
    """Not used any more."""


class EventStore:
    """Not used any more."""


class HistoryStore:
    """Not used any more."""


class LifeStore:
    """Not used any more."""


class QuickStore:
    """Not used any more."""


class SegmentStore:
    """Not used any more."""


class SourceStore:
    """Not used any more."""


class TransactionStore:
    """Not used any more."""


class WatchedStore:
    """Not used any more."""


class WorkStore:
    """Not used any more."""
