"""What a store passes that keeps where instances come from, and their tags."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from durable_import.stores.state import NO_ORIGIN, InstanceQuery, Origin
from durable_import.stores.store import Store
from durable_import.testing.contract.store import CALL, PENDING, commit, names, register, saved


class OriginsContract(ABC):
    """What such a store promises."""

    @abstractmethod
    def open(self, folder: Path) -> Store:
        """A store over ``folder``."""

    async def test_lists_find_children_and_tags(self, tmp_path: Path) -> None:
        """By who has begun an instance, and by a tag with its value, which it has from its beginning; both are in its summary."""
        store = self.open(tmp_path)
        origins = {
            "child": Origin("up", (("customer", "c1"), ("kind", "ü\udc80"))),
            "other": Origin("up\udc80", (("customer", "c2"),)),
        }
        for name in ("up", *origins):
            begun = await store.begin(name, register(store), 1, PENDING, CALL, origins.get(name, NO_ORIGIN))
            await commit(store, begun, saved(1))
            await store.release(begun.claim)
            await store.begin(name, register(store), 2, PENDING, CALL, Origin("nobody", (("late", "x"),)))
        assert await names(store, InstanceQuery(tag=("customer", "c1"))) == ["child"]
        assert await names(store, InstanceQuery(tag=("kind", "ü\udc80"), parent="up", status="running")) == ["child"]
        assert await names(store, InstanceQuery(tag=("late", "x"))) == []
        assert await names(store, InstanceQuery(parent="up\udc80")) == ["other"]
        assert await names(store, InstanceQuery(parent="child")) == []
        [child] = (await store.list(InstanceQuery(prefix="child"))).instances
        assert child == await store.summary("child")
        assert (child.parent, dict(child.tags)) == ("up", dict(origins["child"].tags))
        up = await store.summary("up")
        assert up is not None
        assert (up.parent, dict(up.tags)) == (None, {})
        await store.delete("child")
        assert await names(store, InstanceQuery(tag=("customer", "c1"))) == []
        await store.close()
