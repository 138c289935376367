"""A plugin of pytest: of what is collected, the tests of a list run, in its order."""

import os
from pathlib import Path


def pytest_collection_modifyitems(items):
    chosen = Path(os.environ["CHOSEN_TESTS"]).read_text().splitlines()
    order = {test: position for position, test in enumerate(chosen)}
    items[:] = sorted(
        (item for item in items if _name(item) in order),
        key=lambda item: order[_name(item)],
    )


def _name(item):
    return item.nodeid.encode("unicode_escape").decode()
