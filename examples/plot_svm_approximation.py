"""
Support vector machines with many rows: kernel approximation
============================================================

The time to fit a support vector machine (SVM) grows at least with the square of the
number of rows. ``approximation="nystroem"`` or ``"rff"`` fits a linear SVM on features
that approximate the kernel, and takes less time from some thousand rows on. We compare
their time and accuracy with those of the exact SVM.
"""

# %%
# Data
# ----
# Two classes on a chessboard of nine fields, and a column without information, of which
# a tenth of the values is missing. One label of five is wrong. All SVMs of skml impute
# and scale by themselves.
import numpy as np

rng = np.random.default_rng(0)


def chessboard(n_rows, wrong_labels=0.2):
    X = rng.uniform(0, 3, size=(n_rows, 3))
    y = (np.floor(X[:, 0]) + np.floor(X[:, 1])).astype(int) % 2
    y = np.where(rng.random(n_rows) < wrong_labels, 1 - y, y)
    return np.where(rng.random(X.shape) < [0, 0, 0.1], np.nan, X), y


X_test, y_test = chessboard(4000, wrong_labels=0)

# %%
# Time and accuracy by the number of rows
# ---------------------------------------
# ``process_time`` counts the time of the processor, whatever else the machine does.
from time import process_time

from skml import SVMClassifier

settings = {"C": 10, "gamma": 2.0, "random_state": 0}
models = {
    "exact": SVMClassifier(**settings),
    "Nyström": SVMClassifier(approximation="nystroem", n_components=150, **settings),
    "random Fourier": SVMClassifier(approximation="rff", n_components=150, **settings),
}
n_rows = [500, 1000, 2000, 4000, 8000]
seconds = {name: [] for name in models}
accuracies = {name: [] for name in models}
for n in n_rows:
    X, y = chessboard(n)
    for name, model in models.items():
        start = process_time()
        model.fit(X, y)
        seconds[name].append(process_time() - start)
        accuracies[name].append(model.score(X_test, y_test))
print(f"{'':>15}" + "".join(f"{n:>14}" for n in n_rows))
for name in models:
    cells = zip(seconds[name], accuracies[name], strict=True)
    print(f"{name:>15}" + "".join(f"{s:>6.2f} s, {a:.3f}" for s, a in cells))

# %%
import matplotlib.pyplot as plt

figure, (left, right) = plt.subplots(ncols=2, figsize=(10, 4.2), layout="constrained")
for name, style in zip(models, ["o-", "s--", "^:"], strict=True):
    left.plot(n_rows, seconds[name], style, label=name)
    right.plot(n_rows, accuracies[name], style, label=name)
left.set(
    title="Time of fit",
    xlabel="Number of rows",
    ylabel="Seconds of one processor",
    xscale="log",
    yscale="log",
)
right.set(
    title="4 000 test rows", xlabel="Number of rows", ylabel="Accuracy", xscale="log"
)
for axes in (left, right):
    axes.set_xticks(n_rows, labels=n_rows)
    axes.minorticks_off()
    axes.legend()
plt.show()

# %%
# When not to use it
# ------------------
# Up to some thousand rows, the exact SVM is fast enough, and needs no choice of
# features. For tables with many rows, try :class:`~skml.tabular.LightGBMClassifier`
# first: it is usually faster and more accurate than any SVM.
