"""What each command does: its module is imported when it is asked for."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

from .. import DurableError, InstanceFinishedError, UnsupportedPythonError
from .parser import parser
from .speech import OURS, UNREAD, USAGE, say, sentence


def main(arguments: list[str] | None = None) -> int:
    """Run a command; gives the exit status."""
    options = parser().parse_args(arguments)
    if options.command == "run":
        return _run(options)
    try:
        status = _COMMANDS[options.command](options)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:  # who reads what is printed has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    except InstanceFinishedError as error:
        say(sentence(error))
        return USAGE
    except DurableError as error:
        say(f"error: {sentence(error)}")
        return OURS
    return status


def _run(options: argparse.Namespace) -> int:
    try:
        from .. import DurableRuntime  # noqa: F401  which is refused here, where this Python cannot run instances
    except UnsupportedPythonError as error:
        say(f"error: {error}")
        return OURS
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
        mark=options.mark,
        telemetry=options.telemetry,
    )


def _list(options: argparse.Namespace) -> int:
    from .list import list_instances

    asked = ("status", "function", "prefix", "tag", "parent", "limit", "cursor")
    return list_instances(options.store, options.as_json, **{name: getattr(options, name) for name in asked})


def _watch(options: argparse.Namespace) -> int:
    from .watch import watch

    asked = ("status", "function", "prefix", "tag", "parent", "limit")
    query = {name: getattr(options, name) for name in asked}
    return watch(options.store, options.instance, every=options.every, as_json=options.as_json, **query)


def _show(options: argparse.Namespace) -> int:
    from .show_instance import show_instance

    return show_instance(options.instance, store=options.store, as_json=options.as_json)


def _history(options: argparse.Namespace) -> int:
    from .history import show_history

    return show_history(options.instance, store=options.store, as_json=options.as_json)


def _events(options: argparse.Namespace) -> int:
    from .events import show_events

    return show_events(options.instance, store=options.store, as_json=options.as_json)


def _act(options: argparse.Namespace) -> int:
    from .acts import act

    return act(options.command, options.instance, store=options.store, as_json=options.as_json)


def _send(options: argparse.Namespace) -> int:
    from .send import send

    return send(options.instance, options.event, options.payload, store=options.store, as_json=options.as_json)


def _ask(options: argparse.Namespace) -> int:
    from .ask import ask_instance

    asked = {"timeout": options.timeout, "store": options.store, "as_json": options.as_json}
    return ask_instance(options.instance, options.question, options.payload, **asked)


def _fork(options: argparse.Namespace) -> int:
    from .fork import Wanted, fork_instance

    wanted = Wanted(options.checkpoint, options.new_id, options.settings, options.dry_run)
    return fork_instance(options.instance, wanted, store=options.store, as_json=options.as_json)


def _rewind(options: argparse.Namespace) -> int:
    from .rewind import rewind_instance

    if (options.checkpoint is None) == (not options.undo) or (options.undo and options.dry_run):
        options.refuse("where to? The number of a checkpoint, or --undo")
    return rewind_instance(
        options.instance, options.checkpoint, dry_run=options.dry_run, store=options.store, as_json=options.as_json
    )


def _export(options: argparse.Namespace) -> int:
    from .copies import export_file

    return export_file(options.instance, options.file, store=options.store, as_json=options.as_json)


def _import(options: argparse.Namespace) -> int:
    from .copies import import_file

    return import_file(options.file, store=options.store, as_json=options.as_json)


def _copy(options: argparse.Namespace) -> int:
    from .copies import copy_all

    return copy_all(options.source, options.target, as_json=options.as_json)


def _doctor(options: argparse.Namespace) -> int:
    from .doctor import examine_store

    return examine_store(options.store, as_json=options.as_json)


def _ui(options: argparse.Namespace) -> int:
    from .ui import serve_page

    return serve_page(options.store, host=options.host, port=options.port, token=options.token, hosts=options.hosts)


def _check(options: argparse.Namespace) -> int:
    from .check import check

    return check(options.store, options.names, on_change=options.on_change, old_code=options.old_code, as_json=options.as_json)


def _migrate(options: argparse.Namespace) -> int:
    from .migrate import Wanted, migrate

    if bool(options.instances) == options.is_all:
        options.refuse("which instances? Their ids, or --all")
    if options.undo and options.to_new_code:
        options.refuse("--undo goes back to the code of before: it does not take --to-new-code")
    wanted = Wanted(to_new_code=options.to_new_code, dry_run=options.dry_run, undo=options.undo)
    return migrate(options.store, None if options.is_all else options.instances, wanted, as_json=options.as_json)


def _show_rewritten(options: argparse.Namespace) -> int:
    from .show import show_rewritten

    return show_rewritten(options.file, options.function, as_json=options.as_json)


def _explain(options: argparse.Namespace) -> int:
    from .explain import explain_file

    return explain_file(options.file, as_json=options.as_json)


def _examples(options: argparse.Namespace) -> int:
    from .examples import show_examples

    return show_examples(options.name)


def _completion(options: argparse.Namespace) -> int:
    from .completion import print_completion

    return print_completion(options.shell)


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "list": _list,
    "watch": _watch,
    "show": _show,
    "history": _history,
    "events": _events,
    "send": _send,
    "ask": _ask,
    "cancel": _act,
    "retry": _act,
    "delete": _act,
    "fork": _fork,
    "rewind": _rewind,
    "export": _export,
    "import": _import,
    "copy": _copy,
    "doctor": _doctor,
    "ui": _ui,
    "check": _check,
    "migrate": _migrate,
    "show-rewritten": _show_rewritten,
    "explain": _explain,
    "examples": _examples,
    "completion": _completion,
}

if __name__ == "__main__":
    sys.exit(main())
