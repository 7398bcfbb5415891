"""The structure of the package: which part may import which, and where rewriter and run time meet."""

from __future__ import annotations

import ast
import dis
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

import durable_import
from durable_import.frames.intrinsics import PROVIDED
from durable_import.pythons.codes import nested_codes
from durable_import.rewrite.analysis.names import INTRINSICS
from durable_import.rewrite.compiler import ModuleRewriting, compile_module
from tests.harness.rewriting import GOLDEN, frame_codes, resume_tree, sources

PACKAGE = Path(durable_import.__file__).parent
LAYERS = (
    "errors", "log", "ours", "tags", "pythons", "late", "rewrite", "hook", "explanation", "frames", "aio", "holds", "upgrades",
    "snapshot", "inspect", "stores", "running", "api", "compat", "ui", "cli", "testing",
)  # fmt: skip
# The order of the files and rooms inside of large rooms, each of which imports only from those before it.
ORDERS = {
    "rewrite": ("rewritten", "analysis", "passes", "emit", "compiler"),
    "snapshot": (
        "former_names", "names", "payload", "load_context", "reopened", "frame_places", "renamed_text", "new_names",
        "library",
        "iterators",
        "definitions", "declared", "filling",
        "reducers", "tasks", "with_blocks", "module_data", "table", "sealing", "diagnose", "references", "prelude", "careful",
        "unpickler",
        "pickler", "incremental", "saved_classes", "unsavable", "unread", "decoder", "encoder",
    ),
    "stores": (
        "bounds", "changes", "files", "inline_commit_policy", "owner", "sql", "worker", "state", "suspects", "strays", "listing",
        "store", "base", "former", "backend", "flat", "plain", "memory", "adapted", "disk", "sqlite", "postgres", "url",
        "contract",
    ),
    "upgrades": (
        "policies", "renames", "kept", "fields", "data", "align", "callees", "texts", "crossings", "plan", "binding", "variables",
        "moving", "decision", "pinning", "versions", "bindings", "then", "in_flight", "on_disk", "misfits", "written",
    ),
    "ui": (
        "libraries", "paths", "guard", "queries", "acts", "counts", "starting", "site", "views", "differences", "pages", "live",
        "openapi", "interface", "application", "serving",
    ),
    "running": (
        "validation", "patience", "keeper", "held_back", "slices", "sources", "unneeded", "instance", "metrics", "telemetry",
        "dispatcher", "registry",
    ),
}  # fmt: skip
# The public names and the entry point stand above all layers; so does what a user's program imports.
ABOVE = ("__init__", "__main__", "pytest_plugin")
# What the command line may import of the package: it has no way of its own into the rooms below.
OF_COMMANDS = ("errors", "log", "api", "ui", "cli")
# Documented places of before, kept for one release: they import what is above them, when they are asked.
FORMER = ("stores/contract.py",)
LOOKUPS = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")
MODULES = sorted(PACKAGE.rglob("*.py"))


def module_name(path: Path) -> str:
    """The dotted name of a module of the package."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(path): path for path in MODULES}


def layer_of(name: str) -> int | None:
    """The number of the layer of a module; None for what stands above or outside."""
    parts = name.split(".")
    if parts[0] != PACKAGE.name or len(parts) < 2 or parts[1] in ABOVE:
        return None
    return LAYERS.index(parts[1])


def layer_name(path: Path) -> str:
    """The name of the layer of a file."""
    return path.relative_to(PACKAGE).parts[0]


def imported_modules(path: Path) -> Iterator[tuple[str, int]]:
    """The modules that a module imports, anywhere in it, with the line; names imported from a package count as modules."""
    name = module_name(path)
    package = name if path.stem == "__init__" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            target = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{target}.{alias.name}" for alias in node.names]
            if not FILES.keys() >= set(names):  # else it is only the folder that they lie in
                yield target, node.lineno
            yield from ((name, node.lineno) for name in names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("import_module", "importlib.import_module"):
            texts = (inner.value for inner in ast.walk(node) if isinstance(inner, ast.Constant))
            yield from ((text, node.lineno) for text in texts if isinstance(text, str) and not text.startswith("."))


def relative(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_imports_point_one_way(path: Path) -> None:
    """A module imports only from its own layer and those below it, lazy imports included."""
    own = layer_of(module_name(path))
    if own is None or relative(path) in FORMER:
        return
    for imported, line in imported_modules(path):
        parts = imported.split(".")
        if parts[0] == PACKAGE.name and len(parts) > 1 and parts[1] in LAYERS:
            where = f"{relative(path)}:{line}"
            assert LAYERS.index(parts[1]) <= own, f"{where} imports {imported} from a layer above its own"
        elif parts[0] == PACKAGE.name and len(parts) > 1:
            is_public = parts[1] in {*durable_import.__all__, "__version__"} and layer_name(path) in ("ui", "cli")
            assert is_public, f"{relative(path)}:{line} imports {imported} from above"


@pytest.mark.parametrize("path", sorted((PACKAGE / "cli").glob("*.py")), ids=relative)
def test_commands_use_what_is_public(path: Path) -> None:
    """The command line imports public names, and else only from ``api``: whoever embeds the package can do what it does."""
    for imported, line in imported_modules(path):
        parts = imported.split(".")
        if parts[0] == PACKAGE.name and len(parts) > 1 and parts[1] in LAYERS:
            assert parts[1] in OF_COMMANDS, f"{relative(path)}:{line} imports {imported}"


def circles(graph: dict[str, set[str]]) -> Iterator[tuple[str, ...]]:
    """The groups of modules that import each other, directly or by way of others."""
    reached: dict[str, set[str]] = {}
    for name in graph:
        seen, waiting = set[str](), [name]
        while waiting:
            for other in graph.get(waiting.pop(), set()) - seen:
                seen.add(other)
                waiting.append(other)
        reached[name] = seen
    yield from {tuple(sorted(o for o in seen if name in reached.get(o, ()))) for name, seen in reached.items() if name in seen}


def test_no_circle_of_files() -> None:
    """No module imports itself by way of others, lazily or for types only neither."""
    graph = {
        name: {imported for imported, _ in imported_modules(path) if imported in FILES and imported != name}
        for name, path in FILES.items()
        if relative(path) not in FORMER
    }
    assert list(circles(graph)) == []


def test_circles_are_found() -> None:
    """Long ones, and several."""
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": {"d"}, "f": {"a"}}
    assert sorted(circles(graph)) == [("a", "b", "c"), ("d", "e")]


def test_former_places_only_warn() -> None:
    """They define nothing, and go with the release after the next."""
    for name in FORMER:
        tree = ast.parse((PACKAGE / name).read_bytes())
        assert [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)] == ["__getattr__"]
        assert "DeprecationWarning" in ast.unparse(tree)


@pytest.mark.parametrize("room", ORDERS)
def test_large_rooms_have_an_order(room: str) -> None:
    """Each file of a large room imports only from its own part and from those before it, types and lazy imports included."""
    order = ORDERS[room]
    for name, path in FILES.items():
        _, outer, *inside = name.split(".") if name.startswith(f"{PACKAGE.name}.{room}.") else ("", "")
        if outer != room:
            continue
        for imported, line in imported_modules(path):
            parts = imported.split(".")
            if parts[:2] == [PACKAGE.name, room] and len(parts) > 2 and parts[2] in order:
                where = f"{relative(path)}:{line}"
                assert order.index(parts[2]) <= order.index(inside[0]), f"{where} imports {imported} from behind its own place"


@pytest.mark.parametrize(
    ("libraries", "place"),
    [(("psycopg", "psycopg_pool"), "stores/postgres/driver.py"), (("starlette", "jinja2", "uvicorn"), "ui/libraries.py")],
)
def test_optional_libraries_are_loaded_in_one_place(libraries: tuple[str, ...], place: str) -> None:
    """What may not be installed is imported by the one module that says so in words."""
    loading = {relative(path) for path in MODULES if any(name.split(".")[0] in libraries for name, _ in imported_modules(path))}
    assert loading == {place}


def test_every_layer_is_known() -> None:
    """Each top-level module or package of durable_import has its place in the order."""
    found = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in MODULES}
    assert found <= {*LAYERS, *ABOVE}


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_modules_are_named_and_described(path: Path) -> None:
    """Each module says what it is for, and none is a drawer for odds and ends."""
    assert path.stem not in ("utils", "util", "helpers", "helper", "common", "misc")
    assert ast.get_docstring(ast.parse(path.read_bytes())), f"{relative(path)} has no docstring"


def test_intrinsics_are_the_names_provided() -> None:
    """The names that the rewriter says it calls and those that the run time provides are the same."""
    assert set(PROVIDED) == INTRINSICS


def unbound_hidden_names(code: types.CodeType) -> set[str]:
    """The hidden names that a code object and those inside it look up as globals or builtins."""
    instructions = (i for inner in (code, *nested_codes(code)) for i in dis.get_instructions(inner))
    return {str(i.argval) for i in instructions if i.opname in LOOKUPS and str(i.argval).startswith("@")}


def hidden_attributes(tree: ast.AST) -> set[str]:
    """Hidden names used as attributes or keywords, of which there should be none."""
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    keywords = {node.arg or "" for node in ast.walk(tree) if isinstance(node, ast.keyword)}
    return {name for name in attributes | keywords if name.startswith("@")}


def emitted_names() -> set[str]:
    """Every hidden name that rewritten code, fast or resumed, takes from ``builtins``."""
    emitted: set[str] = set()
    for path in sources(GOLDEN, sys.version_info[:2]):
        source = path.read_bytes()
        emitted |= unbound_hidden_names(compile_module(source, str(path), path.stem).code)
        assert not hidden_attributes(ModuleRewriting(source, str(path)).tree)
        for place, code in frame_codes(source).items():
            tree = resume_tree(source, place, code)
            emitted |= unbound_hidden_names(compile(tree, str(path), "exec", dont_inherit=True))
    return emitted


def test_every_emitted_name_is_provided() -> None:
    """Each name that rewritten code takes from ``builtins`` is there, and nothing is provided that no code asks for."""
    emitted = emitted_names()
    assert emitted <= set(PROVIDED)
    assert set(PROVIDED) <= emitted
