# durable: on
"""async with of several items awaits in enter and exit, suppresses, and sees return, break and errors."""
import asyncio

from world import effect


class Session:
    def __init__(self, name, log, suppress=()):
        self.name, self.log, self.suppress = name, log, suppress

    async def __aenter__(self):
        self.log.append(await effect(f"enter-{self.name}", f"enter {self.name}"))
        return self

    async def __aexit__(self, kind, error, traceback):
        answer = await effect(f"exit-{self.name}", kind is not None and issubclass(kind, self.suppress))
        self.log.append((f"exit {self.name}", repr(error), answer))
        return answer


async def early(log):
    for k in range(3):
        async with Session(f"r{k}", log) as s:
            if k == 0:
                continue
            return s.name


async def main():
    log = []
    async with Session("a", log) as a, Session("b", log, (KeyError,)) as b:
        log.append((a.name, b.name))
        raise KeyError("for b")
    log.append(await early(log))
    try:
        async with Session("c", log) as c:
            try:
                with_finally = "kept"
                raise ValueError(c.name)
            finally:
                log.append(await effect("finally", with_finally))
    except ValueError as error:
        log.append(repr(error.__context__))
    while True:
        async with (Session("d", log),):
            break
    return log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
