"""The public data model of what is saved: a call stack, its function calls, and their blocks of code."""

from __future__ import annotations

import ast
import inspect
import linecache
import reprlib
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..errors import SnapshotFormatError
from ..frames.capture import FrameState, capture, chain, contents_of, frame_behind, line_of, parts_of
from ..frames.lookup import is_awaitable
from ..frames.signals import PRIMED
from ..frames.step import FAILED, Step
from ..hook.code_table import CodeInfo, info_of
from ..pythons.codes import silent
from ..rewrite.analysis.names import is_hidden
from ..rewrite.analysis.scopes import all_arguments
from ..rewrite.analysis.suspensions import points
from ..snapshot.encoder import Encoder
from ..snapshot.payload import Snapshot

FORMAT = 2


@dataclass(frozen=True)
class CodeBlock:
    """A stretch of a function between two suspension points.

    ``label`` numbers the suspension point that ends it (0 for the last block, which the function's end ends), ``lines`` are
    its first and last line in the file, ``variables`` the local names that occur in it.
    """

    label: int
    lines: tuple[int, int]
    variables: tuple[str, ...]


@dataclass
class FunctionCall:
    """One call that has not returned.

    ``fn`` is called with ``args`` and ``kwargs`` if it has not begun yet; of one that has, it is None, and ``kwargs`` are the
    current values of its parameters (also as ``arguments``), ``locals`` those of all its variables, ``blocks`` its code,
    ``current`` the index of the block that it is in (at its end, if suspended).
    """

    fn: Callable[..., Any] | None
    kwargs: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    module: str = ""
    filename: str = ""
    lineno: int = 0
    locals: dict[str, Any] = field(default_factory=dict)
    blocks: list[CodeBlock] = field(default_factory=list)
    current: int = 0
    args: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        if self.fn is not None and not self.name:
            self.name = getattr(self.fn, "__qualname__", repr(self.fn))
            self.module = getattr(self.fn, "__module__", "")

    @property
    def arguments(self) -> dict[str, Any]:
        """The parameters' values."""
        if self.fn is None or not self.args:
            return self.kwargs
        return inspect.signature(self.fn).bind(*self.args, **self.kwargs).arguments

    def begin(self) -> Any:
        """Call the function: its result, or what is to be awaited for it."""
        if self.fn is None:
            raise ValueError(f"the call of {self.name or 'nothing'} has no function to begin with")
        return self.fn(*self.args, **self.kwargs)

    def __str__(self) -> str:
        lines = [f'  File "{self.filename}", line {self.lineno}, in {self.name}']
        source = linecache.getline(self.filename, self.lineno).strip()
        if source:
            lines.append(f"    {source}")
        lines += [f"      {name} = {_short(value)}" for name, value in self.locals.items()]
        return "\n".join(lines)


class CallStack:
    """The frames of one task, outermost first: those of a suspended coroutine (``capture``, ``from_state``), or calls that
    have not begun (given, or put on it by ``push``).

    ``stack`` lists them, as ``calls`` does. ``last_result`` is what the last call that ended gave, ``pending_return_values``
    what those gave that ended before the ones below them had begun.
    """

    def __init__(self, calls: Iterable[FunctionCall] = ()) -> None:
        self.stack: list[FunctionCall] = []
        self.last_result: Any = None
        self.pending_return_values: list[Any] = []
        self._root: Any = None
        for call in calls:
            self.push(call)

    @classmethod
    def capture(cls, coroutine: Coroutine[Any, Any, Any] | Generator[Any, Any, Any]) -> CallStack:
        """The stack of a suspended coroutine of rewritten code, from itself to the innermost frame it awaits.

        Reads only: the coroutine can go on. Raises ValueError for one that is running, has ended, or is not rewritten.
        """
        code = parts_of(coroutine).code
        if info_of(code) is None:
            raise ValueError(f"{code.co_qualname} ({code.co_filename}) is not durable code: mark its module")
        if parts_of(coroutine).frame is None or parts_of(coroutine).state == "running":
            raise ValueError(f"{coroutine!r} is not suspended: it is running or has ended")
        return cls._of(coroutine)

    @classmethod
    def _of(cls, root: Any) -> CallStack:
        made = cls()
        made._root = root
        made.stack = [_call_of(frame) for frame in chain(root) if not _is_library(frame)]
        return made

    def push(self, call: FunctionCall) -> None:
        """Put a call that has not begun on the stack: ``resume`` begins it, the last one first."""
        if self._root is not None:
            raise ValueError("the stack is that of a suspended coroutine; what that calls gets there by itself")
        if call.fn is None:
            raise ValueError("the call has no function")
        self.stack.append(call)

    @property
    def calls(self) -> list[FunctionCall]:
        """The same as ``stack``."""
        return self.stack

    def is_empty(self) -> bool:
        """Whether nothing is left to run."""
        return not self.stack

    def __len__(self) -> int:
        return len(self.stack)

    def __iter__(self) -> Iterator[FunctionCall]:
        return iter(self.stack)

    def __getitem__(self, index: int) -> FunctionCall:
        return self.stack[index]

    def to_state(self) -> dict[str, Any]:
        """The state as plain data: a summary of the frames, and ``snapshot``, bytes.

        The bytes are a pickle: load only what you made yourself. Raises UnsavableStateError.
        """
        frames = [
            {"function": c.name, "module": c.module, "file": c.filename, "line": c.lineno, "label": c.current} for c in self.stack
        ]
        facts = {
            "calls": [(c.fn, c.args, c.kwargs) for c in self.stack] if self._root is None else [],
            "last_result": self.last_result,
            "pending_return_values": self.pending_return_values,
        }
        return {"format": FORMAT, "frames": frames, "snapshot": Encoder().encode(Snapshot(self._root, facts))}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> CallStack:
        """The stack that ``to_state`` saved, as new frames; in this process or another.

        Raises SnapshotFormatError, MissingCodeError, CodeChangedError.
        """
        if state.get("format") != FORMAT:
            raise SnapshotFormatError(f"a call stack of format {state.get('format')!r}; this version reads {FORMAT}")
        saved = Encoder().decode(state["snapshot"])
        facts = saved.facts
        calls = [FunctionCall(fn, kwargs, args=args) for fn, args, kwargs in facts["calls"]]
        made = cls(calls) if saved.root is None else cls._of(saved.root)
        made.last_result, made.pending_return_values = facts["last_result"], facts["pending_return_values"]
        return made

    async def resume(self, namespace: dict[str, Any] | None = None) -> Any:  # noqa: ARG002  the original library's signature
        """Run all to the end; gives the outermost one's result, also kept as ``last_result``.

        An await that was in flight is made again. ``namespace`` is accepted for the original library's sake: functions know
        their own.
        """
        if self._root is not None:
            root, self._root = self._root, None
            self.stack = []
            self.last_result = await _Resumed(root)
        while self.stack:
            begun = self.stack.pop().begin()
            if is_awaitable(begun):
                begun = await (_Resumed(begun) if frame_behind(begun) is not None else begun)
            self.last_result = begun
            if self.stack:
                self.pending_return_values.append(begun)
        return self.last_result

    def __str__(self) -> str:
        return "\n".join(["Call stack (most recent call last):", *map(str, self.stack)])

    def __repr__(self) -> str:
        return f"<CallStack {' > '.join(c.name for c in self.stack) or 'empty'}>"


def _short(value: Any) -> str:
    try:
        return reprlib.repr(value)
    except Exception as error:  # a repr may do anything; the stack is shown all the same
        return f"<{type(value).__name__}: {type(error).__name__} in its repr>"


class _Resumed:
    """Awaits a coroutine some of whose steps may have ended before it was saved."""

    def __init__(self, root: Any) -> None:
        self.root = root

    def __await__(self) -> Any:
        error: BaseException | None = None
        while True:
            try:
                given = self.root.send(None) if error is None else self.root.throw(error)
            except StopIteration as stop:
                return stop.value
            error = None
            if given is PRIMED:
                continue
            if type(given) is Step:
                error = given.deliver() if given.state == FAILED else None
                continue
            try:
                yield given
            except BaseException as thrown:  # cancellation, close: the program's to handle
                error = thrown


def _is_library(frame: Any) -> bool:
    """Whether a frame is of asyncio's own code."""
    info = info_of(parts_of(frame).code)
    return info is not None and info.module.is_library


def _call_of(frame: Any) -> FunctionCall:
    state = capture(frame)
    info = state.info
    variables = {name: value for name, value in (state.variables | contents_of(state.cells)).items() if not is_hidden(name)}
    node = info.module.rewriting().places.by_path[info.place]
    parameters = [a.arg for a in all_arguments(node.args)] if hasattr(node, "args") else []
    blocks = code_blocks(info)
    return FunctionCall(
        fn=None,
        kwargs={name: variables[name] for name in parameters if name in variables},
        name=frame.__qualname__,
        module=info.module.name,
        filename=info.code.co_filename,
        lineno=_line(frame, state, blocks),
        locals=variables,
        blocks=blocks,
        current=max(state.label - 1, 0),
    )


def _line(frame: Any, state: FrameState, blocks: list[CodeBlock]) -> int:
    """The line of a frame; of one that is restored and has not gone on yet, that of its suspension point."""
    if state.label:
        return blocks[state.label - 1].lines[1]
    return line_of(frame)


def code_blocks(info: CodeInfo) -> list[CodeBlock]:
    """The blocks of a rewritten function, in source order."""
    rewriting = info.module.rewriting()
    node: Any = rewriting.places.by_path[info.place]
    body = rewriting.body_of(node) or []
    with silent():
        names = _names_by_line(ast.parse(info.module.source), node)
    ends = [(point.label, point.lineno) for point in points(body)]
    first, blocks = node.lineno, []
    for label, line in [*ends, (0, node.end_lineno)]:
        last = max(first, line)
        used = {name for at, name in names if first <= at <= last}
        blocks.append(CodeBlock(label, (first, last), tuple(sorted(used))))
        first = last
    return blocks


def _names_by_line(tree: ast.AST, function: Any) -> list[tuple[int, str]]:
    """The local names of a function and the lines where they occur."""
    inside = [n for n in ast.walk(tree) if getattr(n, "lineno", 0) and function.lineno <= n.lineno <= function.end_lineno]  # type: ignore[attr-defined]
    bound = {n.id for n in inside if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    bound |= {n.arg for n in inside if isinstance(n, ast.arg)}
    found = [(n.lineno, n.id) for n in inside if isinstance(n, ast.Name) and n.id in bound]
    return found + [(n.lineno, n.arg) for n in inside if isinstance(n, ast.arg)]
