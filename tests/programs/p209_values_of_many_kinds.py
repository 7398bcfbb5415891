# durable: on
"""Dates with zones, fractions, networks, patterns and matches, weak references, random generators, contexts of decimal."""
import asyncio
import collections
import datetime
import decimal
import fractions
import ipaddress
import random
import re
import types
import uuid
import weakref

from world import effect


class Thing:
    pass


async def main():
    thing, marker = Thing(), object()
    weak, names = weakref.ref(thing), weakref.WeakValueDictionary(thing=thing)
    space = types.SimpleNamespace(thing=thing, marker=marker)
    dice, when = random.Random(5), datetime.datetime(2024, 2, 28, tzinfo=datetime.timezone(datetime.timedelta(hours=2), "X"))
    part, network, key = fractions.Fraction(1, 3), ipaddress.ip_network("10.0.0.0/30"), uuid.UUID(int=5)
    proxy, match = types.MappingProxyType({"a": 1}), re.compile("(a+)(?P<b>b)", re.I).match("AAb")
    layers, recent = collections.ChainMap({"a": 1}, {"b": 2}), collections.deque([1, 2], maxlen=3)
    out = []
    with decimal.localcontext() as context:
        context.prec = 5
        for number in range(3):
            when += datetime.timedelta(days=await effect(f"day {number}", 1))
            recent.append(number)
            part += fractions.Fraction(1, 6)
            out.append((when.isoformat(), str(part), list(recent), dice.randint(1, 100), str(decimal.Decimal(1) / 7)))
            await effect("kept")
    out.append((weak() is thing, names["thing"] is space.thing, space.marker is marker, match.groupdict(), match.span(1)))
    out.append((dict(proxy), dict(layers), layers.maps[1], [str(host) for host in network.hosts()], key.hex[-2:]))
    return out, str(decimal.Decimal(1) / 7)



if __name__ == "__main__":
    print(repr(asyncio.run(main())))
