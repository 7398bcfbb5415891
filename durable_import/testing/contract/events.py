"""What stores pass that keep events until their instances have them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from durable_import.stores.base import DistinctEventStore, Event, EventStore, OwningStore, WorkStore
from durable_import.stores.owner import Owner
from durable_import.testing.contract.owning import OwningStoreContract
from durable_import.testing.contract.plain import STRANGE_IDS, state


class EventStoreContract(OwningStoreContract):
    """Events are kept in order, each under a number of its own, until they are removed."""

    async def test_events_come_back_in_order(self, tmp_path: Path) -> None:
        """The events of an instance are listed as they were published, with numbers that rise, also for the same name."""
        store = self.open(tmp_path)
        assert await events(store).load_events("a") == []
        published = []
        for name, payload in (("paid", b"\x00\n\xff"), ("sent", b""), ("paid", b"x" * 100_000), ("", b"\n")):
            number = await events(store).publish_event("a", name, payload)
            published.append(Event(number, name, payload))
        assert await events(store).load_events("a") == published
        numbers = [event.number for event in published]
        assert numbers == sorted(set(numbers))
        await store.close()

    async def test_events_belong_to_their_instance(self, tmp_path: Path) -> None:
        """Any id and any name is possible, for instances that exist and for those that do not, and nothing mixes."""
        store = self.open(tmp_path)
        await store.save(STRANGE_IDS[0], state(1))
        for number, name in enumerate(STRANGE_IDS):
            await events(store).publish_event(name, STRANGE_IDS[-number], bytes([number]))
        for number, name in enumerate(STRANGE_IDS):
            [event] = await events(store).load_events(name)
            assert (event.name, event.payload) == (STRANGE_IDS[-number], bytes([number])), repr(name)
        assert await store.load("../x") is None
        await store.close()

    async def test_events_stay_through_the_life_of_an_instance(self, tmp_path: Path) -> None:
        """What was published before an instance exists is there when it begins; commits and releases remove nothing."""
        store = self.open(tmp_path)
        first = await events(store).publish_event("a", "early", b"1")
        claim = await store.acquire("a", Owner.current())
        await store.commit(claim, state(1))
        second = await events(store).publish_event("a", "later", b"2")
        await store.commit(claim, state(2, status="completed"))
        await store.release(claim)
        third = await events(store).publish_event("a", "too late", b"3")
        assert [event.number for event in await events(store).load_events("a")] == [first, second, third]
        await store.close()

    async def test_addressees_are_those_with_events(self, tmp_path: Path) -> None:
        """Each instance that has events is named once, as long as it has any."""
        store = self.open(tmp_path)
        assert await events(store).addressees() == []
        numbers = {name: [await events(store).publish_event(name, "e", b"") for _ in range(2)] for name in STRANGE_IDS}
        assert sorted(await events(store).addressees()) == sorted(STRANGE_IDS)
        for name in STRANGE_IDS[1:]:
            await events(store).remove_events(name, numbers[name])
        assert await events(store).addressees() == [STRANGE_IDS[0]]
        await store.close()

    async def test_removed_events_are_gone(self, tmp_path: Path) -> None:
        """Only those named go, also those of no other instance, and once more does nothing."""
        store = self.open(tmp_path)
        numbers = [await events(store).publish_event("a", "e", bytes([n])) for n in range(5)]
        other = await events(store).publish_event("b", "e", b"b")
        for _ in range(2):
            await events(store).remove_events("a", [*numbers[1:3], other, 10**9])
            assert [event.number for event in await events(store).load_events("a")] == [numbers[0], *numbers[3:]]
        await events(store).remove_events("a", iter(numbers))
        await events(store).remove_events("never there", numbers)
        assert await events(store).load_events("a") == []
        assert [event.number for event in await events(store).load_events("b")] == [other]
        await store.close()

    async def test_numbers_are_never_given_again(self, tmp_path: Path) -> None:
        """A number is higher than all before it, no matter what was removed or deleted, and who gave them."""
        store = self.open(tmp_path)
        last = 0
        for instance_id in ("a", "b", "a", "c"):
            number = await events(store).publish_event(instance_id, "e", b"")
            assert number > last
            last = number
            if instance_id == "b":
                await store.delete(instance_id)
            else:
                await events(store).remove_events(instance_id, [number])
        if self.survives:
            await store.close()
            store = self.open(tmp_path)
        assert await events(store).publish_event("a", "e", b"") > last
        await store.close()

    async def test_delete_removes_the_events(self, tmp_path: Path) -> None:
        """An instance that begins again under an id finds no event of the life before, or of one that never was."""
        store = self.open(tmp_path)
        await store.save("a", state(1))
        for instance_id in ("a", "never there", "b"):
            await events(store).publish_event(instance_id, "e", b"")
        await store.delete("a")
        await store.delete("never there")
        assert await events(store).load_events("a") == await events(store).load_events("never there") == []
        assert len(await events(store).load_events("b")) == 1
        await store.close()

    async def test_events_published_at_once_all_arrive(self, tmp_path: Path) -> None:
        """Concurrent events have numbers of their own, and none is lost."""
        store = self.open(tmp_path)
        numbers = await asyncio.gather(*(events(store).publish_event("a", f"e{n}", bytes([n])) for n in range(50)))
        found = await events(store).load_events("a")
        assert [event.number for event in found] == sorted(set(numbers))
        assert {event.number: event.payload for event in found} == {each: bytes([n]) for n, each in enumerate(numbers)}
        await store.close()

    async def test_events_survive_reopening(self, tmp_path: Path) -> None:
        """A second store over the same place finds the events, unless the store is for one process only."""
        store = self.open(tmp_path)
        number = await events(store).publish_event("a", "e", b"payload")
        await store.close()
        again = self.open(tmp_path)
        assert await events(again).load_events("a") == ([Event(number, "e", b"payload")] if self.survives else [])
        await again.close()


class DistinctEventStoreContract(EventStoreContract):
    """Of events with one id only the first is kept."""

    async def test_an_id_is_published_once(self, tmp_path: Path) -> None:
        """The second event with an id is dropped, whatever it is, also when the first one is gone; others have nothing of it."""
        store = self.open(tmp_path)
        assert isinstance(store, DistinctEventStore)
        assert not await store.was_published("id 1")
        assert await store.publish_once("a", "e", b"1", "id 1")
        assert await store.was_published("id 1")
        assert not await store.was_published("id 2")
        assert not await store.publish_once("a", "other", b"2", "id 1")
        assert await store.publish_once("a", "e", b"3", "id 2")
        await events(store).publish_event("a", "e", b"4")
        found = await events(store).load_events("a")
        assert [event.payload for event in found] == [b"1", b"3", b"4"]
        await events(store).remove_events("a", [event.number for event in found])
        assert not await store.publish_once("a", "e", b"5", "id 1")
        assert await events(store).load_events("a") == []
        await store.close()

    async def test_ids_published_at_once_are_kept_once(self, tmp_path: Path) -> None:
        """Of many at the same time one is kept."""
        store = self.open(tmp_path)
        assert isinstance(store, DistinctEventStore)
        kept = await asyncio.gather(*(store.publish_once("a", "e", b"", f"id {n % 3}") for n in range(30)))
        assert sum(kept) == len(await events(store).load_events("a")) == 3
        await store.close()

    async def test_ids_outlive_what_is_finished(self, tmp_path: Path) -> None:
        """They are remembered for a day at least, also by a store that is opened again."""
        store = self.open(tmp_path)
        assert isinstance(store, DistinctEventStore)
        await store.publish_once("a", "e", b"", "id 1")
        await store.delete("a")
        if isinstance(store, WorkStore):
            await store.remove_finished(0)
        assert await store.was_published("id 1")
        await store.close()
        again = self.open(tmp_path)
        assert isinstance(again, DistinctEventStore)
        assert await again.was_published("id 1") or not self.survives
        await again.close()


def events(store: OwningStore) -> EventStore:
    assert isinstance(store, EventStore)
    return store
