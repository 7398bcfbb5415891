"""The order service, as a process that is killed, and its clients and its bank, over real HTTP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.acceptance.servers import Server
from tests.harness.processes import Desk

pytestmark = pytest.mark.slow

DELAY = 0.4  # seconds that the bank takes


@pytest.fixture
def bank(desk: Desk) -> Server:
    """A bank that takes its time."""
    return Server(desk, "servers.bank:app", BANK_DELAY=str(DELAY)).start()


@pytest.fixture
def service(desk: Desk, bank: Server) -> Iterator[Server]:
    """The service under test, running."""
    service = Server(desk, "order_service.app:app", BANK_URL=bank.url)
    yield service.start()
    service.kill()


def order(service: Server, order_id: str, item: str = "teapot", price: int = 25, **more: Any) -> httpx.Response:
    return service.http.post("/orders", json={"id": order_id, "item": item, "price": price, **more})


def approve(service: Server, order_id: str, approved: bool = True) -> httpx.Response:
    return service.http.post(f"/orders/{order_id}/approval", json={"approved": approved})


def movements(bank: Server) -> Counter[tuple[str, int]]:
    """What the bank has moved for which order, and how often."""
    return Counter((move["order"], move["amount"]) for move in bank.get("/moves"))


def test_order_survives_kills(service: Server, bank: Server) -> None:
    """Killed while the bank is charging, then while it waits for the approval: the client gets the result, paid once."""
    assert order(service, "A1").status_code == 202
    service.running.wait_until(lambda: bool(bank.get("/calls")))  # type: ignore[union-attr]
    service.kill()
    service.start().until("/orders/A1", status="waiting")
    service.kill()
    service.start()
    assert service.get("/orders/A1") == {"id": "A1", "status": "waiting", "result": None}
    assert approve(service, "A1").status_code == 202
    assert service.get("/orders/A1", wait=30) == {"id": "A1", "status": "completed", "result": "shipped"}
    service.kill()
    service.start()
    assert service.get("/orders/A1") == {"id": "A1", "status": "completed", "result": "shipped"}
    assert Counter(bank.get("/calls")).most_common() == [(bank.get("/calls")[0], 2)]  # the same key again
    assert movements(bank) == {("A1", 25): 1}


def test_client_waits_for_the_result(service: Server, bank: Server) -> None:
    """A request that polls gets the result as soon as somebody else approves; one that comes too early, the status."""
    order(service, "A1")
    assert service.get("/orders/A1", wait=0.1)["result"] is None
    service.until("/orders/A1", status="waiting")
    with ThreadPoolExecutor() as pool:
        polling = pool.submit(service.get, "/orders/A1", wait=30)
        approve(service, "A1", approved=False)
        assert polling.result(30) == {"id": "A1", "status": "completed", "result": "refunded"}
    assert movements(bank) == {("A1", 25): 1, ("A1", -25): 1}


def test_refund_is_made_once(service: Server, bank: Server) -> None:
    """Killed in the middle of the refund, which is made again with the same key."""
    order(service, "A1", patience=0.1)  # nobody approves in time
    service.running.wait_until(lambda: len(set(bank.get("/calls"))) == 2)  # type: ignore[union-attr]
    service.kill()
    service.start()
    assert service.get("/orders/A1", wait=30)["result"] == "refunded"
    assert len(bank.get("/calls")) == 3
    assert movements(bank) == {("A1", 25): 1, ("A1", -25): 1}


def test_cancelled_order_is_undone(service: Server, bank: Server) -> None:
    """DELETE undoes what was done; killed in between, it is undone nevertheless."""
    order(service, "A1")
    service.until("/orders/A1", status="waiting")
    assert service.http.delete("/orders/A1").json() == {"id": "A1", "cancelling": True}
    service.running.wait_until(lambda: len(set(bank.get("/calls"))) == 2)  # type: ignore[union-attr]
    service.kill()
    service.start()
    assert service.get("/orders/A1", wait=30) == {"id": "A1", "status": "cancelled", "result": None}
    assert service.http.delete("/orders/A1").json() == {"id": "A1", "cancelling": False}
    assert movements(bank) == {("A1", 25): 1, ("A1", -25): 1}


def test_several_orders_at_a_time(service: Server, bank: Server) -> None:
    """Orders go on side by side, each of them once, and end as their own events say."""
    for number in range(6):
        order(service, f"A{number}", price=number)
    service.running.wait_until(lambda: len(bank.get("/calls")) >= 3)  # type: ignore[union-attr]
    service.kill()
    service.start()
    for number in range(6):
        service.until(f"/orders/A{number}", status="waiting")
        approve(service, f"A{number}", approved=number % 2 == 0)
    results = [service.get(f"/orders/A{number}", wait=30)["result"] for number in range(6)]
    assert results == ["shipped", "refunded"] * 3
    expected = [(f"A{number}", number) for number in range(6)] + [(f"A{number}", -number) for number in (1, 3, 5)]
    assert movements(bank) == dict.fromkeys(expected, 1)


def test_bank_that_is_away(service: Server, bank: Server) -> None:
    """An order waits until its bank is there again."""
    bank.kill()
    order(service, "A1", patience=0.1)
    service.until("/orders/A1", status="sleeping")
    bank.start()
    assert service.get("/orders/A1", wait=30)["result"] == "refunded"


def test_what_a_client_may_do_wrong(service: Server, bank: Server) -> None:
    """The same order again is the same order; another one of its id, one that is not there, or has ended: clear answers."""
    assert service.http.get("/orders/A1").status_code == 404
    assert approve(service, "A1").status_code == 404
    assert service.http.delete("/orders/A1").status_code == 404
    assert [order(service, "A1").status_code for _ in range(2)] == [202, 202]
    assert order(service, "A1", price=1).status_code == 409
    service.until("/orders/A1", status="waiting")
    approve(service, "A1")
    assert service.get("/orders/A1", wait=30)["result"] == "shipped"
    late = approve(service, "A1")
    assert (late.status_code, "has ended" in late.json()["detail"]) == (409, True)
    order(service, "A2", item="unicorn")
    assert service.get("/orders/A2", wait=30)["result"] == "out of stock"
    order(service, "A3", price=5000)
    refused = {"id": "A3", "status": "failed", "result": "the bank refuses: that is too much"}
    assert service.get("/orders/A3", wait=30) == refused
    service.kill()
    service.start()
    assert service.get("/orders/A3") == refused
    assert movements(bank) == {("A1", 25): 1}


def test_stopping_the_service_suspends(service: Server, bank: Server) -> None:
    """SIGTERM, as at a deploy, while the bank is charging: the next process goes on, and what is undone is undone later."""
    order(service, "A1")
    service.running.wait_until(lambda: bool(bank.get("/calls")))  # type: ignore[union-attr]
    assert service.running is not None
    service.running.process.terminate()
    assert service.running.end().status in (0, -15)  # uvicorn raises the signal again, once it has shut down
    service.start().until("/orders/A1", status="waiting")
    approve(service, "A1")
    assert service.get("/orders/A1", wait=30)["result"] == "shipped"
    assert movements(bank) == {("A1", 25): 1}


def test_two_services_share_their_orders(desk: Desk, service: Server, bank: Server) -> None:
    """Any process may be asked about any order; what one was doing when it was killed, the other one completes."""
    other = Server(desk, "order_service.app:app", BANK_URL=bank.url).start()
    for number in range(4):
        order([service, other][number % 2], f"A{number}")
    service.running.wait_until(lambda: len(bank.get("/calls")) >= 3)  # type: ignore[union-attr]
    service.kill()
    for number in range(4):
        other.until(f"/orders/A{number}", status="waiting")
    service.start()
    for number in range(4):
        approve([other, service][number % 2], f"A{number}")
        assert [one.get(f"/orders/A{number}", wait=30)["result"] for one in (service, other)] == ["shipped"] * 2
    assert movements(bank) == {(f"A{number}", 25): 1 for number in range(4)}
