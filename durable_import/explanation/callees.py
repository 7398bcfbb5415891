"""What the text of a function leads to: which code an awaited call runs, as far as that can be known before it runs.

``LiveCallees`` looks at the objects that the names of a function stand for now, without running any of their code;
``WrittenCallees`` at the text of the module alone.
"""

from __future__ import annotations

import ast
import builtins
import inspect
from dataclasses import dataclass
from types import FunctionType, MethodType, ModuleType
from typing import Any, Protocol

from ..hook.code_table import info_of
from ..hook.live_code import functions_behind
from ..rewrite.passes.pauses import last_name

FRAME, LIBRARY, THREAD, FOREIGN, DECORATED, IMPORTED, BLOCKING, UNKNOWN = (
    "frame", "library", "thread", "foreign", "decorated", "imported", "blocking", "unknown"
)  # fmt: skip
_LIBRARIES = ("asyncio", "contextlib", "durable_import")
_THREADS = ("to_thread", "run_in_executor")
_BLOCKING = frozenset(
    {
        "time.sleep", "input", "os.system", "posix.system", "os.wait", "posix.wait",
        "subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output",
        "urllib.request.urlopen", "socket.create_connection", "requests.get", "requests.post",
        "requests.put", "requests.patch", "requests.delete", "requests.head", "requests.request", "httpx.get", "httpx.post",
        "httpx.put", "httpx.patch", "httpx.delete", "httpx.request",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Callee:
    """What a call runs: its kind, its name, and the module that it belongs to or the place where it is defined."""

    kind: str
    name: str = ""
    where: str = ""


class Callees(Protocol):
    """Tells what the expression of a call's function stands for."""

    def find(self, function: ast.expr) -> Callee: ...


def by_dotted_name(dotted: str) -> Callee | None:
    """What is known by name alone."""
    module, _, name = dotted.rpartition(".")
    if name in _THREADS and module.partition(".")[0] in ("", "asyncio"):
        return Callee(THREAD, name)
    if dotted in _BLOCKING:
        return Callee(BLOCKING, dotted)
    if module.partition(".")[0] in _LIBRARIES:
        return Callee(LIBRARY, name, module)
    return None


class LiveCallees:
    """Those of a function that exists; ``owner``: the class that it is a method of."""

    def __init__(self, function: FunctionType, owner: type | None, first: str | None) -> None:
        self.owner, self.first = owner, first
        self.names = {**vars(builtins), **function.__globals__}
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            try:
                self.names[name] = cell.cell_contents
            except ValueError:  # not bound yet
                self.names.pop(name, None)
        for name in function.__code__.co_varnames + function.__code__.co_cellvars:
            self.names.pop(name, None)

    def find(self, function: ast.expr) -> Callee:
        """See ``Callees``."""
        if last_name(function) == "run_in_executor":
            return Callee(THREAD, "run_in_executor")
        value = self._value(function)
        if value is None:
            return Callee(UNKNOWN)
        return self._of_value(value)

    def _value(self, node: ast.expr) -> Any:
        """The object that an expression stands for; None if only running it could tell."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id)
        if not isinstance(node, ast.Attribute):
            return None
        if isinstance(node.value, ast.Name) and node.value.id == self.first and self.owner is not None:
            return inspect.getattr_static(self.owner, node.attr, None)
        base = self._value(node.value)
        if base is None:
            return None
        if isinstance(base, (ModuleType, type)):
            return inspect.getattr_static(base, node.attr, None)
        found = inspect.getattr_static(type(base), node.attr, None)  # of an object: its class's methods
        return found if isinstance(found, (FunctionType, staticmethod, classmethod)) else None

    @staticmethod
    def _of_value(value: Any) -> Callee:
        value = getattr(value, "__func__", value) if isinstance(value, (staticmethod, classmethod, MethodType)) else value
        module, name = str(getattr(value, "__module__", None) or ""), getattr(value, "__qualname__", "")
        for package in (module, module.partition(".")[0]):  # it may be known by the name of the package
            known = by_dotted_name(f"{package}.{name}".removeprefix("builtins."))
            if known is not None:
                return known
        chain = list(functions_behind(value))
        infos = [info_of(each.__code__) for each in chain]
        if chain and infos[0] is None and any(infos):
            inner = next(each for each, info in zip(chain, infos, strict=True) if info is not None)
            return Callee(DECORATED, inner.__qualname__, str(chain[0].__globals__.get("__name__")))
        if chain and infos[0] is not None:
            code = chain[0].__code__
            return Callee(FRAME, chain[0].__qualname__, f"{code.co_filename}:{code.co_firstlineno}")
        if chain and not isinstance(value, type):
            return Callee(FOREIGN, name or chain[0].__qualname__, module)
        return Callee(UNKNOWN)


class WrittenCallees:
    """Those of a function in a text. ``path``: its file; ``owner``: the class statement around it."""

    def __init__(self, tree: ast.Module, path: str, owner: ast.ClassDef | None, first: str | None) -> None:
        self.path, self.owner, self.first = path, owner, first
        self.own = {n.name: n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))}
        self.imported: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self.imported |= {a.asname: a.name for a in node.names if a.asname}
                self.imported |= {top: top for top in (a.name.partition(".")[0] for a in node.names if not a.asname)}
            elif isinstance(node, ast.ImportFrom):
                module = "." * node.level + (f"{node.module}." if node.module else "")
                self.imported |= {a.asname or a.name: module + a.name for a in node.names}

    def find(self, function: ast.expr) -> Callee:
        """See ``Callees``."""
        if last_name(function) == "run_in_executor":
            return Callee(THREAD, "run_in_executor")
        dotted = self._dotted(function)
        if dotted is None:
            return Callee(UNKNOWN)
        base, _, rest = dotted.partition(".")
        definition = self.own.get(dotted)
        if base == self.first and self.owner is not None:
            methods = {n.name: n for n in self.owner.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))}
            definition = methods.get(rest)
        if definition is not None:
            return self._of_definition(definition)
        if base in self.imported:
            full = f"{self.imported[base]}.{rest}" if rest else self.imported[base]
            module = full.removesuffix(f".{rest}") if rest else _module_of(full)
            return by_dotted_name(full) or Callee(IMPORTED, rest or full.rpartition(".")[2], module)
        return by_dotted_name(dotted) or Callee(UNKNOWN)

    def _of_definition(self, definition: ast.FunctionDef | ast.AsyncFunctionDef) -> Callee:
        if not isinstance(definition, ast.AsyncFunctionDef):
            return Callee(UNKNOWN)
        if definition.decorator_list:
            return Callee(UNKNOWN, definition.name, ", ".join(f"@{ast.unparse(d)}" for d in definition.decorator_list))
        return Callee(FRAME, definition.name, f"{self.path}:{definition.lineno}")

    def _dotted(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Name):
            return node.id
        base = self._dotted(node.value) if isinstance(node, ast.Attribute) else None
        return f"{base}.{node.attr}" if base is not None and isinstance(node, ast.Attribute) else None


def _module_of(dotted: str) -> str:
    """``a.b`` of ``a.b.c``, and the package's own name of what is imported from it."""
    module = dotted.rpartition(".")[0]
    return module if module.strip(".") else "the package"
