"""Pages that are followed at a terminal: their files are written and their commands run, in order, and print what is shown."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import FOLDER, blocks, name_of
from tests.docs.sessions import Session

PAGES = sorted(page for page in FOLDER.rglob("*.md") if any(each.language == "console" for each in blocks(page)))
BY_THEMSELVES = ("conftest.py", "pytest.ini", "test_orders.py")  # which pytest looks for
POSTGRES = "postgresql://ann@db.example/shop"


def free_port() -> str:
    """A port of this machine that nobody has."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


@pytest.fixture
def instead(request: pytest.FixtureRequest, page: Path) -> dict[str, str]:
    """What stands for the addresses of a page."""
    port = free_port()
    texts = {
        "localhost:8000": f"127.0.0.1:{port}",
        "--port 8000": f"--port {port}",
        "localhost 8000": f"127.0.0.1 {port}",
    }
    if POSTGRES in page.read_text():
        server = request.getfixturevalue("postgres_server")
        texts[POSTGRES] = server.url()
    return texts


@pytest.fixture
def session(tmp_path: Path, instead: dict[str, str]) -> Iterator[Session]:
    """A terminal in a folder of its own."""
    session = Session(tmp_path, instead)
    yield session
    session.close()


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_page(page: Path, session: Session) -> None:
    """A reader who types what the page says sees what the page shows."""
    for block in blocks(page):
        if block.title:
            session.write(block)
        elif block.language == "console":
            session.run(block)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_each_file_is_used(page: Path) -> None:
    """No file of a page is only shown: a command of the page, or another of its files, names it."""
    told = blocks(page)
    for block in told:
        if block.title and block.title not in BY_THEMSELVES:
            others = [each.text for each in told if each is not block and (each.title or each.language == "console")]
            assert any(Path(block.title).stem in text for text in others), f"{name_of(page)}:{block.line}: {block.title}"
