"""CPython's own tests of asyncio pass when each of them is a durable instance, also in soft torture."""

import pytest

from .asynchronous import FILES, run_instances

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("file", FILES)
def test_asyncio_means_the_same_in_instances(file: str) -> None:
    """Every test of the file passes as an instance and with its tasks rebuilt at every checkpoint, or is a known exception."""
    conformance = run_instances(file)
    assert conformance.durable.passed > 0
    assert conformance.tortured.passed == conformance.durable.passed
    assert not conformance.problems(), "\n\n".join(conformance.problems())
