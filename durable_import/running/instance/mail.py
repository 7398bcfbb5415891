"""What comes for an instance from outside, events and questions, and the answers that it sends."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ...aio.loop import InstanceLoop
from ...aio.questions import deliver_question
from ...errors import SnapshotError, StoreError
from ...log import logger
from ...stores.state import Event
from .checkpoint import Checkpoint
from .driver import InstanceDriver
from .lease import InstanceLease
from .opening import Opening
from .records import ANSWER, mailbox_of

CANCEL = "@cancel"  # the event that cancels an instance
ASK = "@ask"  # the event that asks it something: the id of the question, its name, and what is asked
_NO_LOOKS: dict[object, set[int]] = {}  # stays empty


class Mail:
    """That of the instance of a lease. ``obeys``: whether an event is a request to move it, which is done then."""

    __slots__ = ("_has_missed_events", "_lease", "_looks", "_obeys")

    def __init__(self, lease: InstanceLease, obeys: Callable[[Event], bool]) -> None:
        self._lease = lease
        self._obeys = obeys
        self._has_missed_events = False  # there may be some that came after the first were loaded
        self._looks = _NO_LOOKS  # at the events that the store has; what it was told to forget meanwhile

    async def take_first(self, driver: InstanceDriver) -> None:
        """Give the program, before it goes on, what was there when it was claimed, and what has come since."""
        known = self._lease.events
        if known is not None:
            self._deliver(known, driver)
        if known is not None and not self._has_missed_events:
            return
        try:
            await self.take(driver)
        except (StoreError, OSError) as error:  # the dispatcher looks again
            logger.warning("events of instance %s were not read: %s", self._lease.instance_id, error, extra=self._lease.about())

    async def take(self, driver: InstanceDriver | None) -> None:
        """Give the program the events that the store has for it; None: it does not run yet."""
        if driver is None:
            self._has_missed_events = True
        elif not driver.ended:
            self._deliver(await self._look(), driver)

    async def is_cancelled_while(self, opening: Opening[object], is_opening: Callable[[], bool]) -> None:
        """What it had open is being opened again: a request to cancel it ends that."""
        self._has_missed_events = True
        events = await self._lease.host.instances.load_events(self._lease.instance_id)
        if is_opening() and any(event.name == CANCEL and self._is_genuine(event) for event in events):
            opening.cancel_soon()

    def _is_genuine(self, event: Event) -> bool:
        """Whether somebody with the key has sent it; what is not is told when it is to be delivered."""
        try:
            self._lease.records.open_event(event.name, event.payload)
        except SnapshotError:
            return False
        return True

    async def _look(self) -> list[Event]:
        """What the store has, without what has been had and forgotten by the time that its answer is here."""
        look = object()
        self._looks = self._looks or {}
        self._looks[look] = set()
        try:
            events = await self._lease.host.instances.load_events(self._lease.instance_id)
        finally:
            forgotten = self._looks.pop(look)
        return [event for event in events if event.number not in forgotten]

    def _deliver(self, events: list[Event], driver: InstanceDriver) -> None:
        lease = self._lease
        for event in events:
            try:
                payload = lease.records.open_event(event.name, event.payload)
            except SnapshotError as error:
                driver.evict_after = None  # because of the event it would be taken up again at once
                if event.number not in lease.host.refused_events:
                    lease.host.refused_events.add(event.number)
                    logger.error("event %r cannot be delivered: %s", event.name, error, extra=lease.about())
                continue
            if event.name == CANCEL:
                driver.cancel(event.number)
            elif event.name == ASK:
                deliver_question(driver.loop, event.number, payload)
            elif not self._obeys(event):
                driver.loop.deliver(event.number, event.name, payload)

    async def is_in_state(self, checkpoint: Checkpoint, loop: InstanceLoop) -> None:
        """A checkpoint was committed: the store may forget the events in it, and the answers in it are sent."""
        if checkpoint.events:
            await self._lease.remove_events(checkpoint.events, loop.inbox.accepted)
            for forgotten in self._looks.values():
                forgotten.update(checkpoint.events)
        if checkpoint.answers:
            await self.send_answers(checkpoint.answers, loop)

    async def send_answers(self, answers: dict[str, bytes], loop: InstanceLoop) -> None:
        """Those who have asked get them; until then the state has them. One that was sent before is not sent again."""
        for question_id, sealed in answers.items():
            mailbox, event_id = mailbox_of(question_id), f"{ANSWER}/{question_id}"
            send = partial(self._lease.host.instances.publish, mailbox, ANSWER, sealed, event_id)
            await self._lease.patiently(send, "an answer is not sent yet")
        loop.inbox.answers = {each: sealed for each, sealed in (loop.inbox.answers or {}).items() if each not in answers} or None
