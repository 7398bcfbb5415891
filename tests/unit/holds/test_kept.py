"""What is set of a reopenable object after it was made."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import httpx
import pytest

from durable_import.holds.kept import attributes, changed, first_values, put


def test_what_changes_in_place() -> None:
    """Headers and cookies are compared with what they were, not with themselves."""
    client = httpx.Client()
    first = first_values(client, {})
    assert changed(client, first) == {}
    client.headers["a"] = "1"
    client.cookies.set("b", "2")
    assert set(changed(client, first)) == {"_headers", "_cookies.jar._cookies"}
    client.close()


def test_put() -> None:
    """A name may lead on."""
    client, other = httpx.Client(), httpx.Client()
    client.cookies.set("b", "2")
    for name, value in attributes(client).items():
        put(other, name, value)
    assert dict(other.cookies) == {"b": "2"}
    assert changed(client, first_values(other, {})) == {}
    client.close()
    other.close()


@pytest.mark.parametrize("value", [{"a": [1]}, defaultdict(list, a=[1])])
def test_containers_are_copied(value: Any) -> None:
    """What is in containers is compared too."""
    client = httpx.Client()
    client._event_hooks = value
    first = first_values(client, {})
    value["a"].append(2)
    assert set(changed(client, first)) == {"_event_hooks"}
    client.close()


def test_values_of_before_stay() -> None:
    """What was known when an object was made stays when it is opened: what is set in between was set by the program."""
    client = httpx.Client()
    first = first_values(client, {})
    client.headers["a"] = "1"
    assert set(changed(client, first_values(client, first))) == {"_headers"}
    assert "_headers" not in changed(client, first_values(client, {"_auth": None}))
    client.close()
