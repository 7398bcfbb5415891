"""The context variables that an instance is given by who begins it: kept once, beside the call, and set again in each life.

What never changes is kept there only. What can change belongs to the state of the instance too, which may change it. An object
that a module holds by name is the module's, in each life. What cannot be kept is named when the instance begins.
"""

from __future__ import annotations

import contextvars
from enum import Enum
from types import CodeType
from typing import Any

from ...errors import DurableError
from ...log import logger
from ...snapshot.reducers.context_variables import Place, find_place, module_name_of, named_variable, shown, variable_at
from ...snapshot.reducers.telemetry import as_given
from ...snapshot.tasks.contexts import DECIMAL, base_of, is_ours
from .records import Records

_CONSTANT = (type(None), bool, int, float, complex, str, bytes, range, type(Ellipsis), type(NotImplemented))
_CONSTANT_BY_NAME = {  # of modules that are not imported for their sake
    ("datetime", "date"), ("datetime", "datetime"), ("datetime", "time"), ("datetime", "timedelta"), ("datetime", "timezone"),
    ("decimal", "Decimal"), ("fractions", "Fraction"), ("opentelemetry.context.context", "Context"), ("uuid", "UUID"),
    ("zoneinfo", "ZoneInfo"), ("ipaddress", "IPv4Address"), ("ipaddress", "IPv6Address"),
}  # fmt: skip
_CONTAINERS = (list, dict, set, bytearray)  # which are data, also if a module has a name for them
VALUE, NAMED = "value", "named"  # how a variable's value is kept

_told: set[tuple[str, str, str]] = set()  # instance, module and name: of variables that were missed in this process

Kept = tuple[tuple[Any, ...] | None, str, Any]  # the ``Place`` of the variable (None: decimal's), how its value is kept, and that


class GivenContext:
    """The context variables of an instance. ``own``: those whose values belong to its state too."""

    __slots__ = ("lost", "own", "record")

    def __init__(self) -> None:
        self.own: tuple[contextvars.ContextVar[Any], ...] = ()
        self.record = b""  # of what is kept; empty if nothing is
        self.lost: tuple[str, ...] = ()  # what cannot be kept, and why, to be read

    def base(self) -> contextvars.Context:
        """What the snapshots of the instance, in whose context this is called, need not hold."""
        return base_of(contextvars.copy_context(), self.own)


NOTHING_GIVEN = GivenContext()


def given_by(context: contextvars.Context, records: Records) -> GivenContext:
    """What an instance is given that begins in a context."""
    found = [(variable, value) for variable, value in context.items() if not is_ours(variable)]
    if not found:
        return NOTHING_GIVEN
    given = GivenContext()
    kept: list[tuple[contextvars.ContextVar[Any], Kept]] = []
    for variable, value in found:
        if variable.name == DECIMAL:
            given.own += (variable,)
            if not _is_usual(value):
                kept.append((variable, (None, VALUE, value)))
            continue
        place = find_place(variable)
        if place is None:
            given.lost += (f"{variable.name!r} (no module leads to it by name, so it could not be found again)",)
            continue
        known = None if _is_constant(value) or type(value) in _CONTAINERS else module_name_of(value)
        kept.append((variable, (tuple(place), NAMED, known) if known is not None else (tuple(place), VALUE, as_given(value))))
    _encode(given, kept, records)
    return given


def _encode(given: GivenContext, kept: list[tuple[contextvars.ContextVar[Any], Kept]], records: Records) -> None:
    if not kept:
        return
    try:
        given.record = records.encode({"context": [each for _, each in kept]})
    except DurableError:
        savable = [each for each in kept if _can_be_kept(each[1], given, records)]
        given.record = records.encode({"context": [each for _, each in savable]}) if savable else b""
        kept = savable
    given.own += tuple(variable for variable, (place, how, value) in kept if place and how == VALUE and not _is_constant(value))


def _can_be_kept(kept: Kept, given: GivenContext, records: Records) -> bool:
    place, _, value = kept
    try:
        records.encode({"value": value})
    except DurableError as error:
        assert place is not None  # decimal's can be
        where = Place(*place)
        why = str(error.__cause__ or error).partition("\n")[0]
        given.lost += (f"{where.name!r} at {shown(where)} ({type(value).__qualname__}: {why})",)
        return False
    return True


def warn_of_lost(given: GivenContext, instance_id: str, code: CodeType, about: dict[str, Any]) -> None:
    """Say what an instance of a function, which begins, would not have after a restart."""
    if given.lost:
        logger.warning(
            "instance %s (%s:%s %s) is given context variables that cannot be kept, and read as their default after a restart: "
            "%s. Give it what it needs of them as arguments, or set them inside of it",
            instance_id,
            code.co_filename,
            code.co_firstlineno,
            code.co_qualname,
            "; ".join(given.lost),
            extra=about,
        )


def set_again(facts: dict[str, Any], instance_id: str, about: dict[str, Any]) -> GivenContext:
    """Set the variables, in the running context, that an instance was given when it began."""
    if not facts:
        return NOTHING_GIVEN
    given = GivenContext()
    for place, how, value in facts.get("context", ()):
        if place is None:
            _set_decimal(given, value)
            continue
        try:
            variable = variable_at(place)
            held = named_variable(*value) if how == NAMED else value
        except (AttributeError, ImportError, LookupError) as error:
            told = instance_id, str(place[0]), str(place[2])
            if told in _told:
                continue
            _told.add(told)
            logger.warning(
                "instance %s was given the context variable %r, which reads as its default now: %s",
                instance_id,
                place[2],
                error,
                extra=about,
            )
            continue
        variable.set(held)
        if how == VALUE and not _is_constant(held):
            given.own += (variable,)
    return given


def _set_decimal(given: GivenContext, value: Any) -> None:
    import decimal  # which the program uses: others need not load it

    decimal.setcontext(value)
    given.own += tuple(variable for variable in contextvars.copy_context() if variable.name == DECIMAL)


def _is_usual(value: Any) -> bool:
    """Whether decimal's context is as in a thread that has not changed it; what has been computed in it does not count."""
    plain = value.copy()
    plain.clear_flags()
    return repr(plain) == repr(type(value)())


def _is_constant(value: Any) -> bool:
    """Whether a value never changes, and so is as good as its copy."""
    kind = type(value)
    if kind in _CONSTANT or issubclass(kind, (Enum, type)) or (kind.__module__, kind.__qualname__) in _CONSTANT_BY_NAME:
        return True
    return kind in (tuple, frozenset) and all(map(_is_constant, value))
