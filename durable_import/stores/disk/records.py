"""The files of a disk store that hold data: one line of JSON, the head, then bytes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from durable_import.errors import StoreUnavailableError
from durable_import.stores.base import STATE_TYPES
from durable_import.stores.files import file_name
from durable_import.stores.owner import Owner
from durable_import.stores.plain.keys import InstanceKeys, KeptKey
from durable_import.stores.plain.row import InstanceRow, Registered
from durable_import.stores.state import HoldRecord, InstanceState, Origin
from durable_import.stores.store import Kept

MOST = 1 << 64  # owners


def state_record(instance_id: str, state: dict[str, Any], facts: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Head and bytes of a state file; ``facts``: see ``head_of``."""
    data = {key: value for key, value in state.items() if isinstance(value, bytes)}
    head = {
        "instance_id": instance_id,
        "updated_at": time.time(),
        **facts,
        "values": {key: value for key, value in state.items() if key not in data},
        "bytes": {key: len(value) for key, value in data.items()},
    }
    return head, b"".join(data.values())


def head_of(row: InstanceRow) -> dict[str, Any]:
    """What an instance has from its beginning, as a state file says it."""
    return {"created_at": row.created_at, "parent": row.origin.parent, "tags": dict(row.origin.tags)}


def claim_record(row: InstanceRow) -> dict[str, Any]:
    """What a claim file says: what changes without a commit, and all that there is of one that has no state yet."""
    first: dict[str, Any] = (
        {} if row.state is not None else {"instance_id": row.instance_id, "call": row.call.hex(), **head_of(row)}
    )
    keys = {key: [kept.digest.hex(), kept.epoch, kept.is_refused] for key, kept in row.keys.items()}
    if keys:
        first["keys"] = keys
    if row.tags:
        first["tags_since"] = row.tags
    return {
        "owner": row.owner, "epoch": row.epoch, "lives": row.lives, "attempts": row.attempts, "error": row.error, "due": row.due,
        "hold": [*row.hold] if row.hold is not None else None, **first,
    }  # fmt: skip


def row_of(head: dict[str, Any], claim: dict[str, Any], kept: Kept | None) -> InstanceRow | None:
    """The row that the head of a state file and a claim file make, with the state and call of the former, or what its head says
    of them. None: there is nothing of the instance. What somebody has damaged is as if it were not there.
    """
    state, call = kept or (None, b"")
    values = head.get("values", {})
    if kept is None and values:
        state = InstanceState._make([*(_typed(values, *fact) for fact in _FACTS), b"", b""])
    first = head if state is not None else claim
    if state is None:
        if "call" not in claim or not isinstance(head.get("instance_id"), str):
            return None
        call = bytes.fromhex(_typed(claim, "call", str, ""))
    hold = claim.get("hold")
    tags = {name: value for name, value in _typed(first, "tags", dict, {}).items() if isinstance(value, str)}
    return InstanceRow(
        head["instance_id"],
        call,
        _typed(first, "created_at", float, 0.0),
        Origin(_typed(first, "parent", str, None), tuple(tags.items())),
        state,
        _typed(head, "updated_at", float, 0.0),
        number_of(claim.get("owner")),
        _typed(claim, "epoch", int, 0),
        _typed(claim, "lives", int, 0),
        _typed(claim, "attempts", int, 0),
        _typed(claim, "error", str, None),
        _typed(claim, "due", float, None),
        HoldRecord(*hold) if isinstance(hold, list) and [*map(type, hold)] == [str, float] else None,
        InstanceKeys((key, kept) for key, value in _typed(claim, "keys", dict, {}).items() for kept in _kept_key(value)),
        {name: value for name, value in _typed(claim, "tags_since", dict, {}).items() if isinstance(value, str | None)} or None,
    )


def number_of(value: Any) -> int | None:
    """Of an owner, as a claim file says; None for what is none."""
    return value if type(value) is int and 0 <= value < MOST else None


def _kept_key(value: Any) -> list[KeptKey]:
    """None if it is damaged."""
    if not isinstance(value, list) or [*map(type, value)] != [str, int, bool]:
        return []
    try:
        return [KeptKey(bytes.fromhex(value[0]), value[1], value[2])]
    except ValueError:
        return []


_FACTS: tuple[tuple[Any, ...], ...] = (
    ("status", str, ""), ("checkpoint", int, 0), ("location", str, ""), ("function", str, ""), ("wake_at", float, None),
)  # fmt: skip


def _typed(values: dict[str, Any], name: str, kind: type, otherwise: Any) -> Any:
    value = values.get(name)
    return value if type(value) is kind else otherwise


def registered_of(fields: dict[str, Any]) -> Registered | None:
    """An owner as its file says; one that does not say how long it lives has not lived."""
    if not fields:
        return None
    since, until, lease = (_typed(fields, name, float, 0.0) for name in ("since", "until", "lease"))
    who = Owner.from_json(json.dumps(fields.get("who")))
    return Registered(who, since, until, lease, _typed(fields, "beat", int, 0), _typed(fields, "is_dead", bool, False))


def json_of(file: Path) -> dict[str, Any]:
    """The object in a small file, which is empty for one that is not there, or damaged."""
    try:
        found = json.loads(file.read_bytes())
    except (FileNotFoundError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def line(head: dict[str, Any]) -> bytes:
    return json.dumps(head).encode() + b"\n"


def read_state(file: Path, name: str | None = None) -> dict[str, Any] | None:
    """The state that a file holds, None if there is no such file. ``name``: that of the instance's files, if not that of this.

    Raises StoreUnavailableError for a damaged one, or that of another instance.
    """
    found = read_record(file)
    if found is None:
        return None
    head, data = _of_today(file, name or file.stem, *found)
    state, start = dict(head["values"]), 0
    for key, length in head["bytes"].items():
        state[key] = data[start : start + length]
        start += length
    if start != len(data):
        raise damaged(file, f"{len(data)} bytes follow its first line, not {start}")
    return state


def read_state_head(file: Path) -> dict[str, Any] | None:
    """What ``state_record`` has put before the bytes."""
    found = read_record(file, is_head_enough=True)
    return _of_today(file, file.stem, *found)[0] if found is not None else None


def read_record(file: Path, *, is_head_enough: bool = False) -> tuple[dict[str, Any], bytes] | None:
    """Head and bytes of a file."""
    try:
        with file.open("rb") as opened:
            first = opened.readline()
            data = b"" if is_head_enough else opened.read()
    except FileNotFoundError:
        return None
    try:
        head = json.loads(first)
    except (ValueError, RecursionError) as error:
        raise damaged(file, "its first line is not JSON") from error
    if not isinstance(head, dict) or "instance_id" not in head:
        raise damaged(file, "its first line is not the head of what a store keeps")
    return head, data


def is_state_head(head: dict[str, Any]) -> bool:
    """Whether the file holds a state of an instance, not some other dict that a user has saved."""
    return {*head["values"], *head["bytes"]} == STATE_TYPES.keys()


def check_values(state: dict[str, Any]) -> None:
    """Raise TypeError that names the key of what would not come back from JSON, or bytes, as it is."""
    for key, value in state.items():
        if type(key) is not str:
            raise TypeError(f"the keys of a state are texts, not {key!r}")
        if type(value) is not bytes:
            _check_json(value, repr(key))


def _check_json(value: Any, place: str) -> None:
    if type(value) is list:
        for number, each in enumerate(value):
            _check_json(each, f"{place}[{number}]")
    elif type(value) is dict:
        for key, each in value.items():
            if type(key) is not str:
                raise TypeError(f"a state on disk holds JSON and bytes: {place} has the key {key!r}, which is not a text")
            _check_json(each, f"{place}[{key!r}]")
    elif type(value) not in (str, int, float, bool, type(None)):
        raise TypeError(
            f"a state on disk holds JSON and bytes: {place} is a {type(value).__name__}. Convert it to text, numbers, "
            f"lists, dicts or bytes before it is saved."
        )


def _of_today(file: Path, name: str, head: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """The record of a state as ``state_record`` makes it today."""
    if "values" not in head:
        values = {key: value for key, value in head.items() if key not in ("instance_id", "updated_at")}
        lengths = {"call": 0, "outcome": 0, "snapshot": len(data)}
        head = {**head, "values": {**values, "wake_at": None}, "bytes": lengths}
    check_head(file, name, head, {"instance_id": str, "updated_at": float, "values": dict, "bytes": dict})
    if not all(type(length) is int and length >= 0 for length in head["bytes"].values()):
        raise damaged(file, "its first line has lengths that are none")
    return head, data


def check_head(file: Path, name: str, head: dict[str, Any], kinds: dict[str, type]) -> None:
    """Raise StoreUnavailableError if a head lacks one of these entries, or belongs to an instance with another file name."""
    for key, kind in kinds.items():
        if not isinstance(head.get(key), kind):
            raise damaged(file, f"its first line has no {key!r} that is a {kind.__name__}")
    if file_name(head["instance_id"]) != name:
        raise damaged(file, f"it belongs to instance {head['instance_id']!r}")


def damaged(file: Path, reason: str) -> StoreUnavailableError:
    return StoreUnavailableError(
        f"the file {file} is damaged: {reason}. It was left as it is; put a copy back, or delete the instance."
    )
