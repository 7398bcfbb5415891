"""The code of docs/applications.md, run as it stands there, block after block."""

from __future__ import annotations

import ast
import inspect
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import durable_import
from tests.harness.crash import environment

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "applications.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder with the module of the document, forgotten afterwards."""
    (tmp_path / "shop.py").write_text(blocks("python")[0])
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("shop", None)


@pytest.mark.slow
@pytest.mark.usefixtures("_folder")
async def test_document(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block runs, and gives what the text says."""
    names: dict[str, Any] = {}
    block = iter(enumerate(blocks("python")[1:], 1))

    async def run_until(name: str) -> None:
        """The next blocks, up to the one that mentions ``name``."""
        for number, text in block:
            code = compile(text, f"block {number}", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            made = eval(code, names)
            if inspect.isawaitable(made):
                await made
            if name in text:
                return
        raise AssertionError(f"no block mentions {name}")

    await run_until("runtime = DurableRuntime")
    async with names["runtime"] as runtime:
        await run_until("await checkout")
        assert names["receipt"] == "teapot shipped, paid by receipt of order-1"
        assert re.fullmatch("cup shipped, paid by receipt of [-0-9a-f]{36}", names["result"])
        await run_until("for handle in handles")
        assert names["results"] == ["pot shipped, paid by receipt of order-3"] * 3
        await run_until("timeout=0.1")
        assert (names["status"] in ("pending", "running", "waiting"), names["result"]) == (True, None)
        await run_until("retry")
        assert names["problem"] == "-1 is no price"
        with pytest.raises(ValueError, match="-1 is no price"):
            await names["handle"].result()
        await run_until("cancel()")
        assert names["status"] == "cancelled"
        await run_until("publish_event")
        assert names["result"] == "kettle shipped, paid by receipt of order-2"

        await runtime.start(names["checkout"], "bowl", 200, instance_id="order-6")
        listing, command = blocks("sh")
        listed = subprocess.run(
            [sys.executable, *listing.split()[1:]], env=environment(), check=True, capture_output=True, text=True
        )
        assert [line.split()[0] for line in listed.stdout.splitlines()] == ["id", "order-7"]
        words = command.replace("order-2", "order-6").split()
        subprocess.run([sys.executable, *words[1:]], env=environment(), check=True)
        assert await runtime.handle("order-6").result(timeout=60) == "bowl shipped, paid by receipt of order-6"

        await run_until("reminder-2")
        assert names["status"] in ("pending", "running", "sleeping")
        await runtime.recover()
        with pytest.raises(durable_import.InstanceCancelledError):
            await runtime.handle("reminder-2").result(timeout=60)
        root = logging.getLogger()
        monkeypatch.setattr(root, "handlers", [])
        monkeypatch.setattr(root, "level", root.level)
        await run_until("add_instance")
        names["handler"].close()
        assert re.search(r"^INFO order-5: charging 5 with the key order-5", Path("shop.log").read_text(), re.MULTILINE)
    assert list(block) == []
