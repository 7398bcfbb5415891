"""The commands and their options, which are named as the parameters of the API are."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from .. import __version__
from .speech import USAGE

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

MIGRATE_EPILOG = """\
Each line: id, function, and "moves", "same" (it is in the code of today), "pinned" (it stays in the code that it began with) or
"cannot". Whoever has an instance, or takes it up next, moves it, and keeps what it was before. With --undo: "back" or "cannot".
Exit status: 0, 1 where one cannot, 2 if it could not look.
"""

_UNKNOWN = re.compile(r"argument ([\w-]+): invalid choice: '(.*?)'.*? \(choose from (.*)\)$")  # in the words of argparse
Commands = Any  # argparse does not say what it gives


class Parser(argparse.ArgumentParser):
    """Refuses in one sentence."""

    def error(self, message: str) -> NoReturn:
        """Say it on stderr, and end with status 2."""
        found = _UNKNOWN.match(message)
        if found is not None:
            message = f"there is no {found[1]} {found[2]!r}{_nearest(found[2], found[3])}"
        self.exit(
            USAGE, f"durable_import: {message}{'' if message.endswith('?') else ';'} `{self.prog} --help` lists what there is\n"
        )


def _nearest(word: str, known: str) -> str:
    from difflib import get_close_matches  # slow to import

    names = re.findall(r"[\w-]+", known)
    return "".join(f": is it {name}?" for name in get_close_matches(word, names, 1)) or f", but {', '.join(names)}"


def parser() -> argparse.ArgumentParser:
    """The parser; ``run`` takes everything after the script for the script."""
    return _parsers()[0]


def commands_of() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command."""
    return _parsers()[1]


def _parsers() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    is_module = os.path.basename(sys.argv[0] if sys.argv else "") == "__main__.py"
    top = Parser(prog="python -m durable_import" if is_module else "durable", description="Run asyncio programs that survive.")
    top.add_argument("--version", action="version", version=f"durable_import {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="command")
    _add_run(commands)
    for add in (_add_looking, _add_asking, _add_going_back, _add_rewind, _add_copying, _add_page, _add_texts):
        add(commands)
    return top, dict(commands.choices)


def _add(commands: Commands, name: str, help: str, **options: Any) -> argparse.ArgumentParser:
    """A command, described by what the list of all says of it."""
    added: argparse.ArgumentParser = commands.add_parser(name, help=help, description=help, **options)
    return added


def _add_run(commands: Commands) -> None:
    run = _add(
        commands,
        "run",
        help="run a script, or go on with it",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="%(prog)s [--store URL] [--instance ID] [--fresh] [--old-code] [--from-failure] [--exit-on-wait]"
        " [--hold-limit S] [--mark] [--telemetry] (script.py | -m module) [args ...]",
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
    run.add_argument("--mark", action="store_true", help="first put the comment `# durable: on` into the script, if it has none")
    run.add_argument("--telemetry", action="store_true", help="export spans and metrics, as the variables of OpenTelemetry say")
    run.add_argument("-m", dest="module", metavar="module", nargs=argparse.REMAINDER, help="run a module as a script")
    run.add_argument("script", nargs=argparse.REMAINDER, help="the script and its arguments")
    run.set_defaults(refuse=run.error)


def _add_looking(commands: Commands) -> None:
    lists = _add(commands, "list", help="list the instances in a store, the newest first")
    _add_store(lists)
    _add_query(lists)
    lists.add_argument("--limit", metavar="N", type=_number, default=100, help="so many (default: 100)")
    lists.add_argument("--cursor", metavar="TEXT", help="go on behind the page that has told this")
    _add_json(lists)
    watch = _add(commands, "watch", help="follow the newest instances, or one: a table in a terminal, in a pipe what changes")
    _add_store(watch)
    watch.add_argument("instance", metavar="ID", nargs="?", help="only this one, until it ends, with its stack")
    _add_query(watch)
    watch.add_argument("--limit", metavar="N", type=_number, default=20, help="so many, the newest (default: 20)")
    watch.add_argument("--every", metavar="S", type=_seconds, default=1.0, help="seconds between two looks (default: 1)")
    watch.add_argument("--json", action="store_true", dest="as_json", help="a document for each change, one a line")
    show = _add(commands, "show", help="show an instance: its state, and its stack with source lines and variables")
    _add_instance(show)
    show = _add(commands, "history", help="list the checkpoints of an instance, in a store that keeps them")
    _add_instance(show)
    show = _add(commands, "events", help="list the events for an instance that it has not taken yet")
    _add_instance(show)


def _add_asking(commands: Commands) -> None:
    send = _add(commands, "send", help="send an event to an instance")
    _add_instance(send)
    send.add_argument("event", metavar="NAME", help="what the instance waits for with wait_for_event(NAME)")
    send.add_argument("payload", metavar="JSON", nargs="?", help="what it gets (default: null)")
    ask = _add(commands, "ask", help="ask an instance, and print its answer as JSON")
    _add_instance(ask)
    ask.add_argument("question", metavar="NAME", help="what the instance answers by questions(NAME) or on_ask(NAME, ...)")
    ask.add_argument("payload", metavar="JSON", nargs="?", help="what it is asked with (default: null)")
    ask.add_argument("--timeout", metavar="S", type=_seconds, default=60.0, help="how long to wait for the answer (default: 60)")
    for name, what in (
        ("cancel", "ask an instance to end"),
        ("retry", "let an instance go on that has failed or is stuck"),
        ("delete", "forget an instance, whatever it is at"),
    ):
        _add_instance(_add(commands, name, help=what))


def _add_going_back(commands: Commands) -> None:
    fork = _add(commands, "fork", help="a new instance from what another one was, with some variables changed")
    _add_instance(fork)
    fork.add_argument("--checkpoint", metavar="N", type=int, help="from this one, as history lists them (default: the last)")
    fork.add_argument("--new-id", metavar="ID", help="its id (default: that of the other one with a random end)")
    fork.add_argument(
        "--set",
        metavar="PATH=JSON",
        dest="settings",
        action="append",
        default=[],
        help="a variable by its path, as show prints it, or by its name if that is unique, and what it is to hold; several times",
    )
    fork.add_argument("--dry-run", action="store_true", help="only say what would be made")


def _add_rewind(commands: Commands) -> None:
    rewind = _add(commands, "rewind", help="let an instance go back to an earlier checkpoint: what it has done since runs again")
    _add_instance(rewind)
    rewind.add_argument("checkpoint", metavar="N", type=int, nargs="?", help="the checkpoint, as history lists them")
    rewind.add_argument("--undo", action="store_true", help="let it be what it was before it went back")
    rewind.add_argument("--dry-run", action="store_true", help="only list what runs again")
    rewind.set_defaults(refuse=rewind.error)


def _add_copying(commands: Commands) -> None:
    export = _add(commands, "export", help="write all that is kept of an instance to a file")
    _add_instance(export)
    export.add_argument("file", metavar="FILE", nargs="?", help="one that is not there yet (default: stdout)")
    bring = _add(commands, "import", help="keep an instance that was exported; the store must have the same key")
    _add_store(bring)
    bring.add_argument("file", metavar="FILE", help="what export has written; - is stdin")
    _add_json(bring)
    copy = _add(commands, "copy", help="copy all instances from one store to another, with the same key")
    copy.add_argument("--from", metavar="URL", dest="source", required=True, help="the store to copy")
    copy.add_argument("--to", metavar="URL", dest="target", required=True, help="the store to copy to")
    _add_json(copy)


def _add_page(commands: Commands) -> None:
    page = _add(commands, "ui", help="serve a page over the instances of a store, and the same by HTTP")
    _add_store(page)
    page.add_argument(
        "--host", metavar="NAME", default="127.0.0.1", help="where to listen (default: 127.0.0.1, for this machine only)"
    )
    page.add_argument("--port", metavar="N", type=_port, default=8431, help="where to listen; 0: a free one (default: 8431)")
    page.add_argument("--token", metavar="TEXT", help="what others must send (default: one is made where others can reach it)")
    page.add_argument(
        "--allow-host", metavar="NAME", dest="hosts", action="append", default=[], help="a name under which it may be asked for"
    )


def _add_texts(commands: Commands) -> None:
    doctor = _add(commands, "doctor", help="whether a store is well: store, key, versions, leases, stuck, bloat")
    _add_store(doctor)
    _add_json(doctor)
    check = _add(
        commands,
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
    _add_json(check)
    migrate = _add(
        commands,
        "migrate",
        help="after a deploy: let instances go on in the code of today",
        epilog=MIGRATE_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_store(migrate)
    migrate.add_argument("instances", metavar="ID", nargs="*")
    migrate.add_argument("--all", action="store_true", dest="is_all", help="all that have not ended")
    migrate.add_argument("--to-new-code", action="store_true", help="also what is pinned to the code that it began with")
    migrate.add_argument("--dry-run", action="store_true", help="only say what would become of them")
    migrate.add_argument("--undo", action="store_true", help="let them be what they were before")
    _add_json(migrate)
    migrate.set_defaults(refuse=migrate.error)
    show = _add(commands, "show-rewritten", help="print a file as it is rewritten")
    show.add_argument("file")
    show.add_argument("--function", metavar="PLACE", help="print the resume variant of one function, such as Shop.order")
    _add_json(show)
    explain = _add(commands, "explain", help="list the checkpoints of all async functions of a file, without importing it")
    explain.add_argument("file")
    _add_json(explain)
    examples = _add(commands, "examples", help="list programs to begin with, or copy one to the folder examples")
    examples.add_argument("name", metavar="NAME", nargs="?", help="the one to copy (default: list all)")
    completion = _add(commands, "completion", help="print what a shell completes by, as in: source <(durable completion bash)")
    completion.add_argument("shell", choices=("bash", "zsh", "fish"))


# --- options that several have


def _add_store(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--store",
        metavar="URL",
        default=os.environ.get("DURABLE_STORE") or DEFAULT_STORE,
        help=f"where the state is kept (default: $DURABLE_STORE or {DEFAULT_STORE})",
    )


def _add_instance(command: argparse.ArgumentParser) -> None:
    _add_store(command)
    command.add_argument("instance", metavar="ID")
    _add_json(command)


def _add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", dest="as_json", help="one document instead of lines")


def _add_query(command: argparse.ArgumentParser) -> None:
    command.add_argument("--status", choices=STATUSES, help="only these")
    command.add_argument("--function", metavar="NAME", help="only those of this function")
    command.add_argument("--prefix", metavar="TEXT", default="", help="only those whose id begins so")
    command.add_argument("--tag", metavar="NAME=VALUE", type=_tag, help="only those with this tag")
    command.add_argument("--parent", metavar="ID", help="only those that this instance has started")


# --- their values


def _read(convert: Callable[[str], float], text: str, least: float, what: str) -> Any:
    try:
        value = convert(text)
    except ValueError:
        value = -1
    if not value >= least:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return value


def _seconds(text: str) -> float:
    value: float = _read(float, text, 0, "a number of seconds, as in 2.5")
    return value


def _number(text: str) -> int:
    value: int = _read(int, text, 1, "a number from 1 on")
    return value


def _port(text: str) -> int:
    value: int = _read(int, text, 0, "a port, from 0 to 65535")
    return value


def _tag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value
