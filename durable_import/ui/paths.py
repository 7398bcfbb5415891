"""Paths of instances, whatever their ids are: an id is one percent-encoded part of a path, and stays one."""

from __future__ import annotations

from urllib.parse import quote, unquote

from .libraries import ASGIApp, Convertor, Receive, Scope, Send, register_url_convertor

_DOTS = (".", "..")  # browsers take them for steps in a path, encoded or not
_END = "!"  # behind them: no encoded id has it


def part_of(instance_id: str) -> str:
    """An id as a part of a path."""
    return quote(instance_id, safe="", errors="surrogatepass") + (_END if instance_id in _DOTS else "")


class _InstanceId(Convertor[str]):
    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return unquote(value.removesuffix(_END), errors="surrogatepass")

    def to_string(self, value: str) -> str:
        return part_of(value)


register_url_convertor("durable_instance", _InstanceId())


class RawPaths:
    """Lets what is behind it see paths as they were sent: in decoded ones a slash of an id is one of the path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] == "http":
            raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
            scope = {**scope, "path": raw.decode("ascii", "replace"), "root_path": quote(scope.get("root_path", ""))}
        await self._app(scope, receive, send)
