"""
From kernel regression to a learned metric
==========================================

A query looks at all training rows and averages their targets. Four steps lead from one
bandwidth for all to a small network that learns where distances mean something.
"""

# %%
# A noisy curve
# -------------
# Sixty points, with noise of half a unit.
import matplotlib.pyplot as plt
import numpy as np

from skml import AttentionPoolingRegressor

rng = np.random.default_rng(0)
X = np.sort(rng.uniform(0, 5, size=(60, 1)), axis=0)
y = 2 * np.sin(X[:, 0]) + X[:, 0] ** 0.8 + 0.5 * rng.normal(size=60)
grid = np.linspace(0, 5, 200)[:, np.newaxis]
truth = 2 * np.sin(grid[:, 0]) + grid[:, 0] ** 0.8

# %%
# Four embeddings, from the simplest to the most flexible, predict the curve; below are
# the weights: a row of a picture is a query, a column a training row, both from left to
# right. The narrower the band, the closer a prediction follows its neighbours.
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
    print(f"{name:25} error {error:.3f}")
    curve.plot(X, y, ".", color="0.6")
    curve.plot(grid, truth, "--", color="0.4")
    curve.plot(grid, predicted)
    curve.set(title=f"{name}\nerror {error:.2f}")
    picture.imshow(model.attention_weights(grid), aspect="auto", cmap="viridis")
    picture.set(xlabel="training rows", ylabel="queries")
plt.show()

# %%
# A real table
# ------------
# Progress of diabetes of 442 patients: few rows, much noise. What is compared is the
# share of variance that is explained, in five folds.
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
# With a bandwidth for each feature one sees which of them count: the farther apart the
# points lie along a feature, the more it matters.
model = AttentionPoolingRegressor(embedding="scale").fit(X, y)
names = load_diabetes().feature_names
spread = model.transform(X).std(axis=0)
for j in np.argsort(-spread):
    print(f"{names[j]:4} {spread[j]:.2f}")

# %%
# And the patients with the largest attention weights of a prediction:
weights, patients = model.attention_weights(X[:1], top_k=3)
print(patients, weights.round(3))
