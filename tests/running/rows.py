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
    """The tables of an SQLite database."""

    nonsense = (*NONSENSE, b"", b"\xff\xfe", Text(b"\xff\xfe\x80"))
    TABLES: ClassVar = {"instance": "instance_id", "segment": "key", "event": "number"}

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
        return [_plain(row[1]) for row in self._connection.execute(f"PRAGMA table_info({table})")]

    def read(self) -> dict[Cell, Any]:
        found: dict[Cell, Any] = {}
        for table in self.TABLES:
            columns = self._columns(table)
            for rowid, *values in self._connection.execute(f"SELECT rowid, * FROM {table}"):
                row = dict(zip(columns, values, strict=True))
                found |= {Cell(row["instance_id"], table, str(rowid), column): row[column] for column in columns}
        return {cell: value for cell, value in found.items() if cell.column not in ("instance_id", "number")}

    def write(self, cell: Cell, value: Any) -> None:
        mark, value = ("CAST(? AS TEXT)", value.data) if isinstance(value, Text) else ("?", value)
        change = f"UPDATE OR IGNORE {cell.table} SET {cell.column} = {mark} WHERE rowid = ?"
        self._connection.execute(change, (value, int(cell.record)))

    def keep(self) -> dict[str, list[Any]]:
        return {table: self._connection.execute(f"SELECT rowid, * FROM {table}").fetchall() for table in self.TABLES}

    def put_back(self, kept: dict[str, list[Any]]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        for table, rows in kept.items():
            columns = ["rowid", *self._columns(table)]
            self._connection.execute(f"DELETE FROM {table}")
            marks = ", ".join("?" * len(columns))
            self._connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
        self._connection.execute("DELETE FROM claim")
        self._connection.execute("COMMIT")

    def claim_badly(self, instance: str) -> None:
        self._connection.execute("INSERT INTO claim VALUES (?, 'x', 'no JSON', 'x', 'x')", (instance,))


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
