#!/usr/bin/env bash
# LightGBM's predict mixes up the ranges of iterations of threads that call it at once.
#
# Expected: Booster.predict(X, start_iteration=i, num_iteration=1) gives the values of
# iteration i, whatever other threads ask of the same booster, as predict takes the
# range as an argument and does not change the model.
# Seen: the range is kept in the booster while a prediction runs. Where threads ask for
# different ranges, some get the sums of another one. No error, no warning.
#
# Exits with 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet lightgbm==4.6.0 numpy==2.3.5 scipy==1.16.3
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from concurrent.futures import ThreadPoolExecutor

import lightgbm
import numpy as np

X = np.random.default_rng(0).normal(size=(240, 4))
data = lightgbm.Dataset(X, X[:, 0] * X[:, 1])
booster = lightgbm.train({"verbosity": -1, "num_threads": 1}, data, 8)


def predict(iteration):
    return booster.predict(
        X, start_iteration=iteration, num_iteration=1, num_threads=1
    )


alone = [predict(iteration) for iteration in range(8)]
asked = list(range(8)) * 500
with ThreadPoolExecutor(8) as pool:
    found = list(pool.map(predict, asked))
n_wrong = sum(
    not np.array_equal(values, alone[iteration])
    for iteration, values in zip(asked, found, strict=True)
)
print(f"lightgbm {lightgbm.__version__}")
print(f"expected: 0 of {len(asked)} predictions differ from those of one thread")
print(f"seen:     {n_wrong} differ")
sys.exit(n_wrong == 0)
PYTHON
