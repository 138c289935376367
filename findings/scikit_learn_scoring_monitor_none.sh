#!/usr/bin/env bash
# scikit-learn's ScoringMonitor(scoring=None) ends the fit of every estimator.
#
# Expected: as its documentation says, None monitors the default score of the estimator, as
# None does in cross_val_score and GridSearchCV.
# Seen: the first iteration raises TypeError ('float' object is not iterable), so that
# nothing is fitted: the default score is one number, and the monitor iterates over a dict
# of scores. scoring="accuracy" works.
#
# Exits with 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet scikit-learn==1.9.1 pandas==3.0.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import sklearn
from sklearn.callback import ScoringMonitor
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

X, y = load_iris(return_X_y=True)


def fitted(scoring):
    model = LogisticRegression(max_iter=500)
    model.set_callbacks(ScoringMonitor(scoring=scoring))
    try:
        model.fit(X, y)
    except TypeError as error:
        return f"TypeError: {error}"
    return "fitted"


default, named = fitted(None), fitted("accuracy")
print(f"scikit-learn {sklearn.__version__}")
print("expected: fitted with scoring=None, and with scoring='accuracy'")
print(f"seen:     {default}, and {named}")
sys.exit(default == "fitted" or named != "fitted")
PYTHON
