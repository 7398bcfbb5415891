"""What an object says of itself when it is asked."""

from __future__ import annotations

import io
import logging
import sqlite3

import pytest

from durable_import.holds.in_use import first_true, in_use, questions_of
from durable_import.pythons.library import GeneratorManager


class Connection:
    """One that was closed answers nothing."""

    def __init__(self, *, is_closed: bool) -> None:
        self.is_closed = is_closed
        self.is_idle = False

    @property
    def in_transaction(self) -> bool:
        if self.is_closed:
            raise LookupError("closed")
        return True


def test_questions_are_asked_in_their_order() -> None:
    """The first whose answer is true counts."""
    assert first_true(Connection(is_closed=False), ("is_idle", "in_transaction", "is_closed")) == "in_transaction"
    assert first_true(Connection(is_closed=True), ("is_idle", "in_transaction", "is_closed")) == "is_closed"


def test_question_that_is_not_answered_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """What a library raises of a closed connection is no answer; the log has it at the level of debugging."""

    class Other(Connection):
        """Not asked before."""

    caplog.set_level(logging.DEBUG, "durable_import")
    for _ in range(2):
        assert first_true(Other(is_closed=True), ("in_transaction",)) == ""
    assert [record.levelname for record in caplog.records] == ["DEBUG"]
    assert "'in_transaction' is true: LookupError('closed')" in caplog.text


def test_what_to_ask_first_is_what_can_be_answered() -> None:
    """Of a connection that no instance has made, whether a transaction is open; of files and managers that is not so easy."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    assert questions_of(type(connection)) == ("in_transaction",)
    assert not first_true(connection, ("in_transaction",))
    connection.execute("BEGIN")
    assert first_true(connection, ("in_transaction",)) == "in_transaction"
    assert "a transaction is open" in in_use(connection)
    connection.close()
    assert (questions_of(io.BytesIO), questions_of(GeneratorManager), questions_of(int)) == (None, None, None)
