# durable: on
"""Nested asynchronous callables wrap a handler, change request and response, short-circuit and handle errors."""
import asyncio
import functools

from world import effect, fail


class HttpError(Exception):
    def __init__(self, status):
        self.status = status


async def handler(request):
    if request["path"] == "/boom":
        await fail("handler fails", HttpError(500))
    return {"status": 200, "body": await effect(f"handle {request['path']}", f"hello {request.get('user')}")}


def timing(ticks):
    def middleware(following):
        async def call(request):
            start = next(ticks)
            try:
                return await following(request)
            finally:
                request.setdefault("spent", []).append(next(ticks) - start)

        return call

    return middleware


def errors(following):
    async def call(request):
        try:
            return await following(request)
        except HttpError as error:
            return {"status": error.status, "body": await effect("render error", "sorry")}

    return call


class Auth:
    def __init__(self, users, following):
        self.users = users
        self.following = following

    async def __call__(self, request):
        user = self.users.get(request["token"])
        if user is None:
            return {"status": 401, "body": ""}
        return await self.following({**request, "user": await effect(f"auth {user}", user)})


def build(endpoint, *middlewares):
    return functools.reduce(lambda following, wrap: wrap(following), reversed(middlewares), endpoint)


async def main():
    ticks = iter(range(0, 1000, 7))
    cache = {}

    def caching(following):
        async def call(request):
            if (path := request["path"]) not in cache:
                cache[path] = await following(request)
            return {**cache[path], "cached": len(cache)}

        return call

    app = build(handler, timing(ticks), errors, functools.partial(Auth, {"t": "ann"}), caching)
    out, requests = [], []
    for path, token in [("/a", "x"), ("/b", "t"), ("/b", "none"), ("/boom", "t")]:
        request = {"path": path, "token": token}
        requests.append(request)
        out.append(await app(request))
        await effect(f"sent {path}")
    return out, requests, sorted(cache), next(ticks)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
