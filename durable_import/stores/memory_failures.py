"""What could not go on, in the memory of this process: for stores that do not keep it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable

from durable_import.errors import InstanceStuckError
from durable_import.stores.state import Failure, pause_after


class MemoryFailures:
    """By instance; each with the time from which on it is to be tried again, which is infinite for one that is stuck."""

    def __init__(self) -> None:
        self._failures: dict[str, tuple[Failure, float]] = {}

    def add(self, instance_id: str, failure: Failure) -> None:
        """It could not go on."""
        due = math.inf if failure.is_stuck else time.time() + pause_after(failure.attempts)
        self._failures[instance_id] = failure, due

    def forget(self, instance_id: str) -> bool:
        """It goes on, or is to be tried afresh; gives whether something was known."""
        return bool(self._failures) and self._failures.pop(instance_id, None) is not None

    def last(self, instance_id: str) -> Failure | None:
        """The last one of an instance since it went on."""
        found = self._failures.get(instance_id)
        return found[0] if found is not None else None

    def check(self, instance_id: str) -> Failure | None:
        """The same. Raises InstanceStuckError for one that is stuck."""
        found = self.last(instance_id)
        if found is not None and found.is_stuck:
            raise InstanceStuckError(instance_id, found.error, found.attempts)
        return found

    def hasten(self) -> None:
        """Those that are to be tried again later are to be now."""
        for name, (failure, due) in self._failures.items():
            self._failures[name] = failure, min(due, 0.0) if due != math.inf else due

    def due(self) -> list[str]:
        """Those that are to be tried again now."""
        now = time.time()
        return [name for name, (_, due) in self._failures.items() if due <= now]

    def without(self, names: Iterable[str]) -> list[str]:
        """Those of ``names`` that may go on."""
        now = time.time()
        return [name for name in names if name not in self._failures or self._failures[name][1] <= now]

    def __len__(self) -> int:
        return len(self._failures)
