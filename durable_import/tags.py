"""Tags: texts by names, that an instance is found by. Those whose names begin with "@" are durable_import's own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

DETACHED = "@detached"  # it goes on when its parent is cancelled
PROGRESS = "@progress"  # how far it has come
FORKED = "@forked"  # from which instance, and at which checkpoint of that
LONGEST = 500  # characters of a name and its value: they are in an index
LONGEST_TEXT = 300  # characters of the text of a progress


class Progress(NamedTuple):
    """How far an instance has come, as ``progress`` has told: ``value`` of ``total`` (None: nobody knows), and in words."""

    value: float
    total: float | None = None
    text: str = ""

    def __str__(self) -> str:
        told = f"{self.value:g}" if self.total is None else f"{self.value:g} of {self.total:g}"
        return f"{told} {self.text}".rstrip()

    def to_tag(self) -> str:
        """The value of the tag that it is kept as."""
        return json.dumps(tuple(self), ensure_ascii=False)


def checked_tags(tags: Mapping[Any, Any]) -> dict[str, str]:
    """Tags of the user's. Raises TypeError for what are no texts by names, ValueError for names and values that cannot be."""
    for name, value in tags.items():
        if not isinstance(name, str) or not isinstance(value, str):
            kind = type(value).__name__
            raise TypeError(f"the tag {name!r} is {value!r:.80} ({kind}): both its name and its value have to be str")
        if name.startswith("@"):
            raise ValueError(f"the tag name {name!r} begins with '@', which is for durable_import's own ones: choose another")
        if len(name) + len(value) > LONGEST:
            raise ValueError(
                f"the tag {name!r:.80} has {len(name) + len(value)} characters with its value, and {LONGEST} is the most: "
                "instances are found by tags. Keep longer texts in data of your own"
            )
    return {**tags}


def facts_of(tags: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """What the tags of an instance say, as its summary has it."""
    found = dict(tags)
    return {
        "tags": {name: value for name, value in found.items() if not name.startswith("@")},
        "is_detached": DETACHED in found,
        "progress": _progress_of(found.get(PROGRESS)),
        **_fork_of(found.get(FORKED)),
    }


def tags_for(*, is_detached: bool, progress: Progress | None, fork: tuple[str, int] | None = None) -> dict[str, str]:
    """The opposite, for durable_import's own ones."""
    own = {DETACHED: "yes"} if is_detached else {}
    if fork is not None:
        own[FORKED] = json.dumps(fork, ensure_ascii=False)
    return {**own, PROGRESS: progress.to_tag()} if progress is not None else own


def _fork_of(tag: str | None) -> dict[str, Any]:
    """Nothing for what was damaged."""
    try:
        instance_id, checkpoint = json.loads(tag) if tag is not None else (None, None)
    except (ValueError, TypeError, RecursionError):
        return {}
    if type(instance_id) is not str or type(checkpoint) is not int:
        return {}
    return {"forked_from": instance_id, "forked_at": checkpoint}


def _progress_of(tag: str | None) -> Progress | None:
    """None for what was damaged."""
    try:
        if tag is None:
            return None
        value, total, text = json.loads(tag)
    except (ValueError, TypeError, RecursionError):
        return None
    if type(value) not in (int, float) or type(total) not in (int, float, type(None)) or type(text) is not str:
        return None
    return Progress(value, total, text)
