"""Every estimator of text keeps the contracts of scikit-learn, in each of its modes."""

import pytest

from skml.text import TfidfWeighter, Word2VecTransformer
from skml.utils.estimator_checks import (
    check_text_estimator,
    parametrize_with_text_checks,
)

# Enough to learn something from the short documents of the checks.
SMALL = {"vector_size": 8, "min_count": 1, "max_iter": 2}

ESTIMATORS = [
    *(
        Word2VecTransformer(**SMALL, architecture=architecture, loss=loss)
        for architecture in ("skip-gram", "cbow")
        for loss in ("negative-sampling", "hierarchical-softmax")
    ),
    Word2VecTransformer(**SMALL, weighter=TfidfWeighter()),
    Word2VecTransformer(**SMALL, analyzer="char"),
    TfidfWeighter(),
]


@parametrize_with_text_checks(ESTIMATORS)
def test_text_estimators(estimator, check):
    check(estimator)


@pytest.mark.parametrize("cls", [TfidfWeighter, Word2VecTransformer])
def test_defaults(cls):
    results = check_text_estimator(cls())
    assert {result["status"] for result in results} == {"passed"}
