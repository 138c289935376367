"""What is too slow for the tests of attention: quality of the defaults, a peer's steps.

    python benchmarks/prove_attention.py

Takes some minutes and fails with an AssertionError. The tests hold a small sample:
fewer rows, a network instead of eight.
"""

import numpy as np
import torch
from _machine import describe, limit_blas
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import cross_val_score

from skml import AttentionPoolingRegressor
from skml.attention._training import AdamW


def prove_friedman1():
    """The defaults come close to the noise, and are better than bandwidths alone."""
    X, y = make_friedman1(1500, noise=0.5, random_state=0)
    errors = {}
    for embedding in ("auto", "scale"):
        model = AttentionPoolingRegressor(embedding=embedding, random_state=0)
        model.fit(X[:1000], y[:1000])
        errors[embedding] = mean_squared_error(y[1000:], model.predict(X[1000:]))
    print("friedman1, mean squared errors:", errors)
    assert errors["auto"] < 0.6  # of which noise is .25, and the variance of y 24
    assert errors["auto"] < errors["scale"] / 2


def prove_diabetes():
    """The defaults do not overfit little data that is mostly noise."""
    X, y = load_diabetes(return_X_y=True)
    ours = cross_val_score(AttentionPoolingRegressor(random_state=0), X, y).mean()
    trees = cross_val_score(HistGradientBoostingRegressor(random_state=0), X, y).mean()
    print(f"diabetes, R2: {ours:.3f}, HistGradientBoosting {trees:.3f}")
    assert ours > max(trees, 0.4)


def prove_adamw():
    """A step of AdamW is that of PyTorch."""
    rng = np.random.default_rng(0)
    start, slopes = rng.normal(size=(4, 3)), rng.normal(size=(100, 4, 3))
    ours = {"x_weights": start.copy()}
    optimizer = AdamW(ours, weight_decay=0.1)
    theirs = torch.tensor(start, requires_grad=True)
    peer = torch.optim.AdamW([theirs], lr=0.01, betas=(0.9, 0.95), weight_decay=0.1)
    for gradient in slopes:
        optimizer.step({"x_weights": gradient}, 0.01)
        theirs.grad = torch.tensor(gradient)
        peer.step()
    np.testing.assert_allclose(ours["x_weights"], theirs.detach().numpy(), rtol=1e-6)
    print("AdamW: 100 steps are those of PyTorch")


if __name__ == "__main__":
    limit_blas()
    print(describe("torch"))
    for prove in (prove_adamw, prove_friedman1, prove_diabetes):
        prove()
