"""A TCP proxy before a server that can cut a connection at a chosen moment."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable


class Proxy:
    """Forwards to ``port`` of this machine. ``cuts(request)``: whether to deliver this request and then lose its answer."""

    def __init__(self, port: int, cuts: Callable[[bytes], bool]) -> None:
        self._target = port
        self._cuts = cuts
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
            server = socket.create_connection(("127.0.0.1", self._target))
            is_cut = threading.Event()
            threading.Thread(target=self._forward, args=(client, server, is_cut), daemon=True).start()
            threading.Thread(target=self._answer, args=(server, client, is_cut), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket, is_cut: threading.Event) -> None:
        try:
            while request := client.recv(1 << 16):
                if self._cuts(request):
                    is_cut.set()
                server.sendall(request)
            server.shutdown(socket.SHUT_WR)
        except OSError:  # one side is gone
            server.close()

    def _answer(self, server: socket.socket, client: socket.socket, is_cut: threading.Event) -> None:
        try:
            while answer := server.recv(1 << 16):
                if is_cut.is_set():
                    break
                client.sendall(answer)
            client.shutdown(socket.SHUT_RDWR)
        except OSError:  # one side is gone
            client.close()
