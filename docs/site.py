"""What mkdocs is told beyond ``mkdocs.yml``: files of the repository are pages too, and links to files are links of the site."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parent.parent
PAGES = {
    "README.md": "project/readme.md",
    "SECURITY.md": "project/security.md",
    "CHANGELOG.md": "project/changes.md",
    "CONTRIBUTING.md": "project/contributing.md",
}
ORIGINS = {page: name for name, page in PAGES.items()}
_LINK = re.compile(r"(?<=\]\()([^)#\s:]+)(#[^)\s]*)?(?=\))")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that lie beside the folder of documents, and one for each example."""
    for name, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / name).read_text()))
    for path in sorted((ROOT / "examples").rglob("*.py")):
        if path.name != "__init__.py":
            name = path.relative_to(ROOT).as_posix()
            files.append(File.generated(config, _page_of(name), content=f"# {name}\n\n```python\n{path.read_text()}```\n"))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links to files of the repository lead to their pages."""
    here = page.file.src_uri
    origin = ORIGINS.get(here) or f"docs/{here}"

    def replaced(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(origin), found[1]))
        return posixpath.relpath(_page_of(target), posixpath.dirname(here) or ".") + (found[2] or "")

    return _LINK.sub(replaced, markdown)


def _page_of(name: str) -> str:
    """The page of a file, or a folder, of the repository."""
    if name in PAGES:
        return PAGES[name]
    if name.startswith("examples/"):
        return f"{name if name.endswith('.py') else name + '/app.py'}.md".replace(".py.md", ".md")
    return name.removeprefix("docs/")
