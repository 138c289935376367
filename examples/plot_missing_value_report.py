"""
Inspecting how a model treated missing values
=============================================

:func:`~skml.tabular.missing_value_report` shows what a fitted model does with missing
values. This example uses synthetic data of three sensors whose values are missing for
three different reasons, so that the correct treatment is known.
"""

# %%
# Synthetic data
# --------------
# An engine fails when the sum of four sensor readings is high. All four are equally
# important.
#
# - ``faint`` does not detect weak signals: only *low* values are missing;
# - ``loose`` has a loose contact: values are missing *at random*;
# - ``overflow`` cannot store large numbers: only *high* values are missing;
# - ``sound`` is complete, and all values of ``dead`` are missing;
# - ``shift`` is the work shift. It is unrelated to failures, and some of its values are
#   missing at random.
import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
n_samples = 4000
readings = rng.normal(size=(n_samples, 4))
fails = readings.sum(axis=1) + rng.normal(size=n_samples) > 0

X = pd.DataFrame(readings, columns=["faint", "loose", "overflow", "sound"])
X["dead"] = np.nan
X["shift"] = rng.choice(["early", "late", "night"], size=n_samples)
lost = rng.random(X.shape) < 0.3
lost[:, 0] = X["faint"] < -0.5
lost[:, 2] = X["overflow"] > 0.5
lost[:, 3] = False
X = X.mask(lost)
print(X.head().to_string())

# %%
# Report of a gradient boosting model
# -----------------------------------
# About 30 % of the values are missing in four columns. At each split, gradient boosting
# sends missing values left, with the small values, or right. The report has, for each
# feature, the fraction of the gain from splits of either direction.
from skml import LightGBMClassifier, LRClassifier, SVMClassifier, missing_value_report

booster = LightGBMClassifier(n_estimators=50, max_leaf_nodes=8, random_state=0)
booster.fit(X, fails)
report = missing_value_report(booster)
print(report)

# %%
# Missing values of ``faint`` go left, with its low values, and those of ``overflow`` go
# right, with its high values. Those of ``loose`` have no clear direction. This is
# how the data were generated. ``shift`` has no importance, so that its direction does
# not matter; and the directions of a categorical feature have no order. For complete
# features, the report has the value that is imputed if one is missing in ``predict``.

# %%
# Comparison with an SVM and logistic regression
# ----------------------------------------------
# :class:`~skml.tabular.SVMClassifier` and :class:`~skml.tabular.LRClassifier` impute
# the median, and add missing indicators.
support_vectors = SVMClassifier().fit(X[:1000], fails[:1000])
logistic = LRClassifier().fit(X, fails)
columns = {"feature": report["feature"]}
for model in [booster, support_vectors, logistic]:
    columns[type(model).__name__] = missing_value_report(model)["treatment"]
print(pd.DataFrame(columns).to_string(index=False))

# %%
# Plotting the report
# -------------------
# :class:`~skml.plotting.MissingValuesDisplay` shows, for gradient boosting, how much of
# the gain comes from splits that send missing values left or right; for other models,
# the fraction of missing values and their treatment.
import matplotlib.pyplot as plt

from skml.plotting import MissingValuesDisplay

fig, axes = plt.subplots(1, 2, figsize=(12, 4), layout="constrained")
for model, ax in zip([booster, logistic], axes, strict=True):
    MissingValuesDisplay.from_estimator(model, ax=ax)
    ax.set_title(type(model).__name__)
plt.show()

# %%
# Coefficients of missing indicators
# ----------------------------------
# The median of the observed values is far too high for the missing values of ``faint``,
# and far too low for those of ``overflow``. The coefficients of the indicators
# compensate for this. For values missing at random, they are small.
features = report[report["missing_fraction"] > 0]["feature"]
coefficients = dict(
    zip(logistic.prepared_feature_names_, logistic.estimator_.coef_[0], strict=True)
)
weights = [coefficients.get(f"missingindicator_{name}", 0) for name in features]

fig, ax = plt.subplots(layout="constrained")
ax.barh(features, weights)
ax.axvline(0, color="black", linewidth=0.8)
ax.invert_yaxis()
ax.set(title="Logistic regression", xlabel="Coefficient of the missing indicator")
plt.show()
