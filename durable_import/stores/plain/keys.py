"""Which calls of an instance were given keys."""

from __future__ import annotations

from typing import NamedTuple


class KeptKey(NamedTuple):
    """Which call was given a key, and in which life that came up last; ``is_refused``: it came up with another digest."""

    digest: bytes
    epoch: int
    is_refused: bool = False


class InstanceKeys(dict[str, KeptKey]):
    """The keys of one instance."""

    def keep(self, key: str, digest: bytes, epoch: int) -> bytes:
        """Keep which call is given a key; gives the digest of the first."""
        kept = self.get(key) or KeptKey(digest, epoch)
        self[key] = KeptKey(kept.digest, epoch, kept.digest != digest)
        return kept.digest

    def are_committed(self, epoch: int) -> None:
        """Forget those that came up in this life: the state has them."""
        for key in [key for key, kept in self.items() if kept.epoch == epoch]:
            del self[key]

    def forget_refused(self) -> None:
        """Forget those that came up with another digest."""
        for key in [key for key, kept in self.items() if kept.is_refused]:
            del self[key]
