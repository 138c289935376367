"""Where random numbers come from."""

import numpy as np
from sklearn.utils import check_random_state


def make_random_state(random_state):
    """As scikit-learn's `check_random_state`, but None is fresh entropy.

    NumPy's global generator is neither read nor moved.
    """
    if random_state is None:
        return np.random.RandomState()
    return check_random_state(random_state)
