"""The order service is deployed four times in a row, each time with other workflows, under load and kills."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.acceptance.servers import EXAMPLES, Server
from tests.harness.processes import PATIENCE, Desk

pytestmark = pytest.mark.slow

Changes = list[tuple[str, str]]

# Each place says of which version the code is that runs there; `label` is of today always.
FIRST: Changes = [
    ("async def fulfil(", "def version() -> str:\n    return 'VERSION'\n\n\nasync def fulfil("),
    ("    async with AsyncExitStack", "    seen = [version()]\n    async with AsyncExitStack"),
    ("        receipt = await", "        receipt, by = await"),
    ("        try:\n            approved", "        seen += [by, version()]\n        try:\n            approved"),
    ("        await asyncio.to_thread(stock.ship, order.id)", "        seen.append(await asyncio.to_thread(ship, order.id))"),
    ('return "refunded"', "return f\"refunded {' '.join(seen)} {label()}\""),
    ('return "shipped"', "return f\"shipped {' '.join(seen)} {label()}\""),
    ('return str(reply.raise_for_status().json()["receipt"])', 'return str(reply.json()["receipt"]), version()'),
    ("path: str, what: dict[str, object]) -> str:", "path: str, what: dict[str, object]) -> tuple[str, str]:"),
    (
        "class PaymentRefusedError",
        "def ship(order_id: str) -> str:\n    stock.ship(order_id)\n    return version()\n\n\n"
        "@durable_import.on_change('latest')\ndef label() -> str:\n    return 'VERSION'\n\n\nclass PaymentRefusedError",
    ),
    ("import httpx\n", "import durable_import\nimport httpx\n"),
]
# Functions with other names and parameters, a further await, and one that has gone.
SECOND: Changes = [
    ("tell_bank(path: str, what: dict[str, object])", "ask_bank(what: dict[str, object], *, path: str)"),
    ('tell_bank("/charges", {"order": order.id, "amount": order.price})', 'ask_bank({"order": order.id, "amount": order.price}, '
     'path="/charges")'),
    ('undo.push_async_callback(tell_bank, "/refunds", {"order": order.id, "receipt": receipt})',
     'undo.push_async_callback(ask_bank, {"order": order.id, "receipt": receipt}, path="/refunds")'),
    ("def ship(order_id: str) -> str:", "def ship(carrier: str, order_id: str) -> str:"),
    ("asyncio.to_thread(ship, order.id)", "asyncio.to_thread(ship, 'post', order.id)"),
    ("        seen += [by, version()]\n", "        await asyncio.sleep(0)\n        seen += [by, version()]\n"),
]  # fmt: skip
# A decorator over a function in flight, a class in place of functions, data with a further field, another way to wait.
THIRD: Changes = [
    ("def ship(order_id: str) -> str:\n    stock.ship(order_id)\n    return version()", "class Courier:\n"
     "    def ship(self, order_id: str) -> str:\n        stock.ship(order_id)\n        return version()"),
    ("asyncio.to_thread(ship, order.id)", "asyncio.to_thread(Courier().ship, order.id)"),
    ("    price: int\n", "    price: int\n    gift: bool = False\n"),
    ("async def tell_bank", "def attempts(function):\n    @functools.wraps(function)\n    async def again(*arguments):\n"
     "        try:\n            return await function(*arguments)\n        except httpx.HTTPStatusError:\n"
     "            return await function(*arguments)\n    return again\n\n\n@attempts\nasync def tell_bank"),
    ("import asyncio\n", "import asyncio\nimport functools\n"),
    ("approved = await wait_for_event(\"approval\", timeout=order.patience)", "async with asyncio.timeout(order.patience):\n"
     "                approved = await wait_for_event(\"approval\")"),
]  # fmt: skip
# The decorator away, a step in another one, a task, and another order of things.
FOURTH: Changes = [
    ("asyncio.to_thread(ship, order.id)", "asyncio.wait_for(asyncio.to_thread(ship, order.id, 'by air'), 600)"),
    ("def ship(order_id: str) -> str:", "def ship(order_id: str, way: str) -> str:"),
    ("        receipt, by = await tell_bank(", "        receipt, by = await asyncio.create_task(tell_bank("),
    ("\"amount\": order.price})\n", "\"amount\": order.price}))\n"),
]  # fmt: skip
# Deployed one after the other: the version that each text is, and how it comes from the first one.
DEPLOYS: list[tuple[str, Changes]] = [("v1", []), ("v2", SECOND), ("v3", THIRD), ("v1", []), ("v4", FOURTH)]
KNOWN = (202, 409)
ORDERS = 8  # in each of them


def changed(text: str, changes: Changes) -> str:
    """A text after some changes, each of which must fit in one place."""
    for old, new in changes:
        assert text.count(old) == 1, (old, text)
        text = text.replace(old, new)
    return text


class Shop:
    """The service, its bank, and what becomes of its orders."""

    def __init__(self, desk: Desk) -> None:
        self.folder = desk.folder / "service"
        shutil.copytree(EXAMPLES / "order_service", self.folder / "order_service", ignore=shutil.ignore_patterns("__pycache__"))
        stock = self.folder / "order_service" / "stock.py"
        stock.write_text(changed(stock.read_text(), [('"teapot": 10', '"teapot": 1000')]))
        self.workflows = self.folder / "order_service" / "workflows.py"
        self.text = changed(self.workflows.read_text(), FIRST)
        self.bank = Server(desk, "servers.bank:app", BANK_DELAY="0.06").start()
        self.server = Server(desk, "order_service.app:app", folder=self.folder, BANK_URL=self.bank.url)

    def deploy(self, version: str, changes: Changes) -> None:
        """Put another text in place, and start."""
        self.workflows.write_text(changed(self.text, changes).replace("VERSION", version))
        self.server.start()

    def asks(self, method: str, path: str, **more: object) -> None:
        """What a client does that tries again until the service is there; it may have been told of it before, and have ended."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                if self.server.http.request(method, path, **more).status_code in KNOWN:  # type: ignore[arg-type]
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"{method} {path} was not accepted")

    def order(self, name: str) -> None:
        self.asks("POST", "/orders", json={"id": name, "item": "teapot", "price": 25})

    def approve(self, name: str) -> None:
        """Or not, if its name ends with `-`."""
        self.asks("POST", f"/orders/{name}/approval", json={"approved": not name.endswith("-")})

    def result(self, name: str) -> str:
        return str(self.server.get(f"/orders/{name}", wait=60)["result"])


@pytest.fixture
def shop(desk: Desk) -> Shop:
    return Shop(desk)


def names(number: int) -> list[str]:
    """The orders of a deploy: those that end at once, at the next deploy, and at the end; the customer declines some."""
    return [f"{number}{when}{i}{'-' if i % 4 == 3 else ''}" for i in range(ORDERS // 2) for when in ("now", "then", "last")]


def of(number: int, when: str) -> list[str]:
    return [name for name in names(number) if when in name]


def results_of_all(shop: Shop, clients: ThreadPoolExecutor) -> dict[str, tuple[str, str]]:
    """Deploy, order and approve, with two kills a deploy: the results, each with the version of the deploy at which it came."""
    results: dict[str, tuple[str, str]] = {}
    for number, (version, changes) in enumerate(DEPLOYS):
        shop.deploy(version, changes)
        begun = names(number)
        ending = [*of(number, "now"), *(of(number - 1, "then") if number else [])]
        if number == len(DEPLOYS) - 1:
            ending += [*of(number, "then"), *(name for each in range(number + 1) for name in of(each, "last"))]
        ordering = [clients.submit(shop.order, name) for name in begun]
        approving = [clients.submit(shop.approve, name) for name in ending if name not in begun]
        ordering[ORDERS // 2].result()
        shop.server.kill()  # in the middle of what orders and approvals have set going
        shop.server.start()
        for each in (*ordering, *approving):
            each.result()
        for name in begun:
            shop.server.until(f"/orders/{name}", status="waiting")
        for name in {*ending} & {*begun}:
            shop.approve(name)
        results |= {name: (shop.result(name), version) for name in ending}
        shop.order(f"{number}late")
        shop.server.kill()
    shop.server.start()
    for number in range(len(DEPLOYS)):
        shop.approve(f"{number}late")
        results[f"{number}late"] = shop.result(f"{number}late"), DEPLOYS[-1][0]
    return results


def test_every_order_ends_in_the_code_that_it_began_with(shop: Shop) -> None:
    """Pinned to its end, through all deploys, and paid once; one that had not begun when it was killed is of a later text."""
    with ThreadPoolExecutor(4) as clients:
        results = results_of_all(shop, clients)
    assert len(results) == len(DEPLOYS) * (len(names(0)) + 1)
    expected = Counter[tuple[str, int]]()
    for name, (result, ended_in) in results.items():
        what, *seen, label = result.split()
        number, is_declined = int(name[0]), name.endswith("-")
        began = {version for version, _ in DEPLOYS[number : number + 1 + name.endswith("late")]}
        assert (what, label) == ("refunded" if is_declined else "shipped", ended_in), (name, result)
        assert len(seen) == (3 if is_declined else 4), (name, result)
        assert len(set(seen)) == 1, (name, result)
        assert seen[0] in began, (name, result)
        expected[name, 25] += 1
        expected[name, -25] += is_declined
    assert Counter((move["order"], move["amount"]) for move in shop.bank.get("/moves")) == +expected
