"""Code objects as they lie in one another."""

from __future__ import annotations

import types
from collections.abc import Iterator


def nested_codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """All code objects inside one, depth first, in the order of the constants."""
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant
            yield from nested_codes(constant)
