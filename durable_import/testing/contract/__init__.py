"""The tests that every store passes. Run them over a store of your own (needs pytest and pytest-asyncio)::

    class TestMyStore(StateStoreContract):
        def open(self, folder):
            return MyStore(folder / "data")

``StateStoreContract`` is for ``load`` and ``save``. ``FullStoreContract`` is for a whole ``Store``: ``open`` gives one.
``survives`` says whether a second ``open`` of the same folder finds what the first one kept.
"""

from durable_import.testing.contract.attempts import AttemptsContract
from durable_import.testing.contract.keys import KeysContract
from durable_import.testing.contract.origins import OriginsContract
from durable_import.testing.contract.owners import OwnersContract
from durable_import.testing.contract.plain import STRANGE_IDS, StateStoreContract, refused, state
from durable_import.testing.contract.store import StoreContract
from durable_import.testing.contract.suspects import SuspectsContract
from durable_import.testing.contract.texts import TextsContract

__all__ = ["STRANGE_IDS", "FullStoreContract", "StateStoreContract", "refused", "state"]


class FullStoreContract(
    StoreContract, AttemptsContract, KeysContract, OriginsContract, OwnersContract, SuspectsContract, TextsContract
):
    """What a whole store promises."""
