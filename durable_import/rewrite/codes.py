"""Code objects as they lie in one another, and how they are compiled once more."""

from __future__ import annotations

import types
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


def nested_codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """All code objects inside one, depth first, in the order of the constants."""
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant
            yield from nested_codes(constant)


@contextmanager
def silent() -> Iterator[None]:
    """In the block the compiler gives no warnings: for a source that was compiled before, when it has given them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
