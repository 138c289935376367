"""Most models of the tests learn next to nothing, and a warning of it is no news."""

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            mark = pytest.mark.filterwarnings("ignore:.*next to nothing was learned")
            item.add_marker(mark, append=False)
