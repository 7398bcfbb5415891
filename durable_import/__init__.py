"""Plain Python that survives: asyncio programs that go on after ``kill -9``, a reboot or a deploy.

A module that begins with the comment ``# durable: on`` is rewritten as it is imported; under a runtime every await in it is
a checkpoint.
"""

from .errors import (
    AlreadyDurableException,
    CheckpointException,
    CodeChangedError,
    DurableError,
    FencedError,
    InstanceBusyError,
    InstanceMismatchError,
    MissingCodeError,
    MissingDriverError,
    MissingKeyError,
    NoSourceCodeException,
    OwnershipError,
    PauseForEventException,
    SnapshotAuthenticationError,
    SnapshotError,
    SnapshotFormatError,
    StoreError,
    StoreUnavailableError,
    UnknownStoreError,
    UnsavableStateError,
    UnsupportedSyntaxError,
)
from .frames import intrinsics as _intrinsics
from .rewrite.install import install, uninstall

_intrinsics.provide()
