"""
Tabular data with missing values
================================

One table with strings, categories and missing values; nine learners that take it as it
is. We remove values from a complete table, so that we know what they cost, and swap one
learner for another in the same pipeline. Takes less than a minute.
"""

# %%
# The table
# ---------
# The 442 diabetes patients that come with scikit-learn. To make their table more like
# those one meets, the age becomes a nullable integer, the sex a category, and the body
# mass index a word; the other columns stay numbers. Two questions can be asked: how far
# did the disease advance in a year, and is a patient in the third where it advanced
# fastest?
from time import perf_counter

import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes

start = perf_counter()
diabetes = load_diabetes(as_frame=True, scaled=False)
progress = diabetes.target
is_fast = (progress > progress.quantile(2 / 3)).to_numpy()

builds = pd.cut(
    diabetes.data["bmi"],
    [0, 18.5, 25, 30, np.inf],
    right=False,
    labels=["thin", "normal", "heavy", "very heavy"],
)
table = pd.DataFrame(
    {
        "age": diabetes.data["age"].astype("Int64"),
        "sex": diabetes.data["sex"].map({1: "A", 2: "B"}).astype("category"),
        "build": builds.astype(str),
        "pressure": diabetes.data["bp"],
        "cholesterol": diabetes.data["s1"],
        "hdl": diabetes.data["s3"],
        "triglycerides": diabetes.data["s5"],  # possibly their logarithm
        "glucose": diabetes.data["s6"],
    }
)
print(f"{len(table)} patients, {is_fast.sum()} of them fast")
print(table.dtypes.to_string())

# %%
# Missing values
# --------------
# Twice, we remove a sixth of the cells. In the first table they are missing at random.
# In the second, two values of the laboratory are missing more often where the disease
# advanced slowly, as if nobody had seen a reason to measure them. Such missing values
# are informative: so are those in the passenger list of the Titanic, where the cabin is
# known more often of those who were saved.
uniform = np.random.default_rng(0).random(table.shape)
at_random = table.mask(uniform < 1 / 6)

fraction = np.full(table.shape, 1 / 6)
laboratory = table.columns.get_indexer(["triglycerides", "glucose"])
fraction[:, laboratory] = np.where(is_fast, 0.05, 0.225)[:, np.newaxis]
informative = table.mask(uniform < fraction)

print(informative.head(8).to_string())
for title, X in [("at random", at_random), ("informative", informative)]:
    print(
        f"Missing, {title}: {X.isna().to_numpy().mean():.3f} of the cells; "
        f"{len(X.dropna())} of {len(table)} rows are complete"
    )

# %%
# Dropping the incomplete rows would leave a fifth of the patients. Imputing by hand is
# a choice for each column, must be learned from the training rows alone, and hides what
# was not measured.

# %%
# One pipeline, nine learners
# ---------------------------
# The learners take the table as it is: boosted trees find the better side for missing
# values at each split; the support vector machines and the logistic regression impute
# and encode inside, and add missing indicators. So the pipeline has only the one step
# that we want, which adds a column, and ``set_params`` swaps the learner at its end.
# Nothing is tuned.
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from skml import (
    GBDTClassifier,
    GBDTRegressor,
    LightGBMClassifier,
    LightGBMRegressor,
    LRClassifier,
    SVMClassifier,
    SVMRegressor,
    XGBoostClassifier,
    XGBoostRegressor,
)


def add_non_hdl(table):
    return table.assign(non_hdl=table["cholesterol"] - table["hdl"])


classifiers = {
    "GBDT": GBDTClassifier(random_state=0),
    "XGBoost": XGBoostClassifier(random_state=0),
    "LightGBM": LightGBMClassifier(random_state=0),
    "SVM": SVMClassifier(),
    "LR": LRClassifier(),
}
regressors = {
    "GBDT": GBDTRegressor(random_state=0),
    "XGBoost": XGBoostRegressor(random_state=0),
    "LightGBM": LightGBMRegressor(random_state=0),
    "SVM": SVMRegressor(),
}
tables = {"complete": table, "at random": at_random, "informative": informative}
folds = RepeatedStratifiedKFold(n_splits=5, n_repeats=2, random_state=0)
folds = list(folds.split(table, is_fast))


def evaluate(learners, target, scoring):
    """The mean score of each learner, in each table, on the same folds."""
    pipeline = Pipeline([("add", FunctionTransformer(add_non_hdl)), ("learn", None)])
    print(f"{scoring:<10}" + "".join(f"{title:>17}" for title in tables))
    scores = {}
    for name, learner in learners.items():
        pipeline.set_params(learn=learner)
        scores[name] = [
            cross_val_score(pipeline, X, target, scoring=scoring, cv=folds).mean()
            for X in tables.values()
        ]
        print(f"{name:<10}" + "".join(f"{s:>17.3f}" for s in scores[name]), flush=True)
    return scores


class_scores = evaluate(classifiers, is_fast, "roc_auc")
number_scores = evaluate(regressors, progress, "r2")

# %%
import matplotlib.pyplot as plt


def plot_scores(axes, scores, title, ylabel):
    positions = np.arange(len(scores))
    colors = ["tab:gray", "tab:orange", "tab:blue"]
    for k, (label, color) in enumerate(zip(tables, colors, strict=True)):
        heights = [of_tables[k] for of_tables in scores.values()]
        centres = positions + 0.28 * (k - 1)
        bars = axes.bar(centres, heights, 0.26, label=label, color=color)
        axes.bar_label(bars, fmt="%.2f", fontsize=7, padding=2)
    axes.set_xticks(positions, scores)
    axes.set(title=title, ylabel=ylabel)


figure, (left, right) = plt.subplots(
    ncols=2, figsize=(11, 4.5), layout="constrained", width_ratios=[5, 4]
)
plot_scores(left, class_scores, "Is the disease fast?", "area under the ROC curve")
left.set_ylim(0.5, 1)  # one half is chance
plot_scores(right, number_scores, "How far did it advance?", "$R^2$")
left.legend(ncols=3, loc="upper center")
if plt.get_backend().lower() == "agg":
    figure.savefig("tables_with_missing_values.png")
    print("No screen: the picture is in tables_with_missing_values.png")
plt.show()

# %%
# Values missing at random cost each learner something. As many informative ones cost
# less, and most of the classifiers are even better with them than with the complete
# table: all of them learn from the missingness itself. It is a gift and a trap. Ask
# whether, when the model is used, values will be missing for the same reason as in the
# training data.
#
# On a small table whose features add up, logistic regression and the support vector
# machine do well beside the trees; it costs a line to find out. With some 440 rows,
# differences of 0.02 between learners say little.

# %%
# Early stopping
# --------------
# How many trees? Each of the boosters holds out a stratified validation set by itself,
# and keeps the trees of the best score.
stopping = {"n_estimators": 1000, "early_stopping": True, "validation_fraction": 0.2}
for name in ["GBDT", "XGBoost", "LightGBM"]:
    model = classifiers[name].set_params(**stopping).fit(informative, is_fast)
    print(f"{name:<9} keeps {model.n_iter_} trees of the {model.n_estimators} allowed")

# %%
# A threshold that fits the costs
# -------------------------------
# Suppose that a fast patient who is missed costs five times as much as one who is
# called back for nothing. The probabilities stay as they are; what changes is where to
# cut. :class:`~sklearn.model_selection.TunedThresholdClassifierCV` finds the cut by
# cross-validation, around any of the five classifiers. The support vector machine has
# no probabilities unless it is asked to learn them (``calibration="sigmoid"``), but its
# scores can be cut as well.
from sklearn.metrics import confusion_matrix, make_scorer
from sklearn.model_selection import TunedThresholdClassifierCV, train_test_split


def mean_cost(target, predicted):
    _, false_alarms, missed, _ = confusion_matrix(target, predicted).ravel()
    return (false_alarms + 5 * missed) / len(target)


train_X, test_X, train_y, test_y = train_test_split(
    informative, is_fast, stratify=is_fast, random_state=0
)
model = LRClassifier().fit(train_X, train_y)
tuned = TunedThresholdClassifierCV(
    LRClassifier(), scoring=make_scorer(mean_cost, greater_is_better=False)
).fit(train_X, train_y)
for title, cut, by in [
    ("as it is", 0.5, model),
    ("tuned", tuned.best_threshold_, tuned),
]:
    cost = mean_cost(test_y, by.predict(test_X))
    print(f"{title:<9} fast from probability {cut:.2f}, mean cost {cost:.2f}")
print(f"Done in {perf_counter() - start:.0f} seconds")
