"""Networks are drawn from torch's generator, which each test begins anew."""

import pytest
import torch


@pytest.fixture(autouse=True)
def _seed():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@pytest.fixture(autouse=True)
def _one_thread():
    """Small products take longer in several threads, which wait for each other."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


def pytest_collection_modifyitems(items):
    """Most networks of the tests learn little, and do not end what they write."""
    for item in items:
        if "tests/neural" in item.path.as_posix():
            for message in (
                "reached the maximum length",
                "no more was learned than",
                "nothing useful was learned",
            ):
                mark = pytest.mark.filterwarnings(f"ignore:.*{message}:UserWarning")
                item.add_marker(mark, append=False)
