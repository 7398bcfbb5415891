"""Altered rows of a PostgreSQL store: they stop nobody else, and are told."""

from __future__ import annotations

import pytest

from durable_import.errors import InstanceStuckError
from durable_import.stores.postgres.store import PostgresStateStore
from durable_import.stores.state import STUCK, InstanceQuery
from durable_import.testing.contract import refused
from durable_import.testing.contract.store import begin, claim, commit, names, put, register, saved
from tests.harness.postgres import PostgresServer
from tests.harness.postgres_damage import damage


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=[pytest.mark.slow] if seed else []) for seed in range(4)])
def test_whatever_stands_in_rows(postgres_url: str, seed: int) -> None:
    """No raw error is raised, and the instances that nobody has altered are found and go on."""
    _, wrongs = damage(postgres_url, 60 if not seed else 1000, seed)
    assert wrongs == []


async def test_rows_that_bear_another_id_are_stuck(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """They are given to nobody, and the one whose id it is goes on."""
    store = PostgresStateStore(postgres_url).instances
    for name in ("bad", "good"):
        await put(store, name, saved(1))
    postgres_server.execute(f"UPDATE {schema}.durable_instance SET instance_id = 'good' WHERE instance_id = 'bad'")
    owner = register(store)
    [begun] = await claim(store, owner)
    await commit(store, begun, saved(2))
    assert await claim(store, owner) == []
    [listed] = (await store.list(InstanceQuery(status=STUCK))).instances
    assert listed.error is not None
    assert "their key is not that of its id" in listed.error
    with refused(InstanceStuckError, "'bad'", "damaged"):
        await begin(store, "bad", owner)
    await store.close()


async def test_the_greatest_counts_stop_nobody(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """Neither a claim nor a burial of others."""
    store = PostgresStateStore(postgres_url).instances
    dead = register(store)
    for name in ("bad", "good"):
        await commit(store, await begin(store, name, dead), saved(1))
    most = "SET lives = 2147483647, attempts = 2147483647"
    of_bad = "WHERE key = (SELECT key FROM {0}.durable_instance WHERE instance_id = 'bad')"
    postgres_server.execute(f"UPDATE {schema}.durable_state {most} {of_bad.format(schema)}")
    assert store.bury(dead, 0, 10) == 2
    owner = register(store)
    assert {each.claim.instance_id for each in await claim(store, owner)} == {"bad", "good"}
    await store.close()


async def test_an_owner_whose_row_is_gone_is_dead(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """What it had is found."""
    store = PostgresStateStore(postgres_url).instances
    begun = await begin(store, "a")
    await commit(store, begun, saved(1))
    postgres_server.execute(f"DELETE FROM {schema}.durable_owner")
    [row] = store.owners()
    assert row.is_dead
    assert store.bury(row.id, row.beat, 10) == 1
    assert store.owners() == []
    assert [each.claim.instance_id for each in await claim(store, register(store))] == ["a"]
    assert await names(store, InstanceQuery(status="running")) == ["a"]
    await store.close()
