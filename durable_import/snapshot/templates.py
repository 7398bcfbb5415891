"""A reducer for the iterators over template strings (since Python 3.14), which have none of their own."""

from __future__ import annotations

import gc
import importlib
from itertools import chain, zip_longest
from typing import Any


def reduce_template_iterator(iterator: Any) -> tuple[Any, ...]:
    """An iterator over a template of what it has not given yet; empty texts, which are passed over, hold places.

    It has two iterators of its own, over the texts and over the fields between them, and takes of them in turns.
    """
    texts, fields = (_remaining(inner) for inner in gc.get_referents(iterator))
    turns = (fields, texts) if len(texts) == len(fields) else (texts, fields)  # the last text has no field behind it
    return iter, (_template()(*chain.from_iterable(zip_longest(*turns, fillvalue=""))),)


def _remaining(iterator: Any) -> tuple[Any, ...]:
    _, arguments, *position = iterator.__reduce__()
    return tuple(arguments[0])[position[0] if position else 0 :]


def _template() -> Any:
    return importlib.import_module("string.templatelib").Template
