"""Comments that are meant to be ``# durable: on``, and are not: written in another way, or where they do not count."""

from __future__ import annotations

import re
from io import BytesIO

from ..pythons.codes import silent

__all__ = ["near_miss"]

_MEANT = re.compile(r"#+[ \t]*durable[ \t]*[:=]?[ \t]*(on|yes|true|1)[ \t]*[.!;]?[ \t]*", re.IGNORECASE)
_MARKER = re.compile(r"#+[ \t]*durable:[ \t]*on[ \t]*")
_LINE = re.compile(rb"(?im)#+[ \t]*durable[ \t]*[:=]?[ \t]*(on|yes|true|1)[ \t]*[.!;]?[ \t]*$")


def near_miss(source: bytes) -> str:
    """Which comment of a module that is not marked is meant to mark it, and why it does not; empty if none is.

    ``source`` may be the beginning of a module. A comment that says more than this is not meant to.
    """
    if b"durable: off" in source or _LINE.search(source.replace(b"\r", b"\n")) is None:  # nearly always
        return ""
    import tokenize  # rarely needed

    try:
        with silent():
            for token in tokenize.tokenize(BytesIO(source).readline):
                if token.type == tokenize.COMMENT and _MEANT.fullmatch(token.string):
                    return f"line {token.start[0]} has `{token.string}`, {_reason(token.string)}"
    except (SyntaxError, tokenize.TokenError, UnicodeDecodeError):  # it is cut off, or no Python
        return ""
    return ""


def _reason(comment: str) -> str:
    if _MARKER.fullmatch(comment):
        return "but below code: it counts only above the first statement, and above the imports"
    return "which is not the comment: it is `# durable: on`, in small letters"
