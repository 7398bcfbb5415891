"""Uses of the whole public interface, with the type that each expression has: read by a type checker, never run."""

from __future__ import annotations

import ast
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, assert_type

import durable_import
from durable_import import (
    AlreadyDurableException,
    CallStack,
    CheckpointException,
    CodeBlock,
    CodeChangedError,
    DataChangedError,
    DiskStateStore,
    DurableAstTransformer,
    DurableBackend,
    DurableError,
    DurableProgram,
    DurableRuntime,
    Explanation,
    FencedError,
    FunctionCall,
    HoldLimitError,
    InMemoryStateStore,
    InstanceBusyError,
    InstanceCancelledError,
    InstanceFailedError,
    InstanceFinishedError,
    InstanceHandle,
    InstanceMismatchError,
    InstanceQuery,
    InstanceStuckError,
    InstanceSuspendedError,
    KeyConflictError,
    MissingCodeError,
    MissingDriverError,
    MissingKeyError,
    NoSourceCodeException,
    NotDurableError,
    OrchestrationBackend,
    OwnershipError,
    PauseForEventException,
    Point,
    RanAfterFailureError,
    SnapshotAuthenticationError,
    SnapshotError,
    SnapshotFormatError,
    StateLostError,
    StateStore,
    StoreError,
    StoreRefusedError,
    StoreUnavailableError,
    UnknownInstanceError,
    UnknownStoreError,
    UnsavableStateError,
    UnsupportedPythonError,
    UnsupportedSyntaxError,
    attempt,
    connect,
    current_instance,
    current_runtime,
    explain,
    install,
    make_durable,
    on_ask,
    on_change,
    progress,
    questions,
    renamed,
    reopenable,
    saved,
    set_tag,
    step_key,
    transform_to_durable_ast,
    uninstall,
    wait_for_event,
)
from durable_import.stores import (
    Claim,
    Event,
    FullStateStore,
    InstanceSummary,
    Owner,
    PastState,
    PostgresStateStore,
    SQLiteStateStore,
)
from durable_import.stores import Store as FullStore
from durable_import.testing import Faults, StateStoreContract


class Order:
    """What a program is about."""


async def price(order: Order, discount: float = 0.0) -> int:
    """A durable function."""
    return round(100 * (1 - discount)) + len(repr(order))


async def nothing() -> None:
    """One without arguments."""


@make_durable
async def greet(name: str, *, loud: bool = False) -> str:
    """One that was made durable."""
    return name.upper() if loud else name


class Desk:
    """Methods are functions."""

    async def price(self, order: Order) -> int:
        """A plain one."""
        return await price(order)

    @make_durable
    async def greet(self, name: str) -> str:
        """One that was made durable."""
        return name


class Backend(OrchestrationBackend):
    """One of the user's own."""

    async def load_state(self, instance_id: str) -> dict[str, Any] | None:
        return {"instance_id": instance_id}

    async def save_state(self, instance_id: str, state: dict[str, Any]) -> None: ...

    async def wait_for_event(self, instance_id: str, name: str) -> Any: ...


class Store(StateStore):
    """One of the user's own."""

    async def load(self, instance_id: str) -> dict[str, Any] | None:
        return {"instance_id": instance_id}

    async def save(self, instance_id: str, state: dict[str, Any]) -> None: ...


class TestStore(StateStoreContract):
    """And its tests."""

    def open(self, folder: Path) -> StateStore:
        return DiskStateStore(folder)


async def instances(order: Order, desk: Desk) -> None:
    """What is begun has the type that the function gives."""
    async with DurableRuntime("sqlite:///app.db", evict_after=None, lease_seconds=5) as runtime:
        assert_type(runtime, DurableRuntime)
        assert_type(await runtime.run(price, order), int)
        assert_type(await runtime.run(price, order, discount=0.5), int)
        assert_type(await runtime.run(price, order, 0.5, instance_id="order-1"), int)
        assert_type(await runtime.run(desk.price, order, instance_id=None), int)
        assert_type(await runtime.run(nothing), None)
        assert_type(await runtime.run(greet, "Ada", loud=True), str)
        handle = await runtime.start(price, order)
        assert_type(handle, InstanceHandle[int])
        assert_type(await runtime.start(price, order, discount=0.5, instance_id="order-1"), InstanceHandle[int])
        assert_type(await handle.result(), int)
        assert_type(await handle.result(timeout=1.5), int)
        assert_type(handle.id, str)
        assert (await handle.status()) in ("completed", "failed")
        assert_type(await handle.cancel(), bool)
        await handle.send("paid", {"amount": 3})
        assert_type(await handle.ask("price", "pen", timeout=5), Any)
        assert_type(str(await handle.tree()), str)
        assert_type(await handle.children(), list[InstanceSummary])
        await runtime.publish_event("order-1", "paid", 3)
        assert_type(runtime.handle("order-1"), InstanceHandle[Any])
        assert_type(await runtime.recover(), list[InstanceHandle[Any]])
        assert_type(await runtime.retry("order-1"), InstanceHandle[Any])
        assert_type(await runtime.retry("order-1", from_failure=True), InstanceHandle[Any])
        assert_type(await runtime.history("order-1"), list[PastState])
        assert_type(await runtime.cancel("order-1"), bool)
    runtime.activate()
    runtime.deactivate()


kept: dict[str, InstanceHandle[int]] = {}
known: InstanceHandle[int] = DurableRuntime("memory:").handle("order-1")
wider: InstanceHandle[object] = known


async def inside() -> None:
    """What durable code asks for."""
    assert_type(step_key(), str)
    assert_type(attempt(), int)
    assert_type(step_key("charge", 7), str)
    assert_type(await wait_for_event("paid"), Any)
    set_tag(customer="c1", stage=None)
    progress(1, 2.5, "read")
    on_ask("done", lambda payload: payload)
    async for request in questions("price"):
        request.answer(request.payload)
    amount: int = await wait_for_event("paid", timeout=60)
    assert_type(current_instance(), InstanceHandle[Any] | None)
    runtime = current_runtime()
    assert_type(runtime, DurableRuntime | None)
    assert runtime is not None
    async with runtime.transaction() as connection:
        connection.execute("INSERT INTO payment VALUES (?)", (amount,))
    raise PauseForEventException("paid")


async def programs(backend: DurableBackend, desk: Desk) -> None:
    """Functions that were made durable take what the function takes, or a backend beside it."""
    assert_type(await greet("Ada"), str)
    assert_type(greet("Ada", loud=True), Awaitable[str])
    assert_type(await greet("Ada", orchestration_backend=backend, instance_id="greet-1"), str)
    assert_type(await greet("Ada", orchestration_backend=Backend()), str)
    assert_type(await greet("Ada", instance_id="greet-1"), str)
    assert_type(await desk.greet("Ada"), str)
    assert_type(await Desk.greet(desk, "Ada"), str)
    assert_type(make_durable(nothing), DurableProgram[[], None])
    assert_type(greet.create_call("Ada"), FunctionCall)
    backend.publish_event("greet-1", "paid")
    await backend.publish_event("greet-1", "paid", 3)
    assert_type(backend.state_store, StateStore)


def places() -> None:
    """Where states are kept."""
    for store in (InMemoryStateStore(), DiskStateStore("states"), SQLiteStateStore("app.db", patience=2.0), Store()):
        DurableRuntime(store, key=bytes(32))
    DurableRuntime(PostgresStateStore("postgresql://host/database"), telemetry=True)
    DurableRuntime(Backend())
    DurableBackend(InMemoryStateStore())
    Faults(InMemoryStateStore()).fail(3, happens=True)


async def owners(store: FullStateStore, claim: Claim, owner: Owner) -> None:
    """What stores give and take."""
    assert_type(store.instances, FullStore)
    assert_type(store.instances.register(owner, 30.0), int)
    assert_type((await store.instances.list(InstanceQuery(tag=("customer", "c1")))).instances, list[InstanceSummary])
    assert_type(await store.instances.load_events("order-1"), list[Event])
    await store.instances.release(claim)


def connected() -> None:
    """A client for programs without an event loop."""
    with connect("sqlite:///app.db", key=bytes(32)) as client:
        assert_type([each.id for each in client.list(InstanceQuery(status="stuck"))], list[str])
        assert_type(client.count(), int)
        assert_type(client.count(InstanceQuery(), by="status"), dict[str, int])
        handle = client.handle("order-1")
        assert_type(handle.info(), InstanceSummary)
        assert_type([frame.line for task in handle.stack().tasks for frame in task.frames], list[int])
        assert_type([event.name for event in handle.events()], list[str])
        assert_type(handle.retry(), bool)


async def connected_in_loop() -> None:
    """The same for those with one."""
    async with connect(InMemoryStateStore()) as client:
        assert_type([each.id for each in await client.list()], list[str])
        assert_type(await client.count(by="function"), dict[str, int])
        assert_type(await client.handle("order-1").cancel(), bool)
        assert_type(str(await client.handle("order-1").stack()), str)


def looking(stack: CallStack) -> None:
    """What can be seen of code and of its calls."""
    install(["shop.*"], strict=True)
    uninstall()
    explanation = explain(price)
    assert_type(explanation, Explanation)
    assert_type(explanation.checkpoints, tuple[Point, ...])
    assert_type(explanation.points[0].lineno, int)
    assert_type(transform_to_durable_ast(price), ast.Module)
    assert_type(saved(Order), type[Order])
    assert_type(reopenable(Order, setup=price), type[Order])
    renamed("shop:Price", "shop:Amount")
    assert_type(on_change("move")(saved)(Order), type[Order])
    assert_type(DurableAstTransformer("shop.py").visit(ast.parse("")), ast.Module)
    assert_type(stack.calls, list[FunctionCall])
    assert_type([call.blocks for call in stack], list[list[CodeBlock]])
    assert_type(CallStack.from_state(stack.to_state()), CallStack)
    assert_type(durable_import.__version__, str)


def errors() -> None:
    """Each is a DurableError, and has its facts."""
    every: tuple[type[DurableError], ...] = (
        AlreadyDurableException, FencedError, HoldLimitError, InstanceBusyError, InstanceCancelledError, InstanceFailedError,
        InstanceFinishedError, InstanceMismatchError, InstanceSuspendedError, KeyConflictError, MissingCodeError,
        MissingDriverError, MissingKeyError, NoSourceCodeException, NotDurableError, OwnershipError, SnapshotAuthenticationError,
        SnapshotError, SnapshotFormatError, InstanceStuckError, StoreRefusedError, StoreError, StoreUnavailableError,
        UnknownInstanceError, UnknownStoreError, DataChangedError, RanAfterFailureError, StateLostError,
    )  # fmt: skip
    try:
        print(every)
    except PauseForEventException as error:
        assert_type(error.event, str)
    except CheckpointException as error:
        assert_type(error.namespace, dict[str, Any])
    except UnsavableStateError as error:
        assert_type((error.path, error.lineno, error.instance_id), tuple[str, int, str | None])
    except CodeChangedError as error:
        assert_type((error.filename, error.lineno, error.function, error.digest), tuple[str, int, str, str])
    except UnsupportedPythonError as error:
        assert_type(error.lack, str)
    except UnsupportedSyntaxError as error:
        assert_type((error.reason, error.way_out), tuple[str, str])
