"""What a network computes of a text does not depend on the texts beside it."""

import pytest
import torch
from numpy.testing import assert_allclose
from transformers import AutoModel, AutoTokenizer

from skml.neural import (
    BertClassifier,
    BertQuestionAnswerer,
    BertTokenClassifier,
    BertTransformer,
)
from tests.neural.bert.families import CONFIGS, model_of
from tests.neural.bert.models import SENTENCES, SMALL

TEXTS = ["", "a", SENTENCES[3], SENTENCES[5], " ".join(SENTENCES[:4]), "the cat"]
families = pytest.mark.parametrize("family", sorted({*CONFIGS} - {"Longformer"}))


@families
def test_vectors_are_those_of_a_text_alone(family):
    model = BertTransformer(model_of(family), device="cpu").fit(TEXTS)
    together = model.transform(TEXTS)
    assert_allclose(together, [model.transform([t])[0] for t in TEXTS], atol=1e-5)
    tokenizer = AutoTokenizer.from_pretrained(model_of(family))
    for row in (2, -2):
        # Anew, as short texts turn the attention of BigBird to another for good.
        network = AutoModel.from_pretrained(model_of(family)).eval()
        ids = tokenizer(TEXTS[row], return_tensors="pt", truncation=True).input_ids
        with torch.inference_mode():
            hidden = network(input_ids=ids).last_hidden_state[0]
        assert_allclose(together[row], hidden.mean(dim=0), atol=1e-5)


WORDS = [text.split() for text in TEXTS]
TAGS = [["B" if len(word) > 3 else "O" for word in text] for text in WORDS]
PAIRS = [("which", text) for text in TEXTS]
SHORT = {"max_question_length": 8, "max_answer_length": 8}


@pytest.mark.parametrize(
    ("family", "cls", "X", "y", "options"),
    [
        ("FNet", BertClassifier, TEXTS, [0, 1] * 3, {}),
        ("Funnel", BertTokenClassifier, WORDS, TAGS, {}),
        ("BigBird", BertQuestionAnswerer, PAIRS, [t[:1] for t in TEXTS], SHORT),
    ],
)
def test_predictions_are_those_of_a_text_alone(family, cls, X, y, options):
    model = cls(
        model_of(family), **{**SMALL, "max_iter": 1, "max_length": 64, **options}
    )
    model.fit(X, y)
    method = "answer_scores" if cls is BertQuestionAnswerer else "predict_proba"
    predict = getattr(model, method)
    for alone, among in zip(X, predict(X), strict=True):
        assert_allclose(predict([alone])[0], among, atol=1e-5)
