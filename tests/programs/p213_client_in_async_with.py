# durable: on
"""A client that cannot be saved is held by `async with`; responses refer to it, and entering gives another object."""
import asyncio
import contextlib
import threading

import durable_import
from world import effect


class Session:
    def __init__(self, base):
        self.base, self.lock, self.local, self.is_open = base, threading.RLock(), threading.local(), True

    def __reduce_ex__(self, protocol):
        raise TypeError("a session cannot be saved")

    def get(self, path):
        return Response(self, path)


@durable_import.reopenable
class Client:
    def __init__(self, base):
        self.session = Session(base)

    async def __aenter__(self):
        await asyncio.sleep(0)
        return self.session

    async def __aexit__(self, *details):
        self.session.is_open = False
        await effect("client closed")


class Response:
    def __init__(self, session, path):
        self.session, self.path = session, path

    async def __aenter__(self):
        assert self.session.is_open
        await effect(f"request {self.path}")
        return self

    async def __aexit__(self, *details):
        await effect("response closed")

    async def json(self):
        return {"url": self.session.base + await effect("body", self.path)}


async def main():
    found = []
    async with Client("http://shop") as session, contextlib.AsyncExitStack() as stack:
        for number in range(2):
            async with session.get(f"/{number}") as response:
                found.append(await response.json())
                assert response.session is session
        stack.callback(found.append, "left")
        await effect("inside")
    return found



if __name__ == "__main__":
    print(repr(asyncio.run(main())))
