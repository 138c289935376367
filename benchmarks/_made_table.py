"""A made table with missing values, for benchmarks of speed."""

import numpy as np


def make_table(n_rows, n_columns, missing=0.1):
    """Normal numbers with holes at random, and two classes that five columns decide."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(n_rows, n_columns))
    signal = X[:, 0] * X[:, 1] + np.sin(2 * X[:, 2]) + X[:, 3] - (X[:, 4] > 0.5)
    y = (signal + generator.normal(size=n_rows) > 0).astype(np.int64)
    X[generator.random(X.shape) < missing] = np.nan
    return X, y
