"""
Tuning the number of trees without refitting
============================================

A booster of 200 trees contains those of 10, 20, ... trees.
:class:`~skml.model_selection.StagedGridSearchCV` fits it once and scores it at each of
these numbers, so that a fine grid of ``n_estimators`` costs little more than its
largest value. :class:`~skml.plotting.StagedSearchDisplay` plots the result.
"""

# %%
# A grid of sixty candidates
# --------------------------
# Three learning rates and twenty numbers of trees: sixty candidates, three of which are
# fitted for each of the five folds.
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from skml import LightGBMClassifier, StagedGridSearchCV

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
search = StagedGridSearchCV(
    LightGBMClassifier(max_leaf_nodes=8, random_state=0),
    {"learning_rate": [0.02, 0.1, 0.5], "n_estimators": range(10, 201, 10)},
    scoring="neg_log_loss",
)
search.fit(X_train, y_train)
print(f"{len(search.cv_results_['params'])} candidates; best: {search.best_params_}")
print(f"log loss of the test set: {-search.score(X_test, y_test):.3f}")

# %%
# Score by number of trees
# ------------------------
# The mean of the folds, in a band of one standard deviation. The larger the learning
# rate, the fewer trees are best, and the sooner more trees overfit. The star marks the
# candidate that is refitted to all training data.
import matplotlib.pyplot as plt

from skml.plotting import StagedSearchDisplay

display = StagedSearchDisplay.from_estimator(search)
display.ax_.set_title("LightGBM on the breast cancer data")
plt.show()

# %%
# The time of a plain search
# --------------------------
# :class:`~sklearn.model_selection.GridSearchCV` fits every candidate and gets the same
# scores. Here for one learning rate and three folds:
from time import perf_counter

import numpy as np
from sklearn.model_selection import GridSearchCV

grid = {"n_estimators": range(10, 201, 10)}
scores = []
for cls in (StagedGridSearchCV, GridSearchCV):
    start = perf_counter()
    fitted = cls(search.estimator, grid, cv=3).fit(X_train, y_train)
    print(f"{cls.__name__:20} {perf_counter() - start:5.1f} s")
    scores.append(fitted.cv_results_["mean_test_score"])
print("equal scores:", np.array_equal(*scores))

# %%
# When not to use it
# ------------------
# Only boosters have stages. With early stopping you need no grid of ``n_estimators`` at
# all; a staged search is worth it when all folds must use the same number of trees.
