"""What the package says: through ``logging``, each record with the instance and the checkpoint that it is about."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

import durable_import
from durable_import.log import about, logger
from durable_import.stores.state import InstanceQuery
from durable_import.stores.url import full_store, open_store
from durable_import.testing.contract.store import put, saved

PACKAGE = Path(durable_import.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
LEVELS = ("debug", "info", "warning", "error", "exception", "critical", "log")
SPEAKING = ("cli", "__main__.py")  # these print


def relative(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def calls_in(path: Path) -> Iterator[ast.Call]:
    """The calls in a module."""
    return (node for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Call))


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_nothing_is_printed(path: Path) -> None:
    """Only the command line prints, and only one module makes the logger."""
    if path.relative_to(PACKAGE).parts[0] in SPEAKING:
        return
    for call in calls_in(path):
        what = ast.unparse(call.func)
        where = f"{relative(path)}:{call.lineno}"
        assert what not in ("print", "sys.stdout.write", "sys.stderr.write"), f"{where} speaks past the log"
        assert what != "logging.getLogger" or relative(path) == "log.py", f"{where} makes a logger of its own"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_records_about_an_instance_name_it(path: Path) -> None:
    """Each record whose text names an instance has it as an attribute."""
    for call in calls_in(path):
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "logger" and call.func.attr in LEVELS:
            text = ast.unparse(call)
            is_about_one = "instance_id" in text or "instance %s" in text
            has_extra = any(keyword.arg == "extra" for keyword in call.keywords)
            assert has_extra or not is_about_one, f"{relative(path)}:{call.lineno}: {text}"


def test_every_record_has_the_attributes(caplog: pytest.LogCaptureFixture) -> None:
    """A format with them fits each record, also one that is about no instance."""
    with caplog.at_level(logging.DEBUG, "durable_import"):
        logger.info("about none")
        logger.info("about one", extra=about("order", 7))
    formatter = logging.Formatter("%(message)s: %(instance_id)s %(checkpoint)s")
    assert [formatter.format(record) for record in caplog.records] == ["about none: None None", "about one: order 7"]


async def test_damaged_file_is_reported_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file of a disk store that cannot be read is logged when it is met first, and again when it was changed."""
    store = open_store(f"disk://{tmp_path}/store")
    await put(full_store(store), "good", saved(1))
    (tmp_path / "store" / "instances" / "bad.state").write_bytes(b"no head")
    for _ in range(3):
        page = await full_store(store).list(InstanceQuery())
        assert [each.instance_id for each in page.instances] == ["good"]
    assert len([record for record in caplog.records if "damaged" in record.getMessage()]) == 1
    await store.close()  # type: ignore[attr-defined]
