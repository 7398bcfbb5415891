"""The context variables of who begins an instance: the same after a kill, in another process, and after an eviction."""

from __future__ import annotations

import contextvars
import sys

import pytest

from durable_import.running.instance.given import given_by
from durable_import.running.instance.records import Call, Records
from durable_import.snapshot.sealing.seal import Seal
from tests.harness.processes import KILLED, Desk, Finished

HOLDERS = """
    from contextvars import ContextVar

    TENANT = ContextVar("tenant", default="none")
    OBJECT = ContextVar("object", default="no object")
    THREAD = ContextVar("thread", default="no thread")
    STATE = ContextVar("state", default=None)

    class OfClass:
        user = ContextVar("user", default="nobody")

    class Slotted:
        __slots__ = ("variable",)

        def __init__(self, name):
            self.variable = ContextVar(name, default="nothing")

    class Deep:
        def __init__(self):
            self.parts = {"first": [Slotted("deep")]}

    def captured():
        variable = ContextVar("captured", default="free")

        def get():
            return variable.get()

        def put(value):
            variable.set(value)

        return get, put

    get_captured, put_captured = captured()
    of_instance = Slotted("of an instance")
    deep = Deep()
    SINGLE = object()
"""

FLOWS = """
    # durable: on
    import asyncio
    import decimal

    import holders
    import structlog
    from durable_import import wait_for_event
    from opentelemetry import baggage, trace

    def seen():
        return [
            holders.TENANT.get(),
            holders.OfClass.user.get(),
            holders.of_instance.variable.get(),
            holders.deep.parts["first"][0].variable.get(),
            holders.get_captured(),
            holders.OBJECT.get() is holders.SINGLE,
            structlog.contextvars.get_contextvars(),
            baggage.get_baggage("customer"),
            f"{trace.get_current_span().get_span_context().trace_id:x}",
            decimal.getcontext().prec,
        ]

    async def child():
        await asyncio.sleep(0)
        return seen()

    async def flow():
        state, thread = holders.STATE.get(), holders.THREAD.get() != "no thread"
        state["rounds"] = 1
        first = seen()
        await wait_for_event("go")
        state["rounds"] += 1
        same = first == seen() == await asyncio.create_task(child())
        return [same, first, holders.STATE.get(), state is holders.STATE.get(), thread, holders.THREAD.get() != "no thread"]

    async def alone():
        await wait_for_event("go")
        return seen()
"""

APPLICATION = """
    import asyncio
    import decimal
    import logging
    import os
    import signal
    import sys
    import threading

    import durable_import
    durable_import.install()

    import flows
    import holders
    import structlog
    from durable_import import DurableRuntime
    from opentelemetry import baggage, context, trace

    logging.basicConfig(format="%(levelname)s %(message)s", level="WARNING")
    PARENT = trace.SpanContext(0xabcdef, 0x123, is_remote=False)

    def give():
        holders.TENANT.set("acme")
        holders.OBJECT.set(holders.SINGLE)
        holders.OfClass.user.set("ann")
        holders.of_instance.variable.set(1)
        holders.deep.parts["first"][0].variable.set(("deep", 2))
        holders.put_captured("captured by a function")
        holders.STATE.set({})
        structlog.contextvars.bind_contextvars(request="r1")
        held = baggage.set_baggage("customer", "c1", trace.set_span_in_context(trace.NonRecordingSpan(PARENT)))
        context.attach(held)
        decimal.getcontext().prec = 17

    async def begin(runtime, evicts):
        give()
        if not evicts:
            holders.THREAD.set(threading.Thread())
        await runtime.start(flows.flow, instance_id="one")
        if not evicts:
            while await runtime.handle("one").status() != "waiting":
                await asyncio.sleep(0.01)
            os.kill(os.getpid(), signal.SIGKILL)

    async def main(what):
        async with DurableRuntime("sqlite:///app.db", evict_after=0.01 if what == "evict" else None) as runtime:
            if what in ("begin", "evict"):
                await asyncio.create_task(begin(runtime, what == "evict"))
                while runtime.running:
                    await asyncio.sleep(0.01)
            elif what == "recover":
                await runtime.recover()
            else:
                holders.TENANT.set("another")
                structlog.contextvars.bind_contextvars(request="another", user="another")
                await runtime.start(flows.flow, instance_id="one")
            await runtime.publish_event("one", "go")
            print(await runtime.handle("one").result())
            await runtime.start(flows.alone, instance_id="two")
            await runtime.publish_event("two", "go")
            print(await runtime.handle("two").result())

    asyncio.run(main(sys.argv[1]))
"""

GIVEN = "'acme', 'ann', 1, ('deep', 2), 'captured by a function', True, {'request': 'r1'}, 'c1', 'abcdef', 17"
NOTHING = "['none', 'nobody', 'nothing', 'nothing', 'free', False, {}, None, '0', 28]"


@pytest.fixture
def application(desk: Desk) -> Desk:
    """A folder with an application and its modules."""
    for name, text in (("holders.py", HOLDERS), ("flows.py", FLOWS), ("app.py", APPLICATION)):
        desk.write(name, text)
    return desk


def run(desk: Desk, what: str) -> Finished:
    return desk.start_command([sys.executable, "app.py", what]).end()


@pytest.mark.parametrize("what", ["recover", "start"])
def test_killed(application: Desk, what: str) -> None:
    """After a kill, another process gives an instance what it began with, however that is held, and no more than that."""
    first = run(application, "begin")
    assert first.status == KILLED
    assert "'thread' at holders.THREAD" in first.err
    assert "read as their default after a restart" in first.err
    assert f"flows.py:{FLOWS.count(chr(10), 0, FLOWS.index('async def flow'))}" in first.err
    second = run(application, what)
    assert (second.status, second.err) == (0, "")
    result, alone = second.out.splitlines()
    assert result == f"[True, [{GIVEN}], {{'rounds': 2}}, True, True, False]"
    if what == "recover":
        assert alone == NOTHING


def test_evicted(application: Desk) -> None:
    """An instance that comes back in the same process has what it began with; one that is given nothing has nothing."""
    done = run(application, "evict")
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == [f"[True, [{GIVEN}], {{'rounds': 2}}, True, False, False]", NOTHING]


def test_awaited(desk: Desk) -> None:
    """What a script sets before it awaits the instance is as it was, also if the script would set something else now."""
    desk.write(
        "awaits.py",
        """
        # durable: on
        import asyncio
        import contextvars
        import os
        import threading

        from world import effect

        request = contextvars.ContextVar("request", default="none")
        request.set(os.environ["REQUEST"])
        shared = contextvars.ContextVar("shared")
        shared.set([])
        unsavable = contextvars.ContextVar("unsavable")
        unsavable.set(threading.Thread())

        async def main():
            values = shared.get()
            values.append(request.get())
            await effect("one")
            values.append(request.get())
            await effect("two")
            print(shared.get(), values is shared.get(), type(unsavable.get()).__name__)

        asyncio.run(main())
        """,
    )
    killed = desk.run("awaits.py", kill_at=2, variables={"REQUEST": "first"})
    assert (killed.status, killed.err) == (KILLED, "")
    done = desk.run("awaits.py", variables={"REQUEST": "second"})
    assert (done.status, done.out) == (0, "['first', 'first'] True Thread\n")


def test_variable_that_is_gone_is_told_once(desk: Desk) -> None:
    """A variable that the modules do not have any more is named once in a process, however often the instance comes back."""
    desk.write(
        "holders.py",
        'import contextvars\nGONE = contextvars.ContextVar("gone", default=0)\nKEPT = contextvars.ContextVar("kept")\n',
    )
    desk.write(
        "flows.py",
        """
        # durable: on
        import holders
        from durable_import import wait_for_event

        async def flow():
            for number in range(4):
                await wait_for_event("go")
            return holders.KEPT.get()
        """,
    )
    desk.write(
        "app.py",
        """
        import asyncio, logging, os, signal, sys
        import durable_import
        durable_import.install()
        import flows, holders
        from durable_import import DurableRuntime

        logging.basicConfig(format="%(message)s", level="WARNING")

        async def main():
            async with DurableRuntime("sqlite:///app.db", evict_after=0.01) as runtime:
                if sys.argv[1:]:
                    holders.GONE.set(1)
                    holders.KEPT.set(2)
                    await runtime.start(flows.flow, instance_id="one")
                    while runtime.running:
                        await asyncio.sleep(0.01)
                    os.kill(os.getpid(), signal.SIGKILL)
                for number in range(4):
                    await runtime.publish_event("one", "go")
                    while runtime.running:
                        await asyncio.sleep(0.01)
                print(await runtime.handle("one").result())

        asyncio.run(main())
        """,
    )
    assert desk.start_command([sys.executable, "app.py", "begin"]).end().status == KILLED
    desk.write("holders.py", 'import contextvars\nKEPT = contextvars.ContextVar("kept")\n')
    done = desk.start_command([sys.executable, "app.py"]).end()
    assert (done.status, done.out, done.err.count("'gone', which reads as its default now")) == (0, "2\n", 1), done


def test_nothing_given_nothing_kept() -> None:
    """The record of a call without context variables is as it would be if there were no such thing."""
    records = Records(Seal(b"k" * 32), "one")
    given = given_by(contextvars.Context(), records)
    assert (given.record, given.own, given.lost) == (b"", (), ())
    call = Call(len, ("abc",), {})
    assert len(records.seal_call(call, given.record)) == len(records.seal_call(call))
    opened = records.open_call(records.seal_call(call, given.record))
    assert opened == call
