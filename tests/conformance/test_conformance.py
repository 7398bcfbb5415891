"""CPython's own tests pass rewritten where they pass natively."""

import pytest

from .comparison import FILES, compare

QUICK = "test_contextlib_async"


@pytest.mark.parametrize("file", [pytest.param(file, marks=[pytest.mark.slow] * (file != QUICK)) for file in FILES])
def test_what_passes_natively_passes_rewritten(file: str) -> None:
    """Every test of the file that passes natively passes when the file is rewritten."""
    comparison = compare(file)
    assert not comparison.problems, "\n\n".join(comparison.problems)
