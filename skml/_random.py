"""Where random numbers come from."""

import numpy as np
from sklearn.utils import check_random_state


def make_random_state(random_state):
    """Turn a `random_state` parameter into a generator of its own.

    As :func:`sklearn.utils.check_random_state`, but None means fresh entropy:
    NumPy's global generator is neither read nor moved.
    """
    if random_state is None:
        return np.random.RandomState()
    return check_random_state(random_state)
