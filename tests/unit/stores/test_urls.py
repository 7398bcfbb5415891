"""URLs of stores, and the keys that belong to them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from durable_import.errors import MissingKeyError, UnknownStoreError
from durable_import.stores.base import KeyedStore, StateStore
from durable_import.stores.disk.store import DiskStateStore
from durable_import.stores.memory import InMemoryStateStore
from durable_import.stores.postgres.store import PostgresStateStore
from durable_import.stores.sqlite.store import SQLiteStateStore
from durable_import.stores.url import full_store, key_for, open_store
from durable_import.testing.contract import state
from tests.harness.users_store import UsersStore


@pytest.fixture(params=["memory:", "disk://{}/store", "sqlite:///{}/state.db", "sqlite://"])
def embedded(request: pytest.FixtureRequest, tmp_path: Path) -> StateStore:
    """Each embedded store, opened by its URL."""
    return open_store(request.param.format(tmp_path))


async def test_sources_are_kept_once(embedded: StateStore) -> None:
    """The first text under a digest stays; an unknown digest has none."""
    store = full_store(embedded)
    assert await store.load_source("d1") is None
    await store.save_source("d1", "def f():\r\n    'ü\udc80'\n")
    await store.save_source("d1", "other")
    assert await store.load_source("d1") == "def f():\r\n    'ü\udc80'\n"
    await store.close()


def test_key_of_an_embedded_store_stays_the_same(embedded: StateStore) -> None:
    """Asking twice gives the same 32 bytes."""
    assert isinstance(embedded, KeyedStore)
    assert key_for(embedded) == key_for(embedded)
    assert len(key_for(embedded)) >= 32


@pytest.mark.parametrize("url", ["disk://{}/store", "sqlite:///{}/state.db"])
async def test_key_lies_beside_the_store_for_its_owner_only(url: str, tmp_path: Path) -> None:
    """The key file is <path>.key with mode 0600, and another process's store finds the same key."""
    store = open_store(url.format(tmp_path))
    key = key_for(store)
    (file,) = tmp_path.glob("*.key")
    assert file.stat().st_mode & 0o777 == 0o600
    assert key_for(open_store(url.format(tmp_path))) == key
    await store.save("a", state(1))
    file.unlink()
    with pytest.raises(MissingKeyError, match="Put the key file back"):
        key_for(store)
    await full_store(store).close()


def test_memory_stores_have_keys_of_their_own() -> None:
    """A key in memory is random for each store."""
    assert key_for(open_store("memory:")) != key_for(open_store("memory:"))


def test_key_of_a_users_store_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that brings no key needs DURABLE_KEY, and the error says how to make one."""
    monkeypatch.delenv("DURABLE_KEY", raising=False)
    with pytest.raises(MissingKeyError, match="token_hex"):
        key_for(UsersStore())
    monkeypatch.setenv("DURABLE_KEY", "ab" * 32)
    assert key_for(UsersStore()) == b"\xab" * 32


@pytest.mark.parametrize(
    ("url", "kind", "path"),
    [
        ("memory:", InMemoryStateStore, None),
        ("memory://", InMemoryStateStore, None),
        ("disk:///var/lib/app", DiskStateStore, "/var/lib/app"),
        ("disk://folder/x", DiskStateStore, "{cwd}/folder/x"),
        ("sqlite:///rel.db", SQLiteStateStore, "{cwd}/rel.db"),
        ("sqlite:///.durable/state.db", SQLiteStateStore, "{cwd}/.durable/state.db"),
        ("sqlite:////var/abs.db", SQLiteStateStore, "/var/abs.db"),
        ("sqlite:////var/a%20%3F#b.db", SQLiteStateStore, "/var/a ?#b.db"),
        ("SQLite:////var/abs.db?synchronous=NORMAL", SQLiteStateStore, "/var/abs.db"),
        ("sqlite://", SQLiteStateStore, ":memory:"),
        ("sqlite:", SQLiteStateStore, ":memory:"),
        ("sqlite:///:memory:", SQLiteStateStore, ":memory:"),
    ],
)
def test_url_names_a_store(url: str, kind: type[StateStore], path: str | None) -> None:
    """Each known URL opens its store, and touches no file."""
    store = open_store(url)
    assert type(store) is kind
    if path is not None:
        assert getattr(store, "path") == path.format(cwd=os.getcwd())  # noqa: B009


@pytest.mark.parametrize(
    "url",
    [
        "",
        "state.db",
        "mysql://u:secret@h/db",
        "redis:",
        "sqlite:state.db",
        "sqlite://state.db",
        "disk:",
        "disk:///",
        "memory:x",
        "sqlite:///x?synchronous=off",
        "sqlite:///x?mode=ro",
        "sqlite:///x?shared=maybe",
        "disk:///x?y=1",
    ],
)
def test_unknown_url_is_refused_with_the_known_ones(url: str) -> None:
    """The error lists every known scheme with an example, and repeats no password."""
    with pytest.raises(UnknownStoreError) as caught:
        open_store(url)
    for example in ("sqlite:///app.db", "sqlite://", "disk:///", "memory:"):
        assert example in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:secret@h:5433/app", "user=me host=h port=5433 dbname=app schema=durable_import"),
        ("postgres://me:a%2Fsecret@h/app?schema=ours&sslmode=require", "user=me host=h dbname=app schema=ours"),
        ("PostgreSQL://me@h/app", "user=me host=h dbname=app schema=durable_import"),
        ("postgresql:///app?host=/run/pg&password=secret", "host=/run/pg dbname=app schema=durable_import"),
        ("postgresql://h1:1,h2:2/app?target_session_attrs=read-write", "host=h1,h2 port=1,2 dbname=app schema=durable_import"),
    ],
)
def test_postgres_url_keeps_its_password_to_itself(url: str, shown: str) -> None:
    """What libpq understands is passed on, and what is shown of it holds no password."""
    store = open_store(url)
    assert isinstance(store, PostgresStateStore)
    assert repr(store) == f"PostgresStateStore({shown!r})"
    assert "secret" not in repr(vars(store))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:sec/ret@h/db",
        "postgresql://u:12/sec@h/db",
        "postgresql://u:secret@h:port/db",
        "postgresql://h/db?nonsense=secret",
        "postgresql://u:secret@h/db?schema=",
        "postgresql://u:secret@h/db?schema=a%22b",
        "postgresql://u:%zzsecret@h/db",
    ],
)
def test_wrong_postgres_url_is_refused_in_words(url: str) -> None:
    """A URL that cannot be read is an error that says how one looks, and repeats nothing of it."""
    words = r"'postgresql://user:password@host:5432/database|is not the name of a schema"
    with pytest.raises(UnknownStoreError, match=words) as caught:
        open_store(url)
    assert "sec" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_store_given_is_given_back() -> None:
    """A store in place of a URL is used as it is."""
    store = UsersStore()
    assert open_store(store) is store


@pytest.mark.parametrize("url", ["memory:", "disk:///var/x", "sqlite:///x.db", "sqlite://"])
def test_url_asks_for_history(url: str) -> None:
    """``?history=true`` does, ``?history=false`` and nothing do not, and anything else is refused."""
    stores = [full_store(open_store(url + query)) for query in ("", "?history=false", "?history=TRUE")]
    assert [store.history is not None for store in stores] == [False, False, True]
    with pytest.raises(UnknownStoreError, match="history"):
        open_store(f"{url}?history=yes")
