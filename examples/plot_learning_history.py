"""
Early stopping and learning curves over iterations
==================================================

With ``early_stopping=True``, iterative estimators set aside a validation set and stop
when its score no longer improves. :class:`~skml.plotting.LearningHistoryDisplay` plots
training and validation loss and marks the best iteration: here of gradient boosting, of
a network and of a text classifier.
"""

# %%
# Gradient boosting
# -----------------
# The training loss falls with each tree, and the validation loss rises again when the
# trees fit noise. The trees up to the best iteration are kept. A smaller learning rate
# takes more trees and has a lower validation loss.
import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer

from skml import AttentionPoolingRegressor, FastTextClassifier, LightGBMClassifier
from skml.plotting import LearningHistoryDisplay

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
fig, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
for learning_rate, ax in zip([0.3, 0.05], axes, strict=True):
    model = LightGBMClassifier(
        learning_rate=learning_rate,
        n_estimators=500,
        max_leaf_nodes=8,
        early_stopping=True,
        validation_fraction=0.3,
        n_iter_no_change=30,
        random_state=0,
    )
    model.fit(X, y)
    LearningHistoryDisplay.from_estimator(model, ax=ax)
    ax.set_title(f"LightGBM, learning_rate={learning_rate}")
plt.show()

# %%
# A network
# ---------
# :class:`~skml.attention.AttentionPoolingRegressor` with a small network computes its
# validation loss every 25 steps, on 442 patients with a noisy target. After 50 steps
# without improvement it restores its best weights and halves the learning rate, which
# shows as jumps of both curves.
from sklearn.datasets import load_diabetes

network = AttentionPoolingRegressor(embedding="mlp", n_estimators=1, random_state=0)
network.fit(*load_diabetes(return_X_y=True))
display = LearningHistoryDisplay.from_estimator(network)
display.ax_.set_title("Attention pooling")
plt.show()

# %%
# Loss and accuracy
# -----------------
# :class:`~skml.text.FastTextClassifier` minimizes a loss, and its validation score is
# the accuracy. Each has an axis of its own. The accuracy is at its best while the loss
# still falls.
from skml.datasets import load_docstrings

corpus = load_docstrings(packages=("numpy", "scipy", "sklearn"))
classifier = FastTextClassifier(
    vector_size=20, max_iter=20, early_stopping=True, random_state=0
)
classifier.fit(corpus.data, corpus.target)
display = LearningHistoryDisplay.from_estimator(classifier)
display.ax_.set_title("FastTextClassifier on docstrings of three packages")
display.score_ax_.set_ylabel("Accuracy")
plt.show()
