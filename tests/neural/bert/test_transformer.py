"""BertTransformer: vectors equal those of transformers, of short and of long texts."""

import json
import pickle
import shutil
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from transformers import AutoModel, AutoTokenizer

from skml import BertClassifier, BertTransformer
from tests.neural.bert.families import model_of
from tests.neural.bert.models import SENTENCES, SMALL, tiny_model

TEXTS = [*SENTENCES, "", "猫 😀 naïve", "a cat"]
LONG = " ".join(SENTENCES * 12)


def theirs(texts, **options):
    """All layers of transformers' own forward pass, and the mask."""
    tokenizer = AutoTokenizer.from_pretrained(tiny_model())
    network = AutoModel.from_pretrained(tiny_model()).eval()
    inputs = tokenizer(texts, padding=True, return_tensors="pt", **options)
    with torch.inference_mode():
        found = network(**inputs, output_hidden_states=True)
    return torch.stack(found.hidden_states), inputs["attention_mask"][:, :, None]


def pooled(hidden, mask, pooling):
    if pooling == "cls":
        return hidden[:, 0]
    if pooling == "max":
        return torch.where(mask > 0, hidden, -torch.inf).amax(dim=1)
    return (hidden * mask).sum(dim=1) / mask.sum(dim=1)


@pytest.mark.parametrize(
    ("pooling", "layers"),
    [("mean", -1), ("cls", 0), ("max", 1), ("mean", [1, 2]), ("cls", (-1, -3))],
)
def test_vectors_are_those_of_transformers(pooling, layers):
    hidden, mask = theirs(TEXTS)
    several = layers if isinstance(layers, (list, tuple)) else [layers]
    expected = pooled(hidden[list(several)].mean(dim=0), mask, pooling).numpy()
    model = BertTransformer(tiny_model(), pooling=pooling, layers=layers)
    found = model.fit_transform(TEXTS)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_normalized_vectors_have_length_one():
    plain = BertTransformer(tiny_model()).fit_transform(TEXTS)
    found = BertTransformer(tiny_model(), normalize=True).fit_transform(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-6)
    lengths = np.linalg.norm(plain, axis=1, keepdims=True)
    np.testing.assert_allclose(found, plain / lengths, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_windows_of_short_texts_are_the_texts(pooling):
    plain = BertTransformer(tiny_model(), pooling=pooling).fit_transform(TEXTS)
    model = BertTransformer(tiny_model(), pooling=pooling, long_text="window")
    np.testing.assert_array_equal(model.fit_transform(TEXTS), plain)
    # Beside a long text, too.
    found = model.transform([LONG, *TEXTS])[1:]
    np.testing.assert_allclose(found, plain, rtol=0, atol=1e-5)


@pytest.mark.parametrize("pooling", ["cls", "max"])
def test_a_long_text_is_what_its_windows_are(pooling):
    model = BertTransformer(
        tiny_model(), pooling=pooling, long_text="window", window_overlap=5
    )
    found = model.fit_transform([LONG])[0]
    options = {"max_length": 64, "truncation": True, "stride": 5}
    tokenizer = AutoTokenizer.from_pretrained(tiny_model())
    cut = tokenizer(
        LONG,
        padding=True,
        return_overflowing_tokens=True,
        return_tensors="pt",
        **options,
    )
    cut.pop("overflow_to_sample_mapping")
    network = AutoModel.from_pretrained(tiny_model()).eval()
    with torch.inference_mode():
        hidden = network(**cut).last_hidden_state
    mask = cut["attention_mask"][:, :, None]
    vectors = pooled(hidden, mask, pooling)
    if pooling == "max":
        expected = vectors.amax(dim=0)
    else:
        n_pieces = mask.sum(dim=1)
        expected = (vectors * n_pieces).sum(dim=0) / n_pieces.sum()
    assert len(hidden) > 2
    np.testing.assert_allclose(found, expected.numpy(), rtol=0, atol=1e-5)


def test_a_long_text_is_cut_with_a_warning():
    model = BertTransformer(tiny_model()).fit(TEXTS)
    with pytest.warns(UserWarning, match=r"1 document\(s\) have more tokens than"):
        found = model.transform([LONG, "a cat"])
    hidden, mask = theirs([LONG], truncation=True, max_length=64)
    expected = pooled(hidden[-1], mask, "mean").numpy()
    np.testing.assert_allclose(found[:1], expected, rtol=0, atol=1e-5)


def test_other_texts_change_no_vector():
    model = BertTransformer(tiny_model()).fit(TEXTS)
    together = model.transform(TEXTS)
    alone = np.concatenate([model.transform([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-5)


def test_pairs_and_lists_of_words():
    pairs = list(pairwise(SENTENCES[:5]))
    tokenizer = AutoTokenizer.from_pretrained(tiny_model())
    network = AutoModel.from_pretrained(tiny_model()).eval()
    inputs = tokenizer(*zip(*pairs, strict=True), padding=True, return_tensors="pt")
    with torch.inference_mode():
        hidden = network(**inputs).last_hidden_state
    expected = pooled(hidden, inputs["attention_mask"][:, :, None], "mean").numpy()
    found = BertTransformer(tiny_model()).fit_transform(pairs)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    table = pd.DataFrame(pairs, columns=["a", "b"])
    np.testing.assert_array_equal(
        BertTransformer(tiny_model()).fit_transform(table), found
    )
    words = [sentence.split() for sentence in SENTENCES]
    np.testing.assert_allclose(
        BertTransformer(tiny_model()).fit_transform(words),
        BertTransformer(tiny_model()).fit_transform(SENTENCES),
        rtol=0,
        atol=1e-6,
    )


def test_vectors_of_pieces():
    model = BertTransformer(tiny_model()).fit(TEXTS)
    vectors, tokens = model.token_vectors(TEXTS, return_tokens=True)
    hidden, mask = theirs(TEXTS)
    for row, (found, pieces) in enumerate(zip(vectors, tokens, strict=True)):
        n = int(mask[row].sum())
        assert found.shape == (n, 32)
        assert len(pieces) == n
        assert pieces[0] == "[CLS]"
        assert pieces[-1] == "[SEP]"
        np.testing.assert_allclose(found, hidden[-1, row, :n], rtol=0, atol=1e-5)
    means = np.array([found.mean(axis=0) for found in model.token_vectors(TEXTS)])
    np.testing.assert_allclose(means, model.transform(TEXTS), rtol=0, atol=1e-5)


def test_attention_weights_are_those_of_transformers():
    model = BertTransformer(tiny_model()).fit(TEXTS)
    before = model.transform(TEXTS)
    weights, tokens = model.attention_weights(TEXTS, return_tokens=True)
    tokenizer = AutoTokenizer.from_pretrained(tiny_model())
    network = AutoModel.from_pretrained(tiny_model(), attn_implementation="eager")
    for text, found, pieces in zip(TEXTS, weights, tokens, strict=True):
        with torch.inference_mode():
            inputs = tokenizer(text, return_tensors="pt")
            expected = network.eval()(**inputs, output_attentions=True).attentions
        expected = torch.cat(expected).numpy()
        assert found.shape == (2, 4, len(pieces), len(pieces))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(model.transform(TEXTS), before)


def test_nothing_gives_nothing():
    model = BertTransformer(tiny_model()).fit(TEXTS)
    assert model.transform([]).shape == (0, 32)
    assert model.token_vectors([]) == []
    assert model.attention_weights([], return_tokens=True) == ([], [])


def test_names_and_frames():
    model = BertTransformer(tiny_model()).fit(TEXTS).set_output(transform="pandas")
    found = model.transform(pd.Series(TEXTS, index=range(5, 5 + len(TEXTS))))
    assert list(found.columns) == [f"berttransformer{i}" for i in range(32)]
    assert list(found.columns) == list(model.get_feature_names_out())


@pytest.mark.parametrize("keep", ["pickle", "folder", "refit"])
def test_kept_and_read_again(keep, tmp_path):
    model = BertTransformer(tiny_model(), layers=[0, -1]).fit(TEXTS)
    expected = model.transform(TEXTS)
    if keep == "pickle":
        read = pickle.loads(pickle.dumps(model))
    elif keep == "folder":
        model.save(tmp_path / "model")
        read = BertTransformer.load(tmp_path / "model")
    else:
        model.save_pretrained(tmp_path / "model")
        read = clone(model).set_params(model=tmp_path / "model").fit(TEXTS)
    np.testing.assert_array_equal(read.transform(TEXTS), expected)


def test_a_fitted_estimator_is_a_model():
    y = [i % 2 for i in range(len(TEXTS))]
    tuned = BertClassifier(tiny_model(), **SMALL).fit(TEXTS, y)
    found = BertTransformer(tuned).fit_transform(TEXTS)
    assert (
        np.abs(found - BertTransformer(tiny_model()).fit_transform(TEXTS)).max() > 0.1
    )
    frozen = BertTransformer(FrozenEstimator(tuned))
    np.testing.assert_array_equal(clone(frozen).fit_transform(TEXTS), found)


def test_a_search_over_models_and_pooling():
    X, y = SENTENCES * 2, [0, 0, 1, 1, 0, 1, 2, 2] * 2
    search = GridSearchCV(
        make_pipeline(BertTransformer(), LogisticRegression(max_iter=2000)),
        {
            "berttransformer__model": [tiny_model(), tiny_model(n_layers=1)],
            "berttransformer__pooling": ["mean", "max"],
        },
        cv=2,
        error_score="raise",
    ).fit(X, y)
    assert len(search.cv_results_["params"]) == 4
    assert search.score(X, y) == 1.0


def test_the_global_generator_is_not_moved():
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    BertTransformer(tiny_model()).fit_transform(TEXTS)
    assert torch.equal(before[0], torch.get_rng_state())
    after = np.random.get_state()[1]  # noqa: NPY002
    np.testing.assert_array_equal(before[1], after)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"layers": 3}, "layers=3; the model has 2 layers"),
        ({"layers": -4}, "layers=-4; the model has 2 layers"),
        ({"layers": [0, 7]}, r"layers=\[0, 7\]; the model has 2 layers"),
        ({"layers": [1.5]}, r"layers=\[1.5\]"),
        ({"layers": []}, "name at least one"),
        ({"pooling": "sum"}, "'pooling' parameter of BertTransformer"),
        ({"max_length": 65}, "the model takes 64 tokens at most"),
        ({"max_length": 4}, "'max_length' parameter of BertTransformer"),
        (
            {"long_text": "window", "max_length": 32, "window_overlap": 17},
            "more than half of the 32 tokens",
        ),
        ({"long_text": "cut"}, "'long_text' parameter of BertTransformer"),
        ({"device": "nowhere"}, "device='nowhere' cannot be used here"),
        ({"model": None}, "model=None; pass the folder of a model"),
        ({"model": BertClassifier()}, "that is not fitted"),
    ],
    ids=repr,
)
def test_bad_parameters_are_refused(parameters, message):
    model = BertTransformer(tiny_model()).set_params(**parameters)
    with pytest.raises(ValueError, match=message):
        model.fit(TEXTS)
    with pytest.raises(NotFittedError):
        model.transform(TEXTS)


def test_other_documents_than_in_fit_are_refused():
    model = BertTransformer(tiny_model()).fit(TEXTS)
    with pytest.raises(ValueError, match="X has pairs of texts; in fit it had text"):
        model.transform([("a cat", "a dog")])
    with pytest.raises(ValueError, match="X has lists of tokens; in fit it had text"):
        model.transform([["a", "cat"]])


@pytest.mark.parametrize("make", [iter, lambda X: map(str, X)])
def test_a_generator_is_read_once(make):
    model = BertTransformer(tiny_model(), device="cpu")
    expected = model.fit_transform(SENTENCES)
    np.testing.assert_array_equal(model.fit_transform(make(SENTENCES)), expected)
    pairs = zip(SENTENCES, SENTENCES[::-1], strict=True)
    assert model.fit_transform(pairs).shape == expected.shape


# Families and folders that are otherwise


@pytest.mark.parametrize("family", ["FNet", "Funnel", "Longformer", "Yoso"])
def test_weights_of_attention_that_is_not_full_are_refused(family):
    model = BertTransformer(model_of(family), device="cpu").fit(SENTENCES)
    with pytest.raises(
        ValueError, match=r"has no weights of all tokens for each token"
    ):
        model.attention_weights(SENTENCES[:2])


SENTENCE_MODULES = [
    {"path": "", "type": "sentence_transformers.models.Transformer"},
    {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"path": "2_Dense", "type": "sentence_transformers.models.Dense"},
    {"path": "3_Normalize", "type": "sentence_transformers.models.Normalize"},
]


def test_what_sentence_transformers_would_do_is_said(tmp_path):
    folder = tmp_path / "sentences"
    shutil.copytree(tiny_model(), folder)
    (folder / "modules.json").write_text(json.dumps(SENTENCE_MODULES))
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 20}')
    (folder / "1_Pooling").mkdir()
    pooling = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    message = r"say normalize=True, pooling='cls', max_length=20, modules=\['Dense'\]\."
    with pytest.warns(UserWarning, match=message) as caught:
        BertTransformer(folder, device="cpu").fit(SENTENCES)
    assert len(caught) == 1
    (folder / "modules.json").write_text(
        json.dumps([m for m in SENTENCE_MODULES if "Dense" not in m["path"]])
    )
    for other in ('{"a": 1}', '[{"name": "x"}]', "no JSON"):  # of another program
        (tmp_path / "other").mkdir(exist_ok=True)
        shutil.copytree(tiny_model(), tmp_path / "other", dirs_exist_ok=True)
        (tmp_path / "other" / "modules.json").write_text(other)
        BertTransformer(tmp_path / "other", device="cpu").fit(SENTENCES)
    same = {"normalize": True, "pooling": "cls", "max_length": 20}
    BertTransformer(folder, **same, device="cpu").fit(SENTENCES)  # nothing to say
    with pytest.warns(UserWarning, match=r"say pooling='cls'\. Pass"):
        BertTransformer(folder, **same, device="cpu").set_params(pooling="max").fit(
            ["a"]
        )
