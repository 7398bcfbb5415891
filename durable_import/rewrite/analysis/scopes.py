"""Pass 0, analysis: which names are free in which function.

Assumes: a tree as parsed, untouched. Guarantees: for each function-like node the names that it, or what is nested in it,
takes from enclosing functions (a superset of the compiler's ``co_freevars``: annotations count as uses).
Source of the rules: the language reference, section "Naming and binding".
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
FUNCTION_NAMES = {
    ast.ListComp: "<listcomp>", ast.SetComp: "<setcomp>", ast.DictComp: "<dictcomp>", ast.GeneratorExp: "<genexpr>",
}  # of the functions that the compiler makes of them  # fmt: skip


class Scope:
    """The names of one function, class body, comprehension or module."""

    def __init__(self, kind: str, parent: Scope | None) -> None:
        self.kind = kind
        self.parent = parent
        self.bound: set[str] = set()
        self.used: set[str] = set()
        self.global_names: set[str] = set()
        self.nonlocal_names: set[str] = set()
        self.children: list[Scope] = []
        if parent is not None:
            parent.children.append(self)

    def free(self) -> set[str]:
        """Names taken from enclosing functions by this scope or by scopes inside it."""
        wanted = set(self.used | self.nonlocal_names)
        for child in self.children:
            wanted |= child.free()
        own = self.bound - self.global_names - self.nonlocal_names
        if self.kind == "class":
            own = {"__class__"}  # class variables are invisible to nested functions
            direct = (self.used & self.bound) - set().union(*(c.free() for c in self.children))
            wanted -= direct
        wanted = {name for name in wanted if name not in own and name not in self.global_names}
        return {name for name in wanted if self._in_enclosing_function(name)}

    def _in_enclosing_function(self, name: str) -> bool:
        scope = self.parent
        while scope is not None:
            if scope.kind == "class":
                if name == "__class__":
                    return True
            elif scope.kind != "module":
                if name in scope.global_names:
                    return False
                if name in scope.bound and name not in scope.nonlocal_names:
                    return True
            scope = scope.parent
        return False

    def declaration_for(self, name: str) -> str:
        """The statement ('global' or 'nonlocal') that a function nested here needs in order to rebind ``name``."""
        scope: Scope | None = self
        while scope is not None and scope.kind == "comprehension":
            scope = scope.parent
        if scope is None or scope.kind in ("module", "class") or name in scope.global_names:
            return "global"
        return "nonlocal"


class ScopeAnalysis(ast.NodeVisitor):
    """Builds the scopes of a tree; ``scopes`` maps function-like nodes (and the module) to theirs."""

    def __init__(self, tree: ast.AST) -> None:
        self.scopes: dict[ast.AST, Scope] = {}
        self.current = Scope("module", None)
        self.scopes[tree] = self.current
        self.has_annotations = not any(
            isinstance(n, ast.ImportFrom) and n.module == "__future__" and any(a.name == "annotations" for a in n.names)
            for n in getattr(tree, "body", ())
        )  # with that import they are text
        self.generic_visit(tree)

    def free_names(self, node: ast.AST) -> tuple[str, ...]:
        """The free names of a function-like node, sorted."""
        return tuple(sorted(self.scopes[node].free()))

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.current.used.add(node.id)
            if node.id == "super" and self.current.kind != "module":
                self.current.used.add("__class__")
        else:
            self.current.bound.add(node.id)

    def visit_Global(self, node: ast.Global) -> None:
        self.current.global_names.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.current.nonlocal_names.update(node.names)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            self.current.bound.add(alias.asname or alias.name.split(".")[0])

    visit_ImportFrom = visit_Import

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._visit_all(part for part in (node.target, node.value) if part is not None)
        if self.has_annotations:
            self.visit(node.annotation)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.current.bound.add(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        if node.name:
            self.current.bound.add(node.name)
        self.generic_visit(node)

    visit_MatchStar = visit_MatchAs

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self.current.bound.add(node.rest)
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        scope = self.current
        while scope.kind == "comprehension" and scope.parent is not None:
            scope.used.add(node.target.id)
            scope = scope.parent
        scope.bound.add(node.target.id)
        self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.current.bound.add(node.name)
        self._visit_all(node.decorator_list)
        self._visit_defaults(node.args)
        outer = self._enter_type_parameters(node)
        if self.has_annotations:
            self._visit_annotations(node.args)
            self._visit_all([node.returns] if node.returns is not None else [])
        self._visit_function(node, node.body)
        self.current = outer

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_defaults(node.args)
        self._visit_function(node, [node.body])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.current.bound.add(node.name)
        self._visit_all(node.decorator_list)
        outer = self._enter_type_parameters(node)
        self._visit_all(node.bases)
        self._visit_all(k.value for k in node.keywords)
        enclosing, self.current = self.current, Scope("class", self.current)
        self.scopes[node] = self.current
        self._visit_all(node.body)
        self.current = enclosing
        self.current = outer

    def visit_TypeAlias(self, node: Any) -> None:
        self.visit(node.name)
        outer = self._enter_type_parameters(node)
        self.visit(node.value)
        self.current = outer

    def visit_comprehension_expression(self, node: Any) -> None:
        first, *others = node.generators
        self.visit(first.iter)
        enclosing, self.current = self.current, Scope("comprehension", self.current)
        self.scopes[node] = self.current
        self.visit(first.target)
        self._visit_all(first.ifs)
        for generator in others:
            self.visit(generator.iter)
            self.visit(generator.target)
            self._visit_all(generator.ifs)
        self._visit_all(element_parts(node))
        self.current = enclosing

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_comprehension_expression

    def _visit_function(self, node: Any, body: Iterable[ast.AST]) -> None:
        enclosing, self.current = self.current, Scope("function", self.current)
        self.scopes[node] = self.current
        self.current.bound.update(a.arg for a in all_arguments(node.args))
        self._visit_all(body)
        self.current = enclosing

    def _enter_type_parameters(self, node: Any) -> Scope:
        """Open the scope of PEP 695 parameters, if any; returns the scope to go back to."""
        outer = self.current
        parameters = getattr(node, "type_params", [])
        if parameters:
            self.current = Scope("function", outer)
            self.current.bound.update(p.name for p in parameters)
            for parameter in parameters:
                self.generic_visit(parameter)
        return outer

    def _visit_defaults(self, arguments: ast.arguments) -> None:
        self._visit_all(arguments.defaults)
        self._visit_all(d for d in arguments.kw_defaults if d is not None)

    def _visit_annotations(self, arguments: ast.arguments) -> None:
        self._visit_all(a.annotation for a in all_arguments(arguments) if a.annotation is not None)

    def _visit_all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)


def mangled(name: str, class_name: str | None) -> str:
    """A name as it is in a class: one that is private to it has the name of the class in front."""
    owner = (class_name or "").lstrip("_")
    return f"_{owner}{name}" if owner and name[:2] == "__" != name[-2:] else name


def element_parts(comprehension: Any) -> list[ast.expr]:
    """What a comprehension evaluates for each element, in order; ``{**value for ...}`` has a key only."""
    if not isinstance(comprehension, ast.DictComp):
        return [comprehension.elt]
    return [part for part in (comprehension.key, comprehension.value) if part is not None]


def default_expressions(arguments: ast.arguments) -> dict[str, ast.expr]:
    """The defaults by parameter, as they are written."""
    positional = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
    found = dict(zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True))
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return found | {each.arg: default for each, default in pairs if default is not None}


def all_arguments(arguments: ast.arguments) -> list[ast.arg]:
    """Every parameter, in the order of ``co_varnames``."""
    found = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    if arguments.vararg:
        found.append(arguments.vararg)
    if arguments.kwarg:
        found.append(arguments.kwarg)
    return found
