# durable: on
"""bytes, bytearray, array, struct, memoryview slices used between awaits, uuid, ipaddress and hash digests."""
import array
import asyncio
import hashlib
import ipaddress
import struct
import uuid

from world import effect


async def main():
    data = bytearray(b"hello world")
    alias = data
    numbers = array.array("i", range(5))
    doubles = array.array("d", [0.5])
    key = uuid.UUID("12345678-1234-5678-1234-567812345678")
    net = ipaddress.ip_network("10.0.0.0/29")
    layout = struct.Struct(">HI")
    digest = hashlib.sha256(data).hexdigest()[:12]
    await effect("made")
    alias[:5] = await effect("howdy", b"howdy")
    with memoryview(data) as view:
        view[6:7] = b"W"
    del view
    numbers.append(await effect("n", 99))
    packed = layout.pack(1, await effect("packed", 2**31))
    await effect("held")
    hosts = [str(h) for h in net.hosts()][:2]
    derived = uuid.uuid5(key, "name")
    return [
        bytes(data),
        alias is data,
        numbers,
        doubles,
        packed,
        layout.unpack(packed),
        layout.size,
        digest,
        hashlib.md5(data).hexdigest()[:8],
        hosts,
        (key, derived.hex, key.version),
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
