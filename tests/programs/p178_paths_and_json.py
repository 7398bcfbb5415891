# durable: on
"""Pure and concrete paths, json building in pieces and string formatting objects survive."""
import asyncio
import json
import pathlib
import string

from world import effect


class Encoder(json.JSONEncoder):
    def default(self, o):
        return sorted(o) if isinstance(o, set) else super().default(o)


async def main():
    path = pathlib.PurePosixPath("/srv") / "data"
    windows = pathlib.PureWindowsPath("C:\\x\\y.txt")
    here = pathlib.Path("some/where.tar.gz")
    template = string.Template("$who has $n")
    document = {"items": [], "tags": {"b", "a"}}
    encoder = Encoder(sort_keys=True)
    await effect("made")
    for n in range(3):
        path /= await effect(f"part {n}", f"p{n}")
        document["items"].append({"n": n, "path": str(path)})
    text = encoder.encode(document)
    await effect("encoded")
    back = json.loads(text, object_hook=lambda d: tuple(sorted(d.items())))
    return [path, windows.drive, windows.stem, here.suffixes, template.substitute(who="x", n=await effect("n", 3)), text, back]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
