"""Texts of the program go when no instance names them any more."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from durable_import.hook.program_version import hash_of
from durable_import.running.sources import place_key
from durable_import.running.unneeded import SPARE, remove_unneeded
from durable_import.stores.store import Store
from durable_import.stores.url import full_store, open_store
from durable_import.testing.contract.store import begin, commit, saved

FUNCTION, OTHER = hash_of(b"function"), hash_of(b"other")
SHOP, FLOWS, OLD = (hash_of(text) for text in (b"shop", b"flows", b"old"))
RECORD, OLD_RECORD = (json.dumps({"shop": SHOP, "flows": each}) for each in (FLOWS, OLD))
VERSION, OLD_VERSION = hash_of(RECORD.encode()), hash_of(OLD_RECORD.encode())
TEXTS = {
    FUNCTION: "def function", OTHER: "def other", SHOP: "utf-8\nshop", FLOWS: "utf-8\nflows", OLD: "utf-8\nold",
    VERSION: RECORD, OLD_VERSION: OLD_RECORD, place_key(FUNCTION): "a.py:1", place_key(OTHER): "a.py:2",
}  # fmt: skip


def opened(kind: str, folder: Path) -> Store:
    """A store of each kind."""
    url = {"sqlite": f"sqlite:///{folder}/s.db", "disk": f"disk://{folder}/s", "memory": "memory://"}[kind]
    return full_store(open_store(url))


async def kept(store: Store) -> set[str]:
    """Which of the texts are there."""
    return {name for name in TEXTS if await store.load_source(name) is not None}


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["sqlite", "disk", "memory"])
async def test_what_a_state_names_stays(kind: str, tmp_path: Path) -> None:
    """Functions with their places, and versions with the texts of their modules, wherever in a state they are named."""
    store = opened(kind, tmp_path)
    for name, text in TEXTS.items():
        await store.save_source(name, text)
    begun = await begin(store, "a")
    snapshot = b"\x00\x8c\x20" + FUNCTION.encode() + b"\x94\x8c\x25main@" + VERSION.encode() + b"\x94"
    await commit(store, begun, saved()._replace(snapshot=snapshot))
    later = time.time() + 2 * SPARE
    assert await remove_unneeded(store, 0.0) == await remove_unneeded(store, time.time()) == 0
    assert await kept(store) == TEXTS.keys()
    assert await remove_unneeded(store, later) == len({OTHER, place_key(OTHER), OLD, OLD_VERSION})
    assert await kept(store) == {FUNCTION, place_key(FUNCTION), VERSION, SHOP, FLOWS}
    assert not await store.has_old_sources(time.time() - 1.0), "what is needed counts as saved now"
    await store.delete("a")
    assert await remove_unneeded(store, later) == len({FUNCTION, place_key(FUNCTION), VERSION, SHOP, FLOWS})
    await store.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["sqlite", "disk", "memory"])
async def test_what_was_before_needs_its_texts(kind: str, tmp_path: Path) -> None:
    """A state that can be put back names what it needs, though the one of today does not."""
    store = opened(kind, tmp_path)
    await store.save_source(OTHER, TEXTS[OTHER])
    begun = await begin(store, "a")
    await commit(store, begun, saved())
    await store.keep_before(begun.claim, b"{}\n" + OTHER.encode())
    assert await remove_unneeded(store, time.time() + 2 * SPARE) == 0
    await store.close()
