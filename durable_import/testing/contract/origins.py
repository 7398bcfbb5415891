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

    async def test_tags_are_set_later(self, tmp_path: Path) -> None:
        """By who owns the instance, beside its state: each is seen at once, replaces one of its name, and stays when it ends."""
        store = self.open(tmp_path)
        origin = Origin(None, (("customer", "c1"), ("kind", "x")))
        begun = await store.begin("a", register(store), 1, PENDING, CALL, origin)
        await store.set_tags(
            begun.claim, {"customer": "c2", "kind": None, "ü\udc80": "", "@progress": '[1, 4.5, "é"]', "gone": None}
        )
        found = await store.summary("a")
        assert found is not None
        assert (dict(found.tags), found.progress) == ({"customer": "c2", "ü\udc80": ""}, (1, 4.5, "é"))
        assert found == (await store.list(InstanceQuery())).instances[0]
        assert await names(store, InstanceQuery(tag=("customer", "c1"))) == []
        assert await names(store, InstanceQuery(tag=("customer", "c2"))) == ["a"]
        await commit(store, begun, saved(1))
        await store.set_tags(begun.claim, {"customer": "c3", "ü\udc80": None, "@progress": "damaged"})
        await store.set_tags(begun.claim._replace(epoch=2), {"customer": "c4"})
        await store.end(begun.claim, saved(2, "completed"), keeps=False)
        await store.set_tags(begun.claim, {"customer": "c5"})
        found = await store.summary("a")
        assert found is not None
        assert (dict(found.tags), found.progress) == ({"customer": "c3"}, None)
        await store.delete("a")
        begun = await store.begin("a", register(store), 3, PENDING, CALL)
        found = await store.summary("a")
        assert found is not None
        assert dict(found.tags) == {}
        await store.close()

    async def test_a_detached_child_is_one(self, tmp_path: Path) -> None:
        """That it goes on without its parent is in its summary, and is none of its tags."""
        store = self.open(tmp_path)
        await store.begin("a", register(store), 1, PENDING, CALL, Origin("up", (("@detached", "yes"), ("x", "y"))))
        found = await store.summary("a")
        assert found is not None
        assert (found.is_detached, dict(found.tags), found.parent) == (True, {"x": "y"}, "up")
        await store.close()

    async def test_what_has_not_begun_leaves_no_tags(self, tmp_path: Path) -> None:
        """An owner that goes before the first state leaves nothing of the instance, to that id or to others."""
        store = self.open(tmp_path)
        for life in range(2):
            owner = register(store)
            for name in ("a", "b"):
                await store.begin(name, owner, life + 1, None, CALL, Origin("up", (("of", name),)))
            store.retire(owner)
        begun = [await store.begin(name, register(store), 9, None, CALL) for name in ("b", "a")]
        for each in begun:
            await commit(store, each, saved(1))
            found = await store.summary(each.claim.instance_id)
            assert found is not None
            assert (dict(found.tags), found.parent) == ({}, None)
        await store.close()
