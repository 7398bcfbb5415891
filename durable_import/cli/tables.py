"""Tables, lines and trees: by rich, if it is installed, where somebody looks at a terminal; plain ones in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, TypeAlias

Tree: TypeAlias = Mapping[str, "Tree"]

STYLES = {
    "running": "cyan", "pending": "cyan", "waiting": "yellow", "sleeping": "yellow", "completed": "green", "failed": "red",
    "cancelled": "magenta", "stuck": "bold red",
}  # fmt: skip

_WHOLE = ("status", "changed", "checkpoint")  # columns whose cells stand in one line each


def is_rich() -> bool:
    """Whether stdout is a terminal, and rich is there to write to it."""
    return sys.stdout.isatty() and find_spec("rich") is not None


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print the names of columns, and rows of cells."""
    if is_rich():
        from rich.console import Console

        Console().print(rich_table(columns, rows))
        return
    for line in plain_table(columns, rows):
        print(line)


def plain_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Its lines; cells of a column begin below each other."""
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in (columns, *rows)]


def rich_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Any:
    """The same for rich. Cells are texts: nothing in them is markup."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=column in _WHOLE, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, STYLES.get(cell, "")) for cell in row))
    return table


def print_lines(lines: Iterable[tuple[str, str]]) -> None:
    """Print lines, each with the style that it has in a terminal."""
    if is_rich():
        from rich.console import Console
        from rich.text import Text

        console = Console(highlight=False)
        for style, line in lines:
            console.print(Text(line, style), soft_wrap=True)
        return
    for _, line in lines:
        print(line)


def rich_lines(lines: Iterable[tuple[str, str]]) -> Any:
    """The same lines for rich, as one text."""
    from rich.text import Text

    return Text("\n").join(Text(line, style) for style, line in lines)


def print_tree(tree: Tree, heading: str) -> None:
    """Print what is below a heading, and below that."""
    if is_rich():
        from rich.console import Console
        from rich.text import Text
        from rich.tree import Tree as RichTree

        def grow(branch: RichTree, below: Tree) -> None:
            for name, further in below.items():
                grow(branch.add(Text(name)), further)

        root = RichTree(Text(heading))
        grow(root, tree)
        Console(highlight=False).print(root)
        return
    print(heading)
    for line in plain_tree(tree):
        print(f"  {line}")


def plain_tree(tree: Tree) -> Iterator[str]:
    """Its lines; what is below something is indented."""
    for name, below in tree.items():
        yield name
        yield from (f"  {line}" for line in plain_tree(below))
