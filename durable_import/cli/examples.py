"""``examples``: programs to begin with, listed, or one of them copied."""

from __future__ import annotations

from pathlib import Path

from ..api.examples import copy_example, examples
from .speech import USAGE, say

PLACE = Path("examples")  # below the current folder: so the commands that stand in an example are right


def show_examples(name: str | None) -> int:
    """List all, or copy one; gives the exit status."""
    try:
        if name is None:
            _list()
        else:
            _copy(name)
    except KeyError:
        say(f"there is no example {name!r}; there are {', '.join(examples())}")
        return USAGE
    except BrokenPipeError:  # nobody reads what is printed
        raise
    except OSError as error:
        say(f"{error}. Nothing was written" if isinstance(error, FileExistsError) else str(error))
        return USAGE
    return 0


def _list() -> None:
    known = examples()
    width = max(map(len, known))
    for name, summary in known.items():
        print(f"{name:<{width}}  {summary}")
    say("`examples NAME` copies one to the folder examples")


def _copy(name: str) -> None:
    written = copy_example(name, PLACE)
    for path in written:
        print(path)
    if not written:
        say(f"{PLACE} has it already")
    first = PLACE / f"{name}.py"
    say(f"its first lines say how it is run: {first if first.exists() else PLACE / name / 'app.py'}")
