"""Transactions of a program's own data, in the database that keeps its state: both are committed together."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Any, NoReturn, Protocol

from ..aio.gate import OPEN
from ..errors import DurableError, StoreError, StoreUnavailableError
from ..frames import ambient
from ..running.instance.run import InstanceRun
from ..stores.store import OpenTransaction, Store


class TransactionRuntime(Protocol):
    """What a transaction needs of the runtime; ``running``: the instances that live there, by their ids."""

    instances: Store
    running: dict[str, InstanceRun]


def check_outside(runtime: TransactionRuntime, what: str) -> None:
    """Raise DurableError for what writes to the store by a way of its own while the running instance has a transaction open."""
    instance_id = getattr(ambient.current_driver.get(), "instance_id", None)
    run = runtime.running.get(instance_id) if instance_id is not None else None
    if run is not None and run.lease.transaction is not None:
        raise DurableError(
            f"{what} inside a transaction of instance {instance_id!r}: it is no part of that, would not be undone with it, and "
            "may wait for its end. Do it behind the block"
        )


class TransactionBlock:
    """``async with`` gives the database's connection, in a transaction; see ``DurableRuntime.transaction``."""

    def __init__(self, runtime: TransactionRuntime) -> None:
        self._runtime = runtime

    async def __aenter__(self) -> Any:
        run, instances = self._run(), self._runtime.instances
        if instances.transactions is None:
            raise DurableError(
                f"{instances!r} has no transactions for the program's data: keep the state in the same SQLite or PostgreSQL "
                "database"
            )
        if run.driver is None or run.driver.turns_of is not None:
            raise DurableError("a transaction is open in this instance already: end it first, or use its connection")
        await run.driver.holding.until_free(asyncio.current_task(), "transaction()")
        run.driver.take_turns(asyncio.current_task())  # first: a commit of another task would wait for the transaction
        try:
            begin = instances.transactions.begin_transaction
            run.lease.transaction = await run.lease.patiently(begin, "a transaction has not begun yet")
        except BaseException:
            run.driver.end_turns()
            raise
        if run.lease.transaction.keeps_lease:  # else its own steps would wait for a renewal, which waits for its end
            run.driver.loop.gate = OPEN
        return run.lease.transaction.connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        run = self._run()
        assert run.driver is not None
        assert run.lease.transaction is not None
        if error is not None:
            transaction, run.lease.transaction = run.lease.transaction, None
            lost = transaction.lost(error)
            if lost is not None:
                await _let_go(run, transaction, lost)
            await transaction.rollback()
        run.driver.loop.gate = run.lease.gate
        run.driver.end_turns()  # the checkpoint that follows commits it

    def _run(self) -> InstanceRun:
        instance_id = getattr(ambient.current_driver.get(), "instance_id", None)
        run = self._runtime.running.get(instance_id) if instance_id is not None else None
        if run is None:
            raise DurableError(
                "transaction() was entered outside of an instance: there is no state that could be committed with the data. "
                "Enter it in durable code that the runtime runs"
            )
        return run


async def _let_go(run: InstanceRun, transaction: OpenTransaction, lost: StoreUnavailableError) -> NoReturn:
    """The program does not see that the store was away: it goes on from before the transaction, once the store is there."""
    with suppress(StoreError, OSError):
        await transaction.rollback()
    run.loses_transaction(lost)
    while True:
        await asyncio.get_running_loop().create_future()
