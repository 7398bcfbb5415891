"""The page, served alone."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Iterable
from types import FrameType

from ..errors import DurableError
from ..stores.url import check_there, open_store
from .application import app
from .guard import is_loopback
from .libraries import uvicorn
from .site import Site

_ENDING = 3  # seconds for what is being answered


class _Server(uvicorn.Server):
    """Ends the streams when it is to end."""

    def __init__(self, config: uvicorn.Config, site: Site) -> None:
        super().__init__(config)
        self._site = site

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._site.is_over.set()
        super().handle_exit(sig, frame)


def serve(store: str, host: str, port: int, token: str | None, hosts: Iterable[str], say: Callable[[str], None]) -> None:
    """Serve the page until Ctrl-C; ``say`` is told where it is. Port 0: a free one. A host that others reach needs a token, which
    is made if there is none. Raises DurableError."""
    opened = open_store(store)
    check_there(opened)
    names = {*hosts, *({host, socket.gethostname()} if not is_loopback(host) else ())}
    given = token
    if names and token is None:
        token = secrets.token_urlsafe(24)
    application = app(store, token=token, hosts=names)
    listening = _listen(host, port)
    place = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}/"
    say(f"the page is at {place}{f'?token={token}' if token is not None and given is None else ''} (Ctrl-C ends it)")
    config = uvicorn.Config(
        application,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_ENDING,
    )
    _Server(config, application.state.site).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        raise DurableError(
            f"the page cannot be served at {host} port {port}: {error}. Choose another --port, 0 for a free one"
        ) from error
