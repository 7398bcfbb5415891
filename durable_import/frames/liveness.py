"""Temporary."""
from typing import Any
def live_at(info: Any, label: int) -> frozenset[str]:
    return frozenset(info.code.co_varnames) | frozenset(info.code.co_cellvars) | frozenset(info.code.co_freevars) | {"@a"}
def discards_result(info: Any, label: int) -> bool:
    return False
