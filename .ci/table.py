"""The table at the end of ``.ci/all``: what passed, failed and was skipped of each suite on each Python.

``table.py REPORTS VERSIONS SUITES`` reads ``VERSION-SUITE.xml`` and ``.status``; status 1 unless all is there, ended well, and
counted at least one test.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

WIDTH = 23


@dataclass(frozen=True)
class Counts:
    """The numbers of one suite on one version."""

    passed: int
    failed: int
    skipped: int
    seconds: float


def counts_of(report: Path) -> Counts | None:
    """What pytest says in its report; None if there is none, such as when it was killed."""
    if not report.exists():
        return None
    suite = ElementTree.parse(report).getroot().find("testsuite")
    assert suite is not None, f"{report} is not a report of pytest"
    tests, failures, errors, skipped = (int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped"))
    return Counts(tests - failures - errors - skipped, failures + errors, skipped, float(suite.attrib["time"]))


def cell(counts: Counts | None, status: str) -> tuple[str, bool]:
    """How a suite ended, in a few characters, and whether that is well."""
    if counts is None:
        return f"no count, status {status}", False
    text = f"{counts.passed}/{counts.failed}" + (f"/{counts.skipped}" if counts.skipped else "") + f" {counts.seconds:.0f} s"
    if status == "0" and counts.passed and not counts.failed:
        return text, True
    return text + ("" if counts.failed else f", status {status}"), False


def main(reports: Path, versions: list[str], suites: list[str]) -> int:
    """Print the table, a suite a line."""
    good = True
    print("passed/failed[/skipped]".ljust(WIDTH), *(version.rjust(WIDTH) for version in versions))
    for suite in suites:
        line = [suite.ljust(WIDTH)]
        for version in versions:
            status = reports / f"{version}-{suite}.status"
            text, is_good = cell(counts_of(status.with_suffix(".xml")), status.read_text().strip())
            line.append(text.rjust(WIDTH))
            good = good and is_good
        print(*line)
    print("all passed" if good else "not all passed")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2].split(), sys.argv[3].split()))
