"""
Using skml attention modules with skorch
========================================

The layers of the translators are ordinary PyTorch modules in
:mod:`skml.neural.modules`. This example combines some of them into a custom network for
handwritten digits, and wraps it with skorch as a scikit-learn estimator.

The point is the API and the attention weights: on this small data set, an
:class:`~sklearn.svm.SVC` is more accurate and faster.
"""

# %%
# Images as sequences
# -------------------
# An image has 8 x 8 pixels. The network reads it as a sequence of eight rows.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

digits = load_digits()
X = digits.images.astype(np.float32) / 16
y = digits.target
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
print(X_train.shape, X_test.shape)

# %%
# The network
# -----------
# The rows get positional encodings and attend to each other in a transformer encoder.
# Additive attention with one learned query then pools them into a single vector.
import torch
from torch import nn

from skml.neural.modules import (
    AdditiveAttention,
    PositionalEncoding,
    TransformerEncoder,
)


class RowReader(nn.Module):
    """Classifies images by attention to their rows."""

    def __init__(self, model_size=32, n_heads=4, n_layers=1, dropout=0.0):
        super().__init__()
        self.read = nn.Linear(8, model_size)
        self.add_positions = PositionalEncoding(model_size, max_length=8)
        self.encoder = TransformerEncoder(
            n_layers, model_size, n_heads, 2 * model_size, dropout
        )
        self.query = nn.Parameter(torch.zeros(1, 1, model_size))
        self.pool = AdditiveAttention(model_size, model_size, model_size)
        self.classify = nn.Linear(model_size, 10)

    def forward(self, X, return_weights=False):
        rows = self.encoder(self.add_positions(self.read(X)))
        query = self.query.expand(len(rows), -1, -1)
        pooled, weights = self.pool(query, rows, rows)
        scores = self.classify(pooled[:, 0])
        return (scores, weights[:, 0]) if return_weights else scores


# %%
# The scikit-learn estimator
# --------------------------
# skorch trains the network. The parameters of the module become parameters of the
# estimator, with the prefix ``module__``.
from skorch import NeuralNetClassifier

torch.manual_seed(0)
model = NeuralNetClassifier(
    RowReader,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.AdamW,
    lr=0.005,
    max_epochs=20,
    batch_size=64,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
model.fit(X_train, y_train)
print(f"accuracy {model.score(X_test, y_test):.3f}")

# %%
# They can be tuned like any other parameter, here the number of layers:
from sklearn.model_selection import GridSearchCV

search = GridSearchCV(model, {"module__n_layers": [1, 2]}, cv=3, refit=False)
search.fit(X_train, y_train)
for parameters, score in zip(
    search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
):
    print(parameters, f"{score:.3f}")

# %%
# Visualizing the attention weights
# ---------------------------------
# Below each test image are the weights that the learned query gives to its rows.
images = X_test[:6]
with torch.inference_mode():
    _, weights = model.module_.eval()(torch.from_numpy(images), return_weights=True)
fig, axes = plt.subplots(2, 6, figsize=(9, 3.5), sharey=True, layout="constrained")
for image, of_image, (top, bottom) in zip(images, weights.numpy(), axes.T, strict=True):
    top.imshow(image, cmap="gray_r", aspect="auto")
    top.set(xticks=[], yticks=[])
    bottom.barh(range(8), of_image)
    bottom.set(xlim=(0, 1), xlabel="weight")
axes[1, 0].set(ylabel="image row")
fig.suptitle("Attention weights of image rows")
plt.show()
