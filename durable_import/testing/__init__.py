"""For tests: the contracts that every store passes, also one of the user's own (``contract``), and ``faults`` on purpose.

Each name is loaded when it is asked for.
"""

from typing import TYPE_CHECKING

from ..late import late_names

if TYPE_CHECKING:
    from .contract import FullStoreContract, StateStoreContract
    from .faults import Faults

__all__ = ["Faults", "FullStoreContract", "StateStoreContract"]

_LATE = dict.fromkeys(__all__, "contract") | {"Faults": "faults"}

if not TYPE_CHECKING:
    __getattr__, __dir__ = late_names(__name__, _LATE)
