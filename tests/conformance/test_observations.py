"""A program cannot tell whether it is rewritten."""

import re
import subprocess
import sys

import pytest

from .comparison import ROOT, TIME_LIMIT
from .worker import NATIVE, PLAIN, REWRITTEN


def observed(kind: str) -> str:
    """What the observations print, with addresses taken out."""
    command = [sys.executable, "-B", "-m", "tests.conformance.observe", kind]
    process = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIME_LIMIT, check=False
    )
    assert process.returncode == 0, process.stdout[-2000:]
    return re.sub(r"0x[0-9a-f]{6,}", "0x", process.stdout)


@pytest.mark.parametrize("kind", [PLAIN, REWRITTEN])
def test_output_is_the_same_to_the_letter(kind: str) -> None:
    """Errors, tracebacks, contexts, order of evaluation, lifetimes and warnings are those of the native run."""
    native = observed(NATIVE)
    assert native.count("== ") > 40
    assert observed(kind) == native
