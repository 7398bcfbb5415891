"""Who may ask: this machine, or who has the token; no page of somebody else's."""

from __future__ import annotations

from types import ModuleType

import httpx
import pytest

from durable_import import StateStore
from durable_import.ui import app
from durable_import.ui.guard import Policy
from tests.ui.conftest import OWN, MakeRuntime, field_of

TOKEN = "a token that nobody guesses"
OUTSIDE = "http://192.0.2.7:8431"
pytestmark = pytest.mark.parametrize("store", ["memory"], indirect=True)


def asking(store: StateStore, url: str, **options: str) -> httpx.AsyncClient:
    """Asks a page that was reached at a URL."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app(store, **options)), base_url=url)  # type: ignore[arg-type]


@pytest.mark.parametrize("url", [OWN, "http://localhost", "http://[::1]:80"])
async def test_this_machine(store: StateStore, make_runtime: MakeRuntime, url: str) -> None:
    """By all names of loopback; what browsers may do with an answer is said with each."""
    async with make_runtime(), asking(store, url) as browser:
        for path in ("/", "/none", "/static/style.css", "/api/instances"):
            answer = await browser.get(path)
            assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.status_code == (404 if path == "/none" else 200)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:8431"},
        {"Host": ""},
        {"Host": "[evil"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
    ],
)
async def test_other_hosts_and_origins(store: StateStore, make_runtime: MakeRuntime, headers: dict[str, str]) -> None:
    """They are refused, whatever they ask for."""
    async with make_runtime(), asking(store, OWN) as browser:
        for method, path in (
            ("GET", "/"),
            ("GET", "/api/instances"),
            ("POST", "/api/instances/a/cancel"),
            ("GET", "/static/live.js"),
        ):
            answer = await browser.request(method, path, headers=headers)
            assert (answer.status_code, set(answer.json())) == (403, {"error"})


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_forms_of_other_pages(store: StateStore, make_runtime: MakeRuntime, site: str) -> None:
    """A browser says where a form is from, if only so."""
    async with make_runtime(), asking(store, OWN) as browser:
        answer = await browser.post("/api/instances/a/cancel", headers={"Sec-Fetch-Site": site})
        assert answer.status_code == 403
        assert (await browser.get("/", headers={"Sec-Fetch-Site": site})).status_code == 200  # by a link


async def test_elsewhere_without_a_token(store: StateStore) -> None:
    """Nobody is answered, whatever host is asked for."""
    async with asking(store, OUTSIDE) as browser:
        for headers in ({}, {"Host": "127.0.0.1"}, {"Authorization": "Bearer "}):
            answer = await browser.get("/", headers=headers)
            assert (answer.status_code, "give it a token" in answer.text) == (403, True)
    with pytest.raises(ValueError, match="needs a token"):
        app(store, hosts=["ops.example"])
    with pytest.raises(ValueError, match="token is empty"):
        app(store, token=" ")


async def test_programs_with_a_token(store: StateStore, make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """They send it with each request; others are told so."""
    async with make_runtime() as runtime, asking(store, OUTSIDE, token=TOKEN) as browser:
        await runtime.start(flows.rest, instance_id="a")
        for given in ("", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer \xfc"):
            answer = await browser.get("/api/instances", headers={b"Authorization": given.encode("latin-1")})
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        right = {"Authorization": f"Bearer {TOKEN}"}
        assert (await browser.get("/api/instances", headers=right)).json()["items"][0]["id"] == "a"
        assert (await browser.post("/api/instances/a/cancel", headers=right)).json()["done"] is True
        assert (await browser.get("/", headers={**right, "Host": "evil.example"})).status_code == 403


async def test_people_with_a_token(store: StateStore, make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """They type it once, or follow the link that was told when it was started; a cookie has no token in it."""
    async with make_runtime() as runtime:
        await runtime.start(flows.rest, instance_id="a")
        async with asking(store, OUTSIDE, token=TOKEN) as browser:
            page = await browser.get("/instances/a")
            assert (page.status_code, 'type="password"' in page.text) == (401, True)
            assert (await browser.get("/static/style.css")).status_code == 200
            form = {"csrf_token": field_of(page.text, "csrf_token")}
            wrong = await browser.post("/sign-in", data={**form, "token": "x"}, headers={"Origin": OUTSIDE})
            assert (wrong.status_code, "This is not the token." in wrong.text) == (401, True)
            right = await browser.post("/sign-in", data={**form, "token": TOKEN}, headers={"Origin": OUTSIDE})
            assert (right.status_code, right.headers["location"]) == (303, "/")
            assert "HttpOnly" in right.headers["set-cookie"]
            assert TOKEN not in right.headers["set-cookie"]
            assert (await browser.get("/instances/a")).status_code == 200
        async with asking(store, OUTSIDE, token=TOKEN) as browser:
            assert (await browser.get("/?token=wrong")).status_code == 401
            linked = await browser.get("/?status=sleeping", params={"status": "sleeping", "token": TOKEN})
            assert (linked.status_code, linked.headers["location"]) == (303, "/?status=sleeping")
            assert (await browser.get("/?status=sleeping")).status_code == 200
            assert (
                (await browser.get(f"{OUTSIDE}//evil.example/", params={"token": TOKEN})).headers["location"].startswith("/evil")
            )


def test_names(store: StateStore) -> None:  # noqa: ARG001
    """Hosts are compared as they are meant; processes with one token take each other's forms and cookies."""
    one, other = Policy.of(TOKEN, ["Ops.Example"]), Policy.of(TOKEN, [])
    assert one.hosts == {"ops.example"}
    assert (one.csrf_token, one.cookie) == (other.csrf_token, other.cookie)
    assert Policy.of(None, []).csrf_token != Policy.of(None, []).csrf_token
    assert TOKEN not in one.csrf_token + "".join(one.cookie)
