"""How much memory attention pooling takes beside the table, in fresh processes.

    python benchmarks/attention_memory.py [--n-rows 200000] [--n-features 20]

Prints the peak of resident memory above what was there before `fit`, and before
`predict`, as multiples of the size of X, an array of float64. Both were called once
with a few rows before, so that what is loaded on first use does not count. Linux only,
which can reset the peak of a process.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from _arguments import positive
from _machine import describe, limit_blas

from skml import AttentionPoolingClassifier, AttentionPoolingRegressor

ESTIMATORS = (AttentionPoolingRegressor, AttentionPoolingClassifier)


def resident(name):
    """A figure of /proc/self/status in bytes."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(rf"{name}:\s+(\d+)", status)[1])


def measure(function, *arguments):
    """What a function returns, its peak above what was there, and its seconds."""
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak is now what is there
    start = perf_counter()
    result = function(*arguments)
    return result, resident("VmHWM") - before, perf_counter() - start


def run(cls, folder, n_rows, n_features):
    """Measure in this process how an estimator is fitted, or, if it was, predicts."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, n_features))
    y = np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * rng.normal(size=n_rows)
    y = y if cls is AttentionPoolingRegressor else y > 0
    few = cls(max_iter=2, n_estimators=1, random_state=0).fit(X[:500], y[:500])
    few.predict(X[:500])
    if (Path(folder) / "model.json").exists():
        model = cls.load(folder)
        _, peak, seconds = measure(model.predict, X)
    else:
        model, peak, seconds = measure(cls(max_iter=50, random_state=0).fit, X, y)
        model.save(folder)
    print(f" {peak / X.nbytes:.2f} | {seconds:.0f} |", end="", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n-rows", type=positive, default=200_000)
    parser.add_argument("--n-features", type=positive, default=20)
    parser.add_argument("--only", nargs=2, metavar=("CLASS", "FOLDER"))
    arguments = parser.parse_args()
    limit_blas()
    if arguments.only is not None:
        name, folder = arguments.only
        cls = next(cls for cls in ESTIMATORS if cls.__name__ == name)
        run(cls, folder, arguments.n_rows, arguments.n_features)
        return
    print(describe("skml"))
    print("| estimator | fit: x X | seconds | predict: x X | seconds |")
    print("|---|---|---|---|---|", flush=True)
    for cls in ESTIMATORS:
        print(f"| {cls.__name__} |", end="", flush=True)
        with TemporaryDirectory() as folder:
            command = [sys.executable, *sys.argv, "--only", cls.__name__]
            for _ in range(2):
                subprocess.run([*command, f"{folder}/model"], check=True)
        print()


if __name__ == "__main__":
    main()
