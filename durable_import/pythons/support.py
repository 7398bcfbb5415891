"""How a Python is refused that instances cannot run on: in one sentence that names the versions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import DurableError, UnsupportedPythonError
from .versions import IS_KNOWN, NAMED, NEWEST, OLDEST


def refused(lack: str) -> UnsupportedPythonError:
    """The error that says which Pythons are known, and what this one lacks."""
    oldest, newest = (".".join(map(str, version)) for version in (OLDEST, NEWEST))
    return UnsupportedPythonError(
        f"durable_import knows Python {oldest} to {newest}, and instances cannot run on this Python {NAMED}: {lack}. Run them "
        "with a Python that it knows, or install a newer durable_import; without a runtime, marked modules run as they are.",
        lack=lack,
    )


@contextmanager
def tried(what: str) -> Iterator[None]:
    """On a Python that is not known, what fails in the block is told as that: by an UnsupportedPythonError."""
    try:
        yield
    except DurableError:
        raise
    except Exception as error:
        if IS_KNOWN:
            raise
        raise refused(f"{what} failed ({type(error).__name__}: {error})") from error
