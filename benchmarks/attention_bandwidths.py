"""Compare kernel regression with a bandwidth for each feature with that of statsmodels.

    python benchmarks/attention_bandwidths.py [--n-rows 1000] [--rounds 3]

Both choose the bandwidths by the leave-one-out error, which is computed here for the
result of each as the formula says. statsmodels must be installed. Seconds are by the
clock.
"""

import argparse
import warnings
from statistics import median
from time import perf_counter

import numpy as np
from _arguments import positive
from _machine import describe, limit_blas
from statsmodels.nonparametric.kernel_regression import KernelReg

from skml import AttentionPoolingRegressor


def make_data(n_rows):
    generator = np.random.default_rng(0)
    X = generator.normal(size=(n_rows, 2))
    noise = 0.3 * generator.normal(size=n_rows)
    return X, np.sin(2 * X[:, 0]) + 0.3 * X[:, 1] + noise


def left_out_error(X, y, bandwidths):
    """The leave-one-out error of kernel regression, a bandwidth for each feature."""
    scaled = X / bandwidths
    squared = ((scaled[:, None] - scaled) ** 2).sum(axis=2)
    weights = np.exp(-squared / 2)
    np.fill_diagonal(weights, 0)
    return float(np.mean((weights @ y / weights.sum(axis=1) - y) ** 2))


def ours(X, y):
    model = AttentionPoolingRegressor(embedding="scale").fit(X, y)
    return X.std(axis=0) / model.transform(X).std(axis=0)


def peer(X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it divides by zero on its way
        return KernelReg(y, X, var_type="cc", reg_type="lc", bw="cv_ls").bw


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n-rows", type=positive, default=1000)
    parser.add_argument("--rounds", type=positive, default=3)
    arguments = parser.parse_args()
    limit_blas()
    print(describe("statsmodels"))
    X, y = make_data(arguments.n_rows)
    seconds = {ours: [], peer: []}
    for _ in range(arguments.rounds):
        for fit, times in seconds.items():
            start = perf_counter()
            bandwidths = fit(X, y)
            times.append(perf_counter() - start)
            error = left_out_error(X, y, bandwidths)
            print(f"{fit.__name__:5} {times[-1]:.3f} s, left-out error {error:.6f}")
    ratios = [b / a for a, b in zip(*seconds.values(), strict=True)]
    print(f"{median(ratios):.0f} times faster ({min(ratios):.0f}-{max(ratios):.0f})")


if __name__ == "__main__":
    main()
