"""Models of the BERT family keep the contracts of scikit-learn for text."""

from skml.neural import BertClassifier, BertRegressor
from skml.utils.estimator_checks import parametrize_with_text_checks
from tests.neural.bert.models import tiny_model

QUICK = {
    "model": tiny_model(n_layers=1),
    "max_iter": 1,
    "learning_rate_init": 0.005,
    "precision": "float32",
    "device": "cpu",
}
ESTIMATORS = [BertClassifier(**QUICK), BertRegressor(**QUICK)]


@parametrize_with_text_checks(ESTIMATORS)
def test_text_estimators(estimator, check):
    check(estimator)
