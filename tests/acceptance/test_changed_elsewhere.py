"""What a program puts into containers of modules that are not marked, over kills; what these modules do by themselves is told."""

from __future__ import annotations

import pytest

from tests.harness.killing import killed_at
from tests.harness.processes import KILLED, Desk

HELPERS = """
    import collections

    cache, log, seen, heap = {}, [], set(), [5]
    nested = {"a": {"b": 1}}
    queue, counts, table = collections.deque(), collections.Counter(), {1: "one"}
    returned, imported, own, passed = [], [], [], []
    count = 0
    made_later, connected = None, None

    class Registry:
        def __init__(self):
            self.items = []

        def add(self, item):
            self.items.append(item)

    registry = Registry()

    def find(key):
        return cache.get(key)

    def remember(item):
        global count, made_later, connected
        count += 1
        connected = object()
        if made_later is None:
            made_later = object()
        own.append(item)
"""

PROGRAM = """
    # durable: on
    import asyncio
    import heapq

    import helpers
    import package.inner as inner
    from world import effect

    def add(items, item):
        items.append(item)

    def returned():
        return helpers.returned

    async def main():
        from helpers import imported
        import helpers as again

        alias = helpers.cache
        helpers.cache["x"] = 1
        alias["y"] = 2
        helpers.log.append("one")
        heapq.heappush(helpers.heap, 3)
        helpers.nested["a"]["b"] += 1
        helpers.nested.setdefault("c", []).append(1)
        again.queue.appendleft(1)
        again.counts["a"] += 1
        imported += [1]
        add(helpers.passed, 1)
        returned().append(1)
        inner.names[1] = alias
        await effect("put")
        helpers.log += ["two"]
        helpers.seen |= {1}
        del helpers.heap[0]
        alias["z"] = 3
        await effect("put more")
        print(
            helpers.cache, helpers.cache is alias, helpers.find("y"), helpers.log, helpers.seen, helpers.heap, helpers.nested,
            helpers.queue, helpers.counts, helpers.imported, helpers.imported is imported, helpers.passed, helpers.returned,
            inner.names[1] is alias, helpers.table[1],
        )

    asyncio.run(main())
"""


@pytest.mark.slow
def test_containers_of_other_modules(desk: Desk) -> None:
    """They hold what the program has put into them, and are the same objects, under all names."""
    files = {"main.py": PROGRAM, "helpers.py": HELPERS, "package/__init__.py": "", "package/inner.py": "names = {}"}
    for done in killed_at(desk, files, 1, 2, (1, 3)):
        assert done.err == "", done


UNSAVABLE = """
    # durable: on
    import asyncio
    import threading

    import helpers
    from world import effect

    async def main():
        helpers.cache["thread"] = threading.Thread()
        helpers.log.append(1)
        await effect("put")
        await effect("told")
        print(len(helpers.cache), helpers.log)

    asyncio.run(main())
"""


def test_what_cannot_be_kept_is_told(desk: Desk) -> None:
    """A container with something that cannot be saved is named, with where the program uses it; the others are kept."""
    desk.write("main.py", UNSAVABLE)
    desk.write("helpers.py", HELPERS)
    first = desk.run("main.py", kill_at=2)
    assert first.status == KILLED
    assert "main.py:9: what the program has put into cache of module helpers cannot be saved" in first.err, first
    done = desk.run("main.py")
    assert (done.status, done.out) == (0, "0 [1]\n"), done


OWN = """
    # durable: on
    import asyncio

    import helpers
    from world import effect

    async def main():
        for number in range(6):
            helpers.remember(number)
            helpers.registry.add(number)
            await effect(number)

    asyncio.run(main())
"""


def test_what_modules_change_by_themselves_is_told(desk: Desk) -> None:
    """Data that the own code of a module which is not marked changes are named once; not what is made when it is first used."""
    desk.write("main.py", OWN)
    desk.write("helpers.py", HELPERS)
    done = desk.run("main.py")
    assert done.status == 0, done
    for name in ("own", "count", "connected"):
        assert done.err.count(f"`{name}` of the module helpers, which is not marked") == 1, done
    assert not any(name in done.err for name in ("made_later", "`cache`", "`registry`")), done


PLAIN = """
    # durable: on
    import asyncio

    import models
    from models import Cart, basket
    from world import effect

    cart = Cart()
    carts = {"first": Cart()}

    class Shop:
        shared = Cart()

    def made_within():
        own = Cart()

        def inner():
            return own.add("inner")

        return inner

    inner = made_within()

    def with_default(thing, cart=Cart(), *, other=models.Cart()):
        return cart.add(thing), other.add(thing)

    async def main():
        for each in (cart, carts["first"], Shop.shared, basket, models.catalogue):
            each.add("put")
        inner()
        with_default("put")
        registry = models.registry()
        hidden = models.hidden()
        hidden.add("seen")
        await effect("put")
        registry["later"] = hidden
        hidden.add("later")
        models.use("key")
        await effect("put later")
        print(
            cart.things, carts["first"].things, Shop.shared.things, basket.things, models.basket is basket,
            models.catalogue.things, inner(), with_default("once more"), models.hidden() is hidden, hidden.things,
            models.registry() is registry,
            sorted(registry), registry["later"] is hidden,
        )

    asyncio.run(main())
"""

MODELS = """
    class Cart:
        def __init__(self):
            self.things = []

        def add(self, thing):
            self.things.append(thing)
            return list(self.things)

    basket = Cart()
    catalogue = Cart()
    _hidden = Cart()
    _registry = {}

    def hidden():
        return _hidden

    def registry():
        return _registry

    def use(name):
        _registry[name] = 1
"""


def test_objects_of_classes_that_are_not_marked(desk: Desk) -> None:
    """They hold what they held wherever the program has them, and are the objects of their modules; nothing is said."""
    for done in killed_at(desk, {"main.py": PLAIN, "models.py": MODELS}, 2, (1, 3)):
        assert done.err == "", done
