"""What is kept of the program's code."""

from __future__ import annotations

from pathlib import Path

import pytest

from durable_import.errors import MissingCodeError
from durable_import.hook import program_version
from durable_import.hook.program_version import ProgramVersion, hash_of
from durable_import.running.sources import Sources
from durable_import.stores.url import full_store, open_store
from durable_import.upgrades.kept import MissingVersionError
from durable_import.upgrades.versions import known_version
from tests.unit.upgrades.test_versions import record_of

TEXTS = {
    "shop": "# durable: on\nNAME = 'Käse'\r\n".encode(),
    "old": b"# durable: on\n# coding: latin-1\nNAME = 'K\xe4se'\n",
}


@pytest.mark.asyncio
@pytest.mark.parametrize("store", ["sqlite", "disk", "memory"])
async def test_texts_of_a_version_come_back_byte_by_byte(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever their encoding and line ends; kept once, the record last."""
    identity, record, texts = record_of({name: text + store.encode() for name, text in TEXTS.items()})
    monkeypatch.setattr(program_version, "MADE", {})
    monkeypatch.setattr("durable_import.running.sources.MADE", {identity: ProgramVersion(identity, record, texts)})
    url = {"sqlite": f"sqlite:///{tmp_path}/s.db", "disk": f"disk://{tmp_path}/s", "memory": "memory://"}[store]
    kept = full_store(open_store(url))
    sources = Sources(kept)
    assert not sources.has([], identity)
    await sources.save([], identity)
    assert sources.has([], identity)
    await Sources(kept).add_version(identity)
    assert known_version(identity).texts == {name: text + store.encode() for name, text in TEXTS.items()}
    with pytest.raises(MissingVersionError):
        await sources.add_version(hash_of(b"another"))
    await kept.close()


@pytest.mark.asyncio
async def test_a_text_that_was_changed_in_the_store_is_refused(tmp_path: Path) -> None:
    """It is not what its hash says."""
    identity, record, texts = record_of({"shop": TEXTS["shop"] + b"#"})
    kept = full_store(open_store(f"sqlite:///{tmp_path}/s.db"))
    for name in texts:
        await kept.save_source(name, "utf-8\nimport os")
    await kept.save_source(identity, record)
    with pytest.raises(MissingCodeError, match="the texts of shop are missing or damaged"):
        await Sources(kept).add_version(identity)
    await kept.close()
