"""The tests that every store passes. Run them over a store of your own (needs pytest and pytest-asyncio)::

    class TestMyStore(StateStoreContract):
        def open(self, folder):
            return MyStore(folder / "data")

``StateStoreContract`` is for plain stores, ``OwningStoreContract`` for those with owners; ``SegmentStoreContract``,
``EventStoreContract``, ``DistinctEventStoreContract`` (with events), ``WorkStoreContract`` (with events),
``WatchedStoreContract`` (with events), ``TransactionStoreContract`` (with segments), ``QuickStoreContract`` (with segments),
``LifeStoreContract`` (with segments and events) and ``HistoryStoreContract`` (over a store that was asked to keep it) add what
else such a store can do, and may be combined. ``survives`` says whether a second ``open`` of the same folder finds what the
first one kept.
"""

from durable_import.testing.contract.changes import WatchedStoreContract
from durable_import.testing.contract.events import DistinctEventStoreContract, EventStoreContract
from durable_import.testing.contract.history import HistoryStoreContract
from durable_import.testing.contract.life import LifeStoreContract
from durable_import.testing.contract.owning import OwningStoreContract
from durable_import.testing.contract.plain import STRANGE_IDS, StateStoreContract, refused, state
from durable_import.testing.contract.quick import QuickStoreContract
from durable_import.testing.contract.segments import SegmentStoreContract
from durable_import.testing.contract.transactions import TransactionStoreContract
from durable_import.testing.contract.work import WorkStoreContract

__all__ = [
    "STRANGE_IDS", "DistinctEventStoreContract", "EventStoreContract", "HistoryStoreContract", "LifeStoreContract",
    "OwningStoreContract", "QuickStoreContract", "SegmentStoreContract", "StateStoreContract", "TransactionStoreContract",
    "WatchedStoreContract", "WorkStoreContract", "refused", "state",
]  # fmt: skip
