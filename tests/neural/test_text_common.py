"""Estimators with networks keep the contracts of scikit-learn for text."""

import sys

import numpy as np
import pytest
from joblib import parallel_backend
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.pipeline import FeatureUnion

from skml.neural import (
    BertClassifier,
    BertTransformer,
    Seq2SeqTranslator,
    TransformerTranslator,
)
from skml.utils.estimator_checks import text_estimator_checks_generator
from tests.neural.bert import models

try:
    import cloudpickle
except ImportError:  # joblib < 1.6
    from joblib.externals import cloudpickle

# Other processes would make all that is made here once more.
cloudpickle.register_pickle_by_value(sys.modules[__name__])
SMALL = {
    "vocabulary_size": 300,
    "tokenizer": "word",
    "max_iter": 1,
    "beam_size": 2,
    "batch_size": 256,
    "precision": "float32",
}
QUICK = {**models.SMALL, "model": models.Place(models.tiny_model(n_layers=1))}
ESTIMATORS = [
    Seq2SeqTranslator(hidden_size=8, embedding_size=8, **SMALL),
    TransformerTranslator(
        model_size=8, n_heads=2, n_layers=1, feed_forward_size=16, **SMALL
    ),
    BertClassifier(**{**QUICK, "max_iter": 1}, batch_size=64),
    BertTransformer(QUICK["model"], device="cpu"),
]


class Predicting(TransformerMixin, BaseEstimator):
    """An estimator whose predictions are columns."""

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X, y):
        self.estimator_ = clone(self.estimator).fit(X, y)
        return self

    def transform(self, X):
        fitted = self.estimator_
        predict = getattr(fitted, "predict_proba", fitted.predict)
        return np.array(list(predict(X)), dtype=object).reshape(len(X), -1)


# A process takes longer than all else: one for all.
IN_A_PROCESS = FeatureUnion(
    [
        *((type(e).__name__, Predicting(e)) for e in ESTIMATORS[:3]),
        ("vectors", ESTIMATORS[3]),
    ]
)
CHECKS = [
    pytest.param(estimator, check, id=f"{type(estimator).__name__}-{name}")
    for estimator in ESTIMATORS
    for _, check in text_estimator_checks_generator(estimator)
    if (name := getattr(check, "func", check).__name__) != "check_text_hash_seed"
]


@pytest.mark.parametrize(("estimator", "check"), CHECKS)
def test_text_estimators(estimator, check):
    if estimator is ESTIMATORS[2]:
        check(estimator)
        return
    # One goes the way of joblib to other processes, and all go below.
    with parallel_backend("threading"):
        check(estimator)


def test_hashes_of_the_process_change_nothing():
    checks = text_estimator_checks_generator(IN_A_PROCESS)
    names = {getattr(c, "func", c).__name__: c for _, c in checks}
    names["check_text_hash_seed"](IN_A_PROCESS)
