"""The order of loading, and the errors of modules that do not compile."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
import types
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import pytest

from durable_import.errors import UnsupportedSyntaxError
from durable_import.hook.install import install, uninstall
from durable_import.hook.loader import DurableSourceLoader
from tests.harness.imports import COMPILER, Rewriter, error_of, fresh, write


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

    monkeypatch.setattr(sys.modules[COMPILER], "compile_plain", refuse)
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

    monkeypatch.setattr(sys.modules[COMPILER], "compile_plain", fail)
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
