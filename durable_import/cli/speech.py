"""How commands speak: on stderr, and by their exit status."""

from __future__ import annotations

import json
import re
import sys
import time
from typing import Any

FOUND, USAGE, OURS, SUSPENDED = 1, 2, 70, 75  # exit statuses: see docs/operating.md
UNREAD = 128 + 13  # another one: as if SIGPIPE had ended it

_PASSWORD = re.compile(r"(?<=:)[^:@/]+(?=@)|(?<=password=)[^&]+")


def say(text: str) -> None:
    """One line on stderr, if there is one."""
    if sys.stderr is not None and not getattr(sys.stderr, "closed", False):  # ``print`` would take stdout for None
        print(f"durable_import: {text}", file=sys.stderr, flush=True)


def sentence(error: Exception) -> str:
    """An error in one line: without a list that may follow."""
    first = str(error).partition("\n")[0]
    return first.rpartition(". ")[0] if first.endswith(":") and ". " in first else first


def shown_store(url: str) -> str:
    """A store's URL without its password."""
    return _PASSWORD.sub("***", url)


def shown(text: str) -> str:
    """A text in one line that does nothing to a terminal: as ``repr`` shows it if it is an odd one."""
    return text if text.isprintable() and text.strip() == text != "" else repr(text)


def shown_lines(text: str) -> list[str]:
    """The lines of a text that do nothing to a terminal."""
    return ["".join(each if each.isprintable() else repr(each)[1:-1] for each in line) for line in text.splitlines()]


def moment(seconds: float) -> str:
    """A time in the zone of this process."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    except (OverflowError, ValueError, OSError):  # somebody has put it there
        return repr(seconds)


def print_document(document: Any) -> None:
    """One JSON document on stdout; what has no JSON is in it as ``repr`` shows it."""
    print(json.dumps(document, indent=2, default=repr))
