"""``fork``: a new instance from what another one was, with some variables changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import InstanceMismatchError
from ..api.documents import fork_document
from .asking import ask_of
from .speech import USAGE, print_document, say, shown

if TYPE_CHECKING:
    from ..api.connection import Client, ClientHandle
    from ..api.forking import Fork


class Wanted(NamedTuple):
    """See ``DurableRuntime.fork``. ``settings``: as in ``total=7``."""

    checkpoint: int | None
    new_id: str | None
    settings: Sequence[str]
    dry_run: bool


def fork_instance(instance_id: str, wanted: Wanted, *, store: str, as_json: bool) -> int:
    """Print what is made, or would be; gives the exit status."""

    def fork(client: Client, handle: ClientHandle) -> int:  # noqa: ARG001
        changes = dict(map(_change, wanted.settings))
        try:
            made = client.plan_fork(instance_id, wanted.checkpoint, wanted.new_id, changes)
            if not wanted.dry_run:
                client.fork(instance_id, wanted.checkpoint, made.id, changes)
        except (InstanceMismatchError, TypeError) as error:
            say(str(error))
            return USAGE
        _print(made, dry_run=wanted.dry_run, as_json=as_json)
        return 0

    return ask_of(store, instance_id, fork)


def _change(setting: str) -> tuple[str, Any]:
    """Path and value. Of the equals signs in it the first one counts behind which there is JSON."""
    path, is_set, text = setting.partition("=")
    while is_set:
        try:
            return path.strip(), json.loads(text)
        except ValueError:
            more, is_set, text = text.partition("=")
            path = f"{path}={more}"
    raise ValueError(f"--set {setting!r} is not PATH=JSON, as in total=7 or 'name=\"pen\"'")


def _print(made: Fork, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_document(fork_document(made, dry_run=dry_run))
        return
    print(shown(made.id))
    for each in made.changes:
        print(f"    {each.path}: {each.before} -> {each.after!r}")
    where = f" at {made.location}" if made.location else ""
    what = f"instance {made.id} goes on from checkpoint {made.checkpoint} of {made.source}{where}"
    say(f"{what}: nothing was made, as --dry-run was given" if dry_run else f"{what}, in the next process that looks for work")
