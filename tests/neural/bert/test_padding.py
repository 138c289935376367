"""What a network computes of a text does not depend on the texts beside it."""

from functools import cache
from tempfile import TemporaryDirectory

import pytest
import torch
import transformers
from numpy.testing import assert_allclose
from transformers import AutoModel, AutoTokenizer

from skml.neural import (
    BertClassifier,
    BertQuestionAnswerer,
    BertTokenClassifier,
    BertTransformer,
)
from tests.neural.bert.cases import CLASSES
from tests.neural.bert.models import SENTENCES, SMALL, tiny_model

SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 130,
    "initializer_range": 0.2,
}
FUNNEL = {"d_model": 16, "n_head": 2, "d_head": 8, "d_inner": 32}
FUNNEL |= {"block_sizes": [1, 1, 1], "block_repeats": [1, 1, 1]}
CONFIGS = {
    "BigBird": {"block_size": 4, "num_random_blocks": 1},  # sparse from 29 pieces on
    "ConvBert": {"embedding_size": 16},
    "FNet": {},
    "Funnel": FUNNEL,
    "Nystromformer": {},
    "Yoso": {},
    "Roberta": {},
}
TEXTS = ["", "a", *SENTENCES, " ".join(SENTENCES[:4]), "the cat"]
families = pytest.mark.parametrize("family", CONFIGS)
_FOLDERS = []


@cache
def model_of(family):
    """The folder of a small model of a family, with random weights."""
    folder = TemporaryDirectory()
    _FOLDERS.append(folder)
    tokenizer = AutoTokenizer.from_pretrained(tiny_model(longest=128))
    tokenizer.save_pretrained(folder.name)
    options = (SIZES if family != "Funnel" else {}) | CONFIGS[family]
    config = getattr(transformers, f"{family}Config")(
        vocab_size=len(tokenizer), pad_token_id=tokenizer.pad_token_id, **options
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        getattr(transformers, f"{family}Model")(config).save_pretrained(folder.name)
    return folder.name


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
