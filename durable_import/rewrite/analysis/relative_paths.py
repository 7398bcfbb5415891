"""Paths of nodes as snapshots have them: by what they share with the path of the suspension where they are kept.

``2`` is the node two steps down on the way to it, such as a loop around it; ``5.func`` is one beside that way. Paths are long,
and snapshots are written often.
"""

from __future__ import annotations


def relative(path: str, way: str) -> str:
    """A path, as seen on the way to a node that is at the path ``way``."""
    steps, others = _steps(path), _steps(way)
    shared = 0
    while shared < min(len(steps), len(others)) and steps[shared] == others[shared]:
        shared += 1
    return ".".join([str(shared), *steps[shared:]])


def absolute(path: str, way: str) -> str:
    """The path that ``relative`` has made short."""
    shared, *steps = path.split(".")
    return ".".join([*_steps(way)[: int(shared)], *steps])


def _steps(path: str) -> list[str]:
    return path.split(".") if path else []
