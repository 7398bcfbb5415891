"""The rewriter as people meet it: a transformer of trees, and the rewritten tree of one function."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any, cast, overload

from ..errors import AlreadyDurableException, NoSourceCodeException
from ..hook.code_table import info_of
from ..pythons.codes import silent
from ..rewrite.compiler import ModuleRewriting


class DurableAstTransformer(ast.NodeTransformer):
    """Rewrites asynchronous functions and generators so that their frames can be saved at every suspension.

    ``visit`` takes a module, or a single function, as parsed, and gives the tree of the fast variant (see
    ``docs/how-it-works.md``). Its code runs anywhere once ``durable_import`` is imported; for its frames to be saved the
    module must be imported through the import hook. Raises UnsupportedSyntaxError.
    """

    def __init__(self, filename: str = "<unknown>") -> None:
        self.filename = filename

    @overload
    def visit(self, node: ast.Module) -> ast.Module: ...
    @overload
    def visit(self, node: ast.AST) -> Any: ...
    def visit(self, node: ast.AST) -> Any:
        """The rewritten tree; the one given is used up."""
        if isinstance(node, ast.Module):
            return ModuleRewriting(node, self.filename).tree
        module = ast.Module(body=[cast("ast.stmt", node)], type_ignores=[])
        return ModuleRewriting(module, self.filename).tree.body[0]


def transform_to_durable_ast(function: Callable[..., Any]) -> ast.Module:
    """The rewritten tree of one function, as a module that defines it.

    Raises NoSourceCodeException if its source cannot be found, AlreadyDurableException if it is rewritten already.
    """
    function = inspect.unwrap(function)
    code = getattr(function, "__code__", None)
    if code is None:
        raise NoSourceCodeException(f"{function!r} is not a Python function: it has no source to rewrite")
    if info_of(code) is not None:
        raise AlreadyDurableException(f"{function.__qualname__} is durable already: its module is rewritten")
    try:
        source = textwrap.dedent(inspect.getsource(function))
        with silent():
            tree = ast.parse(source)
        if getattr(tree.body[0], "name", None) != code.co_name:
            raise OSError("what stands there is something else")
    except (OSError, SyntaxError) as error:
        raise NoSourceCodeException(
            f"the source of {function.__qualname__} cannot be read ({error}): functions made by exec, in a prompt, or by a "
            "lambda inside an expression have none; put it in a file"
        ) from error
    ast.increment_lineno(tree, code.co_firstlineno - 1)
    return DurableAstTransformer(code.co_filename).visit(tree)
