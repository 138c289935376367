"""Classifiers from fastText's files, made byte by byte here, and written to such."""

import gzip
import re
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, softmax
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skml.text import FastTextClassifier, WordVectors
from tests.oracles import fasttext_files as oracle
from tests.oracles.fasttext import character_buckets, tree_of, word_buckets

WORDS = ["the", "</s>", "诗人", "Naïve", "x.", "a\u00a0b"]
# The names are in another order than the counts, of which some are equal.
LABELS = [f"__label__{name}" for name in ("pear", "诗", "apple", "fig", "plum")]
COUNTS = [9, 5, 5, 5, 1]
N_BUCKETS, LENGTHS, WORD_NGRAMS = 41, (2, 3), 3
RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(len(WORDS) + N_BUCKETS, 3)).astype(np.float32)
OUTPUTS = RNG.normal(size=(len(LABELS), 3)).astype(np.float32)
TEXTS = [
    "the 诗人 Naïve the x.",
    "",
    " \t the\v\fnew\0诗人\r",
    "unknown words alone",
    "a\u00a0b a b \u3000 é😀",
    "THE x",
]


def make(path, rows=ROWS, outputs=OUTPUTS, words=WORDS, labels=LABELS, **parameters):
    defaults = {
        "kind": "supervised",
        "loss": "softmax",
        "n_buckets": N_BUCKETS,
        "lengths": LENGTHS,
        "word_ngrams": WORD_NGRAMS,
        "label_counts": COUNTS,
    }
    parts = oracle.file_sections(
        rows, outputs, words, labels, **{**defaults, **parameters}
    )
    path.write_bytes(b"".join(parts.values()))
    return path


def means(texts, rows=ROWS, lengths=LENGTHS, word_ngrams=WORD_NGRAMS, kept=None):
    """The means of the rows of a line, one after the other."""
    found = []
    for text in texts:
        tokens = [token for token in re.split("[ \t\n\v\f\r\0]+", text) if token]
        tokens.append(oracle.END_OF_LINE)
        numbers, own = [], [WORDS.index(token) for token in tokens if token in WORDS]
        for token in tokens:
            if lengths and token != oracle.END_OF_LINE:
                numbers += character_buckets(token, lengths, N_BUCKETS)
        if word_ngrams > 1:
            numbers += word_buckets(tokens, word_ngrams, N_BUCKETS)
        if kept is not None:
            numbers = [kept[number] for number in numbers if number in kept]
        own += [len(WORDS) + number for number in numbers]
        found.append(rows[own].mean(axis=0))
    return np.array(found)


def probabilities(loss, vectors):
    """In the order of the labels of the file."""
    scores = vectors @ OUTPUTS.T
    if loss == "softmax":
        return softmax(scores, axis=1)
    if loss != "hs":
        return expit(scores)
    columns = []
    for path in tree_of(COUNTS):
        turns = [expit(scores[:, n] if right else -scores[:, n]) for n, right in path]
        columns.append(np.prod(turns, axis=0))
    return np.column_stack(columns)


SORTED = ["apple", "fig", "pear", "plum", "诗"]
ORDER = [LABELS.index(f"__label__{name}") for name in SORTED]


@pytest.mark.filterwarnings("ignore:.*no known word")
@pytest.mark.parametrize("loss", ["softmax", "hs", "ova"])
@pytest.mark.parametrize(
    ("lengths", "word_ngrams"), [(LENGTHS, 3), (None, 2), (LENGTHS, 1), (None, 1)]
)
def test_probabilities(tmp_path, loss, lengths, word_ngrams):
    parameters = {"lengths": lengths or (0, 0), "word_ngrams": word_ngrams}
    model = FastTextClassifier.from_fasttext(
        make(tmp_path / "model.bin", loss=loss, **parameters)
    )
    assert model.classes_.tolist() == SORTED
    vectors = means(TEXTS, lengths=lengths, word_ngrams=word_ngrams)
    assert_allclose(model.transform(TEXTS), vectors, atol=1e-6)
    expected = probabilities(loss, vectors)[:, ORDER]
    assert_allclose(model.predict_proba(TEXTS), expected, atol=1e-6)
    if loss == "ova":
        assert_array_equal(model.predict(TEXTS), expected > 0.5)
    else:
        chosen = np.array(SORTED)[expected.argmax(axis=1)]
        assert_array_equal(model.predict(TEXTS), chosen)


def test_parameters_and_attributes(tmp_path):
    model = FastTextClassifier.from_fasttext(make(tmp_path / "m.bin", loss="hs"))
    assert list(model.vocabulary_) == WORDS
    assert_array_equal(model.counts_, range(len(WORDS), 0, -1))
    assert_array_equal(model._fitted.class_counts, [5, 5, 9, 1, 5])
    changed = {
        name: value
        for name, value in model.get_params().items()
        if value != FastTextClassifier().get_params()[name]
    }
    assert changed == {
        "vector_size": 3,
        "ngram_range": (1, 3),
        "subwords": LENGTHS,
        "n_buckets": N_BUCKETS,
        "loss": "hierarchical-softmax",
        "lowercase": False,
        "token_pattern": "[^ \t\n\v\f\r\0]+",
    }
    assert model.n_iter_ == 0
    plain = make(tmp_path / "m.bin", ROWS, lengths=(0, 0), word_ngrams=1)
    plain = FastTextClassifier.from_fasttext(plain)
    # Buckets that no n-gram has are left out, and the parameter has no effect.
    assert plain.n_buckets == FastTextClassifier().n_buckets
    assert len(plain._fitted.input_vectors) == len(WORDS)


def test_quantised_and_pruned(tmp_path):
    kept = [(3, 2), (40, 0), (17, 1), (0, 3)]
    codes = RNG.integers(0, 256, size=(len(WORDS) + 4, 2)).astype(np.uint8)
    centroids = [RNG.normal(size=(256, n)).astype(np.float32) for n in (2, 1)]
    data, rows = oracle.quantised(codes, centroids)
    path = make(tmp_path / "m.ftz", data, kept=kept)
    model = FastTextClassifier.from_fasttext(path)
    texts = TEXTS[:2]
    expected = means(texts, rows, kept=dict(kept))
    assert model._fitted.is_pruned
    assert_allclose(model.transform(texts), expected, atol=1e-6)
    outputs, numbers = oracle.quantised(codes[:5], centroids)
    path = make(tmp_path / "m.ftz", data, outputs, kept=kept)
    model = FastTextClassifier.from_fasttext(path)
    expected = softmax(expected @ numbers.T, axis=1)[:, ORDER]
    assert_allclose(model.predict_proba(texts), expected, atol=1e-6)


@pytest.mark.parametrize("loss", ["ova", "ns"])
def test_one_class_or_several(tmp_path, loss):
    path = make(tmp_path / "m.bin", loss=loss)
    read = partial(FastTextClassifier.from_fasttext, path)
    is_multilabel = [read(multilabel=flag)._fitted.is_multilabel for flag in (0, 1)]
    assert is_multilabel == [False, True]
    assert read()._fitted.is_multilabel == (loss == "ova")
    one, several = read(multilabel=False), read(multilabel=True)
    proba = several.predict_proba(TEXTS)
    expected = proba / proba.sum(axis=1, keepdims=True)
    assert_allclose(one.predict_proba(TEXTS), expected, atol=1e-6)
    assert_array_equal(one.predict(TEXTS), np.array(SORTED)[proba.argmax(axis=1)])


def test_prefix_of_labels(tmp_path):
    path = make(tmp_path / "m.bin", labels=["#b", "__label__c", "#a", "d", "#"])
    model = FastTextClassifier.from_fasttext(path)
    assert model.classes_.tolist() == ["#", "#a", "#b", "c", "d"]
    model = FastTextClassifier.from_fasttext(path, label_prefix="#")
    assert model.classes_.tolist() == ["", "__label__c", "a", "b", "d"]


def test_long_labels_take_no_room_for_each_other(tmp_path):
    outputs = np.zeros((300, 3))
    labels = ["__label__" + "a" * 100_000, *map(str, range(299))]
    path = make(
        tmp_path / "m.bin", ROWS, outputs, labels=labels, label_counts=[1] * 300
    )
    model = FastTextClassifier.from_fasttext(path)
    assert model.classes_.dtype == object
    assert model.classes_[-1] == "a" * 100_000


@pytest.mark.filterwarnings("ignore:.*no known word")
@pytest.mark.parametrize("loss", ["softmax", "hs", "ova"])
def test_what_was_read_is_saved_cloned_and_trained_on(tmp_path, loss):
    model = FastTextClassifier.from_fasttext(make(tmp_path / "m.bin", loss=loss))
    model.save(tmp_path / "saved")
    again = FastTextClassifier.load(tmp_path / "saved")
    assert_array_equal(again.predict_proba(TEXTS), model.predict_proba(TEXTS))
    y = ["pear", "fig", "plum"] if loss != "ova" else np.eye(5)[:3]
    losses = clone(model).fit(TEXTS[:3], y).loss_curve_
    assert losses[-1] < losses[0]
    column = SORTED.index("plum")
    before = again.predict_proba(TEXTS[:1])[0, column]
    plum = np.eye(5, dtype=int)[[column] * 20] if loss == "ova" else ["plum"] * 20
    again.partial_fit(TEXTS[:1] * 20, plum)
    assert again.predict_proba(TEXTS[:1])[0, column] > before + 0.1
    assert again.classes_.tolist() == SORTED


@pytest.mark.filterwarnings("ignore:.*no known word")
def test_columns_of_a_file_are_its_classes(tmp_path):
    """Which have names, of which there may be no other order."""
    read = partial(FastTextClassifier.from_fasttext, make(tmp_path / "m", loss="ova"))
    columns = np.eye(5, dtype=int)
    first = read().partial_fit(TEXTS[:5], columns, classes=SORTED)
    assert first._fitted.class_counts.tolist() == [6, 6, 10, 2, 6]
    with pytest.raises(ValueError, match=r"\['诗', .* and those of the first call are"):
        read().partial_fit(TEXTS[:5], columns, classes=SORTED[::-1])
    with pytest.raises(ValueError, match=r"y has 4 columns, and the classes are \['ap"):
        read().partial_fit(TEXTS[:5], columns[:, :4])
    with pytest.raises(ValueError, match="y has one class a document, and had columns"):
        read().partial_fit(TEXTS[:1], ["plum"])
    one = read(multilabel=False)
    with pytest.raises(ValueError, match=r"y has columns, .* and had one class"):
        one.partial_fit(TEXTS[:5], columns)


def test_words_that_are_no_utf_8_are_left_out(tmp_path):
    path = make(tmp_path / "m.bin")
    data = path.read_bytes().replace("Naïve".encode(), b"Na\xe8ive")
    path.write_bytes(data)
    model = FastTextClassifier.from_fasttext(path)
    assert list(model.vocabulary_) == [word for word in WORDS if word != "Naïve"]
    assert_array_equal(model.counts_, [6, 5, 4, 2, 1])
    texts = ["the 诗人 x.", "a b"]
    assert_allclose(model.transform(texts), means(texts), atol=1e-6)


@pytest.mark.filterwarnings("ignore:.*no known word")
def test_without_words(tmp_path):
    """What is left are n-grams."""
    model = FastTextClassifier.from_fasttext(
        make(tmp_path / "m.bin", ROWS[len(WORDS) :], words=[])
    )
    numbers = character_buckets("ab", LENGTHS, N_BUCKETS)
    numbers += word_buckets(["ab", oracle.END_OF_LINE], WORD_NGRAMS, N_BUCKETS)
    expected = ROWS[len(WORDS) :][numbers].mean(axis=0)
    assert_allclose(model.transform(["ab", ""]), [expected, [0] * 3], atol=1e-6)


def test_counts_of_a_file_without_an_end_of_line(tmp_path):
    rows = ROWS[len(WORDS) - 2 :]
    path = make(tmp_path / "m.bin", rows, words=["the", "x"])
    model = FastTextClassifier.from_fasttext(path)
    assert_array_equal(model.counts_, [2, 1])
    assert_array_equal(model.partial_fit(["x"], ["plum"]).counts_, [2, 2])
    path = make(tmp_path / "m.bin", ROWS[len(WORDS) :], words=[])
    model = FastTextClassifier.from_fasttext(path).partial_fit(["ab"], ["plum"])
    assert (list(model.vocabulary_), model.counts_.tolist()) == (["ab"], [1])


NAN = ROWS.copy()
NAN[7, 1] = np.nan
WRONG = {
    "word vectors": (
        {"kind": "skip-gram", "outputs": ROWS[:6], "labels": [], "label_counts": []},
        {},
        r"holds word vectors \(skip-gram\) and no classes; read it with WordVec",
    ),
    "no label": (
        {"outputs": np.zeros((0, 3)), "labels": [], "label_counts": []},
        {},
        r"holds word vectors \(supervised\) and no classes",
    ),
    "input": ({"rows": NAN}, {}, "numbers of the input matrix are not finite"),
    "output": ({"outputs": NAN[5:10]}, {}, "numbers of the output matrix are not"),
    "large": (
        {"rows": 1e16 * np.abs(ROWS)},
        {},
        r"numbers of the input matrix are not finite, or beyond 1e\+15",
    ),
    "large, negative": (
        {"outputs": -1e16 * np.abs(OUTPUTS)},
        {},
        "numbers of the output matrix are not finite",
    ),
    "several": (
        {},
        {"multilabel": True},
        "trained with the loss softmax, .* multilabel=True needs one-vs-all",
    ),
    "tree": (
        {"loss": "hs"},
        {"multilabel": True},
        "the loss hierarchical-softmax, so that its probabilities sum to one",
    ),
    "counts": (
        {"loss": "hs", "label_counts": [5, 4, 3, 2, 3]},
        {},
        "the counts of its labels do not descend",
    ),
    "huge counts": (
        {"label_counts": [2**62, 2**62, 1, 1, 1], "n_tokens": 1},
        {},
        "the counts of the dictionary do not add up to 64 bits",
    ),
    "words": (
        {"words": [*WORDS[:5], "the"]},
        {},
        "word 5, 'the', is word 0 again",
    ),
    "labels": (
        {"labels": [*LABELS[:4], "apple"]},
        {},
        "two labels are the class 'apple'",
    ),
}


@pytest.mark.parametrize(
    ("parameters", "options", "message"), WRONG.values(), ids=WRONG
)
def test_what_is_refused(tmp_path, parameters, options, message):
    path = make(tmp_path / "m.bin", **parameters)
    with pytest.raises(ValueError, match=f"m.bin.*{message}"):
        FastTextClassifier.from_fasttext(path, **options)


def test_labels_that_are_no_utf_8(tmp_path):
    path = make(tmp_path / "m.bin")
    path.write_bytes(path.read_bytes().replace(b"__label__plum", b"__label__pl\xfcm"))
    with pytest.raises(ValueError, match=r"m\.bin: a label is not in UTF-8: .*0xfc"):
        FastTextClassifier.from_fasttext(path)


def test_what_is_no_model(tmp_path):
    with pytest.raises(ValueError, match="is no file; expected a model of fastText"):
        FastTextClassifier.from_fasttext(tmp_path)
    with pytest.raises(FileNotFoundError, match="nothing"):
        FastTextClassifier.from_fasttext(tmp_path / "nothing")
    WordVectors(ROWS[:6], WORDS).save(tmp_path / "v.bin.gz")
    with pytest.raises(ValueError, match=r"v\.bin\.gz, header, .* got b'6 3"):
        FastTextClassifier.from_fasttext(tmp_path / "v.bin.gz")


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_cut_anywhere(tmp_path, compress):
    data = make(tmp_path / "m.bin").read_bytes()
    path = tmp_path / "cut.bin"
    for n_bytes in [4, 60, 80, 110, 250, 400, 700, len(data) - 50, len(data) - 1]:
        path.write_bytes(compress(data[:n_bytes]))
        with pytest.raises(ValueError, match=r"cut\.bin, .*byte offset .*cut off"):
            FastTextClassifier.from_fasttext(path)
    path.write_bytes(compress(data))
    model = FastTextClassifier.from_fasttext(path)
    assert_allclose(model.transform(TEXTS[:2]), means(TEXTS[:2]), atol=1e-6)


# Writing


@pytest.mark.parametrize("loss", ["softmax", "hs", "ova"])
@pytest.mark.parametrize("lengths", [(0, 0), LENGTHS])
def test_written_as_it_was_read(tmp_path, loss, lengths):
    """Byte by byte, although the classes are in another order in between."""
    path = make(tmp_path / "m.bin", loss=loss, lengths=lengths)
    model = FastTextClassifier.from_fasttext(path)
    assert model.to_fasttext(tmp_path / "w.bin") is model
    data = path.read_bytes()
    written = (tmp_path / "w.bin").read_bytes()
    if loss == "hs":
        assert written == data
    again = FastTextClassifier.from_fasttext(tmp_path / "w.bin")
    assert_array_equal(again.predict_proba(TEXTS[:2]), model.predict_proba(TEXTS[:2]))
    # Without a tree, labels that are equally frequent are in order of their names.
    sections = [LABELS[i].encode() for i in (0, 2, 3, 1, 4)]
    places = [written.index(section) for section in sections]
    assert loss == "hs" or places == sorted(places)
    assert len(written) == len(data)
    model.to_fasttext(tmp_path / "w.bin.gz")
    assert gzip.decompress((tmp_path / "w.bin.gz").read_bytes()) == written


def test_prefix_that_is_written(tmp_path):
    model = FastTextClassifier.from_fasttext(make(tmp_path / "m.bin"))
    model.to_fasttext(tmp_path / "w.bin", label_prefix="#")
    again = FastTextClassifier.from_fasttext(tmp_path / "w.bin", label_prefix="#")
    assert again.classes_.tolist() == SORTED
    assert b"#plum\0" in (tmp_path / "w.bin").read_bytes()


DOCUMENTS = ["red apple", "green apple", "red rose", "green grass", "white rose"] * 4
GROUPS = [7, 7, 9, 9, 9] * 4


@pytest.mark.parametrize("loss", ["softmax", "hierarchical-softmax", "one-vs-rest"])
@pytest.mark.parametrize("n_words", [1, 2])
def test_what_was_learned_here(tmp_path, loss, n_words):
    parameters = {"vector_size": 4, "loss": loss, "random_state": 0}
    if n_words == 2:
        parameters["n_buckets"] = 500
    model = FastTextClassifier(ngram_range=(1, n_words), **parameters)
    model.fit(DOCUMENTS, GROUPS).to_fasttext(tmp_path / "m.bin")
    again = FastTextClassifier.from_fasttext(tmp_path / "m.bin", multilabel=False)
    assert again.classes_.tolist() == ["7", "9"]
    expected = model.predict_proba(DOCUMENTS)
    assert_allclose(again.predict_proba(DOCUMENTS), expected, atol=1e-6)
    new = ["rose red", "apple apple green"]
    # N-grams that were never seen are zeros, here and in the file.
    assert_allclose(again.predict_proba(new), model.predict_proba(new), atol=1e-6)
    assert len(again._fitted.buckets) == (500 if n_words == 2 else 0)
    assert_array_equal(again.predict(new).astype(int), model.predict(new))


def test_what_cannot_be_written(tmp_path):
    path = tmp_path / "m.bin"
    with pytest.raises(NotFittedError):
        FastTextClassifier().to_fasttext(path)
    for documents, y, message in (
        ([["a\0b"], ["c"]], ["x", "y"], r"the word 'a\\x00b' is empty, or has a NUL"),
        ([["", "b"], ["c"]], ["x", "y"], "the word '' is empty, or has a NUL in it"),
        ([["a\ud800"], ["c"]], ["x", "y"], "the word .* has half of a surrogate pair"),
        ([["a"], ["c"]], ["x\0z", "y"], r"the label '__label__x\\x00z' is empty, or"),
    ):
        model = FastTextClassifier(vector_size=2, max_iter=1).fit(documents, y)
        with pytest.raises(ValueError, match=f"FastTextClassifier: {message}"):
            model.to_fasttext(path)
    assert not any(tmp_path.iterdir())
