# durable: on
"""A leaf fails with urllib's HTTPError, which is also the response; its body is read after further awaits."""
import asyncio
import email.message
import io
import urllib.error

from world import effect, fail


class Wire(io.RawIOBase):
    """Like a socket's file: cannot be saved."""

    def __init__(self, content):
        self.content = content

    def __reduce_ex__(self, protocol):
        raise TypeError("a wire cannot be saved")

    def readable(self):
        return True

    def readinto(self, buffer):
        given, self.content = self.content[:4], self.content[4:]
        buffer[: len(given)] = given
        return len(given)


def refused(status):
    headers = email.message.Message()
    headers["Retry-After"] = str(status - 500)
    return urllib.error.HTTPError("http://shop/pay", status, "Unavailable", headers, io.BufferedReader(Wire(b"try later")))


async def pay(tries):
    for number in range(tries):
        try:
            await fail(f"pay {number}", refused(503 + number))
        except urllib.error.HTTPError as error:
            error.add_note("seen")
            await effect(f"pause {error.headers['Retry-After']}")
            body = error.read()
            await effect("after reading")
            yield error.code, error.reason, error.url, body, error.read(), str(error), error.__notes__


async def main():
    return [line async for line in pay(2)]



if __name__ == "__main__":
    print(repr(asyncio.run(main())))
