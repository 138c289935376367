"""Models of the BERT family keep the contracts of scikit-learn for text."""

from skml.neural import BertClassifier, BertTransformer
from skml.utils.estimator_checks import parametrize_with_text_checks
from tests.neural.bert.models import SMALL, Place, tiny_model

QUICK = {**SMALL, "model": Place(tiny_model(n_layers=1)), "max_iter": 1}
ESTIMATORS = [
    BertClassifier(**QUICK, batch_size=64),
    BertTransformer(QUICK["model"], device="cpu"),
]


@parametrize_with_text_checks(ESTIMATORS)
def test_text_estimators(estimator, check):
    check(estimator)
