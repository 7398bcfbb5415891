"""The version of the program: the texts that its modules have, under a name that is made of them.

A snapshot says which version has saved it. A frame whose code has changed since is in the middle of what that version says.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass

from .code_table import PROGRAM, CodeInfo, program_generation

DIGITS = 32  # of the hash of a text, or of a version
SEPARATOR = "@"  # in snapshots, between a module and the version of the program that a function of it is of


@dataclass(frozen=True)
class ProgramVersion:
    """``identity``: a hash of ``record``, which has the hash of each module's text by the name of the module."""

    identity: str
    record: str
    texts: dict[str, bytes]  # by hash


MADE: dict[str, ProgramVersion] = {}  # all versions that this process has had, by identity
_today = (-1, "")  # the generation that the last of them was made at, and its identity


def version_today() -> str:
    """The identity of that of the modules that are imported now."""
    global _today
    generation = program_generation()
    if _today[0] != generation:
        made = _version({name: module.source for name, module in PROGRAM.items() if name in sys.modules})
        MADE.setdefault(made.identity, made)
        _today = generation, made.identity
    return _today[1]


def qualified(info: CodeInfo, module: str) -> str:
    """What a snapshot calls the module of a function: with the version, if it is not that of today."""
    return f"{module}{SEPARATOR}{info.module.version}" if info.module.version else module


def split(module: str) -> tuple[str, str]:
    """Name and version of a module in a snapshot; the version is empty for that of today."""
    name, _, version = module.partition(SEPARATOR)
    return name, version


def modules_in(record: str) -> dict[str, str]:
    """By name of a module the hash of its text; nothing if the record is none."""
    try:
        found = json.loads(record)
    except (ValueError, RecursionError):
        return {}
    is_record = isinstance(found, dict) and all(isinstance(each, str) for each in found.values())
    return found if is_record else {}


def hash_of(text: bytes) -> str:
    """What a text, or the record of a version, is called."""
    return hashlib.sha256(text).hexdigest()[:DIGITS]


def _version(sources: dict[str, bytes]) -> ProgramVersion:
    texts = {hash_of(source): source for source in sources.values()}
    record = json.dumps({name: hash_of(sources[name]) for name in sorted(sources)})
    return ProgramVersion(hash_of(record.encode()), record, texts)
