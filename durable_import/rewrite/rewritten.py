"""A rewritten module, as the compiler gives it and the cache keeps it. A warm start needs this without the compiler."""

from __future__ import annotations

import marshal
from types import CodeType
from typing import Any


class RewrittenModule:
    """The code of a rewritten module, and ``table``: what the run time must know of its functions. All of it can be marshalled.

    ``table``: for each nested code object in the order of ``codes.nested_codes`` a row ``(place, digest, suspensions)``, or
    None; ``suspensions`` has for each label what ``Suspend.place`` says; what is evaluated late has no labels. Of a library a
    row has a fourth item, which maps each label to the text of what is awaited there.

    Of the plain variant a row is the place of the function, or None.
    """

    __slots__ = ("code", "table")

    def __init__(self, code: CodeType, table: tuple[Any, ...]) -> None:
        self.code = code
        self.table = table

    def to_bytes(self) -> bytes:
        """The module for ``from_bytes`` of the same Python version."""
        return marshal.dumps((self.code, self.table))

    @classmethod
    def from_bytes(cls, data: bytes | memoryview) -> RewrittenModule:
        """The module that ``to_bytes`` saved; raises ValueError, EOFError or TypeError for anything else."""
        code, table = marshal.loads(data)
        if not isinstance(code, CodeType) or not isinstance(table, tuple):
            raise TypeError("not a rewritten module")
        return cls(code, table)
