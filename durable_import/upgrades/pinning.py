"""The code of an earlier version as it runs today: what it calls, passes on, or reads by a name, is that of its own version.

The tree of its module is changed before it is rewritten. What it says there is found when it is reached: see ``then``. The
globals are those of today's module, so data and classes are today's, and so is what Python or a library calls by itself.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from ..rewrite.analysis.names import call, constant
from ..rewrite.analysis.node_paths import standing_for
from ..rewrite.analysis.places import Places
from ..rewrite.analysis.scopes import COMPREHENSIONS, Scope, ScopeAnalysis, mangled

OWN, READ, NAMED, THEN = "@own", "@read", "@named", "@then"  # the functions of ``then``, as the code finds them
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
CALLED_BY_NAME = frozenset({"super", "locals", "vars", "dir", "globals", "eval", "exec"})
# Methods of containers, which compare what they are given, or keep it: these get the objects of today.
KEEPING = frozenset(
    {
        "add", "append", "appendleft", "count", "discard", "extend", "extendleft", "get", "index", "insert", "pop", "remove",
        "setdefault", "update",
    }
)  # fmt: skip
COMPARING = frozenset({"id", "isinstance", "issubclass", "hash", "type"})
# What cannot be a function, or is one that this code has made.
PLAIN = (
    ast.Constant, ast.JoinedStr, ast.Compare, ast.UnaryOp, ast.BinOp, ast.Lambda, ast.List, ast.Tuple, ast.Dict, ast.Set,
    ast.Starred, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr, *COMPREHENSIONS,
)  # fmt: skip


def keeps_arguments(node: ast.Call) -> bool:
    """Whether a call only looks at what it is given, or keeps it in a container, as far as the name of its function tells."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr in KEEPING
    return isinstance(node.func, ast.Name) and node.func.id in COMPARING


def passed_on(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Those of some expressions, as parsed, that are called or passed on."""
    for node in nodes:
        if isinstance(node, ast.Call):
            yield node.func
            if not keeps_arguments(node):
                yield from node.args
                yield from (keyword.value for keyword in node.keywords if keyword.arg is not None)


class Pinning(ast.NodeTransformer):
    """Changes the bodies of the functions of a module.

    ``members``: the names that functions have in any module of the version; ``absent``: the module-level names of the old text
    that the module of today does not have.
    """

    def __init__(self, version: str, module: str, members: Collection[str], absent: Collection[str]) -> None:
        self.version = version
        self.module = module
        self.members = members
        self.absent = absent
        self._scope: Scope | None = None  # of the function around, if any
        self._class: str | None = None

    def __call__(self, tree: ast.Module, places: Places) -> None:
        """Change a tree as parsed."""
        self._places = places
        self._scopes = ScopeAnalysis(tree).scopes
        self._bound = self._scopes[tree].bound
        self._functions = {each.name for each in tree.body if isinstance(each, FUNCTIONS) and not each.decorator_list}
        self.generic_visit(tree)

    def _function(self, node: Any) -> Any:
        outer, outer_class = self._scope, self._class
        if outer is not None:
            self._visit_around(node)
        self._scope, self._class = self._scopes[node], self._places.class_of[node]
        if isinstance(node, ast.Lambda):
            node.body = self.visit(node.body)
        else:
            node.body = [self.visit(statement) for statement in node.body]
        self._scope, self._class = outer, outer_class
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _function

    def _visit_around(self, node: Any) -> None:
        """What a definition evaluates in the function around it. Annotations stay as they are."""
        if hasattr(node, "decorator_list"):
            node.decorator_list = [self._own(self.visit(each)) for each in node.decorator_list]
        arguments = node.args
        arguments.defaults = [self.visit(each) for each in arguments.defaults]
        arguments.kw_defaults = [each if each is None else self.visit(each) for each in arguments.kw_defaults]

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        if self._scope is None:
            node.body = [self.visit(each) for each in node.body]
            return node
        node.decorator_list = [self._own(self.visit(each)) for each in node.decorator_list]
        node.bases = [self.visit(each) for each in node.bases]
        outer, self._scope = self._scope, self._scopes.get(node, self._scope)
        node.body = [self.visit(each) for each in node.body]
        self._scope = outer
        return node

    def _comprehension(self, node: Any) -> Any:
        if self._scope is None:
            return self.generic_visit(node)
        first = node.generators[0]
        first.iter = self.visit(first.iter)
        outer, self._scope = self._scope, self._scopes[node]
        for name, value in ast.iter_fields(node):
            if name == "generators":
                for generator in value:
                    self._visit_generator(generator, is_first=generator is first)
            elif isinstance(value, ast.AST):
                setattr(node, name, self.visit(value))
        self._scope = outer
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def _visit_generator(self, node: ast.comprehension, *, is_first: bool) -> None:
        node.target = self.visit(node.target)
        if not is_first:
            node.iter = self.visit(node.iter)
        node.ifs = [self.visit(each) for each in node.ifs]

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        node.target = self.visit(node.target)
        node.value = self.visit(node.value) if node.value is not None else None
        return node

    def _as_it_is(self, node: Any) -> Any:
        return node

    visit_MatchClass = visit_MatchValue = _as_it_is

    def visit_Name(self, node: ast.Name) -> Any:
        if self._scope is None or not isinstance(node.ctx, ast.Load):
            return node
        name = mangled(node.id, self._class)
        if name not in self.absent or not self._is_global(name):
            return node
        return self._instead(node, THEN, constant(self.module), constant(name))

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        self.generic_visit(node)
        if self._scope is None or not isinstance(node.ctx, ast.Load):
            return node
        name = mangled(node.attr, self._class)
        return self._instead(node, READ, node.value, constant(name)) if name in self.members else node

    def visit_Call(self, node: ast.Call) -> Any:
        keeps = keeps_arguments(node) and not (isinstance(node.func, ast.Name) and not self._is_builtin(node.func.id))
        self.generic_visit(node)
        if self._scope is None:
            return node
        node.func = self._own(node.func)
        if keeps:
            return node
        node.args = [self._own(each) for each in node.args]
        for keyword in node.keywords:
            if keyword.arg is not None:
                keyword.value = self._own(keyword.value)
        return node

    def _own(self, node: Any) -> Any:
        """An expression whose value is called or passed on."""
        if isinstance(node, PLAIN) or (isinstance(node, ast.Name) and self._is_builtin(node.id)):
            return node
        if isinstance(node, ast.Name) and node.id in self._functions and self._is_global(node.id):
            return self._instead(node, NAMED, constant(self.module), constant(node.id))
        return self._instead(node, OWN, node)

    def _instead(self, node: Any, function: str, *arguments: ast.expr) -> Any:
        made = call(function, constant(self.version), *arguments)
        for each in ast.walk(made):
            if "lineno" in each._attributes and not hasattr(each, "lineno"):
                ast.copy_location(each, node)
        return standing_for(ast.copy_location(made, node), node)

    def _is_builtin(self, name: str) -> bool:
        return name in CALLED_BY_NAME or (hasattr(builtins, name) and self._is_global(name) and name not in self._bound)

    def _is_global(self, name: str) -> bool:
        scope, is_own = self._scope, True
        while scope is not None and scope.kind != "module":
            if name in scope.global_names:
                return True
            if name in scope.bound and (is_own or scope.kind != "class"):
                return False
            scope, is_own = scope.parent, False
        return True
