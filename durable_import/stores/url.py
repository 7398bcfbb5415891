"""From a URL, or a store of the user's own, to a store and its key."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl, unquote

from durable_import.errors import StoreUnavailableError, UnknownStoreError
from durable_import.snapshot.sealing.seal import key_from_environment
from durable_import.stores.adapted import AdaptedStore
from durable_import.stores.backend import BackendStore, OrchestrationBackend
from durable_import.stores.base import FullStateStore, KeyedStore, PlacedStore, StateStore
from durable_import.stores.bounds import bound_of
from durable_import.stores.disk.store import DiskStateStore
from durable_import.stores.memory import InMemoryStateStore
from durable_import.stores.sqlite.connection import MEMORY
from durable_import.stores.sqlite.store import SYNCHRONOUS, SQLiteStateStore
from durable_import.stores.store import Store

KNOWN = """\
  sqlite:///app.db            an SQLite file below the current folder
  sqlite:////var/lib/app.db   an SQLite file by its full path (?synchronous=normal: faster, may lose commits with power)
                              (?shared=yes: beside tables of your own)
  sqlite://                   SQLite in memory
  postgresql://user@host/app  a PostgreSQL database (?schema=NAME: where its tables are; other options are libpq's)
  disk:///var/lib/app         a folder of files by its full path (disk://folder: below the current folder)
  memory:                     nothing survives the process
?history=true at the end of each: keep the states before the last one too (=50: so many, =7d: for so long)"""


def open_store(url: str | StateStore | OrchestrationBackend) -> StateStore:
    """The store that ``url`` names; a store is given back as it is, a backend as a store. No file is touched before the first
    use.

    Raises UnknownStoreError, which lists what is known, and MissingDriverError.
    """
    if isinstance(url, StateStore):
        return url
    if isinstance(url, OrchestrationBackend):
        own = getattr(url, "state_store", None)  # what it can do beyond load and save counts
        return own if isinstance(own, StateStore) else BackendStore(url)
    if not isinstance(url, str):
        raise UnknownStoreError(f"a store is named by a URL such as 'sqlite:///app.db', or is a StateStore: {url!r} is neither")
    scheme, colon, rest = url.partition(":")
    opener = _OPENERS.get(scheme.lower()) if colon else None
    if opener is None:
        what = f"no store is called {scheme!r}" if colon else "it has no scheme such as 'sqlite:'"
        raise _unknown(url, what)
    place, _, query = rest.partition("?")
    return opener(url, unquote(place), dict(parse_qsl(query, keep_blank_values=True)))


def full_store(store: StateStore) -> Store:
    """All that the rest of the package needs of a store."""
    return store.instances if isinstance(store, FullStateStore) else AdaptedStore(store)


def check_there(store: StateStore) -> None:
    """Raise StoreUnavailableError for an embedded store that is not there: who only looks, or asks for something, makes none."""
    if isinstance(store, PlacedStore) and not store.is_there():
        raise StoreUnavailableError(
            f"there is no {store!r}, and none was made: it is made by the program that runs instances. Check its name, and the "
            "folder that it is relative to."
        )


def key_for(store: StateStore) -> bytes:
    """The key that the snapshots in ``store`` are authenticated with.

    An embedded store brings its own; any other needs DURABLE_KEY. Raises MissingKeyError or StoreUnavailableError.
    """
    return store.key() if isinstance(store, KeyedStore) else key_from_environment()


def _open_memory(url: str, place: str, options: dict[str, str]) -> StateStore:
    _check_options(url, options, ("history",))
    if place.strip("/"):
        raise _unknown(url, "memory: takes no path")
    return InMemoryStateStore(history=_history(url, options))


def _open_disk(url: str, place: str, options: dict[str, str]) -> StateStore:
    _check_options(url, options, ("history",))
    path = place.removeprefix("//")
    if not path.strip("/"):
        raise _unknown(url, "the folder is missing")
    return DiskStateStore(path, history=_history(url, options))


def _open_sqlite(url: str, place: str, options: dict[str, str]) -> StateStore:
    _check_options(url, options, ("synchronous", "shared", "history"))
    history = _history(url, options)
    synchronous = options.get("synchronous", "full").upper()
    if synchronous not in SYNCHRONOUS:
        raise _unknown(url, f"synchronous is 'full' or 'normal', not {options['synchronous']!r}")
    shared = options.get("shared", "no").lower()
    if shared not in ("yes", "no"):
        raise _unknown(url, f"shared is 'yes' or 'no', not {options['shared']!r}")
    if place in ("", "//", "///", f"///{MEMORY}"):
        return SQLiteStateStore(MEMORY, synchronous, history=history)
    if not place.startswith("///"):
        raise _unknown(url, "a path follows three slashes, four for a full path")
    return SQLiteStateStore(place.removeprefix("///"), synchronous, shared=shared == "yes", history=history)


def _open_postgres(url: str, place: str, options: dict[str, str]) -> StateStore:  # noqa: ARG001  libpq reads the URL
    _history(url, options)
    from durable_import.stores.postgres.store import PostgresStateStore  # needs an optional driver

    return PostgresStateStore(url)


def _history(url: str, options: dict[str, str]) -> str:
    value = options.get("history", "false")
    try:
        bound_of(value)
    except ValueError as error:
        raise _unknown(url, str(error)) from None
    return value


def _check_options(url: str, options: dict[str, str], known: tuple[str, ...]) -> None:
    for option in options:
        if option not in known:
            raise _unknown(url, f"the option {option!r} is not known")


def _unknown(url: str, reason: str) -> UnknownStoreError:
    # a URL may carry a password
    shown = url if "@" not in url else f"{url.partition(':')[0]}:..."
    return UnknownStoreError(f"cannot open the store {shown!r}: {reason}. Known are:\n{KNOWN}")


_OPENERS: dict[str, Callable[[str, str, dict[str, str]], StateStore]] = {
    "memory": _open_memory,
    "disk": _open_disk,
    "postgres": _open_postgres,
    "postgresql": _open_postgres,
    "sqlite": _open_sqlite,
}
