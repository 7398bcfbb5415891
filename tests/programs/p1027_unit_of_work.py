# durable: on
"""Repositories with identity maps, lazy relations and dirty tracking flush in order, and conflicts roll the session back."""
import asyncio

from world import effect


class Conflict(Exception):
    pass


class Lazy:
    def __init__(self, kind):
        self.kind = kind

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        return instance.session.get(self.kind, instance.fields[f"{self.name}_id"])


class Entity:
    def __init__(self, session, fields):
        self.__dict__.update(session=session, fields=fields, dirty={})

    def __getattr__(self, name):
        if name.startswith("__") or name not in self.__dict__.get("fields", {}):
            raise AttributeError(name)
        return self.dirty.get(name, self.fields[name])

    def __setattr__(self, name, value):
        self.dirty[name] = value
        self.session.changed[self.key] = self

    @property
    def key(self):
        return type(self).__name__, self.fields["id"]


class Author(Entity):
    pass


class Book(Entity):
    author = Lazy(Author)


class Session:
    def __init__(self, tables):
        self.tables = tables
        self.loaded = {}
        self.changed = {}

    async def get(self, kind, id):
        key = (kind.__name__, id)
        if key not in self.loaded:
            self.loaded[key] = kind(self, dict(await effect(f"select {kind.__name__} {id}", self.tables[key])))
        return self.loaded[key]

    async def flush(self):
        for key, entity in self.changed.items():
            if self.tables[key]["version"] != entity.version:
                raise Conflict(key)
            await effect(f"update {key[0]} {key[1]}")
            self.tables[key] = entity.fields | entity.dirty | {"version": entity.version + 1}
            entity.fields.update(self.tables[key])
            entity.dirty.clear()
        self.changed.clear()

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, error, trace):
        if error is None:
            await self.flush()
        for entity in self.changed.values():
            entity.dirty.clear()


async def main():
    tables = {("Author", 1): {"id": 1, "name": "Eco", "version": 1}}
    tables |= {("Book", n): {"id": n, "title": f"B{n}", "author_id": 1, "version": 1} for n in (1, 2)}
    out = []
    async with Session(tables) as session:
        one, two = await session.get(Book, 1), await session.get(Book, 2)
        author = await one.author
        out.append((author is await two.author, author.name, Book.author.kind is Author))
        author.name = await effect("rename", "Umberto Eco")
        two.title = "Second"
        out.append((author.fields["name"], author.name, list(session.changed)))
    try:
        async with Session(tables) as session:
            book = await session.get(Book, 2)
            book.title = "Third"
            tables["Book", 2] = tables["Book", 2] | {"version": await effect("other writer", 9)}
            await session.flush()
    except Conflict as error:
        out.append((error.args, book.title, hasattr(book, "missing")))
    return out, tables


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
