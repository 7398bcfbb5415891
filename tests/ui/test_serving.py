"""``durable ui``: served alone, with pages that tell what changes."""

from __future__ import annotations

import asyncio
import http.client
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import pytest

from durable_import import DurableRuntime
from durable_import.cli.main import main
from tests.harness.imports import REPOSITORY
from tests.running.test_life import until_status


@contextmanager
def serving(url: str, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that serves the page, and where."""
    command = [sys.executable, "-m", "durable_import", "ui", "--store", url, "--port", "0", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY)
    assert process.stderr is not None
    try:
        found = re.search(r"the page is at (\S+)", process.stderr.readline())
        assert found is not None, process.stderr.read()
        yield process, found[1]
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def asked(place: str, path: str, **headers: str) -> http.client.HTTPResponse:
    """The answer to a request."""
    connection = http.client.HTTPConnection(urlsplit(place).netloc, timeout=60)
    connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    return connection.getresponse()


def test_a_page_that_is_looked_at(tmp_path: Path, flows: ModuleType) -> None:
    """Its stream tells of each change, and that the instance is gone; Ctrl-C ends the process, streams and all."""
    url = f"sqlite:///{tmp_path}/state.db"

    def message(stream: http.client.HTTPResponse) -> str:
        lines = iter(stream.readline, b"\n")
        return b"".join(lines).decode()

    async def begin() -> None:
        async with DurableRuntime(url) as runtime:
            await until_status(await runtime.start(flows.rest, instance_id="a/b"), "sleeping")

    asyncio.run(begin())
    with serving(url) as (process, place):
        page = asked(place, "/instances/a%2Fb").read().decode()
        live = re.search(r'data-live="([^"]+)" .*data-version="([^"]+)"', page)
        assert live is not None
        stream = asked(place, f"{live[1]}?known={live[2]}")
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert message(stream) == "retry: 3000\n"
        assert main(["send", "--store", url, "a/b", "note"]) == 0
        assert re.fullmatch(r"data: \w+\n", message(stream))
        of_list = asked(place, "/events?status=sleeping&known=other")
        assert [message(of_list)[:6] for _ in range(2)] == ["retry:", "data: "]
        assert main(["delete", "--store", url, "a/b"]) == 0
        assert message(stream).startswith("event: gone\n")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stderr is not None
        assert process.stderr.read() == ""


@pytest.mark.slow
def test_where_others_reach_it(tmp_path: Path) -> None:
    """A token is made and told, and nobody is answered without."""
    url = f"sqlite:///{tmp_path}/state.db"
    asyncio.run(_make(url))
    with serving(url, "--host", "0.0.0.0", "--allow-host", "ops.example") as (_, place):
        token = place.partition("?token=")[2]
        place = place.replace("0.0.0.0", "127.0.0.1")
        assert asked(place, "/api/instances").status == 401
        right = f"Bearer {token}"
        assert asked(place, "/api/instances", Authorization=right).status == 200
        assert asked(place, "/api/instances", Authorization=right, Host="ops.example").status == 200
        assert asked(place, "/api/instances", Authorization=right, Host="evil.example").status == 403
        assert asked(place, f"/?token={token}").status == 303


async def _make(url: str) -> None:
    async with DurableRuntime(url) as runtime:
        await runtime.list()


def test_what_cannot_be_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A store that is not there, and a port that is none, are said in one sentence each."""
    url = f"sqlite:///{tmp_path}/none.db"
    assert main(["ui", "--store", url]) == 70
    assert capsys.readouterr().err.startswith("durable_import: error: there is no")
    asyncio.run(_make(url))
    assert main(["ui", "--store", url, "--port", "70000"]) == 70
    assert "cannot be served at 127.0.0.1 port 70000" in capsys.readouterr().err


@pytest.mark.slow
def test_without_its_libraries(tmp_path: Path) -> None:
    """It is said how to install them; nothing else needs them."""
    code = "import sys; sys.modules['jinja2'] = None; from durable_import.cli.main import main; sys.exit(main(sys.argv[1:]))"
    store = f"sqlite:///{tmp_path}/state.db"
    asyncio.run(_make(store))
    for word, status, said in (("list", 0, ""), ("ui", 70, "pip install 'durable-import[ui]'")):
        ended = subprocess.run(
            [sys.executable, "-c", code, word, "--store", store], capture_output=True, text=True, cwd=REPOSITORY, timeout=120
        )
        assert (ended.returncode, said in ended.stderr) == (status, True)
