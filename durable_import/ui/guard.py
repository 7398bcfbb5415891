"""Who may ask: programs and browsers on this machine, or who has the token; never a page of somebody else's."""

from __future__ import annotations

import hmac
import ipaddress
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .libraries import ASGIApp, Message, MutableHeaders, Receive, Request, Scope, Send

OPEN = ("/static/", "/sign-in")  # paths that need no token
SAFE = ("GET", "HEAD", "OPTIONS")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Policy:
    """``token``: what others than this machine must have; None: nobody else may ask. ``hosts``: names under which it may be asked
    for, besides those of this machine."""

    token: str | None = None
    hosts: frozenset[str] = frozenset()
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    @classmethod
    def of(cls, token: str | None, hosts: Iterable[str]) -> Policy:
        """Raises ValueError for names of other machines without a token, and for an empty one."""
        names = frozenset(name.lower() for name in hosts)
        if token is not None and not token.strip():
            raise ValueError("the token is empty: give token=secrets.token_urlsafe()")
        if token is None and any(not is_loopback(name) for name in names):
            raise ValueError(
                f"to be asked for as {', '.join(sorted(names))} it needs a token: give token=secrets.token_urlsafe()"
            )
        return cls(token, names)

    @property
    def csrf_token(self) -> str:
        """What each form has: a page of somebody else's cannot read it. The same in all processes that have the token."""
        return self._derived("form")

    @property
    def cookie(self) -> tuple[str, str]:
        """Name and value of the cookie of who has given the token. Ports share cookies, so the name is of this token."""
        return f"durable-{self._derived('name')[:12]}", self._derived("cookie")

    def _derived(self, what: str) -> str:
        key = self.token.encode() if self.token is not None else self._secret
        return hmac.digest(key, f"durable_import ui {what}".encode(), "sha256").hex()

    def refusal(self, request: Request, path: str) -> tuple[int, str] | None:
        """The status and the reason with which a request is refused."""
        host = request.headers.get("host", "")
        name = _name_of(host)
        server = (request.scope.get("server") or ("", None))[0]
        if self.token is None and server and not is_loopback(server):
            return 403, "this page is for the machine that it runs on: to let others see it, give it a token"
        if not (is_loopback(name) or name in self.hosts or (self.token is not None and name == server.lower())):
            return 403, f"it is not to be asked for as {host!r}: name its own hosts (hosts=..., --allow-host)"
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return 403, f"a page of {origin!r} may not ask for this"
        if request.method not in SAFE and request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return 403, "a page of somebody else's may not ask for this"
        if self.token is not None and not path.startswith(OPEN) and not self._has_token(request):
            return 401, "the token is missing or wrong: send it as 'Authorization: Bearer TOKEN'"
        return None

    def is_token(self, given: str) -> bool:
        """Whether it is the token."""
        return self.token is not None and _same(given, self.token)

    def is_from_form(self, given: str) -> bool:
        """Whether it is what a form of ours has."""
        return _same(given, self.csrf_token)

    def _has_token(self, request: Request) -> bool:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self.is_token(given.strip())
        name, value = self.cookie
        return _same(request.cookies.get(name, ""), value)


def is_loopback(name: str) -> bool:
    """Whether a name or address is that of the machine itself."""
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _name_of(host: str) -> str:
    """The name in a Host header, without the port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _same(given: str, kept: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), kept.encode())


class Guard:
    """Refuses what a policy refuses, and says with each answer what a browser may do with it."""

    def __init__(self, app: ASGIApp, policy: Policy, sign_in: ASGIApp) -> None:
        self._app = app
        self._policy = policy
        self._sign_in = sign_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
            await send(message)

        path = scope["path"].removeprefix(scope["root_path"])
        request = Request(scope)
        refusal = self._policy.refusal(request, path)
        is_page = scope["method"] in SAFE and not path.startswith(("/api/", "/openapi.json"))
        is_in_url = self._policy.token is not None and is_page and "token" in request.query_params
        if refusal is None and not is_in_url:
            await self._app(scope, receive, send_on)
        elif is_page and (refusal is None or refusal[0] == 401):
            await self._sign_in(scope, receive, send_on)
        elif refusal is not None:
            await _refuse(send_on, *refusal)


async def _refuse(send: Send, status: int, reason: str) -> None:
    headers = [(b"content-type", b"application/json")]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"error": reason}).encode()})
