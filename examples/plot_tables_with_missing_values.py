"""
Comparing estimators on tabular data with missing values
========================================================

This example compares nine estimators on a table with strings, categories and missing
values, in one pipeline and without preprocessing. Values are removed from a complete
table, so that their cost is known. It then shows early stopping and tuning of the
decision threshold.
"""

# %%
# Data set
# --------
# The diabetes data set of scikit-learn has 442 patients. To resemble typical data, the
# age becomes a nullable integer, the sex a category, and the body mass index a string;
# the other columns stay numeric. There are two tasks: regression of the disease
# progression after one year, and classification of the third of the patients with the
# fastest progression.
import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes

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
# A sixth of the cells is removed, in two ways. In the first table, values are missing
# at random. In the second, two laboratory values are missing more often for patients
# with slow progression, as if there had been no reason to measure them. Such missing
# values are informative. The same holds for the passenger list of the Titanic, where
# the cabin is known more often for survivors.
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
# Dropping incomplete rows would leave a fifth of the patients. Imputation in a
# preprocessing step needs a strategy for each column, must be fitted on the training
# data only, and hides which values were missing.

# %%
# Comparing nine estimators in one pipeline
# -----------------------------------------
# No estimator needs preprocessing. Gradient boosting learns at each split whether
# missing values go left or right. The support vector machines and the logistic
# regression impute and encode internally, and add missing indicators. The pipeline
# therefore has a single step for feature engineering, and ``set_params`` replaces the
# estimator at its end. All estimators have their default parameters.
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
    """Return mean scores of each estimator on each table, with the same folds."""
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
plot_scores(left, class_scores, "Classification", "ROC AUC")
left.set_ylim(0.5, 1)  # one half is chance
plot_scores(right, number_scores, "Regression", "$R^2$")
figure.suptitle("Missing values and cross-validated scores (mean of 10 folds)")
left.legend(ncols=3, loc="upper center")
plt.show()

# %%
# Values missing at random lower each score. The same number of informative missing
# values lowers it less, and most classifiers are even better than with the complete
# table, as they learn from the missingness itself. Rely on this only if values will be
# missing for the same reason in production as in the training data.
#
# On a small table with additive effects, logistic regression and the SVM are as good as
# gradient boosting or better. With 442 rows, differences of 0.02 between estimators are
# within noise.

# %%
# Early stopping
# --------------
# With ``early_stopping=True``, each booster holds out a stratified validation set, and
# keeps the number of trees with the best validation score.
stopping = {"n_estimators": 1000, "early_stopping": True, "validation_fraction": 0.2}
for name in ["GBDT", "XGBoost", "LightGBM"]:
    model = classifiers[name].set_params(**stopping).fit(informative, is_fast)
    print(f"{name:<9} keeps {model.n_iter_} trees of the {model.n_estimators} allowed")

# %%
# Cost-sensitive decision threshold
# ---------------------------------
# Suppose that a false negative costs five times as much as a false positive.
# :class:`~sklearn.model_selection.TunedThresholdClassifierCV` tunes the decision
# threshold of any of the five classifiers by cross-validation, and leaves the
# probabilities unchanged. :class:`~skml.tabular.SVMClassifier` has probabilities only
# with ``calibration="sigmoid"`` or ``"isotonic"``, but the threshold can also be tuned
# on its decision function.
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
    ("default", 0.5, model),
    ("tuned", tuned.best_threshold_, tuned),
]:
    cost = mean_cost(test_y, by.predict(test_X))
    print(f"{title:<9} threshold {cut:.2f}, mean cost {cost:.2f}")
