"""``python -m tests.conformance [file ...]``: a table, and exit status 1 if a file does not conform."""

from __future__ import annotations

import sys

from .comparison import EXCEPTIONS, FILES, compare, failed_natively


def main(files: list[str]) -> int:
    """Compare the files and print; 0 if all conform."""
    problems: list[str] = []
    print(f"Python {sys.version.split()[0]}")
    print(f"{'file':24}{'native':>8}{'rewritten':>11}{'failed natively':>17}  differences")
    for file in files:
        comparison = compare(file)
        names = [f"{test} ({EXCEPTIONS.get(test, how)})" for test, how in comparison.differences.items()]
        print(
            f"{file:24}{comparison.native.passed:8}{comparison.rewritten.passed:11}{failed_natively(comparison):17}  "
            + (", ".join(names) or "none"),
            flush=True,
        )
        problems += [f"{file}: {problem}" for problem in comparison.problems]
    for problem in problems:
        print(f"\n{problem}", file=sys.stderr)
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(FILES)))
