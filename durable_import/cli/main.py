"""Commands and their options."""

from __future__ import annotations

import argparse
import os
import sys

from .. import UnsupportedPythonError, __version__
from .speech import OURS, say

DEFAULT_STORE = "sqlite:///.durable/state.db"

STATUSES = ("pending", "running", "waiting", "sleeping", "completed", "failed", "cancelled", "stuck")
EPILOG = """\
A run after a crash, a kill or Ctrl-C goes on from the last completed await; a run after success starts afresh.
A failed run is tried again from before the failure; where steps of the program ran after it, only with --from-failure.
Exit status: that of the script; 2 for wrong usage, 70 for an error of durable_import, 75 when suspended to wait.
"""

CHECK_EPILOG = """\
Each line: id, function, and "same", "moves" (it goes on in the new code), "pinned" (in the code that it began with) or "cannot".
Nothing is imported or run: modules are read from where an import would find them. A script's path stands for its __main__.
Exit status: 0 where all go on, 1 where one cannot, or calls what no longer fits; 2 if it could not look.
"""


def parser() -> argparse.ArgumentParser:
    """The parser; ``run`` takes everything after the script for the script."""
    top = argparse.ArgumentParser(prog="python -m durable_import", description="Run asyncio programs that survive.")
    top.add_argument("--version", action="version", version=f"durable_import {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="command")
    run = commands.add_parser(
        "run",
        help="run a script, or go on with it",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="%(prog)s [--store URL] [--instance ID] [--fresh] [--old-code] [--from-failure] [--exit-on-wait] [--hold-limit S]"
        " (script.py | -m module) [args ...]",
    )
    _add_store(run)
    run.add_argument("--instance", metavar="ID", help="name of this run (default: from the script and its arguments)")
    run.add_argument("--fresh", action="store_true", help="forget a run that has not finished, and start afresh")
    run.add_argument("--old-code", action="store_true", help="functions that have changed go on as they were when they began")
    run.add_argument(
        "--from-failure",
        action="store_true",
        help="try a failed run again from before the failure, although steps of the program ran after it",
    )
    run.add_argument("--exit-on-wait", action="store_true", help="exit with status 75 instead of sleeping long")
    run.add_argument(
        "--hold-limit", metavar="S", type=_seconds, help="exit when nothing could be saved for longer (0: nothing may hold)"
    )
    run.add_argument("-m", dest="module", metavar="module", nargs=argparse.REMAINDER, help="run a module as a script")
    run.add_argument("script", nargs=argparse.REMAINDER, help="the script and its arguments")
    run.set_defaults(refuse=run.error)
    send = commands.add_parser("send", help="send an event to an instance")
    _add_store(send)
    send.add_argument("instance", metavar="ID")
    send.add_argument("event", metavar="NAME", help="what the instance waits for with wait_for_event(NAME)")
    send.add_argument("payload", metavar="JSON", nargs="?", help="what it gets (default: null)")
    retry = commands.add_parser("retry", help="let an instance go on that has failed or is stuck")
    _add_store(retry)
    retry.add_argument("instance", metavar="ID")
    look = commands.add_parser("show", help="show what a store has of an instance")
    _add_store(look)
    look.add_argument("instance", metavar="ID")
    lists = commands.add_parser("list", help="list the instances in a store, the newest first")
    _add_store(lists)
    lists.add_argument("--status", choices=STATUSES, help="only these")
    lists.add_argument("--function", metavar="NAME", help="only those of this function")
    lists.add_argument("--prefix", metavar="TEXT", default="", help="only those whose id begins so")
    lists.add_argument("--tag", metavar="NAME=VALUE", type=_tag, help="only those with this tag")
    lists.add_argument("--parent", metavar="ID", help="only those that this instance has started")
    lists.add_argument("--limit", metavar="N", type=int, default=100, help="so many (default: 100)")
    check = commands.add_parser(
        "check",
        help="before a deploy: which instances stand in code that has changed, and how they go on",
        epilog=CHECK_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_store(check)
    check.add_argument(
        "names", metavar="module-or-script", nargs="*", help="only instances in the middle of these (default: all)"
    )
    check.add_argument(
        "--on-change",
        choices=("pin", "move", "refuse"),
        default="pin",
        help="what the runtime was told by on_change= (default: pin); scripts move",
    )
    check.add_argument("--old-code", action="store_true", help="what `run --old-code` would do with scripts")
    check.add_argument("--json", action="store_true", dest="as_json", help="one document instead of lines")
    show = commands.add_parser("show-rewritten", help="print a file as it is rewritten")
    show.add_argument("file")
    show.add_argument("--function", metavar="PLACE", help="print the resume variant of one function, such as Shop.order")
    explain = commands.add_parser("explain", help="list the checkpoints of all async functions of a file, without importing it")
    explain.add_argument("file")
    return top


def _seconds(text: str) -> float:
    value = float(text)
    if not value >= 0:
        raise ValueError(text)
    return value


def _tag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(text)
    return name, value


def _add_store(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--store",
        metavar="URL",
        default=os.environ.get("DURABLE_STORE") or DEFAULT_STORE,
        help=f"where the state is kept (default: $DURABLE_STORE or {DEFAULT_STORE})",
    )


def main(arguments: list[str] | None = None) -> int:
    """Run a command; gives the exit status."""
    options = parser().parse_args(arguments)
    if options.command == "show-rewritten":
        from .show import show_rewritten

        return show_rewritten(options.file, options.function)
    if options.command == "explain":
        from .explain import explain_file

        return explain_file(options.file)
    if options.command == "list":
        from .list import list_of

        asked = ("status", "function", "prefix", "tag", "parent", "limit")
        return list_of(options.store, **{name: getattr(options, name) for name in asked})
    if options.command == "check":
        from .check import check

        return check(
            options.store, options.names, on_change=options.on_change, old_code=options.old_code, as_json=options.as_json
        )
    try:
        from .. import DurableRuntime  # noqa: F401  which is refused here, where this Python cannot run instances
    except UnsupportedPythonError as error:
        say(f"error: {error}")
        return OURS
    if options.command == "show":
        from .show_instance import show_instance

        return show_instance(options.instance, store=options.store)
    if options.command == "send":
        from .send import send

        return send(options.instance, options.event, options.payload, store=options.store)
    if options.command == "retry":
        from .retry import retry

        return retry(options.instance, store=options.store)
    from ..api.program import Target
    from .run import run

    words = options.module or options.script
    if not words:
        options.refuse("what is to be run? A script, or -m and a module")
    target = Target(words[0], is_module=bool(options.module), arguments=words[1:])
    return run(
        target,
        store=options.store,
        instance_id=options.instance,
        fresh=options.fresh,
        old_code=options.old_code,
        from_failure=options.from_failure,
        exit_on_wait=options.exit_on_wait,
        hold_limit=options.hold_limit,
    )


if __name__ == "__main__":
    sys.exit(main())
