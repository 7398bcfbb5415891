"""The public data model: call stacks, function calls, code blocks; and the rewritten tree of a function."""

from __future__ import annotations

import ast
import asyncio
import pickle
import types
from collections.abc import Iterator
from typing import Any

import pytest

import durable_import
from durable_import import CallStack, DurableAstTransformer, FunctionCall, transform_to_durable_ast
from tests.harness.torture import fresh_module

SOURCE = """# durable: on
import asyncio

async def inner(i, scale=10):
    c = i * scale
    await asyncio.sleep(0)
    return c

async def main(n):
    out = []
    for i in range(n):
        out.append(await inner(i))
    return out

async def stuck():
    lock = object()
    guard = [open, {"k": lambda: lock}]
    await asyncio.get_running_loop().create_future()
"""


@pytest.fixture
def program() -> Iterator[types.ModuleType]:
    with fresh_module(SOURCE, "program.py", rewritten=True) as module:
        yield module


async def suspended(coroutine: types.CoroutineType[Any, Any, Any]) -> CallStack:
    coroutine.send(None)
    return CallStack.capture(coroutine)


async def test_stack_lists_calls_outermost_first(program: types.ModuleType) -> None:
    """Each call tells its function, its arguments, its variables, and where it is."""
    coroutine = program.main(2)
    stack = await suspended(coroutine)
    assert [call.name for call in stack] == ["main", "inner"]
    assert (stack[0].arguments, stack[0].locals, stack[0].lineno) == ({"n": 2}, {"n": 2, "out": [], "i": 0}, 12)
    assert (stack[1].arguments, stack[1].locals, stack[1].lineno) == ({"i": 0, "scale": 10}, {"i": 0, "scale": 10, "c": 0}, 6)
    coroutine.close()


async def test_blocks_are_the_stretches_between_suspensions(program: types.ModuleType) -> None:
    """A function's blocks cover its lines; the current one is that which the suspension ends."""
    coroutine = program.main(2)
    call = (await suspended(coroutine))[1]
    assert [(block.label, block.lines) for block in call.blocks] == [(1, (4, 6)), (0, (6, 7))]
    assert call.blocks[call.current].variables == ("c", "i", "scale")
    coroutine.close()


async def test_stack_reads_like_a_traceback(program: types.ModuleType) -> None:
    """``str`` shows files, lines, functions and variables."""
    coroutine = program.main(2)
    text = str(await suspended(coroutine))
    assert text.startswith("Call stack (most recent call last):\n")
    assert 'File "program.py", line 12, in main' in text
    assert "scale = 10" in text
    coroutine.close()


async def test_saved_stack_goes_on(program: types.ModuleType) -> None:
    """A state that went through bytes gives the native result; the coroutine it was taken from goes on by itself."""
    coroutine = program.main(3)
    state = pickle.loads(pickle.dumps((await suspended(coroutine)).to_state()))
    restored = CallStack.from_state(state)
    assert [call.name for call in restored] == ["main", "inner"]
    assert await restored.resume() == [0, 10, 20]
    assert restored.last_result == [0, 10, 20]
    assert restored.is_empty()
    coroutine.close()


async def test_stack_of_a_running_task_can_be_captured(program: types.ModuleType) -> None:
    """Capturing only reads: the task and the restored stack both come to the result."""
    task = asyncio.create_task(program.main(4))
    await asyncio.sleep(0)
    state = CallStack.capture(task.get_coro()).to_state()
    assert await CallStack.from_state(state).resume() == await task


async def test_pushed_call_begins(program: types.ModuleType) -> None:
    """A stack can be made of a call, as in the original library."""
    stack = CallStack()
    assert stack.is_empty()
    stack.push(FunctionCall(program.main, kwargs={"n": 2}))
    assert await stack.resume() == [0, 10]


async def test_what_cannot_be_saved_is_named(program: types.ModuleType) -> None:
    """The error tells file, line, function, variable and type."""
    coroutine = program.stuck()
    stack = await suspended(coroutine)
    with pytest.raises(durable_import.UnsavableStateError, match=r"program\.py:18, in stuck: .*Future"):
        stack.to_state()
    coroutine.close()


async def test_foreign_and_ended_coroutines_are_refused(program: types.ModuleType) -> None:
    """Only suspended coroutines of durable code have a stack to capture."""

    async def foreign() -> None:
        return

    coroutine = foreign()
    with pytest.raises(ValueError, match="not durable"):
        CallStack.capture(coroutine)
    coroutine.close()
    ended = program.main(0)
    ended.close()
    with pytest.raises(ValueError, match="not suspended"):
        CallStack.capture(ended)


async def plain(x: asyncio.Future[int]) -> int:
    return await x + 1


def test_rewritten_tree_of_a_function_runs() -> None:
    """The tree defines a function that does what the original does, at the original lines."""
    tree = transform_to_durable_ast(plain)
    namespace: dict[str, object] = {"asyncio": asyncio}
    exec(compile(tree, __file__, "exec"), namespace)

    async def main() -> Any:
        future = asyncio.get_running_loop().create_future()
        future.set_result(41)
        return await namespace["plain"](future)  # type: ignore[operator]

    assert asyncio.run(main()) == 42
    assert namespace["plain"].__code__.co_firstlineno == plain.__code__.co_firstlineno  # type: ignore[attr-defined]


def test_transformer_takes_modules_and_functions() -> None:
    """``visit`` gives a tree of the kind that it was given."""
    tree = ast.parse(SOURCE)
    assert isinstance(DurableAstTransformer("program.py").visit(tree), ast.Module)
    function = ast.parse("async def f():\n    await g()\n").body[0]
    assert isinstance(DurableAstTransformer().visit(function), ast.AsyncFunctionDef)


def test_functions_without_source_and_durable_ones_are_refused(program: types.ModuleType) -> None:
    """Each with the exception that the original library has for it."""
    with pytest.raises(durable_import.NoSourceCodeException):
        transform_to_durable_ast(len)
    namespace: dict[str, object] = {}
    exec("async def made(): pass", namespace)
    with pytest.raises(durable_import.NoSourceCodeException):
        transform_to_durable_ast(namespace["made"])  # type: ignore[arg-type]
    with pytest.raises(durable_import.AlreadyDurableException):
        transform_to_durable_ast(program.main)


def test_public_names_are_these() -> None:
    """``__all__`` is the public interface."""
    assert sorted(durable_import.__all__) == durable_import.__all__
    assert {"CallStack", "DurableRuntime", "install", "uninstall", "transform_to_durable_ast"} <= set(durable_import.__all__)
    for name in durable_import.__all__:
        assert getattr(durable_import, name) is not None


def add(a: int, b: int) -> int:
    return a + b


async def add_later(a: int, b: int) -> int:
    await asyncio.sleep(0)
    return a + b


@pytest.mark.parametrize("function", [add, add_later])
async def test_calls_as_in_the_original_library(function: types.FunctionType) -> None:
    """A call that has not begun goes on a stack, is saved and restored, and runs with ``namespace``."""
    stack = CallStack()
    stack.push(FunctionCall(function, kwargs={"a": 1, "b": 2}))
    await stack.resume(namespace={function.__name__: function})
    assert (stack.is_empty(), stack.last_result) == (True, 3)
    state = CallStack([FunctionCall(function, kwargs={"a": 3, "b": 4}), FunctionCall(function, args=(5, 6))]).to_state()
    restored = CallStack.from_state(pickle.loads(pickle.dumps(state)))
    assert [(call.fn, dict(call.arguments)) for call in restored.stack] == [
        (function, {"a": 3, "b": 4}),
        (function, {"a": 5, "b": 6}),
    ]
    assert restored.pending_return_values == []
    assert await restored.resume() == 7
    assert (restored.is_empty(), restored.pending_return_values) == (True, [11])


async def test_suspended_stack_takes_no_calls(program: types.ModuleType) -> None:
    """What a suspended coroutine calls gets on its stack by itself."""
    coroutine = program.main(2)
    with pytest.raises(ValueError, match="suspended coroutine"):
        (await suspended(coroutine)).push(FunctionCall(add))
    coroutine.close()


def test_rewritten_tree_begins_with_the_function() -> None:
    """``body[0]`` is the async function, whatever stands around it in its file."""
    assert isinstance(transform_to_durable_ast(add_later).body[0], ast.AsyncFunctionDef)

    class Local:
        async def method(self) -> int:
            return await add_later(1, 2)

    tree = transform_to_durable_ast(Local.method)
    assert isinstance(tree.body[0], ast.AsyncFunctionDef)
    assert tree.body[0].name == "method"
