#!/usr/bin/env bash
# scikit-learn's HistGradientBoosting means other columns by interaction_cst than by
# monotonic_cst, where a column of categories stands behind one of numbers.
#
# Expected: positions in interaction_cst are those of the columns of X, so that a product
# of the columns 0 and 1 is learned where [[0, 1], [2]] lets them interact, wherever the
# categories stand.
# Seen: categories are moved to the front before the constraints are applied, and the
# positions are taken after the move: with the categories in column 2, the columns 0 and
# 1 may not interact, and R2 is that of a model without interactions. No warning.
#
# Exits with 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet scikit-learn==1.7.2 numpy==2.3.5
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import sklearn
from sklearn.ensemble import HistGradientBoostingRegressor

rng = np.random.default_rng(0)
a, b = rng.normal(size=(2, 1000))
kind = rng.integers(3, size=1000)


def score(columns, categorical, pair):
    model = HistGradientBoostingRegressor(
        categorical_features=[categorical],
        interaction_cst=[pair, [categorical]],
        random_state=0,
    )
    X = np.column_stack(columns)
    return model.fit(X, a * b).score(X, a * b)


first = score([kind, a, b], 0, [1, 2])
last = score([a, b, kind], 2, [0, 1])
print(f"scikit-learn {sklearn.__version__}")
print("expected: the same R2, wherever the column of categories stands")
print(f"seen:     first {first:.2f}, last {last:.2f}")
sys.exit(first - last < 0.3)
PYTHON
