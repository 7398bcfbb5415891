"""A small web site in a process of its own: prints its port, answers slowly, and breaks off some answers.

Not durable: it is the outside world of crawler.py.
"""
import asyncio
import random
import sys

PAGES = 120


def links(number):
    choice = random.Random(number)
    return sorted({choice.randrange(PAGES) for _ in range(4)} | {(2 * number + 1) % PAGES, (2 * number + 2) % PAGES})


async def answer(reader, writer):
    try:
        request = await reader.readuntil(b"\r\n\r\n")
        path = request.split()[1].decode()
        await asyncio.sleep(random.uniform(0.001, 0.02))
        number = int(path.removeprefix("/page/")) if path.startswith("/page/") else -1
        if number % 17 == 5:
            status, body = "410 Gone", "gone"
        elif 0 <= number < PAGES:
            status, body = "200 OK", "\n".join([f"page {number}", *(f"/page/{n}" for n in links(number))])
        else:
            status, body = "404 Not Found", "no such page"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())
        await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
    sys.exit()
