# durable: on
# requires: 3.12
"""PEP 701 f-strings: nested quotes, nested f-strings, backslashes and comments around awaits."""
import asyncio

from world import effect


async def main():
    data = {"key": [1, 2, 3], "w": 12}
    out = [f"{data["key"][await effect("index", 1)]} {f"{await effect("inner", "x")!r:>{data["w"]}}"}"]
    out.append(f"{"\n".join([await effect(f"line{k}", f"row {k}") for k in range(2)])}")
    out.append(f"{
        await effect('commented', 5)  # a comment with } in it
        :0{data['w'] - 8}d}".strip())
    out.append(f"{f"{f"{await effect("deep", 3) + 1}"}" * 2}")
    out.append(f'{(lambda x: f"{x!r}")(await effect("lambda", 'q'))} {{}} {data['key']!s:*>{await effect('width', 14)}}')
    name = "before"

    async def change():
        nonlocal name
        name = "after"
        return ""

    out.append(f"{name}{await change()}{f"{name}"}")
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
