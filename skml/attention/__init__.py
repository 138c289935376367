"""Attention as an estimator: predictions are weighted means of training targets."""

from skml.attention._classifier import AttentionPoolingClassifier
from skml.attention._heads import (
    multi_head_attention,
    positional_encoding,
    self_attention,
)
from skml.attention._pooling import attention_pooling
from skml.attention._regressor import AttentionPoolingRegressor
from skml.attention._scores import (
    additive_score,
    dot_product_score,
    gaussian_score,
    laplace_score,
    masked_softmax,
    scaled_dot_product_score,
)

__all__ = [
    "AttentionPoolingClassifier",
    "AttentionPoolingRegressor",
    "additive_score",
    "attention_pooling",
    "dot_product_score",
    "gaussian_score",
    "laplace_score",
    "masked_softmax",
    "multi_head_attention",
    "positional_encoding",
    "scaled_dot_product_score",
    "self_attention",
]
