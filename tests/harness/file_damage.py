"""Files of a disk store, altered at random: whatever stands there, other instances go on, and no raw error is raised.

``python -m tests.harness.file_damage 100000 [SEED]`` makes so many alterations.
"""

from __future__ import annotations

import json
import logging
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from durable_import.errors import DurableError
from durable_import.stores.disk.folder import Folder
from durable_import.stores.files import file_name
from durable_import.stores.owner import Owner
from durable_import.stores.state import STATUSES, STUCK, Failure, HoldRecord, InstanceQuery
from durable_import.stores.store import Begun
from tests.harness.row_damage import CALL, OTHERS, state

NAMES = ("a", "a/waits", "a/ended", "a/stuck", "a/again", "a/left")
VALUES: tuple[Any, ...] = (
    None, True, 0, 1, -1, 2**31, 2**63, 10**400, 0.0, -0.5, 1.5, float("inf"), float("-inf"), float("nan"), 1e308, "", "a", "b",
    "x", "9" * 400, *STATUSES, STUCK, [], {}, [1, "x"], ["what", 1.5], {"k": [1]}, {"status": 1}, "\udc80",
)  # fmt: skip
MEMORY = Path("/dev/shm")  # nothing of this is to survive
DEEP = (b"[" * 100_000, b'{"a":' * 50_000 + b"1" + b"}" * 50_000)


def opened(place: Path) -> Folder:
    """The store in a folder."""
    folder = Folder(place, None, lambda: None)
    folder.prepare()
    folder.check_format()
    return folder


def fill(place: Path) -> None:
    """Instances "a" and others that are owned, wait, are left, have failed and are stuck."""
    folder = opened(place)
    dead = folder.register(Owner.current(), 30.0)
    for number, name in enumerate((*NAMES, *OTHERS)):
        claim = folder.begin(name, dead, number + 1, state(0, "pending"), CALL).claim
        folder.commit(claim, state(1, "waiting" if name == "a/waits" else "running", time.time()))
        folder.keep_key(claim, "key", b"digest")
        folder.publish(name, "event", b"payload", f"event of {name}")
        if name == "a/ended":
            folder.end(claim, state(2, "completed"), False)
        elif name not in ("a", *OTHERS):
            failure = Failure("an error", 3, name == "a/stuck") if name in ("a/stuck", "a/again") else None
            folder.release(claim, True, failure)
    folder.save_source("digest", "text")


def alter(place: Path, chance: random.Random) -> str:
    """Put something else into a file of an instance "a...", of an owner or of what is common, or remove it; gives what was
    done."""
    others = {file_name(name) for name in OTHERS}
    files = [
        file
        for file in sorted(place.rglob("*"))
        if file.is_file() and not others & {file.stem, file.parent.name} and file.name not in ("lock", "format")
    ]
    file = chance.choice(files)
    data, way = file.read_bytes(), chance.choice(("gone", "cut", "bytes", "deep", "entry", "entry", "entry", "entry"))
    if way == "gone":
        file.unlink()
        return f"{file.relative_to(place)} is gone"
    if way == "cut":
        data = data[: chance.randrange(len(data) + 1)]
    elif way == "bytes":
        position = chance.randrange(len(data) + 1)
        data = data[:position] + chance.randbytes(chance.randrange(1, 9)) + data[position + chance.randrange(3) :]
    elif way == "deep":
        data = chance.choice(DEEP)
    else:
        first, line_end, rest = data.partition(b"\n")
        data = _with_other_entry(first, chance) + line_end + rest
    file.write_bytes(data)
    return f"{file.relative_to(place)} is {data[:300]!r}"


def _with_other_entry(line: bytes, chance: random.Random) -> bytes:
    """JSON of which one entry, at any depth, is something else, or is not there."""
    try:
        whole = entries = json.loads(line)
    except (ValueError, RecursionError):
        return line + b"x"
    while isinstance(entries, dict) and entries:
        name = chance.choice(sorted(entries))
        if isinstance(entries[name], dict) and entries[name] and chance.random() < 0.8:
            entries = entries[name]
            continue
        if chance.random() < 0.1:
            del entries[name]
        else:
            entries[name] = chance.choice(VALUES)
        break
    return json.dumps(whole).encode()


def uses(folder: Folder, owner: int, chance: random.Random) -> Iterator[Callable[[], Any]]:
    """What is done with a store, for all instances "a..."."""
    asked: tuple[dict[str, Any], ...] = (
        {}, {"limit": 1}, {"status": "running"}, {"status": STUCK}, {"function": "app:main"}, {"prefix": "a"},
        {"tag": ("name", "value")}, {"parent": "b"}, {"since": 1.0},
    )  # fmt: skip
    for each in asked:
        yield partial(_list, folder, InstanceQuery(**each))
    yield folder.owners
    yield partial(folder.renew, owner, 0, 1, 30.0)
    yield partial(_claim, folder, owner)
    yield partial(folder.pending, owner, 0)
    for name in chance.sample(NAMES, len(NAMES)):
        for look in (folder.load, folder.summary, folder.load_history, folder.load_events, folder.load_dict):
            yield partial(look, name)
        yield partial(folder.publish, name, "again", b"", chance.choice((None, "an id")))
        yield partial(folder.retry, name)
        yield partial(_live, folder, name, owner, chance.random() < 0.5)
    yield folder.hasten
    yield partial(folder.remove_finished, 0.0)
    yield partial(folder.load_source, "digest")
    yield folder.last_change
    for name in ("a", "a/left"):
        yield partial(folder.delete, name)


def _list(folder: Folder, asked: InstanceQuery) -> None:
    page = folder.list(asked)
    if page.cursor is not None:
        folder.list(InstanceQuery(cursor=page.cursor))


def _live(folder: Folder, name: str, owner: int, ends: bool) -> None:
    begun = folder.begin(name, owner, 77, state(0, "pending"), CALL)
    folder.note_hold(begun.claim, HoldRecord("what", 0.0), 1)
    folder.keep_key(begun.claim, "key", b"digest")
    folder.commit(begun.claim, state(5))
    if ends:
        folder.end(begun.claim, state(6, "completed"), False)
    else:
        folder.release(begun.claim, True, Failure("error", 2, False))


def _claim(folder: Folder, owner: int) -> list[Begun]:
    return folder.claim(owner, 99, 100, True, 9, False)


def check_others(folder: Folder, owner: int) -> None:
    """Those that nobody has altered are found, and go on."""
    found = {each.instance_id for each in folder.list(InstanceQuery()).instances}
    assert found >= set(OTHERS), found
    for row in folder.owners():
        if row.id != owner:
            for _ in range(5):
                folder.bury(row.id, row.beat, 100)
    claimed = {begun.claim.instance_id: begun for begun in _claim(folder, owner)}
    for name in OTHERS:
        if name not in claimed:  # it was claimed before, as nothing is left of its owner
            assert folder._holder(name) == owner, name
        begun = claimed.get(name) or folder.begin(name, owner, 98, None, b"")
        assert begun.state is not None
        assert (begun.state, begun.call, len(begun.events or ())) == (state(1, wake_at=begun.state.wake_at), CALL, 1)
        folder.commit(begun.claim, state(2))
        folder.end(begun.claim, state(3, "completed"), False)
        kept = folder.load(name)
        assert kept is not None
        assert kept.state.status == "completed"


def damage_once(whole: Path, place: Path, chance: random.Random) -> str:
    """Alter one to three files of a copy, and use it; gives what was wrong, if something was."""
    shutil.copytree(whole, place)
    done = [alter(place, chance) for _ in range(chance.randrange(1, 4))]
    try:
        folder = opened(place)
        owner = folder.register(Owner.current(), 30.0)
        for use in uses(folder, owner, chance):
            try:
                use()
            except (DurableError, OSError):  # the store tells of the latter in words
                continue
        check_others(folder, owner)
    except Exception as error:
        return f"{done}: {type(error).__name__}: {error} {traceback.extract_tb(error.__traceback__)[-1]}"
    finally:
        shutil.rmtree(place)
    return ""


def damage(times: int, seed: int) -> list[str]:
    """So many alterations; gives what was wrong."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as place:
        whole = Path(place) / "whole"
        fill(whole)
        return [wrong for _ in range(times) if (wrong := damage_once(whole, Path(place) / "copy", chance))]


if __name__ == "__main__":
    logging.disable()
    seed = int(sys.argv[2]) if sys.argv[2:] else random.randrange(1 << 30)
    wrongs = damage(int(sys.argv[1]), seed)
    print(f"seed {seed}: {len(wrongs)} of {sys.argv[1]} went wrong")
    print("\n".join(wrongs[:20]))
    sys.exit(bool(wrongs))
