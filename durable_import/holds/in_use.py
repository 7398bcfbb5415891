"""What is open in an object, seen by asking it: a transaction on a connection, a compressing writer, a response not read yet."""

from __future__ import annotations

import io
from typing import Any

from ..frames.capture import CREATED, FINISHED, FRAME_TYPES, frame_of, parts_of, variables_in
from ..hook.code_table import info_of
from ..log import logger
from ..pythons.classes import ByClass
from .kinds import GENERATOR_MANAGERS, class_name, kind_of, known_class, known_of
from .table import Kind

_COMPRESSED = ("gzip.GzipFile", "bz2.BZ2File", "lzma.LZMAFile")  # they end the stream when they are dropped
_ARCHIVES = ("zipfile.ZipFile", "tarfile.TarFile")


def can_be_in_use(cls: type) -> bool:
    """Whether objects of a class are to be asked."""
    known = _answers.get(cls)
    if known is None:
        known = _answers.keep(cls, issubclass(cls, io.IOBase) or bool(getattr(known_class(cls), "busy", ())))
    return known


_answers: ByClass[bool] = ByClass()


def questions_of(cls: type) -> tuple[str, ...] | None:
    """Of objects of a class that ``can_be_in_use``: what to ask first, for nothing is in use if no answer is true; None: it is
    not so easy. Left out is what such an object has never an answer to."""
    known = known_class(cls) if not issubclass(cls, (io.IOBase, *GENERATOR_MANAGERS)) else None
    if known is None or known.spent:
        return None
    if cls.__dictoffset__ or hasattr(cls, "__getattr__"):
        return known.busy
    return tuple(each for each in known.busy if "." in each or each.startswith("__") or hasattr(cls, each))


def in_use(value: Any) -> str:
    """What says that something is open in an object which could not be brought back; empty if nothing does."""
    if isinstance(value, io.IOBase) and _compresses(value):
        return "it compresses what is written to it"
    known = known_of(value) if type(value).__module__ != "_io" else None
    if known is None:
        return ""
    question = first_true(value, known.busy)
    if question:
        return f"{_SAY.get(question, 'a transaction is open in it')}: its {question!r} says so"
    return "it has not been read to its end" if known.spent and not first_true(value, known.spent) else ""


def spent_questions(value: Any) -> tuple[str, ...]:
    """What to ask a response, or the manager of one, whether it has been read to its end."""
    known = known_of(value)
    return known.spent if known is not None else ()


def is_known_to_hold(value: Any) -> bool:
    """Whether an object is of a class of the table that holds, or a generator of a library that has begun."""
    if isinstance(value, FRAME_TYPES):
        parts = parts_of(value)
        return info_of(parts.code) is None and parts.state not in (CREATED, FINISHED)
    known = known_class(type(value)) if kind_of(value) is Kind.HOLDS else None
    return known is not None and known.kind is Kind.HOLDS


_SAY = {
    **dict.fromkeys(("identity_map", "new", "dirty", "deleted"), "objects are in it that another session would not have"),
    "has_more_than_its_file": "it has temporary tables, or other databases attached, which would be gone",
    "has_unread_rows": "rows of it were not read",
    "command_stack": "commands are queued in it",
    "watching": "it watches keys",
    "local.token": "it has the lock",
}


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
        try:
            answer = _answer(value, question)
        except Exception as error:
            _tell_unanswered(type(value), question, error)
            continue
        if answer is _MISSING:  # which is quicker than an error, and so for each of a kind of connections
            _tell_unanswered(type(value), question, "there is no such attribute")
        elif answer:
            return question
    return ""


def may_be_true(value: Any, questions: tuple[str, ...]) -> bool:
    """Whether ``first_true`` may give one of the questions of ``questions_of``: quicker, where none is true."""
    try:
        for question in questions:
            answer = getattr(value, question, True)  # what is not an attribute, such as a path, is to be asked for there
            if answer() if callable(answer) else answer:
                return True
    except Exception:  # of a closed connection, say: ``first_true`` asks again, and tells of it
        return True
    return False


def _answer(value: Any, question: str) -> Any:
    asked = value
    for name in question.split("."):
        asked = _part(asked, name)
        if asked is _MISSING:
            return _MISSING
    return bool(asked() if callable(asked) else asked)


def _part(value: Any, name: str) -> Any:
    """An attribute; of a generator's manager a variable of its function. A private name is that of the class which has it."""
    if isinstance(value, GENERATOR_MANAGERS):
        frame = frame_of(value.gen)
        return variables_in(frame)[name] if frame is not None else None
    if name.startswith("__"):
        owners = (f"_{cls.__name__.lstrip('_')}{name}" for cls in type(value).__mro__)
        name = next((mangled for mangled in owners if hasattr(value, mangled)), name)
    return getattr(value, name, _MISSING)


_MISSING = object()


def _tell_unanswered(cls: type, question: str, why: object) -> None:
    """Once for each question."""
    told = _unanswered.get(cls)
    if told is None:
        told = _unanswered.keep(cls, set())
    if question not in told:
        told.add(question)
        logger.debug("a %s does not say whether its %r is true: %r", class_name(cls), question, why)


_unanswered: ByClass[set[str]] = ByClass()
