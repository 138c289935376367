"""BertPretrainer: what is asked, what is learned from it, and how it is kept."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from torch.nn.functional import cross_entropy
from transformers import AutoModelForPreTraining, AutoTokenizer

from skml import BertClassifier, BertPretrainer, BertTransformer
from skml.neural._bert_corpus import split_sentences
from skml.neural._torch._checkpoint import read_checkpoint, write_checkpoint
from skml.neural._torch._pretraining import (
    PretrainingTask,
    Sentences,
    choose_tokens,
    corrupt,
    cut_chunks,
    draw_others,
)
from tests.callbacks import Recording, needs_callbacks
from tests.neural.bert.cases import assert_same_weights, weights_of
from tests.neural.bert.models import SENTENCES, tiny_model

NEW = {
    "vocabulary_size": 120,
    "hidden_size": 16,
    "n_layers": 1,
    "n_heads": 2,
    "max_length": 32,
}
QUICK = {
    "batch_size": 8,
    "learning_rate": 0.01,
    "max_iter": 2,
    "precision": "float32",
    "device": "cpu",
    "random_state": 0,
}
DOCUMENTS = [SENTENCES[:4], SENTENCES[4:], SENTENCES[::2], SENTENCES[1::2]] * 3
SPECIAL = {"pad": 0, "unk": 1, "cls": 2, "sep": 3, "mask": 4}


def quick(**parameters):
    return BertPretrainer(**{**NEW, **QUICK, **parameters})


def make_task(documents, held_out=(), **options):
    defaults = {
        "longest": 32,
        "batch_size": 64,
        "mlm_probability": 0.15,
        "special": SPECIAL,
        "ordinary": np.arange(5, 1000),
        "is_inner": None,
        "next_sentence": True,
        "device": torch.device("cpu"),
    }
    sentences = Sentences([[np.array(s, np.int32) for s in d] for d in documents])
    held_out = np.array(held_out, dtype=np.intp)
    return PretrainingTask(sentences, held_out, 0, **{**defaults, **options})


def numbered_documents(n_documents=60, n_sentences=8, seed=0):
    """Documents of no meaning, in which no piece is twice."""
    rng = np.random.default_rng(seed)
    pieces = iter(range(5, 10**6))
    return [
        [
            [next(pieces) for _ in range(rng.integers(1, 15))]
            for _ in range(rng.integers(1, n_sentences))
        ]
        for _ in range(n_documents)
    ]


# Sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("下雨了。真的吗？是！", ["下雨了。", "真的吗？", "是！"]),
        ("他说：“好。”走了。", ["他说：“好。”", "走了。"]),
        ("3.14 is pi; e.g.this stays", ["3.14 is pi; e.g.this stays"]),
        ("a line\nanother\n\n third ", ["a line", "another", "third"]),
        ('He said "Yes." She left.', ['He said "Yes."', "She left."]),
        ("Wait... what?!  No", ["Wait...", "what?!", "No"]),
        ("no end", ["no end"]),
        (" \n ", []),
    ],
)
def test_texts_are_split_into_sentences(text, sentences):
    assert split_sentences(text) == sentences


def test_texts_and_lists_of_sentences_are_the_same():
    texts = [" ".join(s.rstrip(".") + "." for s in d) for d in DOCUMENTS]
    lists = [split_sentences(text) for text in texts]
    assert max(map(len, lists)) > 2
    assert_same_weights(quick().fit(texts), quick().fit(lists))


# Chunks and pairs


def test_chunks_cover_a_document_between_sentences():
    rng = np.random.default_rng(0)
    for _ in range(200):
        lengths = rng.integers(1, 40, size=rng.integers(1, 12)).tolist()
        ends = set(np.cumsum(lengths).tolist())
        chunks = cut_chunks(lengths, 30, rng)
        assert chunks[0][0] == 0
        assert chunks[-1][1] == sum(lengths)
        for (start, end, split), (next_start, *_) in zip(
            chunks, [*chunks[1:], (sum(lengths),)], strict=True
        ):
            assert end == next_start
            assert 0 < end - start <= 30
            assert start < split <= end
            inner = {e for e in ends if start < e < end}
            assert split in inner or not inner


def test_others_are_of_other_documents_each_as_often():
    chunks = np.array([(row, 0, 1, 1) for row in [0, 0, 0, 1, 2, 2]])
    rng = np.random.default_rng(0)
    drawn = np.array([draw_others(chunks, rng) for _ in range(6000)])
    for row in range(6):
        found, counts = np.unique(drawn[:, row], return_counts=True)
        other = np.flatnonzero(chunks[:, 0] != chunks[row, 0])
        np.testing.assert_array_equal(found, other)
        np.testing.assert_allclose(counts / 6000, 1 / len(other), atol=0.03)


def test_a_single_document_has_no_others():
    chunks = np.array([(0, 0, 5, 2), (0, 5, 9, 7)])
    found = draw_others(chunks, np.random.default_rng(0))
    np.testing.assert_array_equal(found, [0, 1])


def test_pairs_are_true_in_half_of_the_cases_and_labels_say_so():
    documents = numbered_documents()
    document_of = {p: i for i, d in enumerate(documents) for s in d for p in s}
    task = make_task(documents, mlm_probability=1e-9, batch_size=16)
    labels, rng = [], np.random.default_rng(0)
    for _ in range(20):
        for inputs, is_chosen, pieces, of_pairs in task.batches(rng)[1]:
            ids = inputs["input_ids"].clone()
            ids[is_chosen] = pieces.to(ids.dtype)
            for row, segments, mask, label in zip(
                ids.tolist(),
                inputs["token_type_ids"].tolist(),
                inputs["attention_mask"].tolist(),
                of_pairs.tolist(),
                strict=True,
            ):
                row = row[: sum(mask)]
                segments = segments[: len(row)]
                assert len(row) <= 32
                assert row[0] == 2
                assert row[-1] == 3
                assert row.count(3) == 2
                middle = row.index(3)
                first, second = row[1:middle], row[middle + 1 : -1]
                assert segments == [0] * (middle + 1) + [1] * (len(row) - middle - 1)
                if not second:
                    continue  # of a chunk of one piece
                owners = {document_of[p] for p in second}
                assert len(owners) == 1
                is_true = owners == {document_of[first[0]]}
                assert label == (0 if is_true else 1)
                if is_true:  # and the second part follows the first
                    assert [*first, *second] == list(
                        range(first[0], first[0] + len(first) + len(second))
                    )
                labels.append(label)
    error = 0.5 / np.sqrt(len(labels))
    assert abs(np.mean(labels) - 0.5) < 4 * error


def test_each_pass_asks_for_each_piece_of_a_document():
    documents = numbered_documents()
    task = make_task(documents, next_sentence=False)
    _, batches = task.batches(np.random.default_rng(0))
    seen = []
    for tensors, is_chosen, pieces, _ in batches:
        ids = tensors["input_ids"].clone()
        ids[is_chosen] = pieces.to(ids.dtype)
        seen += ids[ids > 4].tolist()
        assert "token_type_ids" not in tensors
    assert sorted(seen) == sorted(p for d in documents for s in d for p in s)


# Masks


def test_so_many_pieces_are_chosen_and_so_many_masked():
    rng = np.random.default_rng(0)
    ids = rng.integers(5, 1000, size=(2000, 60))
    is_special = np.zeros(ids.shape, dtype=bool)
    is_special[:, [0, 20, 59]] = True
    is_chosen = choose_tokens(ids, is_special, None, 0.15, rng)
    assert not (is_chosen & is_special).any()
    n = is_chosen.sum(axis=1)
    assert set(n) <= {8, 9}  # 57 * .15 = 8.55
    assert abs(n.mean() / 57 - 0.15) < 0.001
    # Each place as often as any other.
    shares = is_chosen.mean(axis=0)[~is_special[0]]
    assert np.abs(shares - 0.15).max() < 4 * np.sqrt(0.15 * 0.85 / 2000)
    found = corrupt(ids, is_chosen, 4, np.arange(5, 1000), rng)
    np.testing.assert_array_equal(found[~is_chosen], ids[~is_chosen])
    old, new = ids[is_chosen], found[is_chosen]
    is_masked = new == 4
    error = 4 * np.sqrt(0.25 / len(old))
    assert abs(is_masked.mean() - 0.8) < error
    # One of a thousand random pieces is the old one.
    assert abs((new == old).mean() - 0.1) < error
    assert abs((~is_masked & (new != old)).mean() - 0.1) < error
    assert not np.isin(new, [0, 1, 2, 3]).any()


def test_short_sequences_have_one_piece_chosen():
    ids = np.full((500, 4), 7)
    is_special = np.array([[True, False, False, True]] * 500)
    found = choose_tokens(ids, is_special, None, 0.15, np.random.default_rng(0))
    np.testing.assert_array_equal(found.sum(axis=1), 1)
    assert 150 < found[:, 1].sum() < 350


def test_whole_words_are_chosen_together():
    rng = np.random.default_rng(0)
    is_inner = np.zeros(1000, dtype=bool)
    is_inner[500:] = True
    ids = rng.integers(5, 1000, size=(2000, 60))
    ids[:, 1] = 7
    is_special = np.zeros(ids.shape, dtype=bool)
    is_special[:, [0, 59]] = True
    found = choose_tokens(ids, is_special, is_inner, 0.15, rng)
    continue_training = is_inner[ids] & ~is_special
    pairs = continue_training[:, 1:] & ~is_special[:, :-1]
    np.testing.assert_array_equal(found[:, 1:][pairs], found[:, :-1][pairs])
    assert 0.14 < found.sum() / (~is_special).sum() < 0.18


# Learning


@pytest.mark.parametrize("hidden_size", [32, 128])
def test_narrow_layers_begin_with_larger_weights(hidden_size):
    model = quick(
        hidden_size=hidden_size, max_iter=1, learning_rate=1e-12, weight_decay=0.0
    ).fit(DOCUMENTS)
    config = model.network_.config
    wanted = 0.02 * np.sqrt(768 / hidden_size)
    assert config.initializer_range == pytest.approx(wanted)
    weights = model.network_.base_model.encoder.layer[0].intermediate.dense.weight
    assert weights.std().item() == pytest.approx(wanted, rel=0.1)


def test_the_loss_falls_below_that_of_frequencies():
    # A document says one word: what is masked can be told from any other place.
    words = ["ada", "bob", "cid", "dan", "eve", "fay", "gus", "hal"]
    texts = [" ".join([word] * 12) for word in words] * 20
    model = quick(
        vocabulary_size=60,
        hidden_size=32,
        n_heads=4,
        max_iter=15,
        dropout=0.0,
        early_stopping=True,
        n_iter_no_change=15,
        next_sentence=False,
        batch_size=16,
    ).fit(texts)
    assert model.masked_loss_ < 0.2 * np.log(len(words))
    assert model.masked_accuracy_ > 0.9
    assert model.score(texts) == pytest.approx(-model.masked_loss_, abs=0.2)


def test_figures_of_each_pass():
    model = quick(max_iter=3).fit(DOCUMENTS)
    assert model.n_iter_ == len(model.history_) == len(model.loss_curve_)
    assert set(model.history_[0]) == {
        "masked_loss",
        "masked_accuracy",
        "next_sentence_loss",
        "next_sentence_accuracy",
    }


def test_without_next_sentences_there_is_one_loss():
    model = quick(next_sentence=False, early_stopping=True).fit(DOCUMENTS)
    assert set(model.history_[0]) == {"masked_loss", "masked_accuracy"}
    assert not hasattr(model, "next_sentence_loss_")
    curve = model.validation_loss_curve_
    assert model.masked_loss_ == pytest.approx(curve[-1], rel=0.2)


@pytest.mark.parametrize("next_sentence", [True, False])
def test_losses_are_those_of_the_model_of_transformers(next_sentence):
    network = AutoModelForPreTraining.from_pretrained(tiny_model()).eval()
    documents = [[[7, 8, 9], [10, 11, 12, 13]], [[14, 15, 16], [17]]] * 20
    task = make_task(
        documents,
        ordinary=np.arange(5, 90),
        next_sentence=next_sentence,
        mlm_probability=0.5,
    )
    _, batches = task.batches(np.random.default_rng(0))
    batch = next(batches)
    inputs, is_chosen, pieces, labels = batch
    with torch.inference_mode():
        loss, n = task.loss(network, batch)
        outputs = network(**inputs)
    scores = {"masked": (outputs.prediction_logits[is_chosen], pieces)}
    if next_sentence:
        scores["next_sentence"] = (outputs.seq_relationship_logits, labels)
    expected = {}
    for name, (logits, wanted) in scores.items():
        expected[f"{name}_loss"] = cross_entropy(logits, wanted).item()
        is_right = logits.argmax(dim=1) == wanted
        expected[f"{name}_accuracy"] = is_right.double().mean().item()
    figures, held_out = task.take_figures()
    assert figures == pytest.approx(expected, rel=1e-5)
    assert held_out == {}
    total = sum(v for name, v in expected.items() if name.endswith("loss"))
    assert (loss / n).item() == pytest.approx(total, rel=1e-5)
    assert n == len(labels)


def test_figures_are_of_the_weights_that_are_kept():
    options = {"early_stopping": True, "lr_schedule": "constant", "warmup_steps": 0}
    # After a while, the rate is far too high.
    model = quick(**options, max_iter=12, learning_rate=0.05).fit(DOCUMENTS)
    curve = model.validation_loss_curve_
    assert np.argmin(curve) < len(curve) - 1
    of_kept = model.masked_loss_ + model.next_sentence_loss_
    assert min(curve) < 0.97 * curve[-1]
    assert of_kept == pytest.approx(min(curve), rel=0.02)
    best = quick(**options, max_iter=1 + int(np.argmin(curve)), learning_rate=0.05)
    assert best.fit(DOCUMENTS).masked_loss_ == model.masked_loss_


def test_transformers_reads_the_folder(tmp_path):
    model = quick().fit(DOCUMENTS)
    model.save_pretrained(tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    network = AutoModelForPreTraining.from_pretrained(tmp_path / "model").eval()
    inputs = tokenizer(["the cat [MASK].", "猫"], padding=True, return_tensors="pt")
    with torch.inference_mode():
        theirs = network(**inputs)
        ours = model.network_(**inputs)
    torch.testing.assert_close(ours.prediction_logits, theirs.prediction_logits)
    torch.testing.assert_close(
        ours.seq_relationship_logits, theirs.seq_relationship_logits
    )
    assert tokenizer.tokenize("[MASK]") == ["[MASK]"]
    assert tokenizer.model_max_length == 32


def test_the_vocabulary_has_chinese_and_small_letters():
    texts = ["猫在花园里睡觉。", "The Café sleeps."] * 5
    for lowercase, word in ((True, "cafe"), (False, "Café")):
        model = quick(lowercase=lowercase).fit(texts)
        transformer = BertTransformer(model).fit(["a"])
        (pieces,) = transformer.token_vectors(["Café 猫花"], return_tokens=True)[1]
        assert "".join(pieces[1:-1]).replace("##", "") == f"{word}猫花"


def test_another_estimator_starts_from_it():
    model = quick().fit(DOCUMENTS)
    tuned = BertClassifier(model, max_iter=1, random_state=0).fit(
        ["a cat", "a dog"] * 4, [0, 1] * 4
    )
    assert tuned.newly_initialized_ == ["classifier.bias", "classifier.weight"]


def test_goes_on_from_a_model():
    model = BertPretrainer(
        tiny_model(), max_length=32, **{**QUICK, "learning_rate": 1e-9}
    )
    start = BertTransformer(tiny_model()).fit_transform(SENTENCES)
    found = BertTransformer(model.fit(DOCUMENTS)).fit_transform(SENTENCES)
    np.testing.assert_allclose(found, start, atol=1e-4)
    adapted = clone(model).set_params(max_iter=10, learning_rate=0.01)
    assert adapted.fit(DOCUMENTS).score(DOCUMENTS) > model.score(DOCUMENTS) + 0.5


def test_partial_fit_goes_on():
    model = quick()
    losses = [model.partial_fit(DOCUMENTS).loss_curve_[0] for _ in range(6)]
    assert model.n_iter_ == 1
    assert min(losses[3:]) < losses[0] - 0.3
    with_new = model.partial_fit(["Something quite different: xyz 你好!"])
    assert np.isfinite(with_new.masked_loss_)


def test_warm_start_goes_on():
    model = quick(warm_start=True, max_iter=3).fit(DOCUMENTS)
    first = model.loss_curve_[0]
    assert model.fit(DOCUMENTS).loss_curve_[0] < first


def test_same_seed_same_weights_and_no_other_generator():
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    one, other = quick().fit(DOCUMENTS), quick().fit(iter(DOCUMENTS))
    assert_same_weights(one, other)
    assert torch.equal(before[0], torch.get_rng_state())
    after = np.random.get_state()[1]  # noqa: NPY002
    np.testing.assert_array_equal(before[1], after)
    third = quick(random_state=1).fit(DOCUMENTS)
    name = "bert.embeddings.word_embeddings.weight"
    assert not np.array_equal(
        weights_of(one)[f"0/{name}"], weights_of(third)[f"0/{name}"]
    )


def test_a_fit_that_was_interrupted_goes_on(tmp_path):
    whole = quick(max_iter=4, lr_schedule="constant", warmup_steps=0).fit(DOCUMENTS)
    options = {"lr_schedule": "constant", "warmup_steps": 0, "max_iter": 4}
    parts = quick(checkpoint=str(tmp_path / "state"), **options)

    class Interrupted(Exception):
        pass

    step = parts._step

    def interrupt(training, *args):
        if len(training.losses) == 2:
            raise Interrupted
        return step(training, *args)

    parts._step = interrupt
    with pytest.raises(Interrupted):
        parts.fit(DOCUMENTS)
    resumed = quick(checkpoint=str(tmp_path / "state"), **options).fit(DOCUMENTS)
    assert_same_weights(resumed, whole)
    assert_array_equal(resumed.loss_curve_, whole.loss_curve_)
    assert resumed.history_ == whole.history_
    assert len(whole.history_) == 4


@pytest.mark.parametrize(
    "change",
    [{"figures": [[{}, {}]]}, {"best_epoch": 2}, {"best_epoch": -1}, {"figures": None}],
)
def test_a_checkpoint_that_lacks_a_pass_is_damaged(change, tmp_path):
    parts = quick(checkpoint=str(tmp_path / "state"), max_iter=2).fit(DOCUMENTS)
    tensors, notes = read_checkpoint(tmp_path / "state", "Reader")
    write_checkpoint(tmp_path / "state", tensors, {**notes, **change})
    with pytest.raises(ValueError, match="is damaged"):
        parts.fit(DOCUMENTS)


@pytest.mark.parametrize("keep", ["pickle", "folder"])
def test_kept_and_read_again(keep, tmp_path):
    model = quick(early_stopping=True).fit(DOCUMENTS)
    if keep == "pickle":
        read = pickle.loads(pickle.dumps(model))
    else:
        model.save(tmp_path / "model")
        read = BertPretrainer.load(tmp_path / "model")
        assert read.model is None
    assert_same_weights(read, model)
    assert read.score(DOCUMENTS) == model.score(DOCUMENTS)
    assert read.history_ == model.history_
    assert read.masked_loss_ == model.masked_loss_
    read.partial_fit(DOCUMENTS)


def test_a_search():
    search = GridSearchCV(
        quick(), {"hidden_size": [16, 32]}, cv=2, error_score="raise"
    ).fit(DOCUMENTS)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert (
        clone(search.best_estimator_).get_params()
        == search.best_estimator_.get_params()
    )


@needs_callbacks
def test_callbacks_are_told_of_each_pass():
    recording = Recording("epoch", lambda model, X, y: model.score(X), stop_after=3)
    model = quick(max_iter=5).set_callbacks(recording).fit(DOCUMENTS)
    assert recording.max_subtasks == 5
    assert model.n_iter_ == len(recording.seen) == 3
    assert recording.seen[-1] == model.score(DOCUMENTS)


def test_each_pass_is_printed(capsys):
    quick(verbose=1).fit(DOCUMENTS)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("[BertPretrainer] epoch 1/2: loss ")
    assert ", masked accuracy 0." in lines[0]


# What is refused


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([], ValueError, "X is empty"),
        (["", " \n"], ValueError, "only empty documents"),
        ([["", " "]], ValueError, "only empty documents"),
        (["a cat", None], ValueError, "document 1 is missing"),
        (["a cat", 5], TypeError, "document 1 is 5"),
        ([["a cat", 5]], TypeError, "document 0, token 1 is 5"),
        ("a cat", ValueError, "a single str"),
        (["a cat", ["a dog"]], TypeError, "document 1 is a list"),
    ],
    ids=repr,
)
def test_bad_documents_are_refused(X, error, message):
    with pytest.raises(error, match=message):
        quick().fit(X)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"hidden_size": 15}, "hidden_size=15 is no multiple of n_heads=2"),
        ({"max_length": 513}, "'max_length' parameter of BertPretrainer"),
        ({"vocabulary_size": 5}, "'vocabulary_size' parameter of BertPretrainer"),
        ({"mlm_probability": 1.0}, "'mlm_probability' parameter of BertPretrainer"),
        ({"model": tiny_model(), "max_length": 65}, "takes 64 tokens at most"),
        ({"checkpoint": "x", "random_state": None}, "Pass an integer"),
        ({"learning_rate": 1e30}, "training diverged"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_bad_parameters_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        quick(**parameters).fit(DOCUMENTS)


def test_a_failing_fit_changes_nothing():
    model = quick().fit(DOCUMENTS)
    before = model.score(DOCUMENTS)
    with pytest.raises(ValueError, match="takes 64 tokens"):
        model.set_params(model=tiny_model(), max_length=65).fit(DOCUMENTS)
    assert model.score(DOCUMENTS) == before
