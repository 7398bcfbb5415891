"""What an instance tells of itself, to be seen from outside: tags, and how far it has come. Beside its state, not part of it.

It is written soon, and not often. What is not written yet at a checkpoint is kept with that, so that no kill loses it.
"""

from __future__ import annotations

import threading
from typing import Any

from ..errors import DurableError
from ..frames import ambient
from ..tags import LONGEST_TEXT, PROGRESS, Progress, checked_tags
from .loop import InstanceLoop

_lock = threading.Lock()  # what a step does in a thread may tell something, too


def set_tag(**tags: str | None) -> None:
    """Give the instance whose code this is tags, by which it is found: ``set_tag(customer="c1")``; None removes one.

    They are seen from outside at most 0.2 s later, also while the instance waits or is held, and stay when it has ended. Texts
    only: TypeError; ValueError for more than 500 characters, or a name that begins with "@". Raises DurableError outside of an
    instance.
    """
    texts = checked_tags({name: value for name, value in tags.items() if value is not None})
    checked_tags(dict.fromkeys(tags, ""))
    _put("set_tag()", {**dict.fromkeys(tags), **texts})


def progress(value: float, total: float | None = None, text: str = "") -> None:
    """Tell how far the instance whose code this is has come, for ``info().progress``: ``progress(7, 20, "orders read")``.

    It costs next to nothing: the last one is seen from outside, at most 0.2 s later. Of ``text`` the first 300 characters are
    kept. Raises TypeError for what is no number, and DurableError outside of an instance.
    """
    if not isinstance(text, str):
        raise TypeError(f"the text of a progress is a str, not {text!r:.80} ({type(text).__name__})")
    told = Progress(_number(value), _number(total) if total is not None else None, text[:LONGEST_TEXT])
    _put("progress()", {PROGRESS: told.to_tag()})


def _number(value: Any) -> float:
    """As JSON has it; numbers of libraries as float."""
    if isinstance(value, str):
        raise TypeError(f"a progress is a number, not {value!r:.80}")
    return value if type(value) in (int, float) else float(value)


def are_written(loop: InstanceLoop, labels: dict[str, str | None]) -> None:
    """These are in the store; others may have been told meanwhile."""
    with _lock:
        now = loop.labels or {}
        loop.labels = {name: now[name] for name in now if name not in labels or now[name] != labels[name]} or None


def _put(what: str, tags: dict[str, str | None]) -> None:
    loop: Any = ambient.current_driver.get()
    if type(loop) is not InstanceLoop:
        raise DurableError(
            f"{what}: this tells something of an instance, and this code runs outside of any. Await the outermost function under "
            "a DurableRuntime, or run the script by `python -m durable_import run`; mark its module with `# durable: on`"
        )
    with _lock:
        loop.labels = {**(loop.labels or {}), **tags}  # a new one: what is being written is looked at meanwhile
    if loop.holder is not None:
        loop.holder.has_labels()
