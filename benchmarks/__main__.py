"""Measures every target of docs/performance.md, each as a ratio within this one call.

``python -m benchmarks [SECTION ...] [--runs 5] [--peers] [--write]``: a section is a module of this folder with a function
``rows``. Each value is the median of the runs; what is compared is measured in turns. ``--peers`` compares with dbos and absurd
too, which are installed into a virtual environment of their own. ``--write`` puts the table into docs/performance.md.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator

from benchmarks.table import HEAD, machine, write

SECTIONS = (  # in the order of the table
    "rewritten",
    "importing",
    "checkpoint",
    "keys",
    "holds",
    "large_state",
    "many_instances",
    "stores",
    "resuming",
    "memory",
)
PEERS = "peers"


def lines(sections: list[str], runs: int) -> Iterator[str]:
    """Of the table, as they are measured."""
    yield f"{machine()}; medians of {runs}."
    yield ""
    yield from HEAD
    for section in sections:
        for row in importlib.import_module(f"benchmarks.{section}").rows(runs):
            yield str(row)


def main() -> None:
    """Measure, print the table, and write it."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sections", metavar="SECTION", nargs="*", help=f"{', '.join(SECTIONS)}, {PEERS}; all but {PEERS}")
    parser.add_argument("--runs", type=int, default=5, help="the median of how many (5)")
    parser.add_argument("--peers", action="store_true", help=f"the section {PEERS} too")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    sections = options.sections or list(SECTIONS)
    if options.peers and PEERS not in sections:
        sections.append(PEERS)
    for section in sections:
        if section not in (*SECTIONS, PEERS):
            parser.error(f"there is no section {section!r}: choose from {', '.join((*SECTIONS, PEERS))}")
    if options.write and options.sections:
        parser.error("--write makes the whole table: name no sections")
    table = []
    for line in lines(sections, options.runs):
        print(line, flush=True)
        table.append(line)
    if options.write:
        write("targets", table)


if __name__ == "__main__":
    main()
