"""Processes that use a store: its URL is their argument, and what they say is read line by line."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from durable_import.running.keeper import Keeper
from durable_import.stores.store import Begun, Store
from durable_import.stores.url import full_store, open_store
from durable_import.testing.contract.store import CALL, PENDING

PREAMBLE = """
import asyncio, os, sys
from durable_import.errors import *
from durable_import.testing.contract import state
from durable_import.testing.contract.store import begin, claim, commit, register, saved
from durable_import.running.keeper import Keeper
from durable_import.stores.url import full_store, open_store
small = open_store(sys.argv[1])
store = full_store(small)
def say(*words): print(*words, flush=True)
"""


@contextmanager
def process(place: str, code: str, *launcher: str, arguments: Sequence[str] = ()) -> Iterator[subprocess.Popen[str]]:
    """A Python process that runs ``code`` over the store at ``place``; killed at the end."""
    child = subprocess.Popen(
        [*launcher, sys.executable, "-c", PREAMBLE + code, place, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def line_of(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


async def take_over(store: Store, instance_id: str, lease: float = 30.0) -> Begun:
    """Begin an instance as a runtime does, whose keeper looks whether its owner has died."""
    keeper = Keeper(store, lease)
    begun, _ = await keeper.begin(instance_id, PENDING, CALL)
    return begun


def full(url: str) -> Store:
    """The full store of a URL."""
    return full_store(open_store(url))


async def answer_of(call: Any) -> Any:
    """What a driver's call gives, be it asynchronous or not."""
    return await call if inspect.isawaitable(call) else call
