"""Files that a library writes, around kills: a writer with a state of its own holds until it is closed."""

from __future__ import annotations

import pytest

from tests.harness.killing import killed_at
from tests.harness.processes import Desk

GZIP_BLOCK = """
    # durable: on
    import asyncio, gzip
    from world import effect

    async def main():
        for name in ("a.gz", "b.gz"):
            with gzip.open(name, "wt") as file:
                for number in range(3):
                    file.write(f"{name} line {number}\\n")
                    await effect(f"written {number}")
            await effect(f"closed {name}")
        return [gzip.open(name, "rt").read() for name in ("a.gz", "b.gz")]

    print(asyncio.run(main()))
"""

GZIP_BARE = """
    # durable: on
    import asyncio, gzip
    from world import effect

    async def main():
        await effect("begun")
        file = gzip.open("a.gz", "wt")
        for number in range(3):
            file.write(f"line {number}\\n")
            await effect(f"written {number}")
        file.close()
        await effect("closed")
        return gzip.open("a.gz", "rt").read()

    print(asyncio.run(main()))
"""

ZIPFILE = """
    # durable: on
    import asyncio, zipfile
    from world import effect

    async def main():
        await effect("begun")
        with zipfile.ZipFile("a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(2):
                archive.writestr(f"{number}.txt", f"text {number}")
                await effect(f"written {number}")
        bare = zipfile.ZipFile("b.zip", "w")
        bare.writestr("first.txt", "first")
        await effect("bare")
        bare.writestr("second.txt", "second")
        bare.close()
        await effect("closed")
        texts = []
        for name in ("a.zip", "b.zip"):
            with zipfile.ZipFile(name) as archive:
                assert archive.testzip() is None
                texts += [(entry, archive.read(entry)) for entry in archive.namelist()]
        return texts

    print(asyncio.run(main()))
"""

TARFILE = """
    # durable: on
    import asyncio, io, tarfile
    from world import effect

    def add(archive, name):
        entry = tarfile.TarInfo(name)
        entry.size = len(name)
        archive.addfile(entry, io.BytesIO(name.encode()))

    async def main():
        await effect("begun")
        with tarfile.open("a.tar.gz", "w:gz") as archive:
            for number in range(3):
                add(archive, f"file {number}")
                await effect(f"written {number}")
        await effect("closed")
        with tarfile.open("a.tar.gz") as archive:
            return [(entry.name, archive.extractfile(entry).read()) for entry in archive]

    print(asyncio.run(main()))
"""

TEMPORARY = """
    # durable: on
    import asyncio, os, tempfile
    from world import effect

    async def main():
        await effect("begun")
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "note"), "w") as file:
                file.write("first ")
                file.flush()
                await effect("written")
                file.write("second")
            await effect("inside")
            with open(os.path.join(folder, "note")) as file:
                text = file.read()
        await effect("left")
        return text, os.path.exists(folder)

    print(asyncio.run(main()))
"""


@pytest.mark.parametrize(
    ("program", "places"),
    [
        pytest.param(GZIP_BLOCK, (2, (3, 6)), id="gzip-block"),
        pytest.param(GZIP_BARE, (2, (4, 7)), id="gzip-bare"),
        pytest.param(ZIPFILE, (2, (4, 6)), id="zipfile"),
        pytest.param(TARFILE, (2, 3), id="tarfile", marks=pytest.mark.slow),
        pytest.param(TEMPORARY, (2, 3, 4), id="temporary-directory", marks=pytest.mark.slow),
    ],
)
def test_written_files_are_complete(desk: Desk, program: str, places: tuple[int, ...]) -> None:
    """What a program reads back at its end is what it reads natively, wherever it was killed while it wrote."""
    killed_at(desk, {"write.py": program}, *places)
