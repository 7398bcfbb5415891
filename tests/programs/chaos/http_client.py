"""A client of plain asyncio streams, and one of http.client for threads. Not marked: a request is a leaf."""
import asyncio
import http.client


class Status(Exception):
    """An answer that is no page; its argument is the status."""


async def get(port, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    finally:
        writer.close()
        await writer.wait_closed()
    status = int(head.split()[1])
    if status != 200:
        raise Status(status)
    return body


def get_blocking(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read().decode()
    finally:
        connection.close()
    if response.status != 200:
        raise Status(response.status)
    return body
