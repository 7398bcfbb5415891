# durable: on
"""A memoryview over a bytearray held across awaits still writes into that bytearray."""
import asyncio

from world import effect


async def main():
    data = bytearray(b"0123456789")
    view = memoryview(data)
    part = view[2:5]
    fixed = memoryview(b"abc")
    await effect("made")
    part[:] = await effect("new", b"xyz")
    view[9] = 33
    await effect("held")
    return bytes(data), bytes(part), fixed.tobytes(), fixed.readonly, part.nbytes


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
