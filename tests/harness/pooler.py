"""A stand-in for a pooler of transactions before a PostgreSQL server, as far as clients can tell: it takes no options of
sessions, and tells them a session of its own. Each client has one of the server's in truth."""

from __future__ import annotations

import socket
import struct
import threading

KEY_DATA = b"K\0\0\0\x0c"  # what begins the message that tells the session
REFUSAL = b"SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: options\0\0"


class Pooler:
    """Listens on a port of this machine, before ``port``. ``refused``: how often it has refused options; ``prepared``: how many
    named statements it was asked to keep, which it could not."""

    def __init__(self, port: int) -> None:
        self._target = port
        self.refused = 0
        self.prepared = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            while True:
                (length,) = struct.unpack("!I", _exactly(client, 4))
                content = _exactly(client, length - 4)
                if length != 8:
                    break
                client.sendall(b"N")  # no encryption
            if b"options\0" in content:
                self.refused += 1
                client.sendall(b"E" + struct.pack("!I", len(REFUSAL) + 4) + REFUSAL)
                client.close()
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            server.sendall(struct.pack("!I", length) + content)
            threading.Thread(target=self._answer, args=(server, client), daemon=True).start()
            while kind := client.recv(1):
                (length,) = struct.unpack("!I", _exactly(client, 4))
                content = _exactly(client, length - 4)
                self.prepared += kind == b"P" and not content.startswith(b"\0")
                server.sendall(kind + struct.pack("!I", length) + content)
            server.close()
        except OSError:  # one side is gone
            client.close()

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        is_told = False
        try:
            while answer := server.recv(1 << 16):
                if not is_told and (place := answer.find(KEY_DATA)) >= 0 and place + 9 <= len(answer):
                    place += len(KEY_DATA)
                    answer, is_told = answer[:place] + b"\0\0\0\x01" + answer[place + 4 :], True
                client.sendall(answer)
            client.shutdown(socket.SHUT_RDWR)
        except OSError:  # one side is gone
            client.close()


def _exactly(connected: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connected.recv(size - len(data))
        if not more:
            raise ConnectionError("the other side has closed")
        data += more
    return data
