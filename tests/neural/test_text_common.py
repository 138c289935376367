"""Translators keep the contracts of scikit-learn for estimators of text."""

from skml.neural import Seq2SeqTranslator, TransformerTranslator
from skml.utils.estimator_checks import parametrize_with_text_checks

SMALL = {
    "vocabulary_size": 300,
    "tokenizer": "word",
    "max_iter": 1,
    "beam_size": 2,
    "batch_size": 256,
    "precision": "float32",
}
ESTIMATORS = [
    Seq2SeqTranslator(hidden_size=8, embedding_size=8, **SMALL),
    TransformerTranslator(
        model_size=8, n_heads=2, n_layers=1, feed_forward_size=16, **SMALL
    ),
]


@parametrize_with_text_checks(ESTIMATORS)
def test_text_estimators(estimator, check):
    check(estimator)
