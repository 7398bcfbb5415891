"""The private names of the standard library: each is in the table, and in the Pythons that the table says."""

from __future__ import annotations

import ast
import sys
import textwrap
from pathlib import Path

import pytest

import durable_import
from durable_import.pythons import names
from tests.harness.private_names import Use, strings, uses

PACKAGE = Path(durable_import.__file__).parent
KNOWN = {row.name for row in names.TABLE} | names.DOCUMENTED
LAST = {name.rpartition(".")[2] for name in KNOWN}
OF_LIBRARIES = {  # what other packages set in modules of the standard library, or have themselves
    "_nest_patched", "_sa_class_manager", "_parent_scope", "_extobj_contextvar", "anyio._backends._asyncio", "numpy._core.umath",
}  # fmt: skip
MODULES = {name for row in KNOWN for name in (row.rpartition(".")[0], row.partition(".")[0])}


def is_in_table(use: Use) -> bool:
    """Whether a use is of a name in the table; of an attribute only its own name is known."""
    if use.name in KNOWN or use.name in MODULES or use.name in OF_LIBRARIES:
        return True
    return not use.is_of_module and "." not in use.name and use.name in LAST


@pytest.mark.parametrize("row", names.TABLE, ids=lambda row: row.name)
def test_a_name_is_in_the_versions_that_the_table_says(row: names.PrivateName) -> None:
    """This Python has the names that it is to have, and no others."""
    version = sys.version_info[:2]
    if not row.earlier or row.is_in(version):
        assert names.is_there(row.name) == row.is_in(version)


def test_rows_say_what_for() -> None:
    """Each name has one row, with a purpose."""
    assert len({row.name for row in names.TABLE}) == len(names.TABLE)
    assert all(row.purpose for row in names.TABLE)


@pytest.mark.slow
def test_no_private_name_is_used_that_is_not_in_the_table() -> None:
    """Whoever uses another private name of the standard library adds it to the table."""
    others = (  # the package's own of then, and those of libraries
        "snapshot/former_names.py", "holds/table.py", "holds/jobs.py", "snapshot/reducers/scheduled.py",
        "snapshot/reducers/telemetry.py", "snapshot/reducers/async_files.py", "hook/companions.py", "aio/foreign_scopes.py",
    )  # fmt: skip
    used = (use for use in uses(PACKAGE) if not use.where.startswith(others))
    unknown = [f"{use.where}: {use.name}" for use in used if not is_in_table(use)]
    assert not unknown, "not in durable_import/pythons/names.py:\n" + "\n".join(unknown)


@pytest.mark.slow
def test_no_row_is_without_use() -> None:
    """What the package does not use any more steps the table."""
    used = {use.name.rpartition(".")[2] for use in uses(PACKAGE) if not use.where.startswith("pythons/names.py")}
    own = {name for path in PACKAGE.rglob("*.py") for name in _attributes(path)}
    assert not [row.name for row in names.TABLE if row.name.rpartition(".")[2] not in used | own]


def _attributes(path: Path) -> set[str]:
    tree = ast.parse(path.read_bytes())
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return attributes if path.stem == "names" else attributes.union(strings(tree))


def test_private_names_of_modules_are_reached_in_one_place() -> None:
    """Only durable_import/pythons reaches into modules of the library for what they do not show."""
    elsewhere = [use for use in uses(PACKAGE) if use.is_of_module and use.name not in names.DOCUMENTED]
    assert not [f"{use.where}: {use.name}" for use in elsewhere if not use.where.startswith("pythons/")]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import asyncio\nasyncio.tasks._secret(1)", "asyncio.tasks._secret"),
        ("from asyncio.tasks import _secret", "asyncio.tasks._secret"),
        ("import _secret", "_secret"),
        ("def f(loop): return loop._secret", "_secret"),
        ("def f(loop): return getattr(loop, '_secret')", "_secret"),
        ("NAMES = 'loop._secret loop._other'.split()", "loop._secret"),
        ("from . import other\ndef f(loop): return loop._secret, loop._of_unseen", "_of_unseen"),
    ],
)
def test_new_names_are_seen(tmp_path: Path, source: str, name: str) -> None:
    """The scan finds a private name however it is reached, though a file that is not imported has one like it."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "new.py").write_text(source)
    (package / "other.py").write_text("")
    (package / "unseen.py").write_text("class C:\n    def __init__(self): self._of_unseen = 1\n")
    assert name in {use.name for use in uses(package)}


def test_own_names_are_left_out(tmp_path: Path) -> None:
    """Private names that the package itself defines are not the library's."""
    (tmp_path / "module.py").write_text(
        textwrap.dedent("""
        class C:
            __slots__ = ("_slot",)
            _value = 1
            def _method(self, other): return self._method, other._value, other._slot, getattr(other, "_value")
    """)
    )
    assert uses(tmp_path) == []
