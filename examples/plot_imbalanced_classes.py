"""
Imbalanced classes: class weights, thresholds and scorers
=========================================================

One of thirty images of handwritten digits is an eight. A classifier that never says
"eight" has an accuracy of 97 %, so that accuracy says little. We compare class weights
and a tuned decision threshold, by precision and recall of the rare class.
"""

# %%
# A rare class
# ------------
# The digits of scikit-learn, with a third of the eights.
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

X, digits = load_digits(return_X_y=True)
rng = np.random.default_rng(0)
kept = (digits != 8) | (rng.random(len(digits)) < 1 / 3)
X, y = X[kept], (digits[kept] == 8).astype(int)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.5, stratify=y, random_state=0
)
print(f"{y_train.sum()} of {len(y_train)} are eights")

# %%
# Three remedies
# --------------
# ``class_weight="balanced"`` gives both classes the same total weight. It changes the
# fit, and with it the probabilities. A tuned threshold leaves the fit as it is, and
# chooses by cross-validation from which probability on to predict the rare class; here
# the threshold with the best F1. Instead of one threshold, the precision-recall curve
# shows all of them.
#
# :func:`~skml.metrics.classification_scorers` has accuracy, precision, recall and F1 of
# the positive class, for ``cross_validate`` and the searches.
from sklearn.model_selection import TunedThresholdClassifierCV

from skml import LRClassifier, classification_scorers

scorers = classification_scorers(zero_division=0.0)
models = {
    "default": LRClassifier(C=0.1),
    "class_weight='balanced'": LRClassifier(C=0.1, class_weight="balanced"),
    "tuned threshold": TunedThresholdClassifierCV(
        LRClassifier(C=0.1), scoring=scorers["f1"], cv=5
    ),
}
print(f"{'':>24}" + "".join(f"{name:>11}" for name in scorers))
points = {}
for name, model in models.items():
    model.fit(X_train, y_train)
    points[name] = {key: score(model, X_test, y_test) for key, score in scorers.items()}
    print(f"{name:>24}" + "".join(f"{value:>11.3f}" for value in points[name].values()))
print(f"threshold: {models['tuned threshold'].best_threshold_:.3f}")

# %%
import matplotlib.pyplot as plt
from sklearn.metrics import PrecisionRecallDisplay

figure, axes = plt.subplots(figsize=(6, 6), layout="constrained")
for name, color in zip(
    ["default", "class_weight='balanced'"], ["tab:blue", "tab:orange"], strict=True
):
    PrecisionRecallDisplay.from_estimator(
        models[name],
        X_test,
        y_test,
        name=f"all thresholds, {name}",
        ax=axes,
        curve_kwargs={"color": color},
    )
for (name, point), marker in zip(points.items(), "osD", strict=True):
    axes.scatter(
        point["recall"],
        point["precision"],
        marker=marker,
        s=90,
        zorder=3,
        edgecolor="black",
        color="tab:orange" if "balanced" in name else "tab:blue",
        label=name,
    )
axes.set(title="Finding one digit of thirty", xlabel="Recall", ylabel="Precision")
axes.get_legend().remove()  # that of the last curve
figure.legend(loc="outside lower center")
plt.show()

# %%
# When not to use it
# ------------------
# If probabilities are what you need, leave the classes as they are: with weights,
# probabilities of the rare class are too high. If costs of errors are known, choose the
# threshold by them. The two curves are similar here, so that weights mostly move the
# threshold, and tuning it is cheaper to explain. The test set has only 27 eights: a
# difference of one image is .04 of recall, so repeat the split before you choose.
