"""FastTextClassifier: what it learns, parameters, bad input."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skml.text import FastTextClassifier, WordVectors
from skml.text._fasttext_fitted import LOSSES

RNG = np.random.default_rng(0)
TOPICS = {
    "animals": ["cat", "dog", "mouse", "sleeps", "barks", "warm", "fur", "猫", "狗"],
    "computers": ["data", "model", "learns", "words", "bits", "code", "数据", "模型"],
    "weather": ["rain", "sun", "wind", "cold", "cloud", "storm", "sky", "雨", "风"],
}


def make_documents(n, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.choice(list(TOPICS), size=n)
    X = [
        " ".join(
            ["the", *rng.choice(TOPICS[topic], 4), *rng.choice(TOPICS["weather"], 1)]
        )
        for topic in y
    ]
    return X, y


X, Y = make_documents(120)
X_NEW, Y_NEW = make_documents(60, seed=1)
SMALL = {"vector_size": 8, "token_pattern": r"\S+", "random_state": 0}


def small(**parameters):
    return FastTextClassifier(**{**SMALL, **parameters})


@pytest.mark.parametrize("loss", LOSSES)
def test_classes_are_learned(loss):
    model = small(loss=loss).fit(X, Y)
    assert model.score(X_NEW, Y_NEW) > 0.9
    assert model.classes_.tolist() == sorted(TOPICS)
    proba = model.predict_proba(X_NEW)
    assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
    assert_allclose(model.predict_log_proba(X_NEW), np.log(proba), rtol=1e-3, atol=1e-6)
    decision = model.decision_function(X_NEW)
    assert_array_equal(decision.argmax(axis=1), proba.argmax(axis=1))
    assert model.n_iter_ == len(model.loss_curve_) == 25
    assert model.loss_curve_[-1] < model.loss_curve_[0] / 2
    assert model.transform(X_NEW).shape == (60, 8)


def test_several_classes_a_document():
    labels = np.stack([Y == "animals", Y != "computers"], axis=1).astype(int)
    model = small(loss="one-vs-rest").fit(X, labels)
    new = np.stack([Y_NEW == "animals", Y_NEW != "computers"], axis=1)
    assert model.score(X_NEW, new) > 0.9
    assert model.classes_.tolist() == [0, 1]
    assert_array_equal(model.predict(X_NEW), model.predict_proba(X_NEW) > 0.5)
    assert model.decision_function(X_NEW).shape == (60, 2)
    again = small(loss="one-vs-rest").fit(X, sparse.csr_array(labels))
    assert_array_equal(again.predict_proba(X_NEW), model.predict_proba(X_NEW))


def test_words_and_their_counts():
    model = small(ngram_range=(1, 1)).fit(["b a", "a c a", ""], [0, 1, 0])
    assert model.vocabulary_ == {"a": 0, "b": 1, "c": 2, "</s>": 3}
    assert model.counts_.tolist() == [3, 1, 1, 3]
    assert model.word_vectors_.words == ["a", "b", "c", "</s>"]
    assert_array_equal(model.transform([""]), model.word_vectors_.vectors[3:])
    expected = model.word_vectors_.vectors[[0, 3]].mean(axis=0)
    assert_allclose(model.transform(["a unknown"])[0], expected, rtol=1e-6)


def test_the_end_of_a_line_may_be_a_word():
    model = small(ngram_range=(1, 1)).fit(["a </s>", "b"], [0, 1])
    assert model.vocabulary_ == {"</s>": 0, "a": 1, "b": 2}
    assert model.counts_.tolist() == [3, 1, 1]
    model.partial_fit(["c </s>"], [0])
    assert model.counts_.tolist() == [5, 1, 1, 1]


def test_ngrams_see_the_order_of_words():
    texts, y = ["a b", "b a"] * 20, [0, 1] * 20
    assert small().fit(texts, y).score(texts, y) == 1
    # Without them, both have the same vector.
    words = small(ngram_range=(1, 1)).fit(texts, y)
    assert len(set(words.predict(texts))) == 1


def test_no_ngram_is_longer_than_its_document():
    texts, y = ["a b c d", "d c b a e", "a"] * 9, [0, 1, 0] * 9
    longest = small(ngram_range=(1, 9)).fit(texts, y)
    any_length = small(ngram_range=(1, 2**62)).fit(texts, y)
    assert_array_equal(any_length.transform(texts), longest.transform(texts))
    any_length.partial_fit(texts, y)


def test_ngrams_of_characters_know_other_forms():
    texts, y = ["walking talking", "walked talked"] * 20, [0, 1] * 20
    model = small(subwords=(2, 4), ngram_range=(1, 1)).fit(texts, y)
    assert model.predict(["singing", "waited"]).tolist() == [0, 1]


def test_rare_words_have_ngrams_only():
    texts, y = ["a b", "a c"], [0, 1]
    model = small(min_count=2, max_iter=40).fit(texts, y)
    assert model.vocabulary_ == {"a": 0, "</s>": 1}
    assert model.predict(texts).tolist() == y


def test_pretrained_vectors():
    words = ["rain", "snow", "cat"]
    given = WordVectors(RNG.normal(size=(3, 8)).astype(np.float32), words)
    parameters = {"pretrained_vectors": given, "learning_rate": 1e-9, "max_iter": 1}
    model = small(**parameters).fit(X, Y)
    vectors = model.word_vectors_
    assert_allclose(vectors[words], given.vectors, rtol=1e-5)
    assert model.counts_[model.vocabulary_["snow"]] == 0
    assert np.abs(vectors["the"]).max() <= 1 / 8
    # A word that only the given vectors have is known.
    row = model.vocabulary_["</s>"]
    # The pair of the word and the end was never seen, and is zeros.
    expected = (given["snow"] + vectors.vectors[row] + 0) / 3
    assert_allclose(model.transform(["snow"])[0], expected, rtol=1e-4)
    with pytest.raises(ValueError, match=r"8 dimensions and vector_size=9"):
        small(pretrained_vectors=given, vector_size=9).fit(X, Y)


def test_weights():
    weights = RNG.integers(0, 2, size=len(X))
    kept = np.flatnonzero(weights)
    one = small().fit(X, Y, sample_weight=weights)
    two = small().fit([X[i] for i in kept], Y[kept])
    assert_array_equal(one.predict_proba(X_NEW), two.predict_proba(X_NEW))
    balanced = small(class_weight="balanced", max_iter=2).fit(X, Y)
    counts = {c: (c == Y).sum() for c in TOPICS}
    by_hand = {c: len(Y) / 3 / n for c, n in counts.items()}
    other = small(class_weight=by_hand, max_iter=2).fit(X, Y)
    assert_array_equal(balanced.predict_proba(X_NEW), other.predict_proba(X_NEW))


def test_a_document_without_weight_has_no_ngrams():
    options = {"subwords": (2, 3), "max_iter": 1}
    one = small(**options).fit(["ab", "xyz", "b"], [0, 1, 1], sample_weight=[1, 0, 1])
    two = small(**options).fit(["ab", "b"], [0, 1])
    assert_array_equal(one._fitted.buckets, two._fitted.buckets)


def test_a_class_without_weight_is_none():
    weights = (Y != "weather").astype(float)
    model = small(max_iter=1).fit(X, Y, sample_weight=weights)
    assert model.classes_.tolist() == ["animals", "computers"]


def test_early_stopping_keeps_the_best():
    rng = np.random.default_rng(0)
    noise = rng.permutation(Y)
    model = small(
        early_stopping=True, n_iter_no_change=3, validation_fraction=0.25
    ).fit(X, noise)
    scores = model.validation_score_
    assert len(scores) == len(model.loss_curve_) == model.n_iter_ < 25
    assert scores[-3:].max() <= scores[:-3].max() + model.tol
    assert not hasattr(small(max_iter=1).fit(X, Y), "validation_score_")
    assert hasattr(
        small(max_iter=1, early_stopping=True).fit(X, Y), "validation_score_"
    )
    auto = small(max_iter=1, early_stopping="auto").fit(X, Y)
    assert not hasattr(auto, "validation_score_")


@pytest.mark.parametrize("several", [False, True])
def test_the_validation_score_is_that_of_held_out_documents(several):
    y, rest = (
        (np.stack([Y == "weather", Y == "animals"], 1), {}) if several else (Y, {})
    )
    rest = {"loss": "one-vs-rest"} if several else {}
    # No word of one document is in another: held-out ones are all alike.
    texts = [f"w{i} v{i}" for i in range(len(X))]
    options = {"early_stopping": True, "validation_fraction": 0.2, "max_iter": 3}
    model = small(**options, **rest).fit(texts, y)
    held_out = [t for t in texts if t.split()[0] not in model.vocabulary_]
    assert len(held_out) == 24
    positions = [texts.index(text) for text in held_out]
    with pytest.warns(UserWarning, match="no known word and have equal predictions"):
        score = model.score(held_out, y[positions])
    assert model.validation_score_.max() == pytest.approx(score)


def test_a_class_is_never_held_out_whole():
    y = ["one", *["other"] * 9]
    options = {"early_stopping": True, "validation_fraction": 0.95, "max_iter": 1}
    model = small(**options).fit([f"w{i}" for i in range(10)], y)
    assert model._fitted.class_counts.tolist() == [1, 1]


def test_nothing_to_hold_out():
    with pytest.warns(UserWarning, match="early_stopping has no effect"):
        model = small(early_stopping=True, max_iter=2).fit(["a b", "c d"], [0, 1])
    assert model.n_iter_ == 2
    assert not hasattr(model, "validation_score_")


def test_partial_fit_continues():
    model = small().fit(X[:60], Y[:60])
    before = model._fitted
    rows = before.vocabulary.index
    model.partial_fit(["neu neu rain", *X[60:]], ["weather", *Y[60:]])
    after = model._fitted
    assert before.vocabulary.terms == after.vocabulary.terms[: len(rows)]
    assert model.vocabulary_["neu"] >= len(rows)
    assert model.n_iter_ == len(model.loss_curve_) == 26
    assert after.class_counts.sum() == 121
    assert model.counts_[rows["the"]] == 120
    assert model.score(X_NEW, Y_NEW) > 0.9
    # N-grams that only the first call had keep their vectors.
    gone = np.setdiff1d(before.buckets, small().fit(X[60:], Y[60:])._fitted.buckets)
    for fitted in (before, after):
        assert set(gone) <= set(fitted.buckets)
    assert_array_equal(
        before.input_vectors[before.rows_of(gone)],
        after.input_vectors[after.rows_of(gone)],
    )


def test_partial_fit_from_the_start():
    model = small()
    for start in range(0, 120, 20):
        model.partial_fit(
            X[start : start + 20], Y[start : start + 20], classes=[*TOPICS, "none"]
        )
    assert model.classes_.tolist() == sorted([*TOPICS, "none"])
    assert model.n_iter_ == 6
    again = small()
    for start in range(0, 120, 20):
        again.partial_fit(
            X[start : start + 20], Y[start : start + 20], classes=[*TOPICS, "none"]
        )
    assert_array_equal(model.predict_proba(X_NEW), again.predict_proba(X_NEW))


def test_partial_fit_continues_with_the_random_numbers():
    model, keys = small(), []
    for _ in range(2):
        model.partial_fit(X, Y, classes=list(TOPICS))
        state = model._fitted.random_state
        keys.append((state.position, *state.key))
    assert keys[0] != keys[1]
    given = small(random_state=np.random.RandomState(0))
    assert given.fit(X, Y)._fitted.random_state is None


def test_partial_fit_of_a_tree_keeps_it():
    model = small(loss="hierarchical-softmax").fit(X, Y)
    counts = model._fitted.class_counts
    model.partial_fit(X, Y)
    assert_array_equal(model._fitted.class_counts, counts)
    assert model.score(X_NEW, Y_NEW) > 0.9


PARTIAL = {
    "classes": ({}, None, {}, "classes must be passed"),
    "tree": ({"loss": "hierarchical-softmax"}, None, {"classes": [0]}, "tree of"),
    "stops": ({"early_stopping": True}, None, {"classes": [0]}, "held out"),
    "weights": ({"class_weight": "balanced"}, None, {"classes": [0]}, "frequencies"),
    "other": ({}, {}, {"classes": ["a", "b"]}, "those of the first call"),
    "size": ({}, {"vector_size": 9}, {}, "vector_size=8, and .* has 9"),
    "loss": ({"loss": "one-vs-rest"}, {}, {}, "loss='one-vs-rest', and .* 'softmax'"),
    "words": ({"ngram_range": (1, 3)}, {}, {}, "ngram_range"),
    "parts": ({"subwords": (1, 3)}, {}, {}, r"subwords=\(1, 3\), and .* has None"),
    "buckets": ({"n_buckets": 5}, {}, {}, "n_buckets=5, and .* has 2000000"),
}


@pytest.mark.parametrize(
    ("parameters", "before", "rest", "message"), PARTIAL.values(), ids=PARTIAL
)
def test_partial_fit_refuses(parameters, before, rest, message):
    model = small(max_iter=1)
    if before is not None:
        model.set_params(**before).fit(X, Y)
    model.set_params(**{**SMALL, **parameters})
    with pytest.raises(ValueError, match=message):
        model.partial_fit(X, Y, **rest)


def test_partial_fit_refuses_other_classes():
    model = small(max_iter=1).fit(X, Y)
    with pytest.raises(ValueError, match="target 1 of y is 'snow', which is none"):
        model.partial_fit(["a", "b"], ["weather", "snow"])
    several = small(loss="one-vs-rest", max_iter=1).fit(X, np.eye(3)[[0] * 120])
    with pytest.raises(ValueError, match="y has 2 columns, and the classes"):
        several.partial_fit(["a"], [[0, 1]])
    with pytest.raises(ValueError, match="one class a document, and had columns"):
        several.partial_fit(["a"], [0])
    one = small(loss="one-vs-rest", max_iter=1).fit(["a", "b"], [0, 1])
    with pytest.raises(ValueError, match=r"columns, .* and had one class a document"):
        one.partial_fit(["a"], [[0, 1]])


BAD_TARGETS = {
    "none": (None, "requires y"),
    "short": (Y[:-1], "120 document.s., and y 119 target"),
    "missing": ([None, *Y[1:]], "row 0 is None"),
    "nan": (np.full(120, np.nan), "NaN"),
    "numbers": (np.linspace(0, 1, 120), "continuous"),
    "columns": (np.eye(120)[:, :3], "loss='softmax' cannot learn"),
    "sets": ([{"a"}] * 120, "MultiLabelBinarizer"),
    "lists": ([["a"], ["a", "b"]] * 60, "MultiLabelBinarizer"),
    "words": ([["a", "b"]] * 120, "MultiLabelBinarizer"),
    "mixed": (["a", ["b"]] * 60, "target 1 of y is"),
}


@pytest.mark.parametrize(("y", "message"), BAD_TARGETS.values(), ids=BAD_TARGETS)
def test_bad_targets(y, message):
    with pytest.raises((ValueError, TypeError), match=message):
        small().fit(X, y)


def test_bad_columns():
    model = small(loss="one-vs-rest")
    wrong = np.eye(120)[:, :3]
    wrong[7, 2] = 2
    with pytest.raises(ValueError, match=r"row 7, column 2 is np.float64\(2"):
        model.fit(X, wrong)
    with pytest.raises(ValueError, match="no columns"):
        model.fit(X, np.empty((120, 0)))
    with pytest.raises(ValueError, match="class_weight='balanced' has no effect"):
        model.set_params(class_weight="balanced").fit(X, np.eye(120)[:, :3])


BAD_PARAMETERS = {
    "pairs": ({"ngram_range": (2, 2)}, "leaves out single words"),
    "order": ({"ngram_range": (2, 1)}, "ngram_range"),
    "buckets": ({"n_buckets": 0}, "n_buckets"),
    "no n-grams": ({"ngram_range": (1, 1), "n_buckets": 5}, "leave no n-grams"),
    "lengths": ({"subwords": (3, 2)}, "lengths of the shortest"),
    "number": ({"subwords": (3, 4, 5)}, "expected None or two integers"),
    "loss": ({"loss": "hinge"}, "loss"),
}


@pytest.mark.parametrize(("parameters", "message"), BAD_PARAMETERS.values())
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        small(**parameters).fit(X, Y)


def test_parts_of_characters_are_refused():
    model = FastTextClassifier(analyzer="char", subwords=(1, 2))
    with pytest.raises(ValueError, match="a character has no parts"):
        model.fit(X, Y)


def test_bad_weights():
    for weights in (np.full(120, np.nan), -np.ones(120), np.zeros(120), np.ones(3)):
        with pytest.raises(ValueError, match="sample_weight"):
            small().fit(X, Y, sample_weight=weights)


def test_vectors_that_grow_without_bound():
    with pytest.raises(ValueError, match=r"grew without bound\. Lower learning_rate"):
        small(learning_rate=1e30).fit(X, Y)
    with pytest.raises(ValueError, match=r"the largest is 1e\+30"):
        small().fit(X, Y, sample_weight=np.full(120, 1e30))


def test_no_tokens():
    with pytest.raises(ValueError, match="the 2 documents hold no token"):
        small().fit(["", " "], [0, 1])
    with pytest.raises(ValueError, match="no word reaches min_count=2"):
        small(min_count=2, ngram_range=(1, 1)).fit(["a b", "c"], [0, 1])
    with pytest.raises(ValueError, match="analyzer='char'"):
        small(min_count=2, ngram_range=(1, 1)).fit(["明月几时有", "把酒"], [0, 1])


def test_too_many_ngrams():
    text = "a " * 2_000_000
    with pytest.raises(MemoryError, match=r"2,000,001,000,001 n-grams of 2,000,001"):
        small(ngram_range=(1, 3_000_000)).fit([text, "b"], [0, 1])


def test_warnings_of_unknown_documents():
    with pytest.warns(UserWarning, match="none of theirs occurs min_count=3 times"):
        small(min_count=3, ngram_range=(1, 1)).fit(
            ["a", "a", "a", *"bcdefgh"], [0, 1] * 5
        )
    model = small().fit(X, Y)
    with pytest.warns(UserWarning, match="all documents have no known word and have"):
        proba = model.predict_proba(["x", "z"])
    assert_array_equal(proba[0], proba[1])


def test_one_class():
    for loss in LOSSES:
        model = small(loss=loss, max_iter=2).fit(["a b", "c"], ["x", "x"])
        assert_allclose(model.predict_proba(["a", ""]), 1)
        assert model.predict(["a"]).tolist() == ["x"]


def test_documents_without_words_are_biased_towards_frequent_classes():
    y = ["often"] * 90 + ["rare"] * 30
    model = small(ngram_range=(1, 1)).fit([""] * 60 + X[:60], y)
    assert model.predict([""]).tolist() == ["often"]


def test_probabilities_suit_scikit_learn():
    model = small().fit(X, Y)
    assert log_loss(Y_NEW, model.predict_proba(X_NEW), labels=model.classes_) < 1


def test_ready_tokens_and_functions():
    tokens = [text.split() for text in X]
    one, two = small().fit(X, Y), small(token_pattern=SMALL["token_pattern"])
    plain = FastTextClassifier(8, random_state=0).fit(tokens, Y)
    assert_array_equal(
        one.predict_proba(X_NEW), plain.predict_proba([text.split() for text in X_NEW])
    )
    cut = FastTextClassifier(
        8, analyzer=str.split, ngram_range=(1, 3), random_state=0
    ).fit(X, Y)
    three = two.set_params(ngram_range=(1, 3)).fit(X, Y)
    assert_array_equal(cut.predict_proba(X_NEW), three.predict_proba(X_NEW))
    # A token with a blank in it is one word, not two.
    blank = FastTextClassifier(8, max_iter=1).fit([["new york", "is"], ["new"]], [0, 1])
    assert "new york" in blank.vocabulary_


def test_in_a_grid():
    grid = {"fasttextclassifier__ngram_range": [(1, 1), (1, 2)]}
    pipeline = make_pipeline(small(max_iter=3))
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, Y)
    assert search.best_score_ > 0.5
    assert search.best_estimator_.predict_proba(X_NEW).shape == (60, 3)


def test_lines_of_progress(capsys):
    model = small(max_iter=2, verbose=1, early_stopping=True).fit(X, Y)
    out = capsys.readouterr().out
    for epoch, loss in enumerate(model.loss_curve_):
        score = model.validation_score_[epoch]
        expected = f"epoch {epoch + 1}/2: loss {loss:.4f}, validation accuracy "
        assert f"[FastTextClassifier] {expected}{score:.4f}, " in out
    small(verbose=1).partial_fit(X, Y, classes=list(TOPICS))
    assert "epoch 1/1: loss" in capsys.readouterr().out


def test_not_fitted():
    for name in ("predict", "transform", "decision_function", "predict_proba"):
        with pytest.raises(NotFittedError):
            getattr(small(), name)(X)
    for name in ("vocabulary_", "word_vectors_"):
        with pytest.raises(NotFittedError):
            getattr(small(), name)


def test_a_saved_model_predicts_the_same(tmp_path):
    model = small(subwords=(2, 3), early_stopping=True).fit(X, Y)
    model.save(tmp_path / "model")
    again = FastTextClassifier.load(tmp_path / "model")
    assert_array_equal(again.predict_proba(X_NEW), model.predict_proba(X_NEW))
    more = [
        m.set_params(early_stopping=False).partial_fit(X, Y) for m in (again, model)
    ]
    assert_array_equal(*(m.predict_proba(X_NEW) for m in more))
