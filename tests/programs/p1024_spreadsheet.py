# durable: on
"""Cells with formulas as lambdas recompute lazily with asynchronous loads, dependency tracking and error values."""
import asyncio

from world import effect


class CellError(Exception):
    pass


class Sheet:
    def __init__(self):
        self.formulas = {}
        self.values = {}
        self.users = {}
        self.active = []
        self.computed = []

    def __setitem__(self, name, formula):
        self.formulas[name] = formula if callable(formula) else (lambda s: s.constant(formula))
        self.invalidate(name)

    def invalidate(self, name):
        self.values.pop(name, None)
        for user in sorted(self.users.pop(name, ())):
            self.invalidate(user)

    async def constant(self, value):
        return value

    async def get(self, name):
        if self.active:
            self.users.setdefault(name, set()).add(self.active[-1])
        if name in self.active:
            raise CellError(f"cycle at {name}")
        if name not in self.values:
            self.active.append(name)
            try:
                self.computed.append(name)
                self.values[name] = await self.formulas[name](self)
            finally:
                self.active.pop()
        return self.values[name]


async def main():
    sheet = Sheet()
    rate = 2

    async def total(s):
        return sum([await s.get(n) for n in ("a", "b")])

    sheet["a"] = 1
    sheet["b"] = lambda s: effect("load b", 20)
    sheet["sum"] = total

    async def scaled(s):
        return await s.get("sum") * rate + await effect("scaled", 0)

    sheet["scaled"] = scaled
    out = [await sheet.get("scaled"), await sheet.get("scaled")]
    rate = 3
    sheet["a"] = 5
    await effect("changed")
    out.append((sorted(sheet.values), await sheet.get("scaled"), list(sheet.computed)))
    sheet["a"] = scaled
    try:
        await sheet.get("sum")
    except CellError as error:
        out.append((str(error), sheet.active, await effect("cycle", sorted(sheet.values))))
    sheet["a"] = 0
    return out, await sheet.get("scaled"), {k: sorted(v) for k, v in sorted(sheet.users.items())}


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
