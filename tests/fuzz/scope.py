"""What a place in a random program allows, and the weighted rules that choose what stands there.

A `Source` is the stream of random decisions of one program; it uses only `Random.random`, whose values are the same
on every Python version, so a seed names the same text everywhere; but for rules of later syntax, where that can be parsed
and is not switched off. A `Scope` says what is allowed at one place (await,
yield, break, ...) and which names can be used there. `Rules` is a table of productions; a rule is skipped where its
needs are not met or the caller switched it off by name.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Generic, TypeVar

T = TypeVar("T")

#: Kinds of names that nested functions see through their closure.
INHERITED: tuple[str, ...] = ("int", "list", "dict", "str", "box", "iter", "attr", "afn", "fn", "genfn", "agenfn")

#: ... in programs of many tasks; "tasks", and "turns" or "steps", mark the kind of these.
INHERITED += ("task", "future", "group", "stream", "spawn", "tasks", "turns", "steps")

#: Names that stand for a value in the generated programs' errors.
ERRORS = ("ValueError", "KeyError", "Boom", "TypeError", "IndexError", "ArithmeticError")


#: Blocks are nested no deeper than this in one function, and functions no deeper than this in another.
DEEPEST = 5
DEEPEST_FUNCTION = 3


@dataclass(frozen=True)
class Function:
    """How a generated function can be called: parameter counts and names, and whether the trace is passed first."""

    name: str
    required: int = 0
    optional: int = 0
    keywords: tuple[str, ...] = ()
    star: bool = False
    takes_trace: bool = False
    tame: bool = True


class Source:
    """The random decisions of one program, its counters for fresh names, and the statements it may still write."""

    def __init__(self, seed: int, size: int, without: Iterable[str] = ()) -> None:
        self._random = Random(seed).random
        self.left = size
        self.without = frozenset(without)
        self._counts: dict[str, int] = {}

    def has(self, construct: str, since: tuple[int, int]) -> bool:
        """Whether a construct may be written, which a version of Python has brought."""
        return sys.version_info >= since and construct not in self.without

    def below(self, stop: int) -> int:
        return int(self._random() * stop)

    def chance(self, probability: float) -> bool:
        return self._random() < probability

    def choose(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def shuffled(self, options: Iterable[T]) -> list[T]:
        return [item for _, item in sorted(((self._random(), item) for item in options), key=lambda pair: pair[0])]

    def fresh(self, prefix: str) -> str:
        """A name with `prefix` that occurs nowhere else in the program."""
        number = self._counts.get(prefix, 0)
        self._counts[prefix] = number + 1
        return f"{prefix}{number}"

    def effect(self) -> str:
        """The name, as a literal, of an effect that occurs nowhere else in the program."""
        return f"'{self.fresh('e')}'"

    def error(self) -> str:
        """An expression that makes one of the programs' exceptions, with a small integer as its argument."""
        return f"{self.choose(ERRORS)}({self.below(10)})"


@dataclass
class Scope:
    """One place: the flags say what is legal or safe there; `names` maps a kind to the names that can be read.

    Kinds that end in "=" list the names that can also be assigned. Generators have one of three characters, which keep
    them from yielding once they are told to close (a closed asynchronous generator that yields can never be finished):
    "guarded" ones ask the trace before each yield; "plain" ones yield only where GeneratorExit is sure to get out;
    "wild" ones (never asynchronous) do as they please and are closed as often as needed.
    """

    kind: str
    names: dict[str, tuple[Any, ...]]
    depth: int = 0
    can_await: bool = False
    can_yield: bool = False
    can_walrus: bool = True
    can_hide: bool = True
    can_fstring: bool = True
    can_return: bool = True
    in_loop: bool = False
    in_handler: bool = False
    character: str = ""
    caught: bool = False
    function_depth: int = 0

    @property
    def shallow(self) -> bool:
        return self.depth < DEEPEST

    @property
    def can_define(self) -> bool:
        return self.depth < DEEPEST and self.function_depth < DEEPEST_FUNCTION

    @property
    def plain(self) -> bool:
        return self.character == "plain"

    def allows(self, need: str) -> bool:
        return bool(self.names.get(need[4:])) if need.startswith("has:") else bool(getattr(self, need))

    def inside(self, **flags: Any) -> Scope:
        """The scope of a nested block or expression: names added there are not seen outside."""
        return replace(self, names=dict(self.names), **flags)

    def add(self, kind: str, *names: Any) -> None:
        self.names[kind] = (*self.names.get(kind, ()), *names)

    def drop(self, kind: str, name: Any) -> None:
        self.names[kind] = tuple(known for known in self.names.get(kind, ()) if known != name)

    def local(self, kind: str, name: str) -> None:
        """Make `name` readable and assignable here."""
        self.add(kind, name)
        self.add(kind + "=", name)


@dataclass(frozen=True)
class Rule(Generic[T]):
    name: str
    weight: float
    needs: tuple[str, ...]
    make: Callable[..., T]
    since: tuple[int, int]


class Rules(Generic[T]):
    """Productions of one kind, chosen by weight among those that the scope allows."""

    def __init__(self) -> None:
        self.rules: list[Rule[T]] = []

    def __call__(
        self, name: str, weight: float, needs: str = "", since: tuple[int, int] = (3, 11)
    ) -> Callable[[Callable[..., T]], Callable[..., T]]:
        def register(make: Callable[..., T]) -> Callable[..., T]:
            self.rules.append(Rule(name, weight, tuple(needs.split()), make, since))
            return make

        return register

    def pick(self, source: Source, scope: Scope) -> Callable[..., T]:
        usable = [
            rule for rule in self.rules if source.has(rule.name, rule.since) and all(scope.allows(need) for need in rule.needs)
        ]
        at = source._random() * sum(rule.weight for rule in usable)
        for rule in usable:
            at -= rule.weight
            if at < 0:
                return rule.make
        return usable[-1].make


def indent(lines: Iterable[str]) -> list[str]:
    return ["    " + line for line in lines]
