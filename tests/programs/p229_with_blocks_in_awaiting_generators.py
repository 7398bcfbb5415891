# durable: on
"""``with`` blocks around the awaits of generators: managers that are saved, and one that is made and entered again."""
import asyncio
import contextlib
import contextvars
import sqlite3

from world import effect

HOLDS = True  # while the connection is open

LEVEL = contextvars.ContextVar("level", default=0)


@contextlib.contextmanager
def level(number, log):
    token = LEVEL.set(number)
    try:
        yield number
    finally:
        LEVEL.reset(token)
        log.append(("left", number))


class Rows:
    def __init__(self, path, log):
        self.path = path
        self.log = log

    def __await__(self):
        with level(1, self.log) as outer, contextlib.suppress(ZeroDivisionError):
            with contextlib.closing(sqlite3.connect(self.path)) as database:
                database.execute("create table if not exists rows (value)")
                database.execute("delete from rows")
                database.commit()
                for number in range(2):
                    value = yield from effect(f"row {number}", number).__await__()
                    database.execute("insert into rows values (?)", (value * 10,))
                    database.commit()
                    yield
                found = database.execute("select value from rows order by value").fetchall()
            self.log.append((found, LEVEL.get(), outer))
            yield from self.deeper().__await__()
            return 1 / 0
        return (yield from effect("suppressed", "suppressed").__await__()), LEVEL.get()

    async def deeper(self):
        with level(2, self.log):
            self.log.append(await effect("deeper", LEVEL.get()))


async def main():
    log = []
    return await Rows("rows.db", log), log, LEVEL.get()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
