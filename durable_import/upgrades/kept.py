"""What one reading of a snapshot knows of code that has changed since: the kept texts, what is pinned, and what has moved."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import MissingCodeError, SnapshotError
from .policies import OnChange


@dataclass
class KeptTexts:
    """``policy``: what becomes of frames of functions that do not say it themselves. ``by_hand``: somebody has asked for it, and
    it is for all functions; ``unpins``: for those too that go on in the code of then.

    ``version``: that of the program which saved the snapshot; empty as long as nobody has asked for it; ``versions``: then, those
    in whose code something goes on, or may. ``has_failed``: the
    instance ended with an exception, and is tried again. ``by_digest``: the texts of functions as they were, as far as they were
    asked for and are kept. ``moved``, ``pinned``: by module and place, sentences that say in which functions frames go on; for
    who tells the user. ``pins``: see ``LoadContext``. ``is_settled``: all that was found by a reading that opened nothing.
    """

    policy: OnChange = "move"
    by_hand: bool = False
    unpins: bool = False
    version: str = ""
    versions: tuple[str, ...] = ()
    has_failed: bool = False

    by_digest: dict[str, str] = field(default_factory=dict)
    moved: dict[tuple[str, str], str] = field(default_factory=dict)
    pinned: dict[tuple[str, str], str] = field(default_factory=dict)
    pins: dict[int, str] = field(default_factory=dict)
    is_settled: bool = False


class VersionAsked(Exception):
    """The version of the program that saved the snapshot is to be known, and its texts, before it can be read.

    ``error``: what is wrong if they are not kept.
    """

    def __init__(self, error: SnapshotError) -> None:
        super().__init__(error)
        self.error = error


class ChangesAsked(Exception):
    """Something is to be opened again: before that it is to be known what has changed."""


class MissingVersionError(MissingCodeError):
    """A version is needed whose texts are not in this process yet: whoever reads the snapshot gets them, and reads again."""

    def __init__(self, version: str) -> None:
        super().__init__(
            f"the saved state goes on in the code that it began with (version {version[:8]} of the program), whose texts are not "
            "kept by this store. Put the old code back to let it finish, or start afresh; the saved state is kept."
        )
        self.version = version
