"""What all that answers has in common: the client, the policy, and how instances are looked at."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl

from ..api.client import AsyncClient, AsyncClientHandle
from ..errors import (
    DurableError,
    InstanceFinishedError,
    InstanceMismatchError,
    InstanceStuckError,
    MissingKeyError,
    StoreError,
    UnknownInstanceError,
    UnsavableStateError,
)
from ..inspect.masks import Mask
from ..inspect.stack import InstanceStack
from ..inspect.values import Limits
from .acts import AnswerError
from .counts import Counts
from .guard import Policy
from .libraries import HTTPException, Request
from .starting import NothingStartsError, Starter

LARGEST = 1_000_000  # bytes of what is sent

_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (AnswerError, HTTPStatus.BAD_GATEWAY),
    (UnknownInstanceError, HTTPStatus.NOT_FOUND),
    (InstanceFinishedError, HTTPStatus.CONFLICT),
    (InstanceStuckError, HTTPStatus.CONFLICT),
    (InstanceMismatchError, HTTPStatus.CONFLICT),
    (NothingStartsError, HTTPStatus.FORBIDDEN),
    (UnsavableStateError, HTTPStatus.BAD_REQUEST),
    (MissingKeyError, HTTPStatus.INTERNAL_SERVER_ERROR),
    (StoreError, HTTPStatus.SERVICE_UNAVAILABLE),
    (DurableError, HTTPStatus.INTERNAL_SERVER_ERROR),
    (TimeoutError, HTTPStatus.GATEWAY_TIMEOUT),
    (ValueError, HTTPStatus.BAD_REQUEST),
)
TOLD = (AnswerError, DurableError, TimeoutError, ValueError)  # whose texts are for who has asked


def status_of(error: Exception) -> int:
    """The HTTP status that an error has."""
    return next((int(status) for kind, status in _STATUSES if isinstance(error, kind)), 500)


@dataclass(frozen=True)
class Site:
    """One page over one store. ``is_over``: it ends, and so do streams."""

    client: AsyncClient
    counts: Counts
    policy: Policy
    starter: Starter
    is_over: threading.Event = field(default_factory=threading.Event)

    async def stack(
        self, handle: AsyncClientHandle, checkpoint: int | None = None, mask: Mask | None = None
    ) -> tuple[InstanceStack | None, str]:
        """The stack of an instance, in which secrets are hidden; or None, and why there is none."""
        try:
            return await handle.stack(Limits(mask=mask or Mask()), checkpoint), ""
        except UnknownInstanceError:
            raise
        except DurableError as error:
            return None, str(error)


def site_of(request: Request) -> Site:
    """The site that is asked."""
    site: Site = request.app.state.site
    return site


async def body_of(request: Request) -> bytes:
    """What was sent with a request. Raises HTTPException for what is too large."""
    parts, size = list[bytes](), 0
    stream: AsyncIterator[bytes] = request.stream()
    async for part in stream:
        size += len(part)
        if size > LARGEST:
            raise HTTPException(413, f"what is sent has more than {LARGEST:,} bytes")
        parts.append(part)
    return b"".join(parts)


async def form_of(request: Request) -> Mapping[str, str]:
    """The fields of a form of ours. Raises HTTPException for one of somebody else's."""
    site = site_of(request)
    try:
        fields = dict(parse_qsl((await body_of(request)).decode(), keep_blank_values=True, errors="strict"))
    except ValueError as error:
        raise HTTPException(400, f"this is not what a form sends: {error}") from error
    if not site.policy.is_from_form(fields.get("csrf_token", "")):
        raise HTTPException(403, "this form is not from this page, or from before it was started again: load the page again")
    return fields
