# durable: on
"""Modules, submodules and functions imported inside of a coroutine are local variables over awaits."""
import asyncio

from world import effect


async def main():
    import collections.abc as shapes
    import json
    import os.path
    from math import gcd, pi
    from xml.etree import ElementTree

    box = {"json": json, "os": os}
    loads = json.loads
    await effect("imported")
    root = ElementTree.fromstring(await effect("xml", "<a><b n='1'/><b n='2'/></a>"))
    numbers = [int(b.get("n")) for b in root]
    await effect("parsed")
    import string

    text = json.dumps(numbers)
    await effect("dumped")
    return [
        loads(text),
        gcd(12, 18),
        round(pi, 3),
        box["json"] is json,
        os.path.basename("/x/y"),
        issubclass(list, shapes.Sequence),
        string.digits,
        ElementTree.tostring(root).decode(),
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
