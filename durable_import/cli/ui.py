"""``ui``: a page over the instances of a store, and the same by HTTP."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from .speech import say
from .watch import BY_CTRL_C


def serve_page(store: str, *, host: str, port: int, token: str | None, hosts: Sequence[str]) -> int:
    """Serve it until Ctrl-C; gives the exit status. Raises DurableError, MissingDriverError without its libraries."""
    from ..ui.serving import serve  # needs an extra

    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        serve(store, host, port, token, hosts, say)
    except KeyboardInterrupt:  # raised when what was being answered has ended
        return BY_CTRL_C
    return 0
