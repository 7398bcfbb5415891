"""Strict mode: the error of rewritten code that would run without being saved."""

from __future__ import annotations

from types import FrameType

from ..errors import DurableError
from ..hook.code_table import info_of
from ..hook.switch import STRICT
from ..ours import FOLDER


def refusal(frame: FrameType, reason: str) -> DurableError:
    """For a function that has just been entered."""
    code = frame.f_code
    caller = frame.f_back
    while caller is not None and caller.f_code.co_filename.startswith(FOLDER):
        caller = caller.f_back
    by = ""
    if caller is not None and info_of(caller.f_code) is None:
        by = f" ({caller.f_code.co_qualname}, {caller.f_code.co_filename}:{caller.f_lineno})"
    return DurableError(
        f"{code.co_filename}:{code.co_firstlineno}: {code.co_qualname} refuses to run: {reason}{by}, so nothing of it would be "
        f"saved, and strict mode was asked for by {STRICT[0]}. Await it under `async with DurableRuntime(...)` and from durable "
        "code only: mark the module in between with `# durable: on`. Or do without strict mode"
    )
