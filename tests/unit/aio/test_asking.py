"""What a key was given to is found among the arguments of a call."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from durable_import import step_key
from durable_import.aio.asking import LONGEST, is_among_arguments
from durable_import.aio.foreign_calls import foreign_call

KEY = "".join(["order/", "1f/0/", "3"])


class Request:
    """Has headers."""

    def __init__(self, **headers: str) -> None:
        self.headers = headers


async def call(*arguments: Any, **keywords: Any) -> Any:
    """Has arguments."""
    return arguments, keywords


async def waits() -> None:
    """Waits."""
    await asyncio.sleep(0)


GIVEN = {
    "argument": lambda: call(1, KEY),
    "keyword": lambda: call(key=KEY),
    "dict": lambda: call(headers={"key": KEY}),
    "list of pairs": lambda: call([("a", "b"), ("key", KEY)]),
    "attribute": lambda: call(Request(key=KEY)),
    "inside a text": lambda: call(f"https://bank/pay?key={KEY}&a=b"),
    "partial": lambda: call(partial(print, KEY)),
    "call in a thread": lambda: asyncio.to_thread(print, KEY),
}
NOT_GIVEN = {
    "nothing": lambda: call(),
    "a longer key": lambda: call(f"{KEY}4"),
    "a function that has it": lambda: call(lambda: KEY),
    "a large text": lambda: call("x" * LONGEST + KEY),
}


@pytest.mark.parametrize("make", GIVEN.values(), ids=GIVEN)
def test_key_is_found(make: Any) -> None:
    """In an argument, and in containers and objects there."""
    made = make()
    assert is_among_arguments(KEY, made)
    made.close()


@pytest.mark.parametrize("make", NOT_GIVEN.values(), ids=NOT_GIVEN)
def test_key_is_not_found(make: Any) -> None:
    """Other keys are none, and what is too large is not searched."""
    made = make()
    assert not is_among_arguments(KEY, made)
    made.close()


class Bank:
    """Its methods ask by others."""

    async def pay(self) -> str:
        return f"{self._sent()}"

    async def charge(self) -> str:
        return self.own_key

    async def look(self) -> int:
        return len(self.name())

    def _sent(self) -> str:
        return step_key()

    @property
    def own_key(self) -> str:
        return step_key()

    @staticmethod
    def name() -> str:
        return "bank"


class Branch(Bank):
    """They are of its base."""


@pytest.mark.parametrize("method", ["pay", "charge", "look"])
@pytest.mark.parametrize("in_thread", [False, True])
def test_methods_that_ask(method: str, in_thread: bool) -> None:
    """A method asks if it mentions one that does, in a class of a module that has something of this package."""
    call = getattr(Branch(), method)
    made = asyncio.to_thread(call) if in_thread else call()
    assert foreign_call(made).asks is (method != "look")
    made.close()


def test_what_is_known_of_a_call() -> None:
    """One without any await does not wait, and one that mentions no key does not ask; nothing is known of others' types."""
    for made, expected in ((call(), (False, False)), (waits(), (False, True))):
        known = foreign_call(made)
        assert (known.asks, known.waits) == expected
        made.close()
    future: Any = foreign_call(object())
    assert (future.asks, future.waits) == (False, True)
