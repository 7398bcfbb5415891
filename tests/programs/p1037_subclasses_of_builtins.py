# durable: on
"""Subclasses of dict, list, set, str, int, float, tuple, bytes and deque keep type, attributes and cycles."""
import asyncio
import collections

from world import effect


class Table(dict):
    def __init__(self, name, *args, **kw):
        super().__init__(*args, **kw)
        self.name = name

    def __setitem__(self, key, value):
        super().__setitem__(key, (self.name, value))


class Row(list):
    owner = None

    def append(self, item):
        super().append(item)
        self.added = getattr(self, "added", 0) + 1


class Names(set):
    pass


class Text(str):
    def __new__(cls, value, language):
        self = super().__new__(cls, value)
        self.language = language
        return self


class Meters(float):
    unit = "m"

    def __add__(self, other):
        return Meters(float(self) + other)


class Point(tuple):
    __slots__ = ()

    def __new__(cls, x, y):
        return super().__new__(cls, (x, y))

    x = property(lambda self: self[0])


class Count(int):
    pass


class Recent(collections.deque):
    pass


async def main():
    table, row, names = Table("t"), Row(), Names("ab")
    text, length, point, count, recent = Text("hallo", "de"), Meters(1.5), Point(1, [row]), Count(7), Recent([1], 2)
    names.table = table
    row.owner = row
    recent.tag = point
    table["row"] = row
    await effect("made")
    row.append(await effect("item", text))
    table["n"] = count
    length += await effect("more", 2)
    recent.extend([2, 3])
    await effect("held")
    return [
        (dict(table, row=None), table.name, type(table).__name__),
        (list(row), row.added, row.owner is row, table["row"][1] is row),
        (sorted(names), names.table is table),
        (text.language, row[0] is text, type(text.upper()).__name__),
        (length, length.unit, type(count).__name__, count + 1),
        (point.x, point[1][0] is row, type(point).__name__),
        (list(recent), recent.maxlen, recent.tag is point),
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
