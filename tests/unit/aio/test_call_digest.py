"""What tells calls apart: the same in each process for the same call."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from durable_import.aio.call_digest import CallDigest
from durable_import.aio.executors import ExecutorCall, begin_call

RUN = "shop/0123abcd"


@dataclass
class Order:
    name: str
    lock: Any = field(default_factory=object)


class Client:
    async def post(self, body: Any, *rest: Any, headers: Any = None, **more: Any) -> None:
        print(self, body, rest, headers, more)


class Request:
    """An awaitable that has the call inside, as those of aiohttp and asyncpg."""

    def __init__(self, call: Any) -> None:
        self.call = call

    def __await__(self) -> Any:
        return self.call.__await__()


async def pay(name: Any, amount: Any = 1) -> None:
    print(name, amount)


async def refund(name: Any, amount: Any = 1) -> None:
    print(name, amount)


async def numbers() -> AsyncIterator[int]:
    yield 1


def wrapped(function: Any) -> Any:
    async def call(*arguments: Any) -> Any:
        return await function(*arguments)

    return call


def closing(name: str) -> Any:
    count, seen = 0, list[str]()

    def call() -> Any:
        nonlocal count
        count += 1
        seen.append(name)
        return call

    return call


def defaulting(name: str) -> Any:
    def call(name: str = name) -> str:
        return name

    return call


def digest_of(awaitable: Any) -> bytes:
    """That of a call that is not made."""
    digest = CallDigest(awaitable).digest
    for each in (awaitable, getattr(awaitable, "call", None)):
        close = getattr(each, "close", None)
        if close is not None:
            close()
    return digest


CALLS: dict[str, Any] = {
    "function": lambda: refund("a"),
    "argument": lambda: pay("b"),
    "type": lambda: pay(1),
    "type of text": lambda: pay("1"),
    "another argument": lambda: pay("a", 2),
    "list": lambda: pay(["a", "b"]),
    "order of a list": lambda: pay(["b", "a"]),
    "set": lambda: pay({"a", "b", "c"}),
    "dataclass": lambda: pay(Order("a")),
    "another dataclass": lambda: pay(Order("b")),
    "partial": lambda: pay(partial(print, "a")),
    "another partial": lambda: pay(partial(print, "b")),
    "method": lambda: Client().post("a"),
    "keyword": lambda: Client().post("a", timeout=1),
    "another keyword": lambda: Client().post("a", timeout=2),
    "positional": lambda: Client().post("a", 1),
    "in a thread": lambda: asyncio.to_thread(print, "a"),
    "another in a thread": lambda: asyncio.to_thread(print, "b"),
    "in an executor": lambda: begin_call(ExecutorCall(None, print, ("a",))),
    "another in an executor": lambda: begin_call(ExecutorCall(None, print, ("b",))),
    "wrapped": lambda: wrapped(pay)("a"),
    "another wrapped": lambda: wrapped(refund)("a"),
    "closure": lambda: asyncio.to_thread(closing("a")),
    "another closure": lambda: asyncio.to_thread(closing("b")),
    "default": lambda: asyncio.to_thread(defaulting("a")),
    "another default": lambda: asyncio.to_thread(defaulting("b")),
    "inside": lambda: Request(pay("a")),
    "another inside": lambda: Request(pay("b")),
    "iterator": lambda: numbers().__anext__(),
    "large": lambda: pay(b"a" * 10_000),
    "another large": lambda: pay(b"b" * 10_000),
}


def test_calls_differ() -> None:
    """By function and arguments; the same call has the same digest."""
    found = {name: digest_of(make()) for name, make in CALLS.items()}
    assert len(set(found.values())) == len(CALLS)
    assert {name: digest_of(make()) for name, make in CALLS.items()} == found


def test_digests_are_the_same_in_each_process() -> None:
    """Whatever the hash seed is, and wherever objects are in memory."""
    code = "from tests.unit.aio.test_call_digest import *; print({name: digest_of(make()).hex() for name, make in CALLS.items()})"
    told = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True, text=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(told) == 1


@pytest.mark.parametrize("run", [RUN, "it's", 'a"b', "a\\b", "\N{SNOWMAN}\n"])
def test_keys_among_arguments(run: str) -> None:
    """Those of this run that belong to a place, whole, wherever they stand; not those that name a call, nor those of others."""
    keys = {f"{run}/0.1/12", f"{run}/0/3"}
    others = [f"{run}/{'ab' * 16}", "shop/ffffffff/0/1", run]
    call = Client().post({"headers": [f"Key: {run}/0.1/12"]}, *others, key=Order(f"{run}/0/3"))
    assert {*CallDigest(call).keys(run)} == keys
    call.close()


def test_what_a_closure_counts_or_collects_is_no_argument() -> None:
    """It may have other values in another process."""
    call = closing("a")
    before = digest_of(asyncio.to_thread(call))
    call()
    assert digest_of(asyncio.to_thread(call)) == before


async def test_a_call_under_way_has_its_digest() -> None:
    """Parameters that it assigns do not count then."""

    async def call(name: str, headers: Any = None) -> None:
        headers = headers or {}
        await asyncio.sleep(0)
        print(name, headers)

    made = call("a")
    before = CallDigest(made, is_under_way=True).digest
    made.send(None)
    assert CallDigest(made, is_under_way=True).digest == before
    made.close()


def test_what_shows_nothing_counts_by_its_type() -> None:
    """An argument whose code fails, or that has itself in it, is no error."""
    circle: list[Any] = []
    circle.append(circle)
    calls = [pay(circle), pay(circle)]
    assert CallDigest(calls[0]).digest == CallDigest(calls[1]).digest
    for each in calls:
        each.close()
