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
from tests.neural.bert.cases import CLASSES
from tests.neural.bert.families import CONFIGS, model_of
from tests.neural.bert.models import SENTENCES, SMALL

TEXTS = ["", "a", *SENTENCES, " ".join(SENTENCES[:4]), "the cat"]
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


@families
def test_predictions_are_those_of_a_text_alone(family):
    words = [text.split() for text in TEXTS]
    tags = [["B" if len(word) > 3 else "O" for word in text] for text in words]
    pairs = [("which", text) for text in TEXTS]
    options = {**SMALL, "model": model_of(family)}
    answers = [text[:1] for text in TEXTS]
    short = {"max_question_length": 8, "max_answer_length": 8}
    classes = ["zoo", "lab", *CLASSES, "zoo", "zoo"]
    for model, method, X, y in [
        (BertClassifier(**options), "predict_proba", TEXTS, classes),
        (BertTokenClassifier(**options), "predict_proba", words, tags),
        (BertQuestionAnswerer(**options, **short), "answer_scores", pairs, answers),
    ]:
        predict = getattr(model.set_params(max_length=64).fit(X, y), method)
        for alone, among in zip(X, predict(X), strict=True):
            assert_allclose(predict([alone])[0], among, atol=1e-5)
