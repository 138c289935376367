"""
Attention pooling: from kernel regression to a learned metric
=============================================================

:class:`~skml.attention.AttentionPoolingRegressor` predicts the weighted mean of the
training targets; the weights depend on the distance between query and training row.
This example compares four embeddings in which distances are computed: one fixed
bandwidth, one bandwidth chosen by leave-one-out, a learned linear map and a small
network.
"""

# %%
# One-dimensional regression
# --------------------------
# Sixty points of a curve, with Gaussian noise of standard deviation 0.5.
import matplotlib.pyplot as plt
import numpy as np

from skml import AttentionPoolingRegressor
from skml.plotting import AttentionDisplay

rng = np.random.default_rng(0)
X = np.sort(rng.uniform(0, 5, size=(60, 1)), axis=0)
y = 2 * np.sin(X[:, 0]) + X[:, 0] ** 0.8 + 0.5 * rng.normal(size=60)
grid = np.linspace(0, 5, 200)[:, np.newaxis]
truth = 2 * np.sin(grid[:, 0]) + grid[:, 0] ** 0.8

# %%
# The upper panels show the predictions, and their root mean squared error to the true
# curve. The lower panels show the attention weights: rows are queries, columns are
# training samples, both sorted by x. The narrower the band, the closer a prediction
# follows its neighbours.
#
# The leave-one-out bandwidth has the smallest error here: with one feature there is no
# metric to learn, and the more flexible embeddings fit some of the noise.
embeddings = {
    "one bandwidth, 1": {"embedding": "identity", "bandwidth": 1.0},
    "one bandwidth, leave-one-out": {"embedding": "identity"},
    "linear map": {"embedding": "linear", "random_state": 0},
    "small network": {"embedding": "mlp", "random_state": 0},
}
fig, axes = plt.subplots(2, 4, figsize=(12, 6), layout="constrained")
for (name, parameters), (curve, picture) in zip(
    embeddings.items(), axes.T, strict=True
):
    model = AttentionPoolingRegressor(**parameters).fit(X, y)
    predicted = model.predict(grid)
    error = np.sqrt(np.mean((predicted - truth) ** 2))
    print(f"{name:28} RMSE {error:.3f}")
    curve.plot(X, y, ".", color="0.6", label="training data")
    curve.plot(grid, truth, "--", color="0.4", label="true curve")
    curve.plot(grid, predicted, label="prediction")
    curve.set(title=f"{name}\nRMSE {error:.2f}", xlabel="x")
    AttentionDisplay.from_estimator(model, grid, ax=picture, colorbar=False)
    picture.set(ylabel="")
axes[0, 0].set(ylabel="y")
axes[1, 0].set(ylabel="Sample")
axes[0, 0].legend()
fig.suptitle("Predictions and attention weights")
plt.show()

# %%
# Diabetes data
# -------------
# Disease progression of 442 patients, with much noise. The table shows R², the mean of
# five folds. The relation is nearly linear, so a linear baseline model
# (``residual="linear"``) helps, and :class:`~sklearn.linear_model.LinearRegression`
# alone has an R² of 0.48. See :ref:`attention_benchmarks` for larger tables.
from sklearn.datasets import load_diabetes
from sklearn.model_selection import cross_val_score

from skml import LightGBMRegressor

X, y = load_diabetes(return_X_y=True)
for model in (
    AttentionPoolingRegressor(embedding="scale"),
    AttentionPoolingRegressor(embedding="scale", residual="linear"),
    LightGBMRegressor(),
):
    scores = cross_val_score(model, X, y)
    print(f"{model!s:70.70} {scores.mean():.3f}")

# %%
# With one bandwidth per feature, the spread of the embedded rows shows which features
# matter: the larger the standard deviation along a feature, the more it contributes to
# distances.
model = AttentionPoolingRegressor(embedding="scale").fit(X, y)
names = load_diabetes().feature_names
spread = model.transform(X).std(axis=0)
for j in np.argsort(-spread):
    print(f"{names[j]:4} {spread[j]:.2f}")

# %%
# The training rows with the largest attention weights for the first patient:
weights, patients = model.attention_weights(X[:1], top_k=3)
print(patients, weights.round(3))

# %%
# The same for four patients, and all training rows that are among the three largest of
# one of them. Each patient has the largest weight for itself, as it is a training row.
display = AttentionDisplay.from_estimator(model, X[:4], top_k=3)
display.ax_.set(title="Attention weights of four patients", yticks=range(4))
plt.show()
