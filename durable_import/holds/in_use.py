"""What is open in an object, seen by asking it: a transaction on a connection, a file that compresses what is written to it."""

from __future__ import annotations

import io
import weakref
from typing import Any

from ..log import logger
from .kinds import class_name, known_class, known_of

_COMPRESSED = ("gzip.GzipFile", "bz2.BZ2File", "lzma.LZMAFile")  # they end the stream when they are dropped
_ARCHIVES = ("zipfile.ZipFile", "tarfile.TarFile")


def can_be_in_use(cls: type) -> bool:
    """Whether objects of a class are to be asked."""
    known = _of_builtins.get(cls)
    if known is None:
        known = _answers.get(cls)
    if known is None:
        known = issubclass(cls, io.IOBase) or bool(getattr(known_class(cls), "busy", ()))
        (_answers if cls.__flags__ & _HEAP_TYPE else _of_builtins)[cls] = known
    return known


_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: it may go away
_answers: weakref.WeakKeyDictionary[type, bool] = weakref.WeakKeyDictionary()
_of_builtins: dict[type, bool] = {}


def in_use(value: Any) -> str:
    """What says that something is open in an object which could not be brought back; empty if nothing does."""
    if isinstance(value, io.IOBase):
        return "it compresses what is written to it" if _compresses(value) else ""
    known = known_of(value)
    question = first_true(value, known.busy) if known is not None else ""
    return f"a transaction is open in it: its {question!r} says so" if question else ""


def is_unfinished(value: Any) -> bool:
    """Whether an object has to be closed for what was written to it to be complete: it is not the same without it."""
    if isinstance(value, io.IOBase):
        return not value.closed and value.writable()
    if _is_a(value, _ARCHIVES):
        return getattr(value, "mode", "r") != "r" and not getattr(value, "closed", getattr(value, "fp", None) is None)
    return False


def _is_a(value: Any, names: tuple[str, ...]) -> bool:
    """Whether an object is of one of these classes; no module is imported for that."""
    return any(f"{cls.__module__}.{cls.__qualname__}" in names for cls in type(value).__mro__)


def _compresses(file: Any) -> bool:
    while file is not None and not _is_a(file, _COMPRESSED):
        if file.closed:
            return False
        file = getattr(file, "buffer", None) or getattr(file, "raw", None)
    return file is not None and not file.closed and file.writable()


def first_true(value: Any, questions: tuple[str, ...]) -> str:
    """The first of the questions, attributes or methods of the object or of what is in it, whose answer is true; empty if none.

    One that it does not answer, as a closed connection may refuse to, is not; each library has exceptions of its own for that.
    """
    for question in questions:
        asked = value
        try:
            for name in question.split("."):
                asked = getattr(asked, name)
            if bool(asked() if callable(asked) else asked):
                return question
        except Exception as error:
            _tell_unanswered(type(value), question, error)
    return ""


def _tell_unanswered(cls: type, question: str, error: Exception) -> None:
    """Once for each question."""
    told = _unanswered.setdefault(cls, set())
    if question not in told:
        told.add(question)
        logger.debug("a %s does not say whether its %r is true: %r", class_name(cls), question, error)


_unanswered: weakref.WeakKeyDictionary[type, set[str]] = weakref.WeakKeyDictionary()
