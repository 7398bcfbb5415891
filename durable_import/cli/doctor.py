"""``doctor``: whether a store is well."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from .. import __version__
from ..api.doctor import Finding, examine
from .speech import FOUND, print_document, shown_lines
from .tables import print_lines


def examine_store(store: str, *, as_json: bool) -> int:
    """Print a line for each finding, or one document; gives the exit status: 1 if something is to be done."""
    findings = asyncio.run(examine(store))
    is_well = all(each.is_well for each in findings)
    if as_json:
        print_document({"version": __version__, "is_well": is_well, "findings": [asdict(each) for each in findings]})
    else:
        print_lines(map(_line, findings))
    return 0 if is_well else FOUND


def _line(finding: Finding) -> tuple[str, str]:
    text = f"{finding.about:<9} {' '.join(shown_lines(finding.text))}"
    return ("green", f"ok  {text}") if finding.is_well else ("red", f"!!  {text}")
