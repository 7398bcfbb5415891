"""A stand-in for the rewriter: it compiles modules as they are, so that the hook can be tested alone."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from durable_import.rewrite.rewritten import RewrittenModule

registered: list[tuple[str, str, bytes, RewrittenModule]] = []


def compile_module(source: bytes, path: str, module: str) -> RewrittenModule:
    """The code of the module, with a table that names it."""
    return RewrittenModule(compile(source, path, "exec", dont_inherit=True), ("fake", module))


def register_module(name: str, path: str, source: bytes, rewritten: RewrittenModule, *make: Any) -> None:  # noqa: ARG001
    """Remember the call."""
    registered.append((name, path, source, rewritten))


def modules() -> dict[str, ModuleType]:
    """What to put into ``sys.modules`` in the place of the real rewriter."""
    compiler: Any = ModuleType("durable_import.rewrite.compiler")
    compiler.compile_module = compiler.compile_plain = compile_module
    registry: Any = ModuleType("durable_import.hook.code_table")
    registry.register_module = registry.register_plain_module = register_module
    return {compiler.__name__: compiler, registry.__name__: registry}


def put_in_place() -> None:
    """Have the hook use this module in the place of the real rewriter."""
    sys.modules.update(modules())
