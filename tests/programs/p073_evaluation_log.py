# durable: on
"""Every sub-expression of dense expressions is logged: the order is the native one."""
import asyncio

from world import effect


log = []


def s(name, value):
    log.append(name)
    return value


async def a(name, value):
    log.append(f"<{name}")
    result = await effect(name, value)
    log.append(f"{name}>")
    return result


class Obj:
    def __getattr__(self, name):
        log.append(f".{name}")
        return self

    def __call__(self, *args, **kwargs):
        log.append(("call", len(args), sorted(kwargs)))
        return self

    def __getitem__(self, key):
        log.append(("item", key))
        return self

    def __add__(self, other):
        log.append("+")
        return other

    def __neg__(self):
        log.append("neg")
        return self


async def main():
    o = Obj()
    out = []
    r = o.first(s("x", 1), await a("a1", 2)).second[await a("a2", "k")](k=s("y", 3), *[s("z", 4)])
    log.append("--")
    r = -o.left + (s("p", 1) * await a("a3", 2) - s("q", 3)) 
    out.append(r)
    log.append("--")
    out.append({s("k1", 1): await a("v1", 2), **s("m", {3: 4}), s("k2", 5): s("v2", 6)})
    log.append("--")
    out.append([s("e1", 1), *s("e2", (2,)), await a("e3", 3), (s("e4", 4), await a("e5", 5))])
    log.append("--")
    out.append("abcdefgh"[s("lo", 1):await a("hi", 7):s("step", 2)])
    log.append("--")
    out.append(s("c1", 1) < await a("c2", 3) < s("c3", 2) < s("never", 0))
    log.append("--")
    out.append((lambda d=s("default", 1): d + s("in lambda", 1))() if await a("cond", 1) else s("never", 0))
    return out, log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
