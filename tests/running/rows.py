"""What stores keep, seen as someone with write access to the files sees it: cells that can be read, changed and put back."""

from __future__ import annotations

import json
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, NamedTuple


class Cell(NamedTuple):
    """One value: ``record`` tells several of one ``table`` apart; ``column`` 'file' is a whole file."""

    instance: str
    table: str
    record: str
    column: str


class Text(NamedTuple):
    """A text of these bytes, whether or not they are one."""

    data: bytes


EVENT = "name, published_at, payload"  # columns
NONSENSE = ("text", "", 0, 1, -1, 2**62, 1.5, "completed", "1")


class Rows(ABC):
    """The cells of one store. Texts are ``str``, and ``Text`` where they are none."""

    url: str
    nonsense: ClassVar[tuple[Any, ...]]  # values of all kinds that such a store can hold somewhere

    @abstractmethod
    def read(self) -> dict[Cell, Any]:
        """All cells, claims left out."""

    @abstractmethod
    def write(self, cell: Cell, value: Any) -> None:
        """Change one cell, if the store can hold that."""

    @abstractmethod
    def keep(self) -> Any:
        """All there is, for ``put_back``."""

    @abstractmethod
    def put_back(self, kept: Any) -> None:
        """Make everything as it was."""

    @abstractmethod
    def claim_badly(self, instance: str) -> None:
        """Leave a claim that nobody can read."""


class SQLiteRows(Rows):
    """The tables of an SQLite database; what several of them have of an instance is one record."""

    nonsense = (*NONSENSE, b"", b"\xff\xfe", Text(b"\xff\xfe\x80"))
    OF_INSTANCES: ClassVar = {
        "status": "state", "checkpoint": "state", "location": "state", "function": "instance", "wake_at": "state",
        "updated_at": "state", "snapshot": "state", "call": "call", "outcome": "outcome",
    }  # fmt: skip
    TABLES: ClassVar = ("instance", "state", "call", "outcome", "segment", "event")

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder}/state.db?synchronous=normal"
        self._file = folder / "state.db"
        self._opened: sqlite3.Connection | None = None

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            self._opened = sqlite3.connect(self._file, timeout=60, isolation_level=None)
            self._opened.text_factory = _text
        return self._opened

    def _columns(self, table: str) -> list[str]:
        return [_plain(row[1]) for row in self._connection.execute(f"PRAGMA table_info(durable_{table})")]

    def read(self) -> dict[Cell, Any]:
        found: dict[Cell, Any] = {}
        for column, table in self.OF_INSTANCES.items():
            ids = "SELECT number AS its_number, instance_id AS its_id FROM durable_instance"
            rows = f"SELECT number, its_id, {column} FROM durable_{table} JOIN ({ids}) ON its_number = number"
            for number, instance, value in self._connection.execute(rows):
                found[Cell(instance, "instance", str(number), column)] = value
        segments = "SELECT of.rowid, instance_id, key, data FROM durable_segment AS of JOIN durable_instance USING (number)"
        for rowid, instance, key, data in self._connection.execute(segments):
            found[Cell(instance, "segment", str(rowid), "key")] = key
            found[Cell(instance, "segment", str(rowid), "data")] = data
        for rowid, instance, *values in self._connection.execute(f"SELECT number, instance_id, {EVENT} FROM durable_event"):
            found |= {
                Cell(instance, "event", str(rowid), name): value for name, value in zip(EVENT.split(", "), values, strict=True)
            }
        return found

    def write(self, cell: Cell, value: Any) -> None:
        mark, value = ("CAST(? AS TEXT)", value.data) if isinstance(value, Text) else ("?", value)
        table = self.OF_INSTANCES[cell.column] if cell.table == "instance" else cell.table
        change = f"UPDATE OR IGNORE durable_{table} SET {cell.column} = {mark} WHERE rowid = ?"
        self._connection.execute(change, (value, int(cell.record)))

    def keep(self) -> dict[str, list[Any]]:
        return {table: self._connection.execute(f"SELECT rowid, * FROM durable_{table}").fetchall() for table in self.TABLES}

    def put_back(self, kept: dict[str, list[Any]]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        for table, rows in kept.items():
            columns = ["rowid", *self._columns(table)]
            self._connection.execute(f"DELETE FROM durable_{table}")
            marks = ", ".join("?" * len(columns))
            self._connection.executemany(f"INSERT INTO durable_{table} ({', '.join(columns)}) VALUES ({marks})", rows)
        self._connection.execute("DELETE FROM durable_owner")
        self._connection.execute("COMMIT")

    def claim_badly(self, instance: str) -> None:
        self._connection.execute("INSERT INTO durable_owner VALUES (7, 'no JSON', 'x', 'x', 'x', 'x', 'x')")
        of = "(SELECT number FROM durable_instance WHERE instance_id = ?)"
        self._connection.execute(f"UPDATE durable_state SET owner = 7 WHERE number = {of}", (instance,))
        self._connection.execute("UPDATE durable_instance SET shelf = 0 WHERE instance_id = ?", (instance,))


class DiskRows(Rows):
    """The files of a folder."""

    nonsense: ClassVar[tuple[Any, ...]] = (*NONSENSE, None, [], {}, True, [[1]])

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "store"
        self.url = f"disk://{self._folder}"

    def _files(self) -> list[Path]:
        return sorted([*self._folder.glob("instances/*.state"), *self._folder.glob("events/*/*")])

    def read(self) -> dict[Cell, Any]:
        found: dict[Cell, Any] = {}
        for file in self._files():
            table, content = file.relative_to(self._folder).parts[0], file.read_bytes()
            head, data = _parts(content)
            name = str(file.relative_to(self._folder))
            instance = head.get("instance_id", "?")
            values = dict(head.get("values", {"name": head.get("name")})) | {"file": content}
            for key, length in head.get("bytes", {"payload": len(data)}).items():
                values[key], data = data[:length], data[length:]
            found |= {Cell(instance, table[:-1], name, key): value for key, value in values.items()}
        return found

    def write(self, cell: Cell, value: Any) -> None:
        file = self._folder / cell.record
        if cell.column == "file":
            file.write_bytes(value)
            return
        head, data = _parts(file.read_bytes())
        lengths = head.get("bytes", {"payload": len(data)})
        chunks = {}
        for key, length in lengths.items():
            chunks[key], data = data[:length], data[length:]
        if cell.column in chunks and isinstance(value, bytes):
            chunks[cell.column] = value
        elif cell.column in chunks:
            del chunks[cell.column]
            head.setdefault("values", {})[cell.column] = value
        elif cell.table == "event":
            head[cell.column] = value
        else:
            head["values"][cell.column] = value
        if cell.table == "instance":
            head["bytes"] = {key: len(chunk) for key, chunk in chunks.items()}
        file.write_bytes(json.dumps(head).encode() + b"\n" + b"".join(chunks.values()))

    def keep(self) -> dict[Path, bytes]:
        return {file: file.read_bytes() for file in self._files()}

    def put_back(self, kept: dict[Path, bytes]) -> None:
        for file in [*self._folder.glob("instances/*"), *self._folder.glob("events/*/*")]:
            file.unlink(missing_ok=True)  # a claim may be given up just now
        for file, content in kept.items():
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content)

    def claim_badly(self, instance: str) -> None:
        for cell in self.read():
            if cell.instance == instance and cell.table == "instance":
                (self._folder / cell.record).with_suffix(".claim").write_bytes(b'{"epoch": 1, "own')


def _text(data: bytes) -> str | Text:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return Text(data)


def _plain(value: Any) -> str:
    assert isinstance(value, str)
    return value


def _parts(content: bytes) -> tuple[dict[str, Any], bytes]:
    first, _, data = content.partition(b"\n")
    try:
        head = json.loads(first)
    except ValueError:
        return {}, data
    return (head, data) if isinstance(head, dict) else ({}, data)


KINDS: dict[str, Callable[[Path], Rows]] = {"sqlite": SQLiteRows, "disk": DiskRows}
