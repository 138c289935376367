#!/usr/bin/env bash
# scikit-learn's cross_validate with error_score=nan raises, but only with several scorers.
#
# Expected: a scorer that the estimator cannot serve, such as "neg_log_loss" where there is
# no predict_proba, scores NaN with a warning, alone or as one of several, and the others
# keep their scores.
# Seen: alone it scores NaN. As one of several it raises AttributeError after the fit, and
# the scores of the others are lost: whether predictions can be shared by the scorers is
# looked at outside of what catches errors.
#
# Exits with 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet scikit-learn==1.9.1
cd "$folder"
"$folder/venv/bin/python" -W ignore::UserWarning - <<'PYTHON'
import sys

import numpy as np
import sklearn
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_validate
from sklearn.svm import LinearSVC

X, y = load_iris(return_X_y=True)


def scores(scoring):
    try:
        result = cross_validate(LinearSVC(), X, y, scoring=scoring, error_score=np.nan)
    except AttributeError as error:
        return f"AttributeError: {error}"
    return {name: result[f"test_{name}"].mean().round(2) for name in scoring}


alone, both = scores(["neg_log_loss"]), scores(["accuracy", "neg_log_loss"])
print(f"scikit-learn {sklearn.__version__}")
print("expected: {'neg_log_loss': nan}, and {'accuracy': a number, 'neg_log_loss': nan}")
print(f"seen:     {alone}, and {both}")
sys.exit(isinstance(alone, str) or not isinstance(both, str))
PYTHON
