"""The snapshot's reducers by themselves: what they make of an object, without a program around it."""

from __future__ import annotations

import io
import pickle
import types
from typing import Any

from durable_import.snapshot.definitions.functions import reduce_function
from durable_import.snapshot.load_context import load
from durable_import.snapshot.table import TABLE, reduce_by_kind


class Pickler(pickle.Pickler):
    """As the real one asks for reducers."""

    def reducer_override(self, obj: Any) -> Any:
        """First by exact type, then by kind."""
        if type(obj) is types.FunctionType:
            return reduce_function(obj)
        reducer = TABLE.get(type(obj))
        return reducer(obj) if reducer else reduce_by_kind(obj)


def dumps(obj: Any) -> bytes:
    """The snapshot's bytes."""
    file = io.BytesIO()
    Pickler(file, 5).dump(obj)
    return file.getvalue()


def loads(data: bytes) -> Any:
    """The restored graph."""
    return load(lambda _: pickle.loads(data))


def restored(obj: Any) -> Any:
    """``obj`` after a save and a load in this process."""
    return loads(dumps(obj))
