"""Modules behave as before: packages, reloading, sources, resources, archives."""

from __future__ import annotations

import importlib
import importlib.resources
import importlib.util
import inspect
import linecache
import pkgutil
import py_compile
import runpy
import sys
import zipfile
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from typing import Any

import pytest

from durable_import.hook import cache
from tests.harness.imports import PACKAGE, RICH, Rewriter, is_rewritten, put_behind, python, write


def test_packages(hook: Path) -> None:
    """Packages and relative imports work; the attributes of the modules are the ordinary ones."""
    write(hook, PACKAGE)
    package = importlib.import_module("m_pkg")
    module: Any = sys.modules["m_pkg.sub.b"]
    assert (package.y, package.__path__, package.__package__) == (2, [str(hook / "m_pkg")], "m_pkg")
    assert (module.__package__, module.__file__) == ("m_pkg.sub", str(hook / "m_pkg/sub/b.py"))
    assert all(map(is_rewritten, (package, package.a, module)))
    assert isinstance(module.__loader__, SourceFileLoader)
    assert module.__spec__.cached == cache.bytecode_path(module.__file__)
    assert getattr(module, "__cached__", module.__spec__.cached) == module.__spec__.cached


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
    """importlib.reload executes the changed source in the same module, registered again."""
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
    site += "from durable_import.hook.install import install\ninstall()\n"
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
