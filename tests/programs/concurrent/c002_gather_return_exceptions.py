# durable: on
"""Probes run side by side; their failures come back as values among the results."""
import asyncio as aio

from world import effect, fail


class ProbeError(Exception):
    def __init__(self, host, code):
        super().__init__(host, code)
        self.host = host
        self.code = code


async def probe(host, code):
    if code >= 500:
        await fail(f"probe {host}", ProbeError(host, code))
    return host, await effect(f"probe {host}", code)


async def cancelled_probe(host):
    aio.current_task().cancel(f"{host} was switched off")
    await aio.sleep(0)


async def broken(host):
    return {}[host]


async def main():
    hosts = {"web": 200, "mail": 503, "db": 200, "cache": 500}
    outcomes = await aio.gather(*(probe(h, c) for h, c in hosts.items()), return_exceptions=True)
    up = [o for o in outcomes if isinstance(o, tuple)]
    down = {o.host: o.code for o in outcomes if isinstance(o, ProbeError)}

    mixed = await aio.gather(
        cancelled_probe("old"),
        broken("spare"),
        aio.gather(broken("inner"), probe("ftp", 200), return_exceptions=True),
        aio.sleep(0, "idle"),
        return_exceptions=True,
    )
    kinds = [type(o).__name__ for o in mixed]
    inner = mixed[2]

    try:
        raise ExceptionGroup("down", [o for o in outcomes if isinstance(o, Exception)])
    except* ProbeError as group:
        await effect("alarm")
        alarm = [(e is outcomes[i], e.host) for e, i in zip(group.exceptions, (1, 3), strict=True)]
    return up, down, kinds, mixed[0].args, repr(inner[0]), inner[1], alarm


if __name__ == "__main__":
    print(repr(aio.run(main())))
