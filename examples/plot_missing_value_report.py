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
# The columns of a report are arrays. The plot shows:
#
# - left: the fraction of missing values, and their treatment by logistic regression;
# - middle: the direction of missing values in gradient boosting, weighted by the
#   importance of the feature;
# - right: the coefficients of the missing indicators in logistic regression.
#
# The median of the observed values is far too high for the missing values of ``faint``,
# and far too low for those of ``overflow``. The coefficients of the indicators
# compensate for this. For values missing at random, they are small.
import matplotlib.pyplot as plt

shown = report["missing_fraction"] > 0
features = report["feature"][shown]
left, right = report["gain_missing_left"][shown], report["gain_missing_right"][shown]
importance = report["importance"][shown]
coefficients = dict(
    zip(logistic.prepared_feature_names_, logistic.estimator_.coef_[0], strict=True)
)
weights = [coefficients.get(f"missingindicator_{name}", 0) for name in features]

figure, (fractions, sides, linear) = plt.subplots(
    ncols=3, sharey=True, figsize=(11, 3.8), layout="constrained"
)
fractions.barh(features, report["missing_fraction"][shown], color="lightgray")
treatments = missing_value_report(logistic)["treatment"][shown]
for position, treatment in enumerate(treatments):
    fractions.annotate(
        treatment, (0.02, position), fontsize=9, verticalalignment="center"
    )
fractions.set(title="Missing values", xlabel="fraction of rows")
fractions.invert_yaxis()

sides.barh(features, -importance * left, color="tab:blue", label="left")
sides.barh(features, importance * right, color="tab:orange", label="right")
sides.axvline(0, color="black", linewidth=0.8)
sides.set(title="Direction (LightGBM)", xlabel="fraction of total gain")
sides.xaxis.set_major_formatter(lambda value, _: f"{abs(value):.1f}")
sides.legend(title="missing values go")

linear.barh(features, weights, color="tab:green")
linear.axvline(0, color="black", linewidth=0.8)
linear.set(title="Logistic regression", xlabel="coefficient of missing indicator")
plt.show()
