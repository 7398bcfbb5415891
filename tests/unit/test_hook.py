"""The import hook: what it rewrites, what it leaves alone, and that nobody can tell the difference."""

from __future__ import annotations

import asyncio
import errno
import importlib
import importlib.resources
import importlib.util
import inspect
import linecache
import os
import pkgutil
import py_compile
import runpy
import subprocess
import sys
import threading
import traceback
import types
import warnings
import zipfile
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from typing import Any

import pytest

import durable_import
from durable_import.errors import UnsupportedSyntaxError
from durable_import.rewrite import cache, marker
from durable_import.rewrite.finder import DurableFinder
from durable_import.rewrite.install import install, uninstall
from durable_import.rewrite.loader import DurableSourceLoader, RewritingLoader

DATA = Path(__file__).parent / "hook_data"
REPOSITORY = Path(durable_import.__file__).parent.parent
COMPILER, REGISTRY = "durable_import.rewrite.compiler", "durable_import.rewrite.registry"
RICH = '''# durable: on
"""A module."""
import asyncio
from dataclasses import dataclass

@dataclass
class Point:
    """A point."""
    x: int

def gen(n):
    yield from range(n)

async def main(n):
    """Doc."""
    total = 0
    for i in gen(n):
        await asyncio.sleep(0)
        total += Point(i).x
    return total
'''


class Rewriter:
    """What a test sees of the rewriter in use: its calls in order, as ("compile" or "register", module name)."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self.registered: list[tuple[str, str, bytes, Any]] = []

    def compiled(self) -> list[str]:
        return [name for what, name in self.events if what == "compile"]


def _rewriters() -> list[str]:
    return ["fake", "real"] if all(map(importlib.util.find_spec, (COMPILER, REGISTRY))) else ["fake"]


@pytest.fixture(params=_rewriters())
def rewriter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Rewriter:
    """The rewriter, fake or real, with its two entries observed."""
    monkeypatch.syspath_prepend(str(DATA))
    if request.param == "fake":
        for name, module in importlib.import_module("fake_rewriter").modules().items():
            monkeypatch.setitem(sys.modules, name, module)
    compiler: Any = sys.modules[COMPILER] if request.param == "fake" else importlib.import_module(COMPILER)
    registry: Any = sys.modules[REGISTRY] if request.param == "fake" else importlib.import_module(REGISTRY)
    seen = Rewriter()
    compile_module, register_module = compiler.compile_module, registry.register_module

    def compile_observed(source: bytes, path: str, module: str) -> Any:
        seen.events.append(("compile", module))
        return compile_module(source, path, module)

    def register_observed(name: str, path: str, source: bytes, rewritten: Any) -> None:
        seen.events.append(("register", name))
        seen.registered.append((name, path, source, rewritten))
        register_module(name, path, source, rewritten)

    monkeypatch.setattr(compiler, "compile_module", compile_observed)
    monkeypatch.setattr(registry, "register_module", register_observed)
    return seen


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An importable folder; the hook and the modules that a test imports are gone afterwards."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    uninstall()
    yield tmp_path
    uninstall()
    for name in set(sys.modules) - before:
        if name.startswith("m_") or name == "part":
            del sys.modules[name]
    linecache.clearcache()


@pytest.fixture
def hook(folder: Path, rewriter: Rewriter) -> Iterator[Path]:  # noqa: ARG001  it is wanted for what it does
    """An importable folder with the hook installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        install()
        yield folder


def write(folder: Path, files: dict[str, str | bytes]) -> None:
    """Write files below ``folder``; the finders are told."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    importlib.invalidate_caches()


def fresh(name: str) -> types.ModuleType:
    """Import ``name`` anew, as a new process would."""
    sys.modules.pop(name, None)
    importlib.invalidate_caches()
    return importlib.import_module(name)


def put_behind(monkeypatch: pytest.MonkeyPatch, finder: object) -> None:
    """Put somebody else's finder right behind ours for the time of the test."""
    assert isinstance(sys.meta_path[0], DurableFinder)
    others: list[Any] = sys.meta_path[1:]
    uninstall()
    monkeypatch.setattr(sys, "meta_path", [finder, *others])
    install()


def is_rewritten(module: types.ModuleType) -> bool:
    """Whether a rewriting loader loaded the module."""
    return module.__spec__ is not None and isinstance(module.__spec__.loader, RewritingLoader)


def caches(folder: Path) -> list[str]:
    """Names of the files of rewritten bytecode in the folder's cache."""
    return sorted(path.name for path in (folder / "__pycache__").glob("*durable*"))


def python(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run this Python with the project, the fake rewriter and ``cwd`` importable."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment["PYTHONPATH"] = os.pathsep.join([str(cwd), str(REPOSITORY), str(DATA)])
    environment.update(variables)
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=60)


# --- marker -----------------------------------------------------------------------------------------------------------

MARKED = [
    b"# durable: on",
    b"# durable: on\n",
    b"#durable:on\r\nx = 1\r\n",
    b"#  durable:   on  # why\nx = 1",
    b"# durable: on - as it runs for days\nx = 1",
    b"   # durable: on\nx = 1",
    b"\xef\xbb\xbf# durable: on\nx = 1",
    b"#!/usr/bin/env python3\n# -*- coding: latin-1 -*-\n# Copyright \xe9\n\n\x0c\n# durable: on\nx = 1",
    b'"""Doc."""\n# durable: on\nx = 1',
    b'"""Doc."""  # durable: on\nx = 1',
    b'# c\n\n"""Doc\n# durable: off\n\\""" still"""\n\n# c\n# durable: on\nimport x',
    b"r'''Doc ''\\''' '''\n# durable: on\nimport x",
    b"'one' \"two\"  # durable: on\nx = 1",
    b"''\n# durable: on\n",
    b"# durable: on\n# durable: off\n",
    b"# durable: on\rx = 1",
    '# coding: gbk\n"""\u8a89\u4e00\u7a5c"""\n# durable: on\n'.encode("gbk"),
]
UNMARKED = [
    b"",
    b"x = 1",
    b"x = 1\n# durable: on\n",
    b"# durable: off\nx = 1",
    b"# durable: off\n# durable: on\n",
    b"# durable: once\n",
    b"# durable: on-call\n",
    b"# not durable: on\n",
    b"# durable\n# on\n",
    b'"""Doc.\n# durable: on\n"""\nx = 1',
    b'"""Doc."""\n"""Another."""\n# durable: on\n',
    b'"""Doc."""; x = 1\n# durable: on\n',
    b'"""Doc.""" % 1\n# durable: on\n',
    b"f'''Doc.'''\n# durable: on\n",
    b"b'Doc.'\n# durable: on\n",
    b"import x  # durable: on\n",
    b'"""never closed\n# durable: on\n',
    b"# coding: no-such-coding\nx = 1  # durable: on",
]


@pytest.mark.parametrize("source", MARKED)
def test_marker_is_seen(source: bytes) -> None:
    """A marker counts anywhere before the first statement other than the docstring."""
    assert marker.source_is_marked(source)


@pytest.mark.parametrize("source", UNMARKED)
def test_no_marker_is_made_up(source: bytes) -> None:
    """Text that only resembles a marker, or stands behind the head, is none."""
    assert not marker.source_is_marked(source)


@pytest.mark.parametrize("chunk", range(4, 40))
def test_marker_does_not_depend_on_where_reading_stops(
    chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the first read cuts the head, the answer is that for the whole source."""
    monkeypatch.setattr(marker, "CHUNK", chunk)
    path = tmp_path / "m.py"
    for source in MARKED + UNMARKED:
        if b"gbk" not in source:  # cut inside a character: the one case that is allowed to read on
            path.write_bytes(source)
            assert marker.file_is_marked(str(path)) == (source in MARKED), source


def test_marker_behind_a_long_docstring(tmp_path: Path) -> None:
    """A docstring longer than the first read does not hide the marker behind it."""
    path = tmp_path / "m.py"
    path.write_bytes(b'"""' + b"text\n" * 10000 + b'"""\n# durable: on\n')
    assert marker.file_is_marked(str(path))


def test_unmarked_module_pays_one_small_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an unmarked module, however long, only the head is read, once."""
    path = tmp_path / "m.py"
    path.write_bytes(b'"""Doc."""\nimport os\n' + b"x = 1  # durable: on\n" * 100_000)
    sizes: list[int] = []

    class Counting:
        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            self.file = open(*arguments, **keywords)  # noqa: SIM115  __exit__ closes it

        def __enter__(self) -> Counting:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def read(self, size: int) -> Any:
            sizes.append(size)
            return self.file.read(size)

    monkeypatch.setattr(marker, "open", Counting, raising=False)
    assert not marker.file_is_marked(str(path))
    assert sizes == [marker.CHUNK]


# --- finder: what is rewritten, what is not ---------------------------------------------------------------------------


def test_marked_module_is_rewritten(hook: Path, rewriter: Rewriter) -> None:
    """A marked module is rewritten and computes what it computes natively."""
    write(hook, {"m_rich.py": RICH})
    module: Any = importlib.import_module("m_rich")
    assert rewriter.events == [("compile", "m_rich"), ("register", "m_rich")]
    assert rewriter.registered[0][1:3] == (str(hook / "m_rich.py"), RICH.encode())
    assert asyncio.run(module.main(4)) == 6
    assert inspect.iscoroutinefunction(module.main)
    assert (module.__doc__, module.main.__doc__, module.Point.__qualname__) == ("A module.", "Doc.", "Point")


def test_unmarked_module_keeps_its_loader(hook: Path, rewriter: Rewriter) -> None:
    """An unmarked module gets exactly the spec of the ordinary machinery."""
    write(hook, {"m_plain.py": "x = 1\n"})
    module = importlib.import_module("m_plain")
    assert type(module.__loader__) is SourceFileLoader
    assert module.__spec__ == PathFinder.find_spec("m_plain", [str(hook)])
    assert rewriter.events == []


def test_patterns_rewrite_unmarked_modules(hook: Path, rewriter: Rewriter) -> None:
    """Modules whose full name matches a pattern are rewritten without a mark."""
    write(hook, {"m_shop/__init__.py": "", "m_shop/cart.py": "x = 1", "m_shop/view.py": "x = 1"})
    install(["m_shop.c*"])
    importlib.import_module("m_shop.cart")
    importlib.import_module("m_shop.view")
    assert rewriter.compiled() == ["m_shop.cart"]


def test_finder_stands_first(hook: Path) -> None:  # noqa: ARG001
    """The finder is the first of sys.meta_path, and there once."""
    assert isinstance(sys.meta_path[0], DurableFinder)
    assert sum(isinstance(finder, DurableFinder) for finder in sys.meta_path) == 1


def test_own_modules_are_never_rewritten(hook: Path) -> None:  # noqa: ARG001
    """No pattern makes durable_import rewrite itself."""
    install(["durable_import*", "?urable_import.*"])
    assert DurableFinder().find_spec("durable_import.errors", durable_import.__path__) is None
    spec = importlib.machinery.PathFinder.find_spec("durable_import.errors", durable_import.__path__)
    finder: Any = sys.meta_path[0]
    assert spec is not None
    assert not finder.wants("durable_import.errors", spec)


def test_standard_library_is_not_read(hook: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    """Modules of the standard library, frozen, built-in and extension modules are not looked into."""
    monkeypatch.setattr(marker, "file_is_marked", lambda path: pytest.fail(f"read {path}"))
    for name in ("colorsys", "json.tool", "sys", "os", "zipimport", "_json", "math", "__hello__"):
        spec = sys.meta_path[0].find_spec(name, importlib.import_module("json").__path__ if "." in name else None)
        assert spec is not None, name
        assert not isinstance(spec.loader, RewritingLoader)


def test_standard_library_needs_its_name_in_the_pattern(hook: Path) -> None:  # noqa: ARG001
    """A pattern means a standard module only if it spells out the top-level name."""
    install(["*sys", "color*"])
    spec = sys.meta_path[0].find_spec("colorsys", None)
    assert spec is not None
    assert not isinstance(spec.loader, RewritingLoader)
    install(["colorsys"])
    spec = sys.meta_path[0].find_spec("colorsys", None)
    assert spec is not None
    assert isinstance(spec.loader, RewritingLoader)


def test_own_module_named_like_a_standard_one(hook: Path) -> None:
    """A user's marked module is rewritten though the standard library has one of its name."""
    write(hook, {"colorsys.py": "# durable: on\n"})
    spec = sys.meta_path[0].find_spec("colorsys", None)
    assert spec is not None
    assert isinstance(spec.loader, RewritingLoader)


def test_missing_module(hook: Path) -> None:  # noqa: ARG001
    """A module that does not exist is not found, with the ordinary error."""
    assert importlib.util.find_spec("m_missing") is None
    with pytest.raises(ModuleNotFoundError, match="No module named 'm_missing'"):
        importlib.import_module("m_missing")


def test_bytecode_without_source_is_left_with_a_warning(hook: Path) -> None:
    """A module that a pattern names but that has no source is imported as it is, and a warning says so."""
    write(hook, {"m_bare.py": "x = 7\n"})
    py_compile.compile(str(hook / "m_bare.py"), str(hook / "m_bare.pyc"))
    (hook / "m_bare.py").unlink()
    install(["m_bare"])
    with pytest.warns(RuntimeWarning, match="m_bare.*does not hand out source"):
        assert fresh("m_bare").x == 7


class Foreign:
    """A finder of somebody else's, with a loader that is no SourceFileLoader and takes its sources from a dict."""

    def __init__(self, sources: dict[str, str]) -> None:
        self.sources = sources

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        if name not in self.sources:
            return None
        return importlib.util.spec_from_file_location(name, f"<memory>/{name}.py", loader=self)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> types.ModuleType | None:
        module = types.ModuleType(spec.name)
        module.__dict__["made_by"] = "Foreign"
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        exec(self.sources[module.__name__], module.__dict__)

    def get_data(self, path: str) -> bytes:
        return self.sources[Path(path).stem].encode()

    def get_source(self, name: str) -> str:
        return self.sources[name]

    def favourite(self) -> str:
        return "colour"


def test_other_finders_are_asked(hook: Path, monkeypatch: pytest.MonkeyPatch, rewriter: Rewriter) -> None:  # noqa: ARG001
    """A marked module of another finder is rewritten; its loader is still asked for everything else."""
    foreign = Foreign({"m_on": "# durable: on\nx = 1\n", "m_off": "x = 2\n"})
    put_behind(monkeypatch, foreign)
    on, off = importlib.import_module("m_on"), importlib.import_module("m_off")
    assert (on.x, on.made_by, off.x, off.__dict__["__loader__"]) == (1, "Foreign", 2, foreign)
    assert rewriter.compiled() == ["m_on"]
    loader: Any = on.__loader__
    assert (loader.favourite(), inspect.getsource(on)) == ("colour", "# durable: on\nx = 1\n")
    del sys.modules["m_on"], sys.modules["m_off"]


def test_loader_without_sources_is_left_with_a_warning(hook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A marked module whose loader hands out no source is imported as it is, and a warning says so."""

    class Opaque(Foreign):
        def __getattribute__(self, name: str) -> Any:
            if name in ("get_source", "get_data"):
                raise AttributeError(name)
            return super().__getattribute__(name)

        def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
            if name not in self.sources:
                return None
            return importlib.util.spec_from_file_location(name, hook / f"{name}.py", loader=self)

    monkeypatch.delattr(Foreign, "get_data")
    write(hook, {"m_opaque.py": "# durable: on\n"})
    put_behind(monkeypatch, Opaque({"m_opaque": "x = 1"}))
    with pytest.warns(RuntimeWarning, match="m_opaque.*does not hand out source"):
        assert importlib.import_module("m_opaque").x == 1


def test_loader_that_transforms_code_is_replaced_with_a_warning(hook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A marked module of another rewriting loader is made durable, and a warning names the loser."""

    class Shouting(SourceFileLoader):
        def get_code(self, fullname: str) -> types.CodeType:  # noqa: ARG002
            pytest.fail("both rewrote the module")

    class ShoutingFinder:
        def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
            where = str(hook / f"{name}.py")
            if name != "m_loud":
                return None
            return importlib.util.spec_from_file_location(name, where, loader=Shouting(name, where))

    write(hook, {"m_loud.py": "# durable: on\nx = 1"})
    put_behind(monkeypatch, ShoutingFinder())
    with pytest.warns(RuntimeWarning, match="m_loud.*Shouting"):
        assert is_rewritten(importlib.import_module("m_loud"))


def test_finder_that_asks_everybody_does_not_recurse(hook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another finder that delegates to all of sys.meta_path, as ours does, leads to no endless recursion."""

    class Asking:
        def find_spec(self, *arguments: Any) -> ModuleSpec | None:
            others = [finder for finder in sys.meta_path if finder is not self]
            return next(filter(None, (finder.find_spec(*arguments) for finder in others)), None)

    write(hook, {"m_asked.py": "# durable: on\nx = 1"})
    put_behind(monkeypatch, Asking())
    assert is_rewritten(importlib.import_module("m_asked"))


def test_many_threads_import_at_once(hook: Path, rewriter: Rewriter) -> None:
    """Modules imported by many threads at the same time are each rewritten and executed once."""
    names = [f"m_thread{i}" for i in range(20)]
    write(hook, {f"{name}.py": RICH for name in names})
    start, failures = threading.Barrier(8), []

    def work() -> None:
        start.wait()
        for name in names:
            try:
                importlib.import_module(name)
            except BaseException as error:
                failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(rewriter.compiled()) == sorted(names)


# --- what behaves as before -------------------------------------------------------------------------------------------

PACKAGE: dict[str, str | bytes] = {
    "m_pkg/__init__.py": "# durable: on\nfrom . import a\nfrom .sub.b import y\n",
    "m_pkg/a.py": "# durable: on\nx = 1\n",
    "m_pkg/sub/__init__.py": "",
    "m_pkg/sub/b.py": '"""Doc."""\n# durable: on\nfrom ..a import x\ny = x + 1\ndef f():\n    return y\n',
    "m_pkg/data.txt": "data\n",
    "m_pkg/__main__.py": "# durable: on\nfrom m_pkg import y\nresult = (__name__, __package__, y)\nprint(result)\n",
}


def test_packages(hook: Path) -> None:
    """Packages and relative imports work; the attributes of the modules are the ordinary ones."""
    write(hook, PACKAGE)
    package = importlib.import_module("m_pkg")
    module: Any = sys.modules["m_pkg.sub.b"]
    assert (package.y, package.__path__, package.__package__) == (2, [str(hook / "m_pkg")], "m_pkg")
    assert (module.__package__, module.__file__) == ("m_pkg.sub", str(hook / "m_pkg/sub/b.py"))
    assert all(map(is_rewritten, (package, package.a, module)))
    assert isinstance(module.__loader__, SourceFileLoader)
    assert module.__cached__ == cache.bytecode_path(module.__file__)


def test_namespace_packages(hook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A namespace package spans its folders, and marked modules in it are rewritten."""
    write(hook, {"one/m_space/a.py": "# durable: on\nx = 1", "two/m_space/b.py": "# durable: on\nx = 2"})
    monkeypatch.syspath_prepend(str(hook / "one"))
    monkeypatch.syspath_prepend(str(hook / "two"))
    modules = [importlib.import_module(f"m_space.{name}") for name in "ab"]
    assert [(module.x, is_rewritten(module)) for module in modules] == [(1, True), (2, True)]
    assert not is_rewritten(sys.modules["m_space"])
    assert len(sys.modules["m_space"].__path__) == 2


def test_reload(hook: Path, rewriter: Rewriter) -> None:
    """importlib.reload executes the changed source in the same module, registered anew."""
    write(hook, {"m_again.py": "# durable: on\nx = 1"})
    module = importlib.import_module("m_again")
    write(hook, {"m_again.py": "# durable: on\nx = 2"})
    assert importlib.reload(module) is module
    assert module.x == 2
    assert [source for _, _, source, _ in rewriter.registered] == [b"# durable: on\nx = 1", b"# durable: on\nx = 2"]
    write(hook, {"m_again.py": "x = 3"})
    importlib.reload(module)
    assert (module.x, is_rewritten(module)) == (3, False)


def test_sources_are_the_original_ones(hook: Path) -> None:
    """inspect.getsource, linecache and get_source show the source as it was written."""
    write(hook, {"m_rich.py": RICH})
    module: Any = importlib.import_module("m_rich")
    assert inspect.getsource(module) == RICH == module.__loader__.get_source("m_rich")
    assert inspect.getsource(module.main) == RICH[RICH.index("async def") :]
    assert linecache.getline(module.__file__, 1) == "# durable: on\n"
    assert module.main.__code__.co_firstlineno == RICH.splitlines().index("async def main(n):") + 1


def test_pkgutil_and_resources(hook: Path) -> None:
    """pkgutil and importlib.resources see the same modules and data as ever."""
    write(hook, PACKAGE)
    package = importlib.import_module("m_pkg")
    assert sorted(info.name for info in pkgutil.iter_modules(package.__path__)) == ["__main__", "a", "sub"]
    walked = [info.name for info in pkgutil.walk_packages(package.__path__, "m_pkg.")]
    assert walked == ["m_pkg.__main__", "m_pkg.a", "m_pkg.sub", "m_pkg.sub.b"]
    assert pkgutil.get_data("m_pkg", "data.txt") == b"data\n"
    assert (importlib.resources.files("m_pkg") / "data.txt").read_text() == "data\n"


def test_runpy(hook: Path, rewriter: Rewriter) -> None:
    """runpy.run_module executes the rewritten code of modules and packages."""
    write(hook, PACKAGE)
    assert runpy.run_module("m_pkg", run_name="__main__")["result"] == ("__main__", "m_pkg", 2)
    assert ("register", "m_pkg.__main__") in rewriter.events
    del sys.modules["m_pkg.a"]
    assert runpy.run_module("m_pkg.a")["x"] == 1


def test_python_m(tmp_path: Path) -> None:
    """python -m runs a marked package, rewritten, if the hook was installed by then."""
    site = "import fake_rewriter\nfake_rewriter.put_in_place()\n"
    site += "from durable_import.rewrite.install import install\ninstall()\n"
    said = "import atexit\natexit.register(lambda: print([name for name, *_ in fake_rewriter.registered]))\n"
    write(tmp_path, {**PACKAGE, "sitecustomize.py": site + said})
    done = python("-m", "m_pkg", cwd=tmp_path)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "('__main__', 'm_pkg', 2)",
        "['m_pkg', 'm_pkg.a', 'm_pkg.sub.b', 'm_pkg.__main__']",
    ]


@pytest.mark.parametrize("compiled", [False, True])
def test_zip_imports(hook: Path, compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Marked modules in a zip archive are rewritten, with bytecode beside them or not; sources and data are found."""
    write(hook / "tree", PACKAGE)
    with zipfile.ZipFile(hook / "all.zip", "w") as archive:
        for name in PACKAGE:
            archive.write(hook / "tree" / name, name)
            if compiled and name.endswith(".py"):
                archive.write(py_compile.compile(str(hook / "tree" / name), str(hook / "c.pyc")) or "", f"{name}c")
    monkeypatch.syspath_prepend(str(hook / "all.zip"))
    package = importlib.import_module("m_pkg")
    module: Any = sys.modules["m_pkg.sub.b"]
    assert (package.y, module.f(), is_rewritten(package), is_rewritten(module)) == (2, 2, True, True)
    assert module.__loader__.get_source("m_pkg.sub.b") == PACKAGE["m_pkg/sub/b.py"]
    assert inspect.getsource(module.f) == "def f():\n    return y\n"
    assert pkgutil.get_data("m_pkg", "data.txt") == b"data\n"
    assert (importlib.resources.files("m_pkg") / "data.txt").read_text() == "data\n"
    assert sorted(info.name for info in pkgutil.iter_modules(package.__path__)) == ["__main__", "a", "sub"]


def test_lazy_loader(hook: Path, rewriter: Rewriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lazy loader around the ordinary one stays lazy, and rewrites when it wakes."""
    write(hook, {"m_lazy.py": "# durable: on\nx = 1"})

    class Lazy:
        def find_spec(self, *arguments: Any) -> ModuleSpec | None:
            spec = PathFinder.find_spec(*arguments)
            if spec is not None and spec.loader is not None:
                spec.loader = importlib.util.LazyLoader(spec.loader)
            return spec

    put_behind(monkeypatch, Lazy())
    module = importlib.import_module("m_lazy")
    assert rewriter.events == []
    assert module.x == 1
    assert rewriter.compiled() == ["m_lazy"]


# --- loader -----------------------------------------------------------------------------------------------------------


def test_module_is_registered_before_it_is_executed(hook: Path, rewriter: Rewriter) -> None:
    """The registry knows a module when its code begins to run, from the cache as well."""
    write(hook, {"m_order.py": "# durable: on\nimport m_events\nm_events.log.append(('execute', __name__))\n"})
    events: Any = types.ModuleType("m_events")
    events.log = rewriter.events
    sys.modules["m_events"] = events
    try:
        fresh("m_order")
        fresh("m_order")
    finally:
        del sys.modules["m_events"]
    once = [("register", "m_order"), ("execute", "m_order")]
    assert rewriter.events == [("compile", "m_order"), *once, *once]


def test_loader_serves_a_script(hook: Path, rewriter: Rewriter) -> None:
    """For a script, which no finder finds, the loader can be made by hand; its file needs no suffix."""
    write(hook, {"m_script": "# durable: on\nx = 1"})
    original = SourceFileLoader("m_script", str(hook / "m_script"))
    spec = importlib.util.spec_from_file_location("m_script", original.path, loader=original)
    assert spec is not None
    for _ in range(2):
        namespace: dict[str, Any] = {}
        exec(DurableSourceLoader(spec, original).get_code("m_script"), namespace)
        assert namespace["x"] == 1
    assert rewriter.events == [("compile", "m_script"), ("register", "m_script"), ("register", "m_script")]


def error_of(action: Callable[[], object]) -> BaseException:
    """The exception that the action raises."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011  any error at all
        action()
    return caught.value


BROKEN = ["def f(:\n", "x = 1\n  y = 2\n", "return 1\n", "def f():\n    nonlocal x\n", "# coding: bogus\n", "'\xe9'\n"]


@pytest.mark.parametrize("body", BROKEN)
def test_broken_source_gives_the_ordinary_error(hook: Path, body: str) -> None:
    """A source that does not compile raises what it raises natively; once mended it can be imported."""
    source = f"{body}# durable: on\n" if body.startswith("#") else f"# durable: on\n{body}"
    write(hook, {"m_broken.py": source.encode("latin-1")})
    error = error_of(lambda: importlib.import_module("m_broken"))
    uninstall()
    native = error_of(lambda: fresh("m_broken"))
    assert (type(error), error.args) == (type(native), native.args)
    install()
    write(hook, {"m_broken.py": "# durable: on\nx = 1"})
    assert fresh("m_broken").x == 1


def test_refused_syntax_names_the_place(hook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that cannot be rewritten is refused with the rewriter's error, without frames of the rewriter."""

    def refuse(source: bytes, path: str, module: str) -> None:  # noqa: ARG001
        raise UnsupportedSyntaxError("too odd", filename=path, lineno=2, way_out="Do it otherwise.")

    monkeypatch.setattr(sys.modules[COMPILER], "compile_module", refuse)
    write(hook, {"m_odd.py": "# durable: on\nx = 1"})
    error = error_of(lambda: importlib.import_module("m_odd"))
    assert isinstance(error, UnsupportedSyntaxError)
    assert str(error).startswith(f"{hook / 'm_odd.py'}:2: ")
    assert traceback.extract_tb(error.__traceback__)[-1].name == "get_code"
    assert "m_odd" not in sys.modules


def test_failure_of_the_rewriter_is_not_taken_for_the_users(hook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A syntax error that the original source does not have is reported as the rewriter's."""

    def fail(source: bytes, path: str, module: str) -> None:  # noqa: ARG001
        raise SyntaxError("no binding", (path, 2, 1, "x = 1"))

    monkeypatch.setattr(sys.modules[COMPILER], "compile_module", fail)
    write(hook, {"m_fine.py": "# durable: on\nx = 1"})
    with pytest.raises(UnsupportedSyntaxError, match=r"m_fine\.py:2: .*rewriter failed.*no binding.*[Rr]eport"):
        importlib.import_module("m_fine")


def test_tracebacks_show_no_frames_of_the_hook(hook: Path) -> None:
    """An error that a module raises while it is imported has the traceback that it has natively."""
    raising = "# durable: on\nimport os\n\nraise RuntimeError('here')\n"
    write(hook, {"m_raise.py": raising, "m_user.py": "import m_raise\n"})

    def frames() -> list[tuple[str, int | None]]:
        sys.modules.pop("m_user", None)
        code = compile((hook / "m_user.py").read_text(), str(hook / "m_user.py"), "exec")
        error = error_of(lambda: exec(code, {}))
        return [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)][-2:]

    rewritten = frames()
    uninstall()
    assert rewritten == frames() == [(str(hook / "m_user.py"), 1), (str(hook / "m_raise.py"), 4)]


# --- cache ------------------------------------------------------------------------------------------------------------


def test_second_import_uses_the_cache(hook: Path, rewriter: Rewriter) -> None:
    """A module that did not change is rewritten once; the cached code and table equal the new ones."""
    write(hook, {"m_rich.py": RICH})
    fresh("m_rich")
    fresh("m_rich")
    assert rewriter.compiled() == ["m_rich"]
    (_, _, _, first), (_, _, _, second) = rewriter.registered
    assert first.code == second.code
    assert first.table == second.table
    tag = sys.implementation.cache_tag
    assert caches(hook) == [f"m_rich.{tag}.durable-{cache.rewriter_hash()}.pyc"]
    assert not (hook / "__pycache__" / f"m_rich.{tag}.pyc").exists()


def test_change_within_one_clock_tick_is_seen(hook: Path) -> None:
    """A change that keeps size and time of the source is seen, as the source's hash decides."""
    path = hook / "m_tick.py"
    write(hook, {"m_tick.py": "# durable: on\nx = 1"})
    os.utime(path, (1, 1))
    assert fresh("m_tick").x == 1
    write(hook, {"m_tick.py": "# durable: on\nx = 2"})
    os.utime(path, (1, 1))
    assert fresh("m_tick").x == 2


def test_touched_source_is_not_rewritten_again(hook: Path, rewriter: Rewriter) -> None:
    """A new time without a new content, as after a checkout, keeps the cache valid."""
    write(hook, {"m_tick.py": "# durable: on\nx = 1"})
    fresh("m_tick")
    os.utime(hook / "m_tick.py", (1, 1))
    fresh("m_tick")
    assert rewriter.compiled() == ["m_tick"]


def test_other_rewriter_other_cache(hook: Path, rewriter: Rewriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed rewriter rewrites anew and removes what the old one, or a killed writer, left; nothing else."""
    write(hook, {"m_new.py": "# durable: on\nx = 1", "m_new_too.py": "# durable: on\nx = 1"})
    fresh("m_new_too")
    uninstall()
    fresh("m_new")
    del sys.modules["m_new"]
    install()
    fresh("m_new")
    [old] = [name for name in caches(hook) if name.startswith("m_new.")]
    (hook / "__pycache__" / f"{old}.123-456").write_bytes(b"torn")
    ordinary = sorted(set(os.listdir(hook / "__pycache__")) - set(caches(hook)))
    monkeypatch.setattr(cache, "_rewriter_hash", "00000000")
    fresh("m_new")
    assert rewriter.compiled() == ["m_new_too", "m_new", "m_new"]
    names = [name for name in caches(hook) if name.startswith("m_new.")]
    assert names == [f"m_new.{sys.implementation.cache_tag}.durable-00000000.pyc"]
    assert len([name for name in caches(hook) if name.startswith("m_new_too.")]) == 1
    assert ordinary == sorted(set(os.listdir(hook / "__pycache__")) - set(caches(hook)))
    assert len(ordinary) == 1


def test_rewriter_hash_covers_the_rewriter() -> None:
    """The files that key the cache are those that the rewriter names."""
    assert cache.rewriter_files() == importlib.import_module(COMPILER).REWRITER_FILES


def test_rewriter_hash_follows_the_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash changes with any source of the rewriter, and there is none if they cannot be read."""
    path = tmp_path / "pass.py"
    monkeypatch.setattr(cache, "rewriter_files", lambda: (str(path),))

    def hash_now() -> str | None:
        monkeypatch.setattr(cache, "_rewriter_hash", None)
        return cache.rewriter_hash()

    assert hash_now() is None
    assert cache.bytecode_path("m.py") is None
    path.write_text("a")
    first = hash_now()
    path.write_text("b")
    assert first is not None
    assert len(first) == 8
    assert first != hash_now()


def test_optimization_levels_have_their_own_files(tmp_path: Path) -> None:
    """Code for -O is kept apart from code for debugging, and each is what it should be."""
    write(tmp_path, {"m_opt.py": '# durable: on\ndef f():\n    "doc"\n    assert False\n    return 1\n'})
    program = (
        "import fake_rewriter; fake_rewriter.put_in_place()\n"
        "from durable_import.rewrite.install import install; install()\n"
        "import m_opt\ntry:\n    print(m_opt.f(), m_opt.f.__doc__)\nexcept AssertionError:\n    print('assertion')\n"
    )
    outputs = [python(*flags, "-c", program, cwd=tmp_path).stdout for flags in ([], ["-O"], ["-OO"], ["-O"], [])]
    assert outputs == ["assertion\n", "1 doc\n", "1 None\n", "1 doc\n", "assertion\n"]
    tag = sys.implementation.cache_tag
    assert [name.rpartition("durable-")[0] for name in caches(tmp_path)] == [
        f"m_opt.{tag}.",
        f"m_opt.{tag}.opt-1.",
        f"m_opt.{tag}.opt-2.",
    ]


def test_pycache_prefix(hook: Path, rewriter: Rewriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """With sys.pycache_prefix the cache is there, and not beside the source."""
    write(hook, {"m_prefix.py": "# durable: on\nx = 1"})
    monkeypatch.setattr(sys, "pycache_prefix", str(hook / "elsewhere"))
    fresh("m_prefix")
    fresh("m_prefix")
    assert rewriter.compiled() == ["m_prefix"]
    assert not (hook / "__pycache__").exists()
    assert len(list((hook / "elsewhere").rglob("m_prefix*durable*.pyc"))) == 1


def test_dont_write_bytecode(hook: Path, rewriter: Rewriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """With PYTHONDONTWRITEBYTECODE nothing is written, but what is there is used."""
    write(hook, {"m_dont.py": "# durable: on\nx = 1"})
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    fresh("m_dont")
    assert not (hook / "__pycache__").exists()
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    fresh("m_dont")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    fresh("m_dont")
    assert rewriter.compiled() == ["m_dont", "m_dont"]


def test_folder_that_cannot_be_written(hook: Path, rewriter: Rewriter) -> None:
    """Where no cache can be made the module works without one."""
    write(hook, {"m_solid.py": "# durable: on\nx = 1", "__pycache__": "in the way"})
    assert [fresh("m_solid").x, fresh("m_solid").x] == [1, 1]
    assert rewriter.compiled() == ["m_solid", "m_solid"]


WRITE_FAILURES = [("makedirs", errno.EACCES), ("open", errno.EROFS), ("replace", errno.ENOSPC)]


@pytest.mark.parametrize(("step", "number"), WRITE_FAILURES)
def test_failed_write_leaves_nothing(hook: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int) -> None:
    """A read-only folder or a full disk costs the cache, not the import, and no half a file stays."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, step, fail)
    write(hook, {"m_full.py": "# durable: on\nx = 1"})
    assert fresh("m_full").x == 1
    assert caches(hook) == []


def test_cache_is_written_atomically(hook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file gets its name when it is complete."""
    seen: list[tuple[bool, bytes, bytes]] = []
    replace = os.replace

    def observed(source: str, target: str) -> None:
        before = os.path.exists(target)
        data = Path(source).read_bytes()
        replace(source, target)
        seen.append((before, data, Path(target).read_bytes()))

    monkeypatch.setattr(os, "replace", observed)
    write(hook, {"m_atom.py": "# durable: on\nx = 1"})
    fresh("m_atom")
    [(before, written, final)] = seen
    assert not before
    assert written == final


@pytest.mark.parametrize("damage", ["empty", "cut", "flip", "garbage", "foreign python"])
def test_damaged_cache_is_replaced(hook: Path, rewriter: Rewriter, damage: str) -> None:
    """A file that is not what was written is ignored and written anew."""
    write(hook, {"m_hurt.py": RICH})
    fresh("m_hurt")
    path = hook / "__pycache__" / caches(hook)[0]
    good = path.read_bytes()
    bad = {
        "empty": b"",
        "cut": good[: len(good) // 2],
        "flip": good[:-9] + bytes([good[-9] ^ 1]) + good[-8:],
        "garbage": b"\xff" * 1000,
        "foreign python": b"\0" + good[1:],
    }[damage]
    path.write_bytes(bad)
    fresh("m_hurt")
    assert rewriter.compiled() == ["m_hurt", "m_hurt"]
    fresh("m_hurt")
    assert rewriter.compiled() == ["m_hurt", "m_hurt"]
    assert len(path.read_bytes()) == len(good)


def test_one_file_under_two_names(hook: Path, rewriter: Rewriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source imported under two names never gets code or a table that was made for the other name."""
    write(hook, {"m_two/__init__.py": "", "m_two/part.py": "# durable: on\nx = __name__"})
    monkeypatch.syspath_prepend(str(hook / "m_two"))
    assert [fresh(name).x for name in ("m_two.part", "part")] == ["m_two.part", "part"]
    assert rewriter.compiled() == ["m_two.part", "part"]


def test_moved_source_is_rewritten_for_its_new_place(hook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that was cached at another path is not used, as its file names would be wrong."""
    write(hook, {"before/m_moved.py": RICH})
    monkeypatch.syspath_prepend(str(hook / "before"))
    fresh("m_moved")
    (hook / "before").rename(hook / "after")
    monkeypatch.syspath_prepend(str(hook / "after"))
    assert fresh("m_moved").main.__code__.co_filename == str(hook / "after" / "m_moved.py")


def test_cache_is_as_readable_as_the_source(hook: Path) -> None:
    """Whoever may not read the source may not read its bytecode."""
    write(hook, {"m_secret.py": "# durable: on\nx = 1"})
    (hook / "m_secret.py").chmod(0o600)
    fresh("m_secret")
    assert (hook / "__pycache__" / caches(hook)[0]).stat().st_mode & 0o777 == 0o600


# --- install ----------------------------------------------------------------------------------------------------------


def test_install_is_idempotent_and_patterns_accumulate(folder: Path, rewriter: Rewriter) -> None:
    """Installing again adds patterns to the one finder."""
    write(folder, {"m_one.py": "", "m_two.py": "", "m_three.py": ""})
    install(["m_one"])
    install(["m_two"])
    install()
    modules = [importlib.import_module(name) for name in ("m_one", "m_two", "m_three")]
    assert [is_rewritten(module) for module in modules] == [True, True, False]
    assert sum(isinstance(finder, DurableFinder) for finder in sys.meta_path) == 1
    assert rewriter.compiled() == ["m_one", "m_two"]


def test_uninstall(folder: Path, rewriter: Rewriter) -> None:
    """After uninstalling nothing is rewritten, patterns are forgotten, and rewritten modules stay."""
    write(folder, {"m_one.py": "# durable: on\n", "m_two.py": "# durable: on\n", "m_three.py": ""})
    install(["m_three"])
    one = importlib.import_module("m_one")
    uninstall()
    uninstall()
    assert is_rewritten(one)
    assert not is_rewritten(importlib.import_module("m_two"))
    with pytest.warns(RuntimeWarning, match="m_two"):
        install()
    assert not is_rewritten(importlib.import_module("m_three"))
    assert rewriter.compiled() == ["m_one"]


def test_modules_imported_too_early_are_named(folder: Path, rewriter: Rewriter) -> None:
    """Marked or matching modules that are imported already are named in one warning, each once."""
    write(folder, {"m_early.py": "# durable: on\n", "m_matched.py": "", "m_later.py": "", "m_plain.py": ""})
    for name in ("m_early", "m_matched", "m_later", "m_plain"):
        importlib.import_module(name)
    with pytest.warns(RuntimeWarning, match=r"m_early, m_matched\. Call install\(\) before") as caught:
        install(["m_matched"])
    assert len(caught) == 1
    assert caught[0].filename == __file__
    with pytest.warns(RuntimeWarning, match=r"not durable: m_later\. "):
        install(["m_later"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        install(["m_later"])
    assert rewriter.events == []


def test_marked_script_that_installs_the_hook_is_named(tmp_path: Path) -> None:
    """A marked script that calls install() itself cannot be rewritten any more, and is told so."""
    program = "# durable: on\nfrom durable_import.rewrite.install import install\ninstall()\nprint('went on')\n"
    write(tmp_path, {"script.py": program})
    done = python("script.py", cwd=tmp_path)
    assert done.stdout == "went on\n"
    assert "not durable: __main__" in done.stderr


def test_lazy_modules_are_not_woken(folder: Path, rewriter: Rewriter) -> None:  # noqa: ARG001
    """Looking for modules that were imported too early executes no lazy module."""
    write(folder, {"m_asleep.py": "raise RuntimeError('woken')\n"})
    spec = importlib.util.find_spec("m_asleep")
    assert spec is not None
    assert spec.loader is not None
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules["m_asleep"] = module
    spec.loader.exec_module(module)
    install()
    assert object.__getattribute__(module, "__class__") is not types.ModuleType


@pytest.mark.parametrize("modules", ["shop.*", [1]])
def test_patterns_must_be_a_collection_of_strings(modules: Any) -> None:
    """A lone string, which would be taken for single letters, is an error."""
    with pytest.raises(TypeError, match="patterns"):
        install(modules)


def test_rewriter_is_imported_only_when_needed(tmp_path: Path) -> None:
    """Neither installing the hook nor importing unmarked or cached modules imports the rewriter."""
    write(tmp_path, {"m_on.py": "# durable: on\nx = 1", "m_off.py": "x = 1"})
    program = (
        "import sys, fake_rewriter\nfakes = fake_rewriter.modules()\n"
        "from durable_import.rewrite.install import install\ninstall()\nimport m_off\n"
        f"print({COMPILER!r} in sys.modules, 'ast' in sys.modules)\n"
        f"sys.modules[{REGISTRY!r}] = fakes[{REGISTRY!r}]\n"
        f"if len(sys.argv) > 1: sys.modules[{COMPILER!r}] = fakes[{COMPILER!r}]\n"
        "import m_on\n"
    )
    first, second = (python("-c", program, *argv, cwd=tmp_path) for argv in (["with"], []))
    assert (first.stdout, first.stderr) == ("False False\n", "")
    assert (second.stdout, second.stderr) == ("False False\n", "")
