"""What is said of single functions: on_change."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from durable_import.upgrades import policies
from durable_import.upgrades.policies import on_change, policy_of


@pytest.fixture(autouse=True)
def no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests have said does not count."""
    monkeypatch.setattr(policies, "_policies", {})


def wrapped(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        return function(*args)

    return wrapper


def test_it_gives_the_function_back() -> None:
    """The decorator changes nothing of the function."""

    def step() -> None: ...

    assert on_change("move")(step) is step
    assert policy_of(__name__, step.__qualname__) == "move"


def test_functions_inside_take_the_policy_of_the_one_around() -> None:
    """Also those at any depth; others are not concerned."""
    on_change("refuse")(test_it_gives_the_function_back)
    place = "test_it_gives_the_function_back"
    assert policy_of(__name__, f"{place}.<locals>.step.<locals>.<lambda>") == "refuse"
    assert policy_of(__name__, f"{place}_2") is None
    assert policy_of("other", place) is None


@pytest.mark.parametrize("wrap", [wrapped, staticmethod, classmethod, property, functools.lru_cache])
def test_it_may_stand_above_other_decorators(wrap: Any) -> None:
    """It is about the function that these wrap."""

    def step(*_: Any) -> None: ...

    on_change("latest")(wrap(step))
    assert policy_of(__name__, step.__qualname__) == "latest"


def test_unknown_words_are_refused() -> None:
    """The error lists the words that there are."""
    with pytest.raises(ValueError, match="'pin', 'move', 'refuse', 'latest'"):
        on_change("later")  # type: ignore[arg-type]


def test_what_is_no_function_is_refused() -> None:
    """At once, where the decorator stands."""
    with pytest.raises(TypeError, match="decorates functions"):
        on_change("pin")(3)  # type: ignore[type-var]
