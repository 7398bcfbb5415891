"""Versions of the program: what they are called, and that nothing else is taken for one."""

from __future__ import annotations

import json

import pytest

from durable_import.errors import MissingCodeError
from durable_import.hook.program_version import hash_of, modules_in, split
from durable_import.upgrades.kept import MissingVersionError
from durable_import.upgrades.versions import add_version, is_known_version, known_version

TEXT = b"# durable: on\nLIMIT = 3\ndef f():\n    return LIMIT\nclass C:\n    def m(self):\n        return f()\n"


def record_of(texts: dict[str, bytes]) -> tuple[str, str, dict[str, bytes]]:
    """Identity, record, and texts by hash."""
    record = json.dumps({name: hash_of(text) for name, text in texts.items()})
    return hash_of(record.encode()), record, {hash_of(text): text for text in texts.values()}


def test_a_version_has_its_modules() -> None:
    """By name, with the names that they bind, and those of their methods."""
    identity, record, texts = record_of({"json": TEXT})
    with pytest.raises(MissingVersionError, match=identity[:8]):
        known_version(identity)
    version = add_version(identity, record, texts)
    assert known_version(identity) is version
    assert is_known_version(identity)
    assert version.bound["json"] == {"LIMIT", "f", "C"}
    assert version.members >= {"m", "f"}
    info = version.find("json", "C.m")
    assert info.module.version == identity
    assert f"(as of {identity[:8]})" in info.code.co_filename
    with pytest.raises(MissingCodeError, match="no such 'g' in module 'json'"):
        version.find("json", "g")


@pytest.mark.parametrize("what", ["record", "text", "lacking text", "no record"])
def test_what_is_not_what_its_name_says_is_refused(what: str) -> None:
    """Nothing of it becomes known: it would be executed."""
    identity, record, texts = record_of({"shop": TEXT + what.encode()})
    name = next(iter(texts))
    if what == "record":
        record = record.replace("shop", "shop2")
    elif what == "text":
        texts[name] += b"import os"
    elif what == "lacking text":
        del texts[name]
    else:
        record = "[]"
    with pytest.raises(MissingCodeError, match="missing or damaged"):
        add_version(identity, record, texts)
    assert not is_known_version(identity)


@pytest.mark.parametrize("record", ["", "[]", "{", '{"a": 1}', "null", "[" * 100_000])
def test_damaged_records_name_no_modules(record: str) -> None:
    """Whatever stands there, it is no error of ours."""
    assert modules_in(record) == {}


def test_modules_are_named_with_their_version() -> None:
    """In snapshots; a module of today is named by itself."""
    assert split("shop.orders@1a2b") == ("shop.orders", "1a2b")
    assert split("shop.orders") == ("shop.orders", "")
