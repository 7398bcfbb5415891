"""Modules that a script could import only after it had set something are found when its state is read in another process."""

from __future__ import annotations

import pytest

from tests.harness.killing import killed_at
from tests.harness.processes import Desk

SEARCHED = """
    # durable: on
    import asyncio
    import os
    import sys

    from world import effect

    async def main():
        os.environ["MODE"] = "fast"
        os.chdir("data")
        sys.path.insert(0, "../plugins")
        import plugin

        made, work = plugin.Made(3), plugin.work
        await effect("found")
        made.number += 1
        await effect("again")
        plugin.SEEN.append(made)
        await effect("once more")
        print(await work(made), plugin.SEEN[0] is made, plugin.MODE, os.path.basename(os.getcwd()))

    asyncio.run(main())
"""

PLUGIN = """
    # durable: on
    import os

    from world import effect

    MODE = os.environ["MODE"]
    SEEN = []
    os.stat("here")

    class Made:
        def __init__(self, number):
            self.number = number

    async def work(made):
        await effect("working")
        return made.number + len(SEEN)
"""

BY_PATH = """
    # durable: on
    import asyncio
    import importlib.util
    import sys

    from world import effect

    def load(name):
        spec = importlib.util.spec_from_file_location(name, f"plugins/{name}.py")
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    async def main():
        plugin = load("plugin")
        made = plugin.Made(3)
        await effect("loaded")
        made.number += 1
        await effect("again")
        print(plugin.number_of(made))

    asyncio.run(main())
"""

PLAIN = """
    class Made:
        def __init__(self, number):
            self.number = number

    def number_of(made):
        return made.number
"""


@pytest.mark.slow
@pytest.mark.parametrize("plugin", [PLUGIN, PLUGIN.replace("# durable: on", "")], ids=["marked", "not marked"])
def test_modules_of_a_folder_that_the_program_has_added(desk: Desk, plugin: str) -> None:
    """The folder, the current one and the environment are as the program has set them when the module is imported again."""
    files = {"program.py": SEARCHED, "plugins/plugin.py": plugin, "data/here": ""}
    killed_at(desk, files, 2, 3, (2, 3))


def test_a_module_of_a_searched_folder(desk: Desk) -> None:
    """A class of such a module is there when the state is read."""
    files = {"program.py": SEARCHED, "plugins/plugin.py": PLUGIN, "data/here": ""}
    killed_at(desk, files, 3)


@pytest.mark.slow
def test_modules_loaded_by_path(desk: Desk) -> None:
    """A module that the program has loaded from a file, and no search finds, is loaded from it again."""
    killed_at(desk, {"program.py": BY_PATH, "plugins/plugin.py": PLAIN}, 1, 2, (1, 2))
