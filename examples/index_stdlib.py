# durable: on
"""Index the sources of Python's standard library: how many functions, classes, lines and imports each file has.

Run it, kill it as often as you like (from another terminal: kill -9 PID), and run the same command again:

    python -m durable_import run examples/index_stdlib.py
    python -m durable_import run examples/index_stdlib.py --limit 200 --pause 0

It goes on with the file it was at, and its report does not depend on how often it was killed. It is an ordinary asyncio
script: `python examples/index_stdlib.py` works as well, and starts over each time.
"""

import argparse
import ast
import asyncio
import os
import sqlite3
import sysconfig
import time
import warnings
from collections.abc import Iterator
from contextlib import closing
from dataclasses import astuple, dataclass
from itertools import islice
from pathlib import Path

SKIPPED_FOLDERS = {"__pycache__", "site-packages", "dist-packages"}
COLUMNS = ("name", "functions", "classes", "lines", "imports")


@dataclass
class Facts:
    """What is counted in one file."""

    name: str
    functions: int = 0
    classes: int = 0
    lines: int = 0
    imports: int = 0


def python_files(folder: Path) -> Iterator[Path]:
    """All Python files below a folder, always in the same order."""
    for name in sorted(os.listdir(folder)):
        path = folder / name
        if path.is_dir() and name not in SKIPPED_FOLDERS:
            yield from python_files(path)
        elif name.endswith(".py") and path.is_file():  # not a link to nowhere
            yield path


def count(name: str, source: bytes) -> Facts:
    """Parse a file and count. Raises SyntaxError for the few files that are wrong on purpose."""
    facts = Facts(name, lines=source.count(b"\n"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(source)
    for node in ast.walk(tree):
        facts.functions += isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        facts.classes += isinstance(node, ast.ClassDef)
        facts.imports += isinstance(node, ast.Import | ast.ImportFrom)
    return facts


def create_index(database: Path) -> None:
    """Begin with an empty index."""
    database.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DROP TABLE IF EXISTS files")
        connection.execute(f"CREATE TABLE files ({', '.join(COLUMNS)}, PRIMARY KEY (name))")


def put(database: Path, facts: Facts) -> None:
    """Put a file into the index; to do so twice does no harm."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", astuple(facts))


def query_top(database: Path, column: str) -> list[tuple[str, int]]:
    """The five files with the highest count in a column."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(f"SELECT name, {column} FROM files ORDER BY {column} DESC, name LIMIT 5").fetchall()


async def index_file(path: Path, name: str, database: Path) -> Facts:
    """Read, count and store one file."""
    source = await asyncio.to_thread(path.read_bytes)
    facts = count(name, source)
    await asyncio.to_thread(put, database, facts)
    return facts


async def main(limit: int, max_size: int, pause: float, database: Path) -> None:
    library = Path(sysconfig.get_path("stdlib"))
    totals = Facts("all")
    seen = unreadable = too_large = 0
    begun = time.time()
    await asyncio.to_thread(create_index, database)

    for path in islice(python_files(library), limit):
        seen += 1
        name = path.relative_to(library).as_posix()
        if path.stat().st_size > max_size:
            too_large += 1
            continue
        try:
            facts = await index_file(path, name, database)
        except SyntaxError:
            unreadable += 1
            continue
        totals.functions += facts.functions
        totals.classes += facts.classes
        totals.lines += facts.lines
        totals.imports += facts.imports
        if seen % 25 == 0:
            print(f"{seen:5} files, {totals.lines:7} lines, {time.time() - begun:5.1f} s: {name}")
        await asyncio.sleep(pause)

    print(f"\nIndexed {seen - unreadable - too_large} of {seen} files ({unreadable} not parsed, {too_large} too large)")
    for column in COLUMNS[1:]:
        print(f"\n{getattr(totals, column)} {column}; most of them in")
        for name, number in await asyncio.to_thread(query_top, database, column):
            print(f"  {number:6} {name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Index the sources of Python's standard library.")
    parser.add_argument("--limit", type=int, metavar="N", default=1000, help="stop after N files (default: 1000)")
    parser.add_argument("--max-size", type=int, default=200_000, metavar="BYTES", help="leave larger files out")
    parser.add_argument("--pause", type=float, default=0.01, metavar="SECONDS", help="rest after each file")
    parser.add_argument("--database", type=Path, default=Path(".durable/stdlib-index.db"), metavar="FILE")
    options = parser.parse_args()
    asyncio.run(main(options.limit, options.max_size, options.pause, options.database))
