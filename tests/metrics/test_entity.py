"""Entities in sequences of tags, and their precision, recall and F1."""

import warnings
from functools import partial
from itertools import product

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from seqeval import metrics as seqeval
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import BILOU, IOB1, IOB2, IOBES, Entities
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import (
    classification_report,
    f1_score,
    precision_recall_fscore_support,
    precision_score,
    recall_score,
)

from skml.metrics import (
    entity_classification_report,
    entity_f1_score,
    entity_precision_recall_fscore_support,
    entity_precision_score,
    entity_recall_score,
    extract_entities,
)
from tests.oracles import entity as oracle

PREFIXES = {"BIO": "BI", "IO": "I", "IOBES": "BIES", "BILOU": "BILU"}
PEERS = {"BIO": IOB2, "IO": IOB1, "IOBES": IOBES, "BILOU": BILOU}
SCHEMES, MODES = list(PREFIXES), ["lenient", "strict"]
AVERAGES = ["micro", "macro", "weighted", None]
SCORES = [entity_precision_score, entity_recall_score, entity_f1_score]
ALL_OF_Y = [
    *SCORES,
    entity_precision_recall_fscore_support,
    entity_classification_report,
]

by_scheme_and_mode = pytest.mark.parametrize(
    ("scheme", "mode"), list(product(SCHEMES, MODES))
)


def random_sequences(n_sequences, scheme="BIO", seed=0, max_length=9):
    """Tags of a scheme without any order; a type has none, and one has a hyphen."""
    rng = np.random.default_rng(seed)
    kinds = ["-PER", "-LOC", "-a-b", ""]
    tags = [prefix + kind for prefix in PREFIXES[scheme] for kind in kinds]
    tags += ["O"] * max(2, len(tags) // 6)
    lengths = rng.integers(max_length + 1, size=n_sequences)
    return [[tags[i] for i in rng.integers(len(tags), size=n)] for n in lengths]


def perturb(y, scheme="BIO", seed=1, share=0.2):
    """The same with some tags exchanged."""
    rng = np.random.default_rng(seed)
    others = random_sequences(200, scheme, seed)
    others = [tag for tags in others for tag in tags]
    return [
        [others[rng.integers(len(others))] if rng.random() < share else t for t in tags]
        for tags in y
    ]


def as_iobes(y):
    """seqeval's lenient mode does not know L and U."""
    names = {"L": "E", "U": "S"}
    return [[names.get(tag[0], tag[0]) + tag[1:] for tag in tags] for tags in y]


def peer_entities(y, scheme, mode):
    if mode == "lenient":
        return [
            [(kind, start, end + 1) for kind, start, end in get_entities(tags)]
            for tags in as_iobes(y)
        ]
    return [
        [(entity.tag, entity.start, entity.end) for entity in entities]
        for entities in Entities(y, PEERS[scheme]).entities
    ]


def peer_options(scheme, mode):
    return {"mode": "strict", "scheme": PEERS[scheme]} if mode == "strict" else {}


# Entities


@pytest.mark.filterwarnings("ignore:.* seems not to be NE tag:UserWarning")
@by_scheme_and_mode
def test_entities_are_those_of_seqeval(scheme, mode):
    assert_entities_are_those_of_seqeval(500, scheme, mode)


def assert_entities_are_those_of_seqeval(n_sequences, scheme, mode, seed=0):
    y = random_sequences(n_sequences, scheme, seed)
    found = extract_entities(y, scheme=scheme, mode=mode)
    assert found == peer_entities(y, scheme, mode)
    assert found == [oracle.entities(tags, scheme, mode) for tags in y]
    assert any(found)


@pytest.mark.filterwarnings("ignore:.* seems not to be NE tag:UserWarning")
def test_lenient_reads_mixed_schemes():
    y = [tags for name in SCHEMES for tags in random_sequences(300, name)]
    rng = np.random.default_rng(0)
    pool = [tag for tags in y for tag in tags]
    y += [[pool[i] for i in rng.integers(len(pool), size=8)] for _ in range(600)]
    found = extract_entities(y)
    assert found == peer_entities(y, None, "lenient")
    assert found == [oracle.entities(tags) for tags in y]


@pytest.mark.filterwarnings("ignore:.* seems not to be NE tag:UserWarning")
@pytest.mark.parametrize("scheme", SCHEMES)
def test_suffix(scheme):
    y = random_sequences(1000, scheme)
    turned = [[f"{tag[2:]}{tag[1:2]}{tag[0]}" for tag in tags] for tags in y]
    for mode in MODES:
        expected = extract_entities(y, scheme=scheme, mode=mode)
        options = {"scheme": scheme, "mode": mode, "suffix": True}
        assert extract_entities(turned, **options) == expected
        assert entity_f1_score(turned, turned, **options) == 1.0
    renamed = [[f"{tag[2:]}{tag[1:2]}{tag[0]}" for tag in tags] for tags in as_iobes(y)]
    assert extract_entities(turned, suffix=True) == [
        [(kind, start, end + 1) for kind, start, end in get_entities(tags, suffix=True)]
        for tags in renamed
    ]


@pytest.mark.parametrize(
    ("tags", "scheme", "lenient", "strict"),
    [
        ("O O", "BIO", [], []),
        ("", "BIO", [], []),
        ("B-X I-X O", "BIO", [("X", 0, 2)], [("X", 0, 2)]),
        ("B-X B-X", "BIO", [("X", 0, 1), ("X", 1, 2)], [("X", 0, 1), ("X", 1, 2)]),
        ("I-X I-X", "BIO", [("X", 0, 2)], []),
        ("O I-X B-X", "BIO", [("X", 1, 2), ("X", 2, 3)], [("X", 2, 3)]),
        ("B-X I-Y", "BIO", [("X", 0, 1), ("Y", 1, 2)], [("X", 0, 1)]),
        ("B I B", "BIO", [("_", 0, 2), ("_", 2, 3)], [("_", 0, 2), ("_", 2, 3)]),
        ("B-a-b I-a-b", "BIO", [("a-b", 0, 2)], [("a-b", 0, 2)]),
        ("I-X I-X I-Y", "IO", [("X", 0, 2), ("Y", 2, 3)], [("X", 0, 2), ("Y", 2, 3)]),
        ("B-X I-X E-X", "IOBES", [("X", 0, 3)], [("X", 0, 3)]),
        (
            "B-X M-X E-X S-X",
            "BMES",
            [("X", 0, 3), ("X", 3, 4)],
            [("X", 0, 3), ("X", 3, 4)],
        ),
        ("S-X S-X", "IOBES", [("X", 0, 1), ("X", 1, 2)], [("X", 0, 1), ("X", 1, 2)]),
        ("B-X I-X O", "IOBES", [("X", 0, 2)], []),
        ("E-X I-X", "IOBES", [("X", 0, 1), ("X", 1, 2)], []),
        ("B-X S-X E-X", "IOBES", [("X", i, i + 1) for i in range(3)], [("X", 1, 2)]),
        (
            "B-X L-X U-Y",
            "BILOU",
            [("X", 0, 2), ("Y", 2, 3)],
            [("X", 0, 2), ("Y", 2, 3)],
        ),
        ("B-X L-Y", "BILOU", [("X", 0, 1), ("Y", 1, 2)], []),
    ],
)
def test_known_entities(tags, scheme, lenient, strict):
    tags = [tags.split()]
    assert extract_entities(tags) == [lenient]
    assert extract_entities(tags, scheme=scheme) == [lenient]
    assert extract_entities(tags, scheme=scheme, mode="strict") == [strict]


def test_entities_end_with_their_sequence():
    y = [["B-X", "I-X"], [], ["I-X"], ["I-X", "O"]]
    assert extract_entities(y) == [[("X", 0, 2)], [], [("X", 0, 1)], [("X", 0, 1)]]
    parts = [["B-X", "E-X"], ["B-X"], ["E-X"]]
    found = extract_entities(parts, scheme="IOBES", mode="strict")
    assert found == [[("X", 0, 2)], [], []]


def test_entities_are_plain_python():
    (((kind, start, stop),),) = extract_entities(np.array([["B-X", "I-X"]]))
    assert (type(kind), type(start), type(stop)) == (str, int, int)


# Scores


@pytest.mark.filterwarnings("ignore:.* seems not to be NE tag:UserWarning")
@pytest.mark.parametrize("average", AVERAGES)
@by_scheme_and_mode
def test_scores_are_those_of_seqeval(scheme, mode, average):
    assert_scores_are_those_of_seqeval(150, scheme, mode, average)


def assert_scores_are_those_of_seqeval(n_sequences, scheme, mode, average, seed=0):
    y_true = random_sequences(n_sequences, scheme, seed)
    y_pred = perturb(y_true, scheme, seed)
    options = {"average": average, "zero_division": 0}
    reading = {"scheme": scheme, "mode": mode}
    peer = as_iobes if mode == "lenient" else list
    expected = [
        score(peer(y_true), peer(y_pred), **options, **peer_options(scheme, mode))
        for score in (
            seqeval.precision_score,
            seqeval.recall_score,
            seqeval.f1_score,
        )
    ]
    found = [score(y_true, y_pred, **options, **reading) for score in SCORES]
    assert_array_equal(found[:2], expected[:2])
    assert_allclose(found[2], expected[2], rtol=1e-14)
    assert np.max(found) > 0
    together = entity_precision_recall_fscore_support(
        y_true, y_pred, **options, **reading
    )
    assert_array_equal(np.array(together[:3]), found)


@by_scheme_and_mode
def test_scores_are_those_of_the_twin(scheme, mode):
    y_true = random_sequences(120, scheme)
    y_pred = perturb(y_true, scheme)
    # Types that only one side has.
    y_true += [["I-T" if scheme == "IO" else "B-T"], ["O"]]
    y_pred += [["O"], ["I-P" if scheme == "IO" else "B-P"]]
    weights = np.random.default_rng(0).integers(3, size=len(y_true)) / 2
    weights[-2:] = 1
    reading = {"scheme": scheme, "mode": mode}
    for average, sample_weight, zero_division in product(
        AVERAGES, [None, weights], [0.0, 1.0, np.nan]
    ):
        options = {
            "average": average,
            "sample_weight": sample_weight,
            "zero_division": zero_division,
            **reading,
        }
        expected = oracle.scores(y_true, y_pred, **options)
        if average is None:
            expected = np.transpose(list(expected.values()))
        found = entity_precision_recall_fscore_support(y_true, y_pred, **options)
        assert_allclose(np.array(found[:3]), expected, rtol=1e-13)


@pytest.mark.parametrize(
    ("zero_division", "weighted"),
    [(0, False), (1, True), (0.0, True), (1.0, False), (np.nan, True)],
)
@pytest.mark.parametrize("average", AVERAGES)
def test_tokens_as_sequences_are_classes(average, zero_division, weighted):
    """Entities of one token each are what scikit-learn scores."""
    rng = np.random.default_rng(0)
    y_true = rng.choice(["O", "B-a", "B-b", "B-c"], size=60)
    y_pred = rng.choice(["O", "B-a", "B-b", "B-d"], size=60)
    weights = rng.random(60) if weighted else None
    labels = ["e", "d", "c", "b", "a"]
    options = {"average": average, "zero_division": zero_division}
    options["sample_weight"] = weights
    of_tags = {**options, "labels": [f"B-{label}" for label in labels]}
    of_entities = {**options, "labels": labels}
    y = y_true[:, None], y_pred[:, None]
    for ours, peer in zip(
        SCORES, [precision_score, recall_score, f1_score], strict=True
    ):
        expected = peer(y_true, y_pred, **of_tags)
        found = ours(*y, **of_entities)
        assert_allclose(found, expected, rtol=1e-13)
        assert type(found) is type(expected)
    for beta in (0, 0.5, 1, 2, np.inf):
        expected = precision_recall_fscore_support(y_true, y_pred, beta=beta, **of_tags)
        found = entity_precision_recall_fscore_support(*y, beta=beta, **of_entities)
        for one, other in zip(found[:3], expected[:3], strict=True):
            assert_allclose(one, other, rtol=1e-13)
        if average is None:
            assert_allclose(found[3], expected[3])
            assert (found[3].dtype.kind == "i") == (not weighted)
        else:
            assert found[3] is expected[3] is None


TRUE = [["B-PER", "I-PER", "O"], ["B-LOC", "O", "B-LOC", "O"], ["O", "B-ORG"]]
PRED = [["B-PER", "I-PER", "O"], ["B-LOC", "I-LOC", "B-LOC", "O"], ["B-MISC", "O"]]


def test_known_scores():
    """LOC: one of two right; PER: right; ORG: missed; MISC: invented."""
    score = partial(entity_precision_recall_fscore_support, TRUE, PRED, zero_division=0)
    precision, recall, f1, support = score()
    assert_array_equal(precision, [1 / 2, 0, 0, 1])
    assert_array_equal(recall, [1 / 2, 0, 0, 1])
    assert_array_equal(f1, [1 / 2, 0, 0, 1])
    assert_array_equal(support, [2, 0, 1, 1])
    assert score(average="micro") == (0.5, 0.5, 0.5, None)
    assert score(average="macro") == (0.375, 0.375, 0.375, None)
    assert score(average="weighted") == (0.5, 0.5, 0.5, None)
    assert entity_f1_score(TRUE, PRED) == 0.5


def test_labels_choose_and_order():
    score = partial(entity_f1_score, TRUE, PRED, zero_division=1.0)
    assert_array_equal(score(average=None, labels=["PER", "LOC"]), [1, 0.5])
    assert_array_equal(score(average=None, labels=["NEW", "LOC"]), [1, 0.5])
    assert score(labels=["LOC", "PER"]) == 2 * 2 / 6
    assert score(labels=np.array(["LOC"])) == 0.5
    report = entity_classification_report(
        TRUE, PRED, labels=["PER", "LOC"], output_dict=True
    )
    assert list(report) == ["PER", "LOC", "micro avg", "macro avg", "weighted avg"]
    assert report["micro avg"]["support"] == 3


def test_type_boundaries_and_sequence_must_agree():
    y_true = [["B-X", "I-X", "O"], ["O", "O", "B-X"]]
    assert entity_f1_score(y_true, y_true) == 1.0
    for y_pred in (
        [["B-X", "O", "O"], ["O", "O", "B-X"]],
        [["O", "B-X", "O"], ["O", "O", "B-X"]],
        [["B-Y", "I-Y", "O"], ["O", "O", "B-X"]],
        [["O", "O", "B-X"], ["O", "O", "B-X"]],
    ):
        assert entity_f1_score(y_true, y_pred) == 0.5


@pytest.mark.parametrize("average", AVERAGES)
def test_weights_repeat_sequences(average):
    y_true = random_sequences(60)
    y_pred = perturb(y_true)
    weights = np.random.default_rng(0).integers(4, size=60)
    repeated = [
        [tags for tags, k in zip(y, weights, strict=True) for _ in range(k)]
        for y in (y_true, y_pred)
    ]
    options = {"average": average, "zero_division": 0.0}
    expected = entity_precision_recall_fscore_support(*repeated, **options)
    found = entity_precision_recall_fscore_support(
        y_true, y_pred, sample_weight=weights, **options
    )
    for one, other in zip(found, expected, strict=True):
        assert_array_equal(one, other)


def test_weight_zero_is_left_out():
    y_true, y_pred = [["B-X"], ["B-Y"]], [["B-X"], ["O"]]
    assert entity_f1_score(y_true, y_pred, average="macro") == 0.5
    assert entity_f1_score(y_true, y_pred, average="macro", sample_weight=[1, 0]) == 1
    score = partial(entity_f1_score, y_true, y_pred, average=None)
    assert_array_equal(score(sample_weight=[1, 0]), [1])


@pytest.mark.parametrize(
    "container",
    [np.array, partial(np.array, dtype=object), pd.Series, pl.Series]
    + [partial(pd.Series, dtype=dtype) for dtype in (object, "Int64")],
)
def test_weights_in_any_container_are_equal(container):
    y_true, y_pred = [["B-X"], ["B-Y"]], [["B-X"], ["O"]]
    score = partial(entity_f1_score, y_true, y_pred)
    assert score(sample_weight=container([1, 2])) == score(sample_weight=[1, 2])


CONTAINERS = {
    "tuples": lambda y: tuple(map(tuple, y)),
    "list and tuple": lambda y: [y[0], *map(tuple, y[1:])],
    "arrays": lambda y: [np.array(tags, dtype=str) for tags in y],
    "object arrays": lambda y: pd.Series(
        [np.array(tags, dtype=object) for tags in y]
    ).to_numpy(),
    "np.str_": lambda y: [list(np.array(tags, dtype=str)) for tags in y],
    "pandas": lambda y: pd.Series(y, index=range(len(y))[::-1]),
    "pandas in a list": lambda y: [pd.Series(tags, dtype=object) for tags in y],
    "polars": lambda y: pl.Series(y),
}


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
def test_containers_are_equal(container):
    y_true = random_sequences(30)
    y_pred = perturb(y_true)
    assert extract_entities(container(y_true)) == extract_entities(y_true)
    expected = entity_f1_score(y_true, y_pred)
    assert entity_f1_score(container(y_true), container(y_pred)) == expected
    assert entity_f1_score(container(y_true), y_pred) == expected


def test_tables_and_generators():
    table = np.array([["B-X", "I-X"], ["O", "B-Y"]])
    expected = extract_entities(table.tolist())
    assert extract_entities(table) == expected
    assert extract_entities(table.astype(object)) == expected
    assert extract_entities(tags for tags in table.tolist()) == expected
    assert entity_f1_score(table, table.tolist()) == 1.0


def test_arguments_are_not_changed():
    y_true = random_sequences(20)
    y_pred = perturb(y_true)
    before = [list(map(list, y)) for y in (y_true, y_pred)]
    entity_classification_report(y_true, y_pred, zero_division=0)
    assert [y_true, y_pred] == before


# Undefined scores


@pytest.mark.parametrize("average", ["micro", "macro", "weighted"])
@pytest.mark.parametrize("score", SCORES)
def test_no_entities_at_all(score, average):
    y = [["O", "O"], [], ["O"]]
    for value in (0.0, 1.0):
        assert score(y, y, average=average, zero_division=value) == value
    assert np.isnan(score(y, y, average=average, zero_division=np.nan))
    with pytest.warns(UndefinedMetricWarning, match="is undefined"):
        assert score(y, y, average=average) == 0.0


def test_no_entities_by_type():
    y = [["O", "O"], []]
    for score in SCORES:
        assert_array_equal(score(y, y, average=None), np.empty(0))
    found = entity_precision_recall_fscore_support([[]], [[]])
    assert [each.shape for each in found] == [(0,)] * 4
    report = entity_classification_report(y, y, output_dict=True, zero_division=1)
    assert list(report) == ["micro avg", "macro avg", "weighted avg"]
    assert report["macro avg"]["f1-score"] == 1.0
    assert "weighted avg" in entity_classification_report(y, y, zero_division=0)


def test_warnings():
    y_true, y_pred = [["B-X", "O"]], [["O", "O"]]
    message = "precision is undefined .* no predicted entity"
    with pytest.warns(UndefinedMetricWarning, match=message) as caught:
        assert entity_precision_score(y_true, y_pred) == 0.0
    assert [warning.filename for warning in caught] == [__file__]
    for function in ALL_OF_Y[3:]:
        with pytest.warns(UndefinedMetricWarning, match=message) as caught:
            function(y_true, y_pred)
        assert {warning.filename for warning in caught} == {__file__}
    with pytest.warns(UndefinedMetricWarning, match="recall is undefined .* true"):
        assert entity_recall_score(y_pred, y_true) == 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert entity_f1_score(y_true, y_pred) == 0.0
        assert entity_precision_score(y_true, y_pred, zero_division=1) == 1.0
        assert np.isnan(entity_precision_score(y_true, y_pred, zero_division=np.nan))


# Reports


@pytest.mark.parametrize("digits", [0, 2, 4, 30])
@pytest.mark.parametrize("weighted", [False, True])
def test_report_is_laid_out_as_that_of_scikit_learn(digits, weighted):
    rng = np.random.default_rng(0)
    names = ["PER", "a type with a long name", "LOC"]
    tags = ["O", *(f"B-{name}" for name in names)]
    y_true, y_pred = rng.choice(tags, size=(2, 50))
    options = {"digits": digits}
    if weighted:
        options["sample_weight"] = rng.integers(1, 9, size=50) / 4
    expected = classification_report(
        y_true, y_pred, labels=tags[1:], target_names=names, **options
    )
    y = y_true[:, None], y_pred[:, None]
    found = entity_classification_report(*y, labels=names, **options)
    assert found == expected
    found = entity_classification_report(*y, output_dict=True, **options)
    expected = classification_report(
        y_true,
        y_pred,
        labels=tags[1:],
        target_names=names,
        output_dict=True,
        **options,
    )
    assert found.keys() == expected.keys()
    for name, row in expected.items():
        assert found[name] == pytest.approx(row, rel=1e-14)
        assert {type(value) for value in found[name].values()} == {float}


@pytest.mark.filterwarnings("ignore:.* seems not to be NE tag:UserWarning")
@by_scheme_and_mode
def test_report_is_that_of_seqeval(scheme, mode):
    y_true = random_sequences(200, scheme, 5)
    y_pred = perturb(y_true, scheme, 5)
    peer = as_iobes if mode == "lenient" else list
    expected = seqeval.classification_report(
        peer(y_true),
        peer(y_pred),
        output_dict=True,
        zero_division=0,
        **peer_options(scheme, mode),
    )
    found = entity_classification_report(
        y_true, y_pred, scheme=scheme, mode=mode, output_dict=True, zero_division=0
    )
    assert list(found) == list(expected)
    for name, row in expected.items():
        assert found[name] == pytest.approx(row, rel=1e-14)


# Tags that break their scheme


@pytest.mark.parametrize("scheme", SCHEMES)
def test_first_break_is_named(scheme):
    n_broken = 0
    for seed in range(60):
        y = random_sequences(3, scheme, seed, max_length=2)
        breaks = [oracle.first_break(tags, scheme) for tags in y]
        extract = partial(extract_entities, y, scheme=scheme, invalid="raise")
        if breaks == [None] * 3:
            strict = extract_entities(y, scheme=scheme, mode="strict")
            assert extract() == extract(mode="strict") == strict
            continue
        n_broken += 1
        sequence = next(i for i in range(3) if breaks[i] is not None)
        position = breaks[sequence]
        place = f"tags, sequence {sequence}, position {position}: the tag "
        with pytest.raises(
            ValueError, match=f"{place}'{y[sequence][position]}' breaks"
        ):
            extract()
    assert (n_broken > 0) == (scheme != "IO")
    assert n_broken < 60


@pytest.mark.parametrize("score", ALL_OF_Y)
def test_breaks_are_refused_if_asked(score):
    good, bad = [["O"], ["B-X", "I-X"]], [["O"], ["O", "I-X"]]
    score = partial(score, scheme="BIO", invalid="raise")
    score(good, good)
    with pytest.raises(
        ValueError, match=r"y_true, sequence 1, position 1: .*'I-X' brea"
    ):
        score(bad, good)
    with pytest.raises(
        ValueError, match=r"y_pred, sequence 1, position 1: .*'I-X' brea"
    ):
        score(good, bad)


@pytest.mark.parametrize(
    ("tags", "scheme", "message"),
    [
        (["I-X"], "BIO", "position 0.*scheme BIO: it begins an entity, which takes B"),
        (["B-X", "I-Y"], "BIO", "position 1.*'I-Y' breaks .*: it begins"),
        (["B-X", "O"], "IOBES", "position 0.*it ends an entity, which takes E or S"),
        (["S-X", "E-X"], "IOBES", "position 1.*it begins .* takes B or S"),
        (["U-X", "B-X", "I-X"], "BILOU", "position 2.*it ends .* takes L or U"),
        (["I-X"], "IOBES", "position 0.*it begins"),
    ],
)
def test_breaks(tags, scheme, message):
    with pytest.raises(ValueError, match=message):
        extract_entities([tags], scheme=scheme, invalid="raise")


# Bad input


@pytest.mark.parametrize("score", ALL_OF_Y)
@pytest.mark.parametrize(
    ("y_true", "y_pred", "error", "message"),
    [
        ([], [], ValueError, "y_true is empty"),
        ([["O"]], [], ValueError, "y_pred is empty"),
        ([["O"]], [["O"], ["O"]], ValueError, r"y_true has 1 sequence\(s\) and .* 2"),
        (
            [["O"], ["O", "O"]],
            [["O"], ["O"]],
            ValueError,
            r"sequence 1 has 2 tag\(s\) in y_true and 1 in y_pred",
        ),
        ([["O"], None], [["O"], ["O"]], ValueError, "y_true, sequence 1: .* got None"),
        ([["O"], np.nan], [["O"], ["O"]], ValueError, "y_true, sequence 1: .* got nan"),
        ([["O"], "O"], [["O"]] * 2, TypeError, "y_true, sequence 1: .* got 'O'.*list"),
        (["O"], ["O"], TypeError, "put a single one into a list"),
        ("O", "O", TypeError, "y_true must be a list of sequences"),
        (None, [["O"]], TypeError, "y_true must be .* got None"),
        (7, [["O"]], TypeError, r"y_true must be .* got 7 \(int\)"),
        ({"a": ["O"]}, [["O"]], TypeError, r"y_true must be .* \(dict\)"),
        (pd.DataFrame({"a": ["O"]}), [["O"]], TypeError, r"\(DataFrame\)"),
        (np.array("O"), [["O"]], TypeError, r"\(ndarray\)"),
        ([{"O"}], [["O"]], TypeError, r"y_true, sequence 0: .* \(set\)"),
        ([b"O"], [["O"]], TypeError, r"y_true, sequence 0: .* \(bytes\)"),
        ([np.array([["O"]])], [["O"]], TypeError, r"sequence 0: .* \(ndarray\)"),
        (
            [["O"], ["O"]],
            [["O"], [None]],
            ValueError,
            "y_pred, sequence 1, position 0: every tag must be a str, got None",
        ),
        ([["O", np.nan]], [["O", "O"]], ValueError, "sequence 0, position 1: .* nan"),
        ([["O", pd.NA]], [["O", "O"]], ValueError, "sequence 0, position 1: .* <NA>"),
        ([[], ["O", 1]], [[], ["O"] * 2], TypeError, "sequence 1, position 1: .* 1"),
        ([["O", ["O"]]], [["O", "O"]], TypeError, r"position 1: .* \(list\)"),
        ([["O", b"O"]], [["O", "O"]], TypeError, r"position 1: .* \(bytes\)"),
        ([np.array([1, 2])], [["O", "O"]], TypeError, r"position 0: .* 1 \(int\)"),
    ],
)
def test_bad_sequences(score, y_true, y_pred, error, message):
    with pytest.raises(error, match=message):
        score(y_true, y_pred)


@pytest.mark.parametrize(
    "tag", ["X-PER", "PER", "", "B_PER", "b-PER", "o", "O-PER", "-", "-PER", "BI-PER"]
)
@pytest.mark.parametrize("options", [{}, {"scheme": "BIO", "mode": "strict"}])
def test_no_known_prefix(tag, options):
    y = [["O"], [], ["B-PER", tag, "?"]]
    message = f"tags, sequence 2, position 1: the tag '{tag}' has no known prefix"
    with pytest.raises(ValueError, match=message):
        extract_entities(y, **options)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("scheme", "tag"),
    [("BIO", "S-X"), ("BIO", "L-X"), ("IO", "B-X"), ("IOBES", "U-X"), ("BILOU", "S-X")],
)
def test_prefix_of_another_scheme(scheme, tag, mode):
    message = f"y_pred, sequence 0, position 1: .*'{tag}'.* of the scheme {scheme}. Exp"
    with pytest.raises(ValueError, match=message):
        entity_f1_score([["O", "O"]], [["O", tag]], scheme=scheme, mode=mode)


def test_tags_of_arrays_are_shown_as_plain_strings():
    tags = [list(np.array(["O", "X-PER"]))]
    with pytest.raises(ValueError, match="position 1: the tag 'X-PER' has"):
        extract_entities(tags)


def test_prefix_where_the_suffix_should_be():
    with pytest.raises(ValueError, match=r"'B-PER' has no known suffix.* as 'PER-B'"):
        extract_entities([["B-PER"]], suffix=True)
    with pytest.raises(ValueError, match=r"'PER-B' has no known prefix.* as 'B-PER'"):
        extract_entities([["PER-B"]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "strict"}, "mode=\"strict\" needs the scheme .* 'BIO', 'IO'"),
        ({"invalid": "raise"}, 'invalid="raise" needs the scheme'),
        ({"scheme": "BIOES"}, "'scheme' parameter"),
        ({"mode": "conll"}, "'mode' parameter"),
        ({"invalid": "ignore"}, "'invalid' parameter"),
        ({"suffix": "yes"}, "'suffix' parameter"),
    ],
)
def test_bad_reading(options, message):
    for function in (*(partial(score, TRUE) for score in ALL_OF_Y), extract_entities):
        with pytest.raises(ValueError, match=message):
            function(TRUE, **options)


@pytest.mark.parametrize("score", ALL_OF_Y)
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"sample_weight": [1, -1, 1]},
            ValueError,
            "the weight of sequence 1 is -1; .* finite and not negative",
        ),
        ({"sample_weight": [1, 1, np.nan]}, ValueError, "weight of sequence 2 is nan"),
        ({"sample_weight": [np.inf, 1, 1]}, ValueError, "weight of sequence 0 is inf"),
        ({"sample_weight": [1, None, 1]}, ValueError, "of sequence 1 is None; expect"),
        ({"sample_weight": [1, 1, pd.NA]}, ValueError, "of sequence 2 is <NA>; expect"),
        ({"sample_weight": [0, 0, 0]}, ValueError, "zero for all sequences"),
        ({"sample_weight": [1, 2]}, ValueError, "2 numbers for 3 sequences"),
        ({"sample_weight": [[1], [1], [1]]}, ValueError, r"shape \(3, 1\)"),
        ({"sample_weight": 2.0}, ValueError, "'sample_weight' parameter"),
        ({"labels": []}, ValueError, "labels is empty"),
        ({"labels": ["PER", "PER"]}, ValueError, "labels has 'PER' twice"),
        ({"labels": ["PER", 1]}, TypeError, r"labels, position 1: .* 1 \(int\)"),
        ({"labels": 3}, ValueError, "'labels' parameter"),
        ({"zero_division": 0.5}, ValueError, "'zero_division' parameter .* Got 0.5"),
        ({"zero_division": "zero"}, ValueError, "'zero_division' parameter"),
    ],
)
def test_bad_options(score, options, error, message):
    with pytest.raises(error, match=message):
        score(TRUE, PRED, **options)


def test_other_bad_options():
    for score in (*SCORES, entity_precision_recall_fscore_support):
        with pytest.raises(ValueError, match="'average' parameter"):
            score(TRUE, PRED, average="samples")
    with pytest.raises(ValueError, match="'beta' parameter"):
        entity_precision_recall_fscore_support(TRUE, PRED, beta=-1)
    for options in ({"digits": -1}, {"output_dict": "yes"}):
        with pytest.raises(ValueError, match=f"'{next(iter(options))}' parameter"):
            entity_classification_report(TRUE, PRED, **options)
