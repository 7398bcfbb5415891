# durable: on
"""Binary files in update mode keep their position over seek, tell, readinto and struct-wise writes."""
import asyncio
import os
import struct

from world import effect


def place():
    return os.path.join(os.environ.get("EFFECT_DIR") or os.getcwd(), "p143_records.bin")


async def main():
    path = place()
    record = struct.Struct("<IHs")
    with open(path, "wb") as f:
        for n in range(6):
            f.write(record.pack(n, n * 100, b"-"))
    out = []
    with open(path, "r+b") as f:
        f.seek(record.size * 2)
        await effect("sought")
        out.append((f.tell(), record.unpack(f.read(record.size))))
        await effect("read")
        f.seek(-record.size, os.SEEK_END)
        buffer = bytearray(record.size)
        out.append((f.readinto(buffer), bytes(buffer)))
        await effect("last")
        f.seek(0)
        f.write(record.pack(await effect("new", 77), 7, b"!"))
        here = f.tell()
        await effect("written")
        out.append((here == record.size, record.unpack(f.read(record.size))))
    await effect("closed")
    with open(path, "rb") as f:
        data = f.read()
    os.unlink(path)
    return out, len(data), [fields for fields in record.iter_unpack(data)]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
