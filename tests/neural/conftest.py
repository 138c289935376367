"""Networks are drawn from torch's generator, which each test begins anew."""

import pytest
import torch


@pytest.fixture(autouse=True)
def _seed():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def pytest_collection_modifyitems(items):
    """Most networks of the tests learn little, and do not end what they write."""
    for item in items:
        if "tests/neural" in item.path.as_posix():
            for message in (
                "had not ended at the limit",
                "no more was learned than",
                "next to nothing was learned",
            ):
                mark = pytest.mark.filterwarnings(f"ignore:.*{message}:UserWarning")
                item.add_marker(mark, append=False)
