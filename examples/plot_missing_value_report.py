"""
How a model treats missing values
=================================

A model that takes missing values decides what they mean, and nobody sees it.
:func:`~skml.tabular.missing_value_report` reports it. Here the truth is known,
because the example makes the data: three sensors lose values for three different
reasons. Takes a few seconds.
"""

# %%
# Sensors that fail in their own ways
# -----------------------------------
# A machine breaks down when the sum of four readings is high. All four matter equally.
#
# - ``faint`` cannot see weak signals: only *low* values are missing;
# - ``loose`` has a loose contact: values are missing *at random*;
# - ``overflow`` cannot write large numbers: only *high* values are missing;
# - ``sound`` is complete, and ``dead`` has never sent a value;
# - ``shift`` is the shift at work, which has nothing to do with the breakdowns, and was
#   sometimes not noted.
from time import perf_counter

import numpy as np
import pandas as pd

start = perf_counter()
rng = np.random.default_rng(0)
n_samples = 4000
readings = rng.normal(size=(n_samples, 4))
breaks_down = readings.sum(axis=1) + rng.normal(size=n_samples) > 0

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
# The report as text
# ------------------
# Three tenths are missing in four columns, and of each the boosted trees send missing
# values to one side of each split, small values being on the left. The report adds up
# what the splits of a feature gained, by the side.
from skml import LightGBMClassifier, LRClassifier, SVMClassifier, missing_value_report

booster = LightGBMClassifier(n_estimators=50, max_leaf_nodes=8, random_state=0)
booster.fit(X, breaks_down)
report = missing_value_report(booster)
print(report)

# %%
# Missing values of ``faint`` went left, with its low values; those of ``overflow`` went
# right, with its high ones; those of ``loose`` have no side of their own. That is what
# we built in, and the trees found it. ``shift`` has no importance, so that its side
# does not matter; the sides of categories have no order anyway. Where a feature was
# complete, the report has what is imputed if a value is missing later.

# %%
# Two other learners
# ------------------
# The support vector machine and the logistic regression have no splits. They impute the
# median, and add a missing indicator.
support_vectors = SVMClassifier().fit(X[:1000], breaks_down[:1000])
logistic = LRClassifier().fit(X, breaks_down)
columns = {"feature": report["feature"]}
for model in [booster, support_vectors, logistic]:
    columns[type(model).__name__] = missing_value_report(model)["treatment"]
print(pd.DataFrame(columns).to_string(index=False))

# %%
# The report as a picture
# -----------------------
# The columns of a report are arrays, so that any plotting library will do. On the left,
# how much is missing, and what the logistic regression does about it; in the middle,
# the sides of the trees, as long as the feature is important. On the right, what the
# logistic regression learned from missing values: the coefficients of the missing
# indicators. The median of the values that are left is far too high for
# the missing ones of ``faint``, and far too low for those of ``overflow``; the
# coefficients make up for it. Where values are missing at random, there is little to
# make up for.
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
fractions.set(title="Missing, and treated by LR", xlabel="fraction of the rows")
fractions.invert_yaxis()

sides.barh(features, -importance * left, color="tab:blue", label="to the left")
sides.barh(features, importance * right, color="tab:orange", label="to the right")
sides.axvline(0, color="black", linewidth=0.8)
sides.set(title="Where the trees send it", xlabel="fraction of the gain of all splits")
sides.xaxis.set_major_formatter(lambda value, _: f"{abs(value):.1f}")
sides.legend()

linear.barh(features, weights, color="tab:green")
linear.axvline(0, color="black", linewidth=0.8)
linear.set(title="What it means to LR", xlabel="coefficient of the missing indicator")
if plt.get_backend().lower() == "agg":
    figure.savefig("missing_value_report.png")
    print("No screen: the picture is in missing_value_report.png")
plt.show()
print(f"Done in {perf_counter() - start:.0f} seconds")
