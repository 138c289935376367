"""Attention pooling against torch, scikit-learn and plain NumPy: speed, and memory.

    python benchmarks/attention_pooling.py speed [--score gaussian] [--n-keys 100000]
        [--n-queries 2000] [--n-features 20] [--n-values 1] [--rounds 7]
    python benchmarks/attention_pooling.py memory [--n-keys 1000000]
        [--n-queries 10000] [--n-features 20]

`speed` lets all pool the same float32 numbers in turn, the order changing from round to
round, after a round that is not counted and in which results are compared. All have one
thread, so that CPU seconds are what counts. The peers:

- torch, `scaled_dot_product_attention`. It knows dot products only; for Gaussian scores
  it gets one feature more, -|k|^2 / 2 beside a one of the query, which gives the same
  weights (in float32 less exactly); it cannot do Laplace. It has a fused kernel, which
  wants values as wide as keys, and a plain one, which holds all weights in memory. Both
  are run: "fused" with features and values padded by zeros to a multiple of 4, the
  width that it is quickest with, "plain" with the values as they are.
- scikit-learn, `KNeighborsRegressor(10, algorithm="brute")`: not the same answer, but
  what else looks at all keys. Euclidean.
- NumPy, the formula, 100 queries at a time; distances from a matrix product.

The ratio is the peer's CPU seconds over ours, round by round: the median, the least and
the greatest.

`memory` pools once and prints how far the peak of resident memory, ever, is above what
was resident before. Linux only.
"""

import argparse
import resource
from statistics import median

import numpy as np
from _arguments import positive
from _machine import describe, limit_blas, now, since
from _word2vec_report import markdown

from skml.attention import attention_pooling

_NEIGHBOURS = 10
_TILE = 100


def make_arrays(arguments):
    """Points whose scores are of the size that scaled features have."""
    rng = np.random.default_rng(0)
    scale = 2 / np.sqrt(arguments.n_features)
    shapes = (
        (arguments.n_queries, arguments.n_features),
        (arguments.n_keys, arguments.n_features),
    )
    queries, keys = (rng.standard_normal(shape, dtype=np.float32) for shape in shapes)
    for array in (queries, keys):
        array *= np.float32(scale)
    values = rng.standard_normal((len(keys), arguments.n_values), dtype=np.float32)
    return queries, keys, values


def as_products(queries, keys, score):
    """Points whose products are the scores, but for what is the same for all keys."""
    if score == "dot-product":
        return queries, keys
    ones = np.ones((len(queries), 1), dtype=np.float32)
    squares = -np.square(keys).sum(axis=1, keepdims=True) / 2
    return np.hstack([queries, ones]), np.hstack([keys, squares])


def padded(array, width):
    return np.pad(array, ((0, 0), (0, width - array.shape[1])))


class Torch:
    """One of the two kernels of torch; what it needs is made beforehand."""

    def __init__(self, queries, keys, values, score, *, fused):
        import torch

        torch.set_num_threads(1)
        self.torch = torch
        self.n_values = values.shape[1]
        points = as_products(queries, keys, score)
        if fused:
            width = -(-max(points[0].shape[1], self.n_values) // 4) * 4
            points = [padded(array, width) for array in points]
            values = padded(values, width)
        backends = torch.nn.attention.SDPBackend
        self.backend = backends.FLASH_ATTENTION if fused else backends.MATH
        self.arrays = [
            torch.from_numpy(np.ascontiguousarray(array))[None, None]
            for array in (*points, values)
        ]

    def __call__(self):
        torch = self.torch
        with torch.no_grad(), torch.nn.attention.sdpa_kernel(self.backend):
            found = torch.nn.functional.scaled_dot_product_attention(
                *self.arrays, scale=1.0
            )
        return found[0, 0, :, : self.n_values].numpy()


def plain_numpy(queries, keys, values, score):
    left, right = as_products(queries, keys, score)
    pooled = np.empty((len(queries), values.shape[1]), dtype=np.float32)
    for start in range(0, len(queries), _TILE):
        scores = left[start : start + _TILE] @ right.T
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        pooled[start : start + _TILE] = scores @ values
        pooled[start : start + _TILE] /= scores.sum(axis=1, keepdims=True)
    return pooled


def neighbours(queries, keys, values):
    from sklearn.neighbors import KNeighborsRegressor

    model = KNeighborsRegressor(_NEIGHBOURS, algorithm="brute", n_jobs=1)
    model.fit(keys, values)
    return lambda: model.predict(queries)


def contestants(arrays, score):
    """Functions without arguments, ours first; and those that give the same answer."""
    functions = {"skml": lambda: attention_pooling(*arrays, score=score, n_jobs=1)}
    if score != "laplace":
        for kind in ("fused", "plain"):
            functions[f"torch, {kind}"] = Torch(*arrays, score, fused=kind == "fused")
        functions["NumPy"] = lambda: plain_numpy(*arrays, score)
    comparable = list(functions)
    functions["scikit-learn, neighbours"] = neighbours(*arrays)
    return functions, comparable


def run_speed(arguments):
    arrays = make_arrays(arguments)
    functions, comparable = contestants(arrays, arguments.score)
    expected = functions["skml"]()
    for name in comparable[1:]:
        error = np.abs(functions[name]() - expected).max()
        assert error < 1e-3 * np.abs(expected).max(), (name, error)
    spent = {name: [] for name in functions}
    for number in range(arguments.rounds + 1):
        names = list(functions)[:: 1 if number % 2 else -1]
        for name in names:
            moment = now()
            functions[name]()
            if number:
                spent[name].append(since(moment))
    n_pairs = arguments.n_queries * arguments.n_keys
    rows = []
    for name, steps in spent.items():
        each = [step.cpu / n_pairs * 1e9 for step in steps]
        ratios = [
            other.cpu / ours.cpu
            for other, ours in zip(steps, spent["skml"], strict=True)
        ]
        rows.append(
            [
                name,
                f"{median(each):.2f} ({min(each):.2f} to {max(each):.2f})",
                f"**{median(ratios):.2f}** ({min(ratios):.2f} to {max(ratios):.2f})",
                f"{max(step.others_per_second for step in steps):.2f}",
            ]
        )
    print("\n" + markdown(["", "ns a pair, CPU", "x CPU", "others"], rows))


def resident():
    """What is resident now, in the unit of ru_maxrss."""
    with open("/proc/self/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if "VmRSS" in line)


def run_memory(arguments):
    # What is loaded on first use is no part of a call.
    attention_pooling([[0.0]], [[0.0]], [0.0])
    arrays = make_arrays(arguments)
    before = resident()
    moment = now()
    attention_pooling(*arrays, score=arguments.score, n_jobs=arguments.n_jobs)
    spent = since(moment)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    held = sum(array.nbytes for array in arrays)
    print(f"arrays: {held / 1e6:.1f} MB, resident before: {before / 1e3:.1f} MB")
    print(f"extra: {(peak - before) / 1e3:.1f} MB in {spent.wall:.1f} s")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, dest="command")
    sizes = {"speed": (100_000, 2000), "memory": (1_000_000, 10_000)}
    for name, (n_keys, n_queries) in sizes.items():
        command = commands.add_parser(name)
        command.add_argument(
            "--score",
            default="gaussian",
            choices=["gaussian", "laplace", "dot-product"],
        )
        command.add_argument("--n-keys", type=positive, default=n_keys)
        command.add_argument("--n-queries", type=positive, default=n_queries)
        command.add_argument("--n-features", type=positive, default=20)
        command.add_argument("--n-values", type=positive, default=1)
    commands.choices["speed"].add_argument("--rounds", type=positive, default=7)
    commands.choices["speed"].set_defaults(run=run_speed)
    commands.choices["memory"].add_argument("--n-jobs", type=int, default=1)
    commands.choices["memory"].set_defaults(run=run_memory)
    arguments = parser.parse_args()
    limit_blas()
    settings = {name: value for name, value in vars(arguments).items() if name != "run"}
    for title, entries in {"Machine": describe("torch"), "Arguments": settings}.items():
        print(f"{title}: " + ", ".join(f"{k} {v}" for k, v in entries.items()))
    arguments.run(arguments)


if __name__ == "__main__":
    main()
