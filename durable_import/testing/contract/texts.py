"""What a store passes that keeps texts of the program, and what instances were before."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from pathlib import Path

from durable_import.errors import FencedError
from durable_import.stores.store import Store
from durable_import.testing.contract.plain import STRANGE_IDS, refused
from durable_import.testing.contract.store import CALL, begin, commit, register, saved

LONG = 1000.0  # seconds


class TextsContract(ABC):
    """What such a store promises."""

    @abstractmethod
    def open(self, folder: Path) -> Store:
        """A store over ``folder``."""

    async def test_texts_that_nobody_needs_can_be_removed(self, tmp_path: Path) -> None:
        """Those that were not saved since a time, but for what is needed."""
        store = self.open(tmp_path)
        for name in ("a", "b", "at b'\N{SNOWMAN}"):
            await store.save_source(name, f"text of {name}")
        assert await store.need_sources(["a", "at b'\N{SNOWMAN}", "c"]) == {"a", "at b'\N{SNOWMAN}"}
        assert not await store.has_old_sources(time.time() - LONG)
        assert await store.remove_sources(time.time() - LONG, ()) == 0
        assert await store.has_old_sources(time.time() + LONG)
        assert await store.remove_sources(time.time() + LONG, {"a", "at b'\N{SNOWMAN}", "c"}) == 1
        assert [await store.load_source(name) for name in ("a", "b")] == ["text of a", None]
        assert await store.load_source("at b'\N{SNOWMAN}") == "text of at b'\N{SNOWMAN}"
        assert await store.remove_sources(time.time() + LONG, ()) == 2
        assert not await store.has_old_sources(time.time() + LONG)
        await store.close()

    async def test_all_that_instances_have_can_be_looked_through(self, tmp_path: Path) -> None:
        """Page by page: the states, with their segments, the calls, and what was before."""
        store = self.open(tmp_path)
        names = [*STRANGE_IDS[:6], *(f"i{number}" for number in range(5))]
        for number, name in enumerate(names):
            begun = await begin(store, name)
            state = saved(number)._replace(snapshot=b"snapshot %d" % number)
            await commit(store, begun, state, {"t": b"segment %d" % number} if store.keeps_segments else None)
            await store.keep_before(begun.claim, b"before %d" % number)
        found, after, pages = list[bytes](), "", 0
        while True:
            blobs, after = await store.load_blobs(after, 3)
            found += blobs
            pages += 1
            if not after:
                break
        kinds = [b"snapshot", b"before", *([b"segment"] if store.keeps_segments else [])]
        wanted = {kind + b" %d" % number for kind in kinds for number in range(len(names))}
        assert (wanted | {CALL}) - set(found) == set()
        assert pages <= len(names)
        await store.close()

    async def test_what_was_before_goes_with_the_instance(self, tmp_path: Path) -> None:
        """Only its owner keeps it; a later one takes its place."""
        store = self.open(tmp_path)
        owner = register(store)
        begun = await begin(store, "a", owner)
        await commit(store, begun, saved(1))
        await store.keep_before(begun.claim, b"first\x00")
        await store.keep_before(begun.claim, b"second\xff")
        assert await store.load_before("a") == b"second\xff"
        assert await store.load_before("b") is None
        again = await begin(store, "a", owner)
        with refused(FencedError, "a"):
            await store.keep_before(begun.claim, b"third")
        await commit(store, again, saved(2))
        assert await store.load_before("a") == b"second\xff"
        await store.delete("a")
        assert await store.load_before("a") is None
        begun = await begin(store, "a", owner)
        assert await store.load_before("a") is None
        await store.close()
