"""What a program may set of a reopenable object after it was made: attributes that its line of the table names (``keeps``).

A name may lead on, as in ``_cookie_jar._cookies``. A value counts as set when it differs from what it was just after the call;
values that change in place, such as headers, are copied for that. Not all versions of a library have all of the attributes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .jobs import JOBS, jobs_of, put_jobs
from .kinds import known_of
from .progress import TASKS, put_tasks, tasks_of

_NOTHING: Any = object()


def attributes(made: Any) -> dict[str, Any]:
    """Those of an object that are brought back, as they are now."""
    known = known_of(made)
    if known is None or not known.keeps:
        return {}
    found = {name: _attribute(made, name) for name in known.keeps}
    return {name: value for name, value in found.items() if value is not _NOTHING}


def first_values(made: Any, before: dict[str, Any]) -> dict[str, Any]:
    """What the calls that have made and opened an object gave it; ``before``: what is known of that already."""
    if before and len(before) == len(getattr(known_of(made), "keeps", ())):
        return before
    return {name: _copied(value) for name, value in attributes(made).items()} | before


def changed(made: Any, first: dict[str, Any]) -> dict[str, Any]:
    """The attributes that are others now, with their values."""
    now = attributes(made) if first else {}
    return {name: value for name, value in now.items() if not _is_same(value, first.get(name, _NOTHING))}


def put(made: Any, name: str, value: Any) -> Callable[[], object] | None:
    """Bring back an attribute; gives what is to be called when all has been read, or None."""
    if name == TASKS:
        put_tasks(made, value)
        return None
    if name == JOBS:
        return put_jobs(made, value)
    *way, last = name.split(".")
    for part in way:
        made = getattr(made, part)
    setattr(made, last, value)
    return None


def _attribute(made: Any, name: str) -> Any:
    if name == TASKS:
        return tasks_of(made)
    if name == JOBS:
        return jobs_of(made)
    value = made
    for part in name.split("."):
        try:
            value = getattr(value, part)
        except Exception:  # of a library: a connection that is not open yet may refuse in words of its own
            return _NOTHING
    return value


def _copied(value: Any) -> Any:
    """A copy of what may change in place; of others they are themselves, whoever changes them sets another one."""
    if isinstance(value, dict) and type(value).__eq__ is dict.__eq__:
        return {key: _copied(part) for key, part in value.items()}
    if type(value) is list:
        return [_copied(part) for part in value]
    if type(value) is set:
        return set(value)
    copy = getattr(value, "copy", None) if hasattr(type(value), "keys") else None
    return copy() if copy is not None else value


def _is_same(value: Any, first: Any) -> bool:
    return value is first if first is _NOTHING else bool(value == first)
