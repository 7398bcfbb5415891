"""Blocks of a library that are being entered when the process is killed: the call in the `with` item is made again, as it was."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from tests.harness.processes import KILLED, Desk

# the first process never gets its page
LIBRARY = """
    import asyncio, os

    class Page:
        def __init__(self, url, *details, **options):
            self.url, self.details, self.options = url, details, options
        async def __aenter__(self):
            while not os.path.exists("open"):
                await asyncio.sleep(0.01)
            return self
        async def __aexit__(self, *details):
            await asyncio.sleep(0)

    class Site:
        def __init__(self, name):
            self.name = name
        def page(self, url, *details, **options):
            return Page(f"{self.name}/{url}", *details, **options)
"""
HEAD = """\
# durable: on
import asyncio, os, sys
sys.path.insert(0, os.path.abspath("site-packages"))
import library
from world import effect

async def beside(change=lambda: None):
    await asyncio.sleep(0.02)
    change()
    await effect("beside")
    await effect("killed here")

"""
BODIES = {
    "an effect": """
        urls = ["c", "b", "a"]
        other = asyncio.create_task(beside())
        async with library.Page(urls.pop()) as page:
            print(page.url, urls)
    """,
    "in keywords": """
        urls = ["c", "b", "a"]
        other = asyncio.create_task(beside())
        async with library.Page(urls.pop(), size=urls.pop(0), kind=3) as page:
            print(page.url, page.options, urls)
    """,
    "of a method": """
        urls, site = ["c", "b", "a"], library.Site("first")
        def change():
            nonlocal site
            site = library.Site("second")
        other = asyncio.create_task(beside(change))
        async with site.page(urls.pop()) as page:
            print(page.url, urls, site.name)
    """,
    "a variable that changes": """
        url, more, none = "then", (1, 2), {}
        def change():
            nonlocal url
            url = "now"
        other = asyncio.create_task(beside(change))
        async with library.Page(url, *more, **none) as page:
            print(page.url, page.details, url)
    """,
    "of an await": """
        urls = ["c", "b", "a"]
        other = asyncio.create_task(beside())
        async with library.Page(await asyncio.to_thread(urls.pop), urls.pop()) as page:
            print(page.url, page.details, urls)
    """,
    "several lines": """
        sites = [library.Site("second"), library.Site("first")]
        other = asyncio.create_task(beside())
        async with (
            sites
            .pop()
            .page("a")
        ) as page:
            print(page.url, len(sites))
    """,
}


def program(body: str) -> str:
    return HEAD + "async def main():\n" + indent(dedent(body).strip("\n"), "    ") + "\n    await other\n\nasyncio.run(main())\n"


QUICK = ("an effect", "of a method", "of an await")


@pytest.mark.parametrize("body", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in BODIES])
def test_call_is_made_with_what_it_had(desk: Desk, body: str) -> None:
    """What has happened since does not change it, and its arguments are not worked out a second time."""
    desk.write("site-packages/library.py", LIBRARY)
    (desk.folder / "pages.py").write_text(program(BODIES[body]))
    killed = desk.run("pages.py", kill_at=2)
    assert (killed.status, killed.out, killed.err) == (KILLED, "", ""), killed
    (desk.folder / "open").touch()
    native = desk.native("pages.py")
    done = desk.run("pages.py")
    assert native.status == 0, native
    if "change" in body:  # natively the page is there at once
        native = native.__class__(0, native.out.replace("then\n", "now\n"), "", "")
    assert (done.status, done.err) == (0, ""), done
    assert done.out.split() == native.out.replace(" first\n", " second\n").split(), done


def test_what_cannot_be_saved_is_worked_out_again(desk: Desk) -> None:
    """An argument that cannot be kept holds nothing: the `with` item is evaluated once more."""
    desk.write("site-packages/library.py", LIBRARY)
    (desk.folder / "pages.py").write_text(
        program("""
            import socket
            other = asyncio.create_task(beside())
            async with library.Page("a", socket.socket()) as page:
                print(page.url, page.details[0].fileno() >= 0)
        """)
    )
    killed = desk.run("pages.py", kill_at=2)
    assert (killed.status, killed.said.count(" held ")) == (KILLED, 0), killed
    (desk.folder / "open").touch()
    done = desk.run("pages.py")
    assert (done.status, done.out, done.err) == (0, "a True\n", ""), done
