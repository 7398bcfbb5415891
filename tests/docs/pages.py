"""The pages of the documents, and the code blocks in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(FOLDER.rglob("*.md"))]
_BLOCK = re.compile(r'^```(\w*)(?: title="([^"]+)")?\n(.*?)^```$', re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of code. ``title``: the file that it is to be written to, if it says one."""

    line: int
    language: str
    title: str
    text: str


def name_of(page: Path) -> str:
    """How a page is called: by its path from the root."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """All blocks of a page, in order."""
    text = page.read_text()
    return [Block(text.count("\n", 0, found.start()) + 1, found[1], found[2] or "", found[3]) for found in _BLOCK.finditer(text)]
