# durable: on
"""Objects that pass through a leaf keep their identity with the variables that hold them."""
import asyncio

from world import effect


class Token:
    pass


async def main():
    token = Token()
    data = [1, 2]
    returned = await effect("token", token)
    listed = await effect("data", data)
    pair = await effect("pair", (token, data, [data]))
    await effect("rest")
    listed.append(3)
    pair[2][0].append(4)
    marker = object()
    back = await effect("marker", marker)
    again = [await effect("m1", marker), await effect("m2", marker)]
    return [
        returned is token,
        listed is data,
        pair[0] is token,
        pair[1] is data,
        data,
        back is marker,
        again[0] is again[1] is marker,
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
