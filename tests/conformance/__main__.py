"""``python -m tests.conformance [file ...]``: tables, and exit status 1 if a file does not conform.

Without arguments all files run, and the section of this Python version in docs/conformance.md is replaced.
"""

from __future__ import annotations

import sys

from . import asynchronous, document
from .asynchronous import Conformance
from .comparison import EXCEPTIONS, FILES, Comparison, compare, failed_natively


def main(files: list[str]) -> int:
    """Run the files and print; 0 if all conform."""
    print(f"Python {sys.version.split()[0]}", flush=True)
    language = _language([f for f in FILES if not files or f in files])
    asyncio = _asyncio([f for f in asynchronous.FILES if not files or f in files])
    problems = [f"{c.file}: {problem}" for c in language for problem in c.problems]
    problems += [f"{c.file}: {problem}" for c in asyncio for problem in c.problems()]
    for problem in problems:
        print(f"\n{problem}", file=sys.stderr)
    if not files and not problems:
        document.write(language, asyncio)
    return 1 if problems or not (language or asyncio) else 0


def _language(files: list[str]) -> list[Comparison]:
    if files:
        print(f"{'file':36}{'native':>8}{'plain':>7}{'rewritten':>11}{'failed natively':>17}  differences")
    found = []
    for file in files:
        found.append(comparison := compare(file))
        names = [f"{test} ({EXCEPTIONS.get(test, how)})" for test, how in comparison.differences.items()]
        counts = f"{comparison.native.passed:8}{comparison.plain.passed:7}{comparison.rewritten.passed:11}"
        print(f"{file:36}{counts}{failed_natively(comparison):17}  " + (", ".join(names) or "none"), flush=True)
    return found


def _asyncio(files: list[str]) -> list[Conformance]:
    if files:
        print(f"{'file':36}{'native':>8}{'rewritten':>11}{'other tasks':>13}{'instances':>11}{'tortured':>10}  exceptions")
    found = []
    for file in files:
        found.append(c := asynchronous.run_all_ways(file))
        assert c.native is not None
        assert c.rewritten is not None
        print(
            f"{file:36}{c.native.passed:8}{c.rewritten.passed:11}{c.left_out:13}{c.durable.passed:11}{c.tortured.passed:10}  "
            + (", ".join(name.rpartition(".")[2] for name in c.exceptions) or "none"),
            flush=True,
        )
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
