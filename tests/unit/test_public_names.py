"""What can be imported from the packages that users see, when it is loaded, and the version."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path
from types import ModuleType

import pytest

import durable_import
from durable_import import stores, testing
from tests.harness.crash import environment

STORES = [
    "DEFAULT_LEASE_SECONDS", "Claim", "DiskStateStore", "DistinctEventStore", "Event", "EventStore", "FullStateStore",
    "HistoryStore", "InMemoryStateStore", "InstanceQuery", "InstanceSummary", "KeyedStore", "LifeStore", "Owner", "OwningStore",
    "Page", "PastState", "PostgresStateStore", "QuickStore", "SQLiteStateStore", "SegmentStore", "SourceStore", "StateStore",
    "Store", "Transaction", "TransactionStore", "WatchedStore", "WorkStore",
]  # fmt: skip
TESTING = ["Faults", "FullStoreContract", "StateStoreContract"]
PACKAGES = [durable_import, stores, testing]
ROOT = Path(durable_import.__file__).parent


def printed_by(program: str) -> str:
    """What a new process prints."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(("package", "names"), [(stores, STORES), (testing, TESTING)], ids=["stores", "testing"])
def test_public_names_are_these(package: ModuleType, names: list[str]) -> None:
    """``__all__`` is what a user may import, and all of it is there."""
    assert package.__all__ == names
    for name in names:
        assert getattr(package, name) is not None


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_names_are_listed_and_others_refused(package: ModuleType) -> None:
    """``dir`` tells of names that nobody has asked for yet; one that is not there is an AttributeError."""
    assert set(package.__all__) <= set(dir(package))
    with pytest.raises(AttributeError, match=rf"module '{package.__name__}' has no attribute 'nonsense'"):
        package.nonsense  # noqa: B018


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_type_checkers_know_the_same_names(package: ModuleType) -> None:
    """What is imported for types only and what is loaded late have the same names."""
    tree = ast.parse(Path(str(package.__file__)).read_bytes())
    [block] = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    typed = {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    eager = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert typed == set(package.__all__) - eager


def test_public_stores_are_those_of_the_root() -> None:
    """There is one class of each name."""
    for name in set(STORES) & set(durable_import.__all__):
        assert getattr(stores, name) is getattr(durable_import, name)


def test_a_store_is_loaded_when_it_is_asked_for() -> None:
    """With its driver: what a store is can be said without any."""
    program = (
        "import sys\n"
        "def loaded(): return sorted({'psycopg', 'sqlite3'} & set(sys.modules))\n"
        "import durable_import.stores\n"
        "from durable_import.stores import OwningStore, SegmentStore; print(loaded())\n"
        "from durable_import.stores import SQLiteStateStore; print(loaded())\n"
        "from durable_import.stores import PostgresStateStore; print(loaded())\n"
    )
    assert printed_by(program) == "[]\n['sqlite3']\n['psycopg', 'sqlite3']\n"


def test_a_missing_driver_is_told_by_its_store_only() -> None:
    """In the words of the error, not as an ImportError of the name."""
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from durable_import import MissingDriverError, stores\n"
        "for name in stores.__all__:\n"
        "    try: getattr(stores, name)\n"
        "    except MissingDriverError as error: print(name, error)\n"
    )
    [told] = printed_by(program).splitlines()
    assert told.startswith("PostgresStateStore the Postgres store needs psycopg 3")
    assert told.endswith("pip install 'durable-import[postgres]'")


@pytest.mark.parametrize("name", TESTING)
def test_the_former_place_of_the_contract(name: str) -> None:
    """It gives the same, and a warning that says where that is now."""
    former = importlib.import_module("durable_import.stores.contract")
    words = rf"stores\.contract\.{name} is now durable_import\.testing\.\w+\.{name}; the old name goes with the next release"
    with pytest.warns(DeprecationWarning, match=words) as told:
        assert getattr(former, name) is getattr(testing, name)
    assert [warning.filename for warning in told] == [__file__]


def test_the_former_place_has_nothing_more() -> None:
    """What never was there is refused without a warning, and so is what only modules have."""
    former = importlib.import_module("durable_import.stores.contract")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("nonsense", "__path__", "__all__"):
            with pytest.raises(AttributeError, match=r"module 'durable_import\.stores\.contract' has no attribute"):
                getattr(former, name)


def test_the_version_is_one_constant() -> None:
    """Builds read it from the package, without importing that; so a checkout and an archive tell it too."""
    project = tomllib.loads((ROOT.parent / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert "version" not in project["project"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "durable_import.__version__"}
    tree = ast.parse((ROOT / "__init__.py").read_bytes())
    assignments = [node for node in tree.body if isinstance(node, ast.Assign)]
    assigned = [ast.literal_eval(node.value) for node in assignments if ast.unparse(node.targets[0]) == "__version__"]
    assert assigned == [durable_import.__version__]
    assert re.fullmatch(r"\d+\.\d+\.\d+", durable_import.__version__)


def test_the_version_on_the_command_line() -> None:
    """``--version`` prints it, and loads no runtime."""
    command = [sys.executable, "-X", "importtime", "-m", "durable_import", "--version"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout == f"durable_import {durable_import.__version__}\n"
    assert "durable_import.cli.main" in done.stderr
    assert "durable_import.api.runtime" not in done.stderr
