"""Source to rewritten code: the passes in order, for a module, and for the resume variant of one function.

    parse -> pauses -> places -> scopes -> [for each function] normalise -> label -> fast            (import)
                                                                                 `-> resume          (first restore)

The plain variant of a module, which runs while no runtime exists, is the fast one except for its coroutine functions: these are
as they were written, and only look first whether they are to become instances. So no await costs anything there; what was
begun in it cannot be saved. Generators can: they may begin long before they are used.
"""

from __future__ import annotations
import __future__

import ast
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..pythons.codes import nested_codes, silent
from ..pythons.versions import INLINES_COMPREHENSIONS, MAX_BLOCKS
from .analysis.annotations import ANNOTATE, Annotations
from .analysis.names import STATE, call, load
from .analysis.nesting import MOST_BLOCKS_OF_ONE, blocks_of_comprehension, check_nesting, too_deep
from .analysis.node_paths import NodePaths, standing_for
from .analysis.places import MARK_BASE, Places, digest_of_annotations, digests, numbers_by_code, numbers_by_name
from .analysis.scopes import ScopeAnalysis, mangled
from .analysis.suspensions import LISTS, Pause, WithBlock, any_suspends, is_asynchronous, is_generator, is_lifted, points
from .analysis.text import Text
from .emit.fast import fast_body, located
from .emit.resume import RESUME_NAME, enter_function, resume_function
from .passes.comprehensions import FIRST, generator_function, make_super_explicit
from .passes.hidden_names import HiddenNames
from .passes.lift import Statements
from .passes.normalise import Normaliser, number_labels
from .passes.pauses import EXCEPTION, mark_pauses
from .rewritten import RewrittenModule

Prepare: TypeAlias = Callable[[ast.Module, Places], None]  # changes a tree whose places, digests and paths are known
BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")


@dataclass(frozen=True)
class Inside:
    """What code compiled later has to fit into: the variables to restore from the state, those in cells, the code objects
    by place that take the place of their copies inside, the compiler flags of the module, and the first line of the code, which
    for a decorated function is that of its first decorator."""

    variables: list[str]
    captured: list[str]
    originals: dict[str, types.CodeType]
    flags: int
    first_line: int


def compile_module(
    source: bytes, path: str, module: str = "", *, is_library: bool = False, has_roots: bool = True
) -> RewrittenModule:
    """Rewrite and compile a module. Raises ``SyntaxError``, or ``UnsupportedSyntaxError`` with the way out.

    ``has_roots``: whether its functions become instances when they are the outermost ones; those of a library do not.
    """
    del module
    return compile_rewriting(ModuleRewriting(source, path, is_library=is_library, has_roots=has_roots), source)


def compile_rewriting(rewriting: ModuleRewriting, source: bytes) -> RewrittenModule:
    """The fast variant that a run of the rewriter has made. Raises as ``compile_module`` does."""
    check_nesting(rewriting.tree, source, rewriting.path, rewriting.deepest)
    code, nodes = rewriting.compiled()
    return RewrittenModule(code, tuple(rewriting.row(node) if node is not None else None for node in nodes))


def compile_plain(source: bytes, path: str, module: str = "") -> RewrittenModule:
    """The plain variant of a module, which is made without the fast one. Raises as ``compile_module`` does."""
    rewriting = ModuleRewriting(source, path, is_plain=True)
    if rewriting.may_be_too_deep:
        compile_module(source, path, module)
    code, nodes = rewriting.compiled()
    return RewrittenModule(code, tuple(rewriting.place_of(n) if n is not None and _is_the_same(n) else None for n in nodes))


def _is_the_same(node: ast.AST | Annotations) -> bool:
    """Whether the code of a node in the plain variant does what the one in the fast variant does, seen from outside."""
    if isinstance(node, ast.GeneratorExp):
        return not is_lifted(node)
    return not isinstance(node, (ast.ClassDef, *LISTS))


class ModuleRewriting(ast.NodeTransformer):
    """One run of the rewriter over a module: ``tree`` becomes the fast variant, the bodies before it are kept.

    How it names hidden variables and numbers labels is its own affair: snapshots name both by the tree as parsed. ``prepare``
    may change that tree once all that snapshots say of it is known.
    """

    hidden_names = HiddenNames
    number_labels = staticmethod(number_labels)

    def __init__(
        self,
        source: bytes | ast.Module,
        path: str,
        *,
        is_library: bool = False,
        has_roots: bool = True,
        is_plain: bool = False,
        prepare: Prepare | None = None,
    ) -> None:
        self.path = path
        self.is_plain = is_plain
        self.is_library = is_library
        self.has_roots = has_roots and not is_library
        self.tree: Any = source if isinstance(source, ast.Module) else ast.parse(source, path)
        self.text = Text(source if isinstance(source, bytes) else None)
        if self.text.may_say(EXCEPTION):
            mark_pauses(self.tree)
        self.places = Places(self.tree)
        self.digests = {} if is_plain else digests(self.places.order)
        self.paths: dict[ast.AST, NodePaths] = {}  # as parsed, if the tree is another one than that
        if prepare is not None:
            self.paths = {node: NodePaths(node) for node in self.places.order}
            prepare(self.tree, self.places)
        if INLINES_COMPREHENSIONS and self.text.may_say("super"):
            make_super_explicit(self.tree)
        self.analysis = ScopeAnalysis(self.tree)
        self.deepest = max((blocks_of_comprehension(n) for n in self.analysis.scopes if isinstance(n, LISTS)), default=0)
        enough = (MAX_BLOCKS - self.deepest) // MOST_BLOCKS_OF_ONE
        self.may_be_too_deep = is_plain and too_deep(self.tree.body, maximum=enough) is not None
        self.bodies: dict[ast.AST, Statements] = {}
        self.with_blocks: dict[ast.AST, dict[str, WithBlock]] = {}
        self.carrier: dict[ast.AST, Any] = {}  # for comprehensions: the function made of them
        self.tree = self.visit(self.tree)

    def compiled(self) -> tuple[types.CodeType, list[ast.AST | Annotations | None]]:
        """The code of the module, and what each nested code object, as ``codes.nested_codes`` gives them, is of.

        That is a function-like node, or what evaluates the annotations of one.
        """
        numbers = {node: MARK_BASE + i for i, node in enumerate(self.places.order)}
        carriers = {self.carrier.get(node, node): number for node, number in numbers.items()}
        code = compile(self.tree, self.path, "exec", dont_inherit=True)
        by_code = numbers_by_name(code, carriers, self.places.code_names)
        if by_code is None:
            with silent():
                by_code = numbers_by_code(self.tree, carriers, self.path)
        return code, [self._numbered(number) for number in by_code]

    def _numbered(self, number: int) -> ast.AST | Annotations | None:
        if not number:
            return None
        node = self.places.order[abs(number) - MARK_BASE]
        return node if number > 0 else Annotations(node)

    def place_of(self, node: ast.AST | Annotations) -> str:
        """The place of a function-like node, or of what evaluates the annotations of one."""
        return self.places.path_of[node.owner] + ANNOTATE if isinstance(node, Annotations) else self.places.path_of[node]

    def row(self, node: ast.AST | Annotations) -> tuple[Any, ...] | None:
        """What the run time must know of one function-like node; None for what runs as it was."""
        if isinstance(node, Annotations):
            return self.place_of(node), digest_of_annotations(node.owner), {}
        body = self.body_of(node)
        if body is None and isinstance(node, (ast.GeneratorExp, *LISTS)):
            return None  # a comprehension of its own function in Python 3.11, or an asynchronous one in a lambda
        place = sys.intern(self.places.path_of[node])  # mostly it is the qualified name of the code, and then the same object
        row = place, self.digests[node], {point.label: point.place() for point in points(body or [])}
        if not self.is_library:
            return row
        return *row, {p.label: ast.unparse(p.operand) if p.operand is not None else "" for p in points(body or [])}

    def _names_of(self, node: ast.AST) -> HiddenNames:
        paths = self.paths.get(node)
        return self.hidden_names(node) if paths is None else self.hidden_names(node, paths)

    def body_of(self, node: Any) -> Statements | None:
        """The normalised body of a function; that of a plain generator expression is made on demand."""
        if isinstance(node, ast.GeneratorExp) and node not in self.bodies and not is_asynchronous(node):
            function = self.carrier[node] = generator_function(node)
            scope = self.analysis.scopes[node]
            names = self._names_of(node)
            body = Normaliser(scope, names, is_async_generator=False, rewrite_nested=lambda n: n).body(function.body)
            self.number_labels(body)
            self.bodies[node] = body
        return self.bodies.get(node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Go on with the statements inside: no expression holds a definition."""
        for name in BLOCKS:
            block = getattr(node, name, None)
            if isinstance(block, list):
                setattr(node, name, [self.visit(inner) for inner in block])
        return node

    def visit_FunctionDef(self, node: Any) -> Any:
        origin = getattr(node, "origin", node)
        if origin is not node:
            self.carrier[origin] = node
        if not self.text.may_suspend(node):
            return node
        generator = is_generator(node)
        asynchronous = isinstance(node, ast.AsyncFunctionDef)
        if not generator and not asynchronous and not any_suspends(node.body):
            return self.generic_visit(node)
        docstring, statements = _split_docstring(node.body)
        if self.is_plain and asynchronous and not generator and origin is node:
            statements = [self.visit(statement) for statement in statements]
            node.body = [*docstring, *self._opening(node, statements, node), *statements] or [ast.Pass()]
            return node
        names = self._names_of(origin)
        statements = [_HiddenFromLocals().visit(s) for s in statements]
        normaliser = Normaliser(
            self.analysis.scopes[origin], names, is_async_generator=generator and asynchronous, rewrite_nested=self.visit
        )
        body = normaliser.body(statements)
        self.number_labels(body)
        self.bodies[origin] = body
        self.with_blocks[origin] = normaliser.with_blocks
        emitted = fast_body(body)
        at = statements[0] if statements else node
        opening = self._opening(origin, emitted, at) if asynchronous and not generator and origin is node else []
        node.body = [*docstring, *opening, *(located(s, at) for s in emitted)]
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Pause(self, node: Pause) -> ast.stmt:
        """In the plain variant: outside of an instance it is what it was."""
        return ast.copy_location(ast.Raise(exc=node.exc, cause=node.cause), node)

    def _opening(self, function: Any, body: Statements, at: ast.AST) -> Statements:
        """``if @ON and @outermost(): return await @instance(lambda: free variables)``, for a function with this body.

        One without free variables has no lambda.
        """
        if not self.has_roots:
            return []
        names = self.analysis.free_names(function)
        cells = ast.Lambda(args=_no_arguments(), body=ast.Tuple(elts=[load(n) for n in names], ctx=ast.Load()))
        test = ast.BoolOp(op=ast.And(), values=[load("@ON"), call("@outermost")])
        instance = ast.Await(value=call("@instance", cells) if names else call("@instance"))
        opening = ast.If(test=test, body=[ast.Return(value=instance)], orelse=[])
        first = next((s for s in body if not isinstance(s, (ast.Global, ast.Nonlocal))), None)
        return [located(opening, _evaluated_first(first) if first is not None and hasattr(first, "lineno") else at)]

    def _is_own(self, node: ast.AST, name: str) -> bool:
        """Whether a captured variable is one of the function, not private to a comprehension inlined into it (PEP 709)."""
        scope = self.analysis.scopes[node]
        names = {mangled(n, self.places.class_of[node]) for n in scope.bound | scope.free()}
        return name in names or name == FIRST

    def compile_resume(self, place: str, inside: Inside) -> types.CodeType:
        """The code of the resume variant of the function at ``place``. May be called once a place."""
        node = self.places.by_path[place]
        body = self.body_of(node)
        assert body is not None
        tree = resume_function(
            self.carrier.get(node, node),
            body,
            variables=inside.variables,
            captured=self._own(node, inside.captured),
            free=self._free(node),
            class_name=self.places.class_of[node],
        )
        definition: Any = next(n for n in ast.walk(tree) if getattr(n, "name", None) == RESUME_NAME)
        if inside.first_line < definition.lineno:
            line: Any = {"lineno": inside.first_line, "end_lineno": inside.first_line, "col_offset": 0, "end_col_offset": 0}
            definition.decorator_list = [ast.Constant(None, **line)]
        return self._compile_nested(tree, inside)

    def compile_enter(self, place: str, manager: str, inside: Inside, *, is_kept: bool, is_entered: bool) -> types.CodeType:
        """The code of a function that enters a ``with`` block again: that of the hidden variable ``manager``."""
        node = self.places.by_path[place]
        tree = enter_function(
            self.carrier.get(node, node),
            self.with_blocks[node][manager],
            manager,
            variables=inside.variables,
            captured=self._own(node, inside.captured),
            free=self._free(node),
            class_name=self.places.class_of[node],
            is_kept=is_kept,
            is_entered=is_entered,
        )
        return self._compile_nested(tree, inside)

    def _own(self, node: ast.AST, captured: list[str]) -> list[str]:
        return [name for name in dict.fromkeys(captured) if self._is_own(node, name)]  # one may be hidden by a comprehension

    def _free(self, node: ast.AST) -> set[str]:
        return {mangled(name, self.places.class_of[node]) for name in self.analysis.free_names(node)}

    def _compile_nested(self, tree: ast.Module, inside: Inside) -> types.CodeType:
        nodes = set(ast.walk(tree))
        numbers = {}
        for i, candidate in enumerate(self.places.order):
            for node in {candidate, self.carrier.get(candidate, candidate)} & nodes:  # a generator expression has both
                numbers[node] = MARK_BASE + i
        flags = inside.flags & __future__.annotations.compiler_flag
        with silent():
            by_code = numbers_by_code(tree, numbers, self.path, flags)
            code = compile(tree, self.path, "exec", flags=flags, dont_inherit=True)
        replacements = {}
        for nested, number in zip(nested_codes(code), by_code, strict=True):
            original = inside.originals.get(self.places.of_number(number)) if number else None
            if original is not None:
                replacements[id(nested)] = original
        function = next(c for c in nested_codes(code) if STATE in c.co_varnames[:1])
        return _with_originals(function, replacements)


def _with_originals(code: types.CodeType, replacements: dict[int, types.CodeType]) -> types.CodeType:
    constants: list[Any] = []
    for constant_ in code.co_consts:
        if isinstance(constant_, types.CodeType):
            original = replacements.get(id(constant_))
            constant_ = original if original is not None else _with_originals(constant_, replacements)
        constants.append(constant_)
    return code.replace(co_consts=tuple(constants))


def _split_docstring(body: list[ast.stmt]) -> tuple[list[ast.stmt], list[ast.stmt]]:
    first = body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return body[:1], body[1:]
    return [], body


def _evaluated_first(node: ast.AST) -> ast.AST:
    """The part of a statement that runs first: a function's opening shares its position, so that tracers see no more lines."""
    for decorator in getattr(node, "decorator_list", []):
        return decorator  # type: ignore[no-any-return]
    for name in ("value", "func", "left", "test", "iter", "exc", "operand", "subject", "body"):
        part = getattr(node, name, None)
        if isinstance(part, ast.expr) and hasattr(part, "lineno"):
            return _evaluated_first(part)
    return node


def _no_arguments() -> ast.arguments:
    return ast.arguments(posonlyargs=[], args=[], vararg=None, kwonlyargs=[], kw_defaults=[], kwarg=None, defaults=[])


class _HiddenFromLocals(ast.NodeTransformer):
    """``locals()``, ``vars()`` and ``dir()`` show only what the user has bound."""

    def _leave_alone(self, node: Any) -> Any:
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = visit_ClassDef = _leave_alone

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        asks = isinstance(node.func, ast.Name) and node.func.id in ("locals", "vars", "dir")
        if not asks or node.args or node.keywords:
            return node
        return standing_for(located(call("@visible", node), node), node)  # type: ignore[no-any-return]
