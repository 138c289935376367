"""Compare attention_pooling with torch's attention, brute-force neighbours and NumPy.

Run it with ::

    python benchmarks/attention_pooling.py speed [--n-keys 100000] [--rounds 5]
    python benchmarks/attention_pooling.py memory
    python benchmarks/attention_pooling.py widths

`speed`: nanoseconds for each pair of a query and a key, float32, 20 features, one
thread each, in turn. torch gets values of 20 columns, for which its fused attention is
made; ours has a single one, as kernel regression has. `memory`: how much the resident
memory grows while 10 000 queries look at 1 000 000 keys. `widths`: a width for each
feature by leave-one-out, against KernelReg of statsmodels, which must be installed.
"""

import argparse
import resource
from statistics import median
from time import perf_counter

import numpy as np
from _machine import describe, limit_blas

from skml import AttentionPoolingRegressor
from skml.attention import attention_pooling

WIDTH = 20
N_QUERIES = 2000


def make_points(n_queries, n_keys):
    generator = np.random.default_rng(0)
    shapes = (n_queries, WIDTH), (n_keys, WIDTH), (n_keys,)
    return [generator.normal(size=shape).astype(np.float32) for shape in shapes]


def naive(queries, keys, values):
    """As the formula says, some queries at a time."""
    pooled = np.empty(len(queries), dtype=np.float32)
    for start in range(0, len(queries), 100):
        rows = slice(start, start + 100)
        squared = np.square(queries[rows]).sum(axis=1)[:, None]
        squared = squared + np.square(keys).sum(axis=1) - 2 * queries[rows] @ keys.T
        weights = np.exp(-squared / 2)
        pooled[rows] = weights @ values / weights.sum(axis=1)
    return pooled


def competitors(queries, keys, values):
    import torch
    from sklearn.neighbors import KNeighborsRegressor

    torch.set_num_threads(1)
    columns = np.repeat(values[:, None], WIDTH, axis=1)
    tensors = [torch.tensor(a)[None] for a in (queries, keys, columns)]
    neighbours = KNeighborsRegressor(10, algorithm="brute").fit(keys, values)
    attend = torch.nn.functional.scaled_dot_product_attention
    return {
        "ours, gaussian": lambda: attention_pooling(queries, keys, values),
        "ours, scaled dot product": lambda: attention_pooling(
            queries, keys, values, score="scaled-dot-product"
        ),
        "torch, scaled_dot_product_attention": lambda: attend(*tensors),
        "scikit-learn, 10 neighbours by brute force": lambda: neighbours.predict(
            queries
        ),
        "NumPy, gaussian": lambda: naive(queries, keys, values),
    }


def speed(n_keys, rounds):
    points = make_points(N_QUERIES, n_keys)
    assert np.allclose(attention_pooling(*points), naive(*points), atol=1e-3)
    runs = competitors(*points)
    nanoseconds = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            start = perf_counter()
            run()
            spent = perf_counter() - start
            nanoseconds[name].append(1e9 * spent / N_QUERIES / n_keys)
    base = nanoseconds["ours, gaussian"]
    print("| what | ns a pair, median (range) | times ours |\n|---|---|---|")
    for name, values in nanoseconds.items():
        ratios = [v / b for v, b in zip(values, base, strict=True)]
        print(
            f"| {name} | {median(values):.2f} ({min(values):.2f}-{max(values):.2f}) | "
            f"{median(ratios):.1f} |"
        )


def memory():
    points = make_points(10_000, 1_000_000)
    attention_pooling(*(a[:100] for a in points))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = perf_counter()
    attention_pooling(*points)
    spent = perf_counter() - start
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{spent:.1f} s, {spent / 10:.2f} ns a pair, {grown:.1f} MB more at the peak")


def left_out_error(X, y, widths):
    """The leave-one-out error of kernel regression with a width for each feature."""
    scaled = X / widths
    squared = ((scaled[:, None] - scaled) ** 2).sum(axis=2)
    weights = np.exp(-squared / 2)
    np.fill_diagonal(weights, 0)
    return float(np.mean((weights @ y / weights.sum(axis=1) - y) ** 2))


def widths():
    from statsmodels.nonparametric.kernel_regression import KernelReg

    generator = np.random.default_rng(0)
    X = generator.normal(size=(1000, 2))
    y = np.sin(2 * X[:, 0]) + 0.3 * X[:, 1] + 0.3 * generator.normal(size=1000)
    start = perf_counter()
    ours = AttentionPoolingRegressor(embedding="scale").fit(X, y)
    our_time = perf_counter() - start
    points = ours.transform(X)
    our_widths = X.std(axis=0) / points.std(axis=0)
    start = perf_counter()
    peer = KernelReg(y, X, var_type="cc", reg_type="lc", bw="cv_ls")
    peer_time = perf_counter() - start
    print(f"ours        {our_time:.3f} s, error {left_out_error(X, y, our_widths):.6f}")
    print(f"statsmodels {peer_time:.3f} s, error {left_out_error(X, y, peer.bw):.6f}")
    print(f"{peer_time / our_time:.0f} times faster")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("mode", choices=["speed", "memory", "widths"])
    parser.add_argument("--n-keys", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print(describe("torch"))
    limit_blas()
    if arguments.mode == "speed":
        speed(arguments.n_keys, arguments.rounds)
    elif arguments.mode == "memory":
        memory()
    else:
        widths()


if __name__ == "__main__":
    main()
