"""Taking an instance up. One that may be what kills its process waits until there is room for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from ...aio.gate import Gate
from ...errors import InstanceHeldBackError
from ...log import logger
from ...stores.state import InstanceState
from ...stores.store import Begun
from ...stores.suspects import Rule, alone_before, group_of
from .lease import InstanceLease


class Claiming:
    """That of the instance of a lease. ``is_held_back`` is awaited once, when it has to wait."""

    __slots__ = ("_is_held_back", "_lease", "_turn")

    def __init__(self, lease: InstanceLease, is_held_back: Callable[[], Awaitable[None]]) -> None:
        self._lease = lease
        self._is_held_back = is_held_back
        self._turn: asyncio.Future[None] | None = None  # it waits until then

    async def begin(self, new: InstanceState | None, call: bytes, *, is_awaited: bool, is_patient: bool) -> bool:
        """Begin the lease; ``new`` and ``call`` are as for that. ``is_awaited``: who awaits it runs nothing beside it.
        ``is_patient``: a store that is away is waited for. Gives whether the instance is new."""
        lease, host = self._lease, self._lease.host
        if is_awaited:
            first = partial(lease.begin, new, call)
            return await (lease.patiently(first, "it has not begun") if is_patient else first())
        rule, is_again = Rule(alone_before(host.max_attempts)), False
        while True:
            begin = partial(lease.begin, new, call, rule)
            try:
                is_new = await (lease.patiently(begin, "it has not begun") if is_again or is_patient else begin())
            except InstanceHeldBackError as held:
                group = group_of(held.attempts, rule.alone_from)
                if not is_again:
                    await self._is_held_back()
                    rule = rule._replace(beside=await self._ancestors())
                    logger.warning("%s", held, extra=lease.about())
                await self._wait_for_room(group, is_again)
                is_again = True
                continue
            if is_again:
                host.held_back.let_next_ask(group)
            return is_new

    def receives(self, begun: Begun, gate: Gate) -> bool:
        """Go on by a claim of somebody else in this process, if it is held back."""
        if self._turn is None:
            return False
        self._lease.taken = begun, gate
        if not self._turn.done():
            self._turn.set_result(None)
        return True

    async def _ancestors(self) -> list[str]:
        """Those that have begun it, and may wait for it."""
        found, parent = list[str](), self._lease.origin.parent
        while parent is not None and parent not in found:
            found.append(parent)
            look = partial(self._lease.host.instances.summary, parent)
            summary = await self._lease.patiently(look, "it has not begun")
            parent = summary.parent if summary is not None else None
        return found

    async def _wait_for_room(self, group: int, is_again: bool) -> None:
        self._turn = self._lease.host.held_back.wait(group, is_again=is_again)
        try:
            await self._turn
        except asyncio.CancelledError:
            if self._lease.taken is not None:
                self._lease.claim = self._lease.taken[0].claim
            raise
        finally:
            self._turn = None
