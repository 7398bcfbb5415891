"""Options of the test suite, and what it does not take over from who starts it."""

from __future__ import annotations

import signal

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--update-golden`` writes the golden files anew; read the difference before you commit it."""
    parser.addoption("--update-golden", action="store_true", help="write tests/golden/*.txt anew instead of comparing")


def pytest_configure() -> None:
    """Ctrl-C means what it means in a terminal, here and in all processes of tests, also in a background job of a shell."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
