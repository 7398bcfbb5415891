# durable: on
"""Augmented assignment to names, attributes, subscripts and slices loads the target before the await."""
import asyncio

from world import effect


class Loud(list):
    def __iadd__(self, other):
        self.append(("iadd", other))
        return self


class Holder:
    def __init__(self):
        self.log = []
        self._v = 1

    @property
    def v(self):
        self.log.append("get")
        return self._v

    @v.setter
    def v(self, value):
        self.log.append(f"set {value}")
        self._v = value


async def main():
    holder = Holder()
    data = {"k": [1, 2, 3], "n": 5}
    loud = Loud()
    alias = loud

    async def meddle(name, value):
        holder.v = 50
        data["n"] = 1000
        return await effect(name, value)

    holder.v += await meddle("attr", 2)
    data["n"] *= await meddle("sub", 3)
    data["k"][await effect("index", 0)] += await effect("add", 10)
    data["k"][1:] += await effect("slice", [7, 8])
    data["k"][await effect("lo", 0):await effect("hi", 2)] *= await effect("times", 2)
    loud += await effect("inplace", 1)
    n = 2
    n **= await effect("pow", 3)
    n //= 3
    n |= await effect("or", 8)
    s = {1}
    t = s
    s |= await effect("set", {2})
    try:
        frozen = ([],)
        frozen[0] += await effect("tuple", [1])
    except TypeError:
        s.add(len(frozen[0]))
    return holder.log, data, loud, alias is loud, n, t == s == {1, 2}, frozen


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
