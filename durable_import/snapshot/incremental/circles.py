"""Circles in a graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator


def circles(starts: Iterable[str], links: Callable[[str], Iterable[str]]) -> list[list[str]]:
    """Nodes that lead to one another in a circle, of those that ``starts`` lead to.

    Tarjan's strongly connected components ("Depth-first search and linear graph algorithms", 1972), without recursion.
    """
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: dict[str, None] = {}
    found: list[list[str]] = []

    def enter(key: str) -> tuple[str, Iterator[str]]:
        index[key] = low[key] = len(index)
        stack[key] = None
        return key, iter(links(key))

    for start in starts:
        work = [] if start in index else [enter(start)]
        while work:
            key, others = work[-1]
            for other in others:
                if other not in index:
                    work.append(enter(other))
                    break
                if other in stack:
                    low[key] = min(low[key], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[key])
                if low[key] == index[key]:
                    circle = _pop_until(stack, key)
                    if len(circle) > 1:
                        found.append(circle)
    return found


def _pop_until(stack: dict[str, None], key: str) -> list[str]:
    popped = [stack.popitem()[0]]
    while popped[-1] != key:
        popped.append(stack.popitem()[0])
    return popped
