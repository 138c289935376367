"""How translators are fitted: seeds, callbacks, stops, and what fits leave alone."""

import pickle
import sys
from copy import deepcopy
from functools import cache

import joblib
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skml._progress import Progress
from skml.neural import Seq2SeqTranslator, TransformerTranslator
from tests.callbacks import Recording, needs_callbacks
from tests.neural.cases import (
    CLASSES,
    ENGLISH,
    FEW,
    FRENCH,
    SIZES,
    TOKENS,
    are_same_weights,
    assert_same_weights,
    small,
)

classes = pytest.mark.parametrize("cls", CLASSES)


def fit(cls, **parameters):
    return small(cls, **parameters).fit(ENGLISH, FRENCH)


# Seeds


@classes
def test_the_same_seed_gives_the_same_weights(cls):
    one, other = (fit(cls, dropout=0.3, early_stopping=True) for _ in range(2))
    assert_same_weights(one, other)
    assert_array_equal(one.loss_curve_, other.loss_curve_)
    assert_array_equal(one.validation_loss_curve_, other.validation_loss_curve_)
    assert_same_weights(one, one.fit(ENGLISH, FRENCH))
    another = fit(cls, dropout=0.3, early_stopping=True, random_state=1)
    assert not are_same_weights(one, another)


@classes
def test_without_a_seed_fits_differ(cls):
    np.random.seed(0)  # noqa: NPY002
    one = fit(cls, random_state=None)
    np.random.seed(0)  # noqa: NPY002
    assert not are_same_weights(one, fit(cls, random_state=None))


@classes
def test_a_random_state_moves_on(cls):
    random_state = np.random.RandomState(0)
    one = fit(cls, random_state=random_state)
    assert not are_same_weights(one, fit(cls, random_state=random_state))
    assert_same_weights(one, fit(cls, random_state=np.random.RandomState(0)))


@pytest.fixture
def still():
    """Global generators and threads, which are not to be moved."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(2)
    states = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    yield
    found = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    assert found == 2
    assert np.array_equal(np.random.get_state()[1], states[0])  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), states[1])


@classes
@pytest.mark.usefixtures("still")
def test_fit_leaves_generators_and_threads_alone(cls):
    model = fit(cls, dropout=0.3, early_stopping=True, random_state=None, n_jobs=1)
    model.partial_fit(ENGLISH, FRENCH)


@classes
@pytest.mark.usefixtures("still")
def test_a_fit_that_fails_leaves_generators_and_threads_alone(cls, monkeypatch):
    def failing(*args, **kwargs):
        assert torch.get_num_threads() == 1
        raise ArithmeticError

    monkeypatch.setattr(Progress, "report", failing)
    with pytest.raises(ArithmeticError):
        small(cls, n_jobs=1).fit(ENGLISH, FRENCH)


@classes
def test_predict_leaves_generators_and_threads_alone(cls, request):
    model = fit(cls, dropout=0.3, n_jobs=1)
    request.getfixturevalue("still")
    model.predict(ENGLISH)
    model.score(ENGLISH, FRENCH)
    model.log_likelihood(ENGLISH, FRENCH)
    model.attention_weights(ENGLISH, FRENCH)
    model.device = "none"
    with pytest.raises(ValueError, match="device='none'"):
        model.predict(ENGLISH)


@classes
def test_pickle_and_files_leave_generators_alone(cls, request, tmp_path):
    model = fit(cls)
    request.getfixturevalue("still")
    pickle.loads(pickle.dumps(model))
    model.save(tmp_path / "model")
    cls.load(tmp_path / "model")


@classes
def test_n_jobs_is_the_number_of_threads(cls, monkeypatch):
    seen = []
    monkeypatch.setattr(torch, "set_num_threads", seen.append)
    model = fit(cls, n_jobs=2)
    assert seen[0] == 2
    seen.clear()
    model.set_params(n_jobs=None).predict(ENGLISH)
    assert seen[0] == 1


@classes
def test_a_fit_changes_no_parameters(cls):
    model = small(cls, early_stopping=True)
    before = deepcopy(model.get_params())
    model.fit(ENGLISH, FRENCH)
    assert model.get_params() == before
    X, y = deepcopy(TOKENS), deepcopy(TOKENS)
    model.fit(X, y).predict(X)
    assert X == y == TOKENS


def test_a_subclass_may_have_fewer_parameters():
    class Short(TransformerTranslator):
        def __init__(self, model_size=8):
            sizes = SIZES[TransformerTranslator] | {"model_size": model_size}
            super().__init__(**sizes, **FEW)

    expected = fit(TransformerTranslator)
    assert_same_weights(Short().fit(ENGLISH, FRENCH), expected)


# Again, and more


@classes
def test_warm_start_goes_on(cls):
    model = small(cls, warm_start=True, max_iter=4).fit(ENGLISH, FRENCH)
    assert_same_weights(model, fit(cls, max_iter=4))
    before = model.loss_curve_
    model.fit(ENGLISH[::-1], FRENCH[::-1])
    assert model.loss_curve_[0] < before[0]
    assert model.n_iter_ == len(model.loss_curve_) == 4


@classes
def test_without_warm_start_it_begins_anew(cls):
    model = fit(cls, max_iter=3)
    vocabulary = model.target_vocabulary_
    model.fit(FRENCH, ENGLISH)
    assert_same_weights(model, small(cls, max_iter=3).fit(FRENCH, ENGLISH))
    assert model.target_vocabulary_.to_data() != vocabulary.to_data()


@classes
def test_partial_fit_goes_on(cls):
    model = small(cls, max_iter=50, label_smoothing=0.0, dropout=0.0)
    assert model.partial_fit(ENGLISH, FRENCH) is model
    assert model.n_iter_ == 1
    vocabularies = model.source_vocabulary_, model.target_vocabulary_
    first = model.log_likelihood(ENGLISH, FRENCH).sum()
    for _ in range(8):
        model.partial_fit(ENGLISH, FRENCH)
    assert model.n_iter_ == len(model.loss_curve_) == 1
    assert model.log_likelihood(ENGLISH, FRENCH).sum() > first
    assert (model.source_vocabulary_, model.target_vocabulary_) == vocabularies
    # Others than at first, with unknown characters.
    model.partial_fit(["Ωμέγα", "猫"], ["Ωμέγα", "猫"])


@classes
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_checkpoint_is_of_one_fit(cls, method, tmp_path):
    model = small(cls, checkpoint=str(tmp_path / "state"), warm_start=True)
    with pytest.raises(ValueError, match=f"{cls.__name__}: a checkpoint is of one fit"):
        getattr(model, method)(ENGLISH, FRENCH)
    assert not list(tmp_path.iterdir())


@classes
def test_first_partial_fit_is_a_pass(cls):
    one = small(cls, lr_schedule="constant").partial_fit(ENGLISH, FRENCH)
    other = fit(cls, lr_schedule="constant", max_iter=1)
    assert_same_weights(one, other)


# When it stops


@classes
def test_early_stopping(cls):
    X, y = ENGLISH * 3, FRENCH * 3
    options = {"early_stopping": True, "tol": 100.0, "max_iter": 50}
    model = small(cls, n_iter_no_change=2, validation_fraction=0.2, **options)
    model.fit(X, y)
    assert model.n_iter_ == 3  # the first is the best, and two gain nothing
    assert len(model.validation_loss_curve_) == len(model.loss_curve_) == 3
    once = small(cls, validation_fraction=0.2, lr_schedule="constant", **options)
    once.set_params(max_iter=1).fit(X, y)
    assert once.validation_loss_curve_[0] > 0


@pytest.mark.parametrize(("n_pairs", "stops"), [(10_000, False), (10_001, True)])
def test_automatic_early_stopping(n_pairs, stops):
    X = [["a", "b"][: 1 + i % 2] for i in range(n_pairs)]
    model = small(TransformerTranslator, max_iter=1, batch_size=10**6).fit(X, X)
    assert (len(model.validation_loss_curve_) > 0) == stops


@classes
def test_held_out_pairs_are_not_learned_from(cls, monkeypatch):
    from skml.neural._torch._translation import TranslationTask

    seen, make_batch = [], TranslationTask.make_batch

    def spy(self, rows):
        seen.append(sorted(rows.tolist()))
        return make_batch(self, rows)

    monkeypatch.setattr(TranslationTask, "make_batch", spy)
    small(cls, early_stopping=True, validation_fraction=0.25, batch_size=10**5).fit(
        ENGLISH, FRENCH
    )
    held_out, *passes = seen
    assert len(held_out) == 5
    assert len(passes) == 2
    for rows in passes:
        assert sorted(rows + held_out) == list(range(20))


@classes
def test_a_single_pair(cls):
    model = small(cls, early_stopping=True).fit(["a"], ["b"])
    assert len(model.validation_loss_curve_) == 0
    assert model.predict(["a"]).shape == (1,)


@classes
def test_the_held_out_loss_is_that_of_likelihoods(cls):
    # One pair is held out; of all pairs one gives the loss, per token.
    model = small(
        cls, early_stopping=True, validation_fraction=0.01, max_iter=1, dropout=0.3
    )
    model.fit(ENGLISH, FRENCH)
    lengths = [len(ids) + 1 for ids in model.target_vocabulary_.encode(FRENCH)]
    losses = -model.log_likelihood(ENGLISH, FRENCH) / lengths
    (found,) = model.validation_loss_curve_
    assert np.abs(losses - found).min() < 1e-5


@classes
def test_time_stops(cls):
    model = fit(cls, max_train_time=1e-9, max_iter=1000)
    assert model.n_iter_ == 1
    assert model.predict(ENGLISH).shape == (20,)


@classes
def test_averaged_weights(cls):
    plain, averaged = (
        fit(cls, max_iter=3, n_averaged_checkpoints=n, lr_schedule="constant")
        for n in (1, 2)
    )
    before = fit(cls, max_iter=2, lr_schedule="constant")
    weights = [model.network_.state_dict() for model in (plain, before)]
    for name, found in averaged.network_.state_dict().items():
        expected = (weights[0][name] + weights[1][name]) / 2
        assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"lr_schedule": "constant"},
        {"lr_schedule": "inverse-sqrt"},
        {"label_smoothing": 0.5},
        {"weight_decay": 5.0},
        {"max_grad_norm": 1e-6},
        {"warmup_steps": 0},
        {"dropout": 0.5},
        {"tie_embeddings": False},
        {"batch_size": 30},
        {"validation_fraction": 0.5, "early_stopping": True},
    ],
    ids=repr,
)
@classes
def test_each_parameter_matters(cls, options):
    losses = fit(cls, **options).loss_curve_
    assert not np.array_equal(losses, plain_losses(cls))


@cache
def plain_losses(cls):
    return fit(cls).loss_curve_


@classes
def test_divergence_in_the_first_pass_leaves_nothing(cls):
    # One step in each pass; what it does to the loss is seen in the next.
    model = small(cls, learning_rate=1e38, warmup_steps=0, max_iter=8)
    model.set_params(lr_schedule="constant", batch_size=10**5)
    with pytest.raises(ValueError, match=r"training diverged\. Lower"):
        model.fit(ENGLISH, FRENCH)
    assert not hasattr(model, "network_")


@classes
def test_divergence_in_the_first_pass_is_an_error(cls):
    model = small(cls, learning_rate=1e30, warmup_steps=0, batch_size=20)
    with pytest.raises(ValueError, match=rf"{cls.__name__}.*epoch 1 is not finite.*1e"):
        model.fit(ENGLISH, FRENCH)
    assert not hasattr(model, "network_")


# What fails leaves what was


@classes
def test_a_refit_that_fails_leaves_the_old_model(cls):
    model = fit(cls, batch_size=20)
    before = deepcopy(vars(model))
    expected = model.predict(ENGLISH)
    for X, y in ((ENGLISH, None), (ENGLISH, [*FRENCH[:-1], ""])):
        with pytest.raises(ValueError, match="y"):
            model.fit(X, y)
    model.set_params(learning_rate=1e30, warmup_steps=0)
    with pytest.raises(ValueError, match="diverged"):
        model.fit(FRENCH, ENGLISH)
    assert vars(model).keys() == before.keys()
    assert_array_equal(model.predict(ENGLISH), expected)


@pytest.fixture
def interrupt(monkeypatch):
    """Lets fits be interrupted after so many epochs, or not (None)."""
    report = Progress.report

    def interrupt(n_epochs):
        epochs = []

        def report_or_interrupt(*args, **kwargs):
            epochs.append(1)
            if len(epochs) == n_epochs:
                raise KeyboardInterrupt
            return report(*args, **kwargs)

        monkeypatch.setattr(Progress, "report", report_or_interrupt)

    return interrupt


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@classes
def test_going_on_that_fails_leaves_the_old_model(cls, method, interrupt):
    model = fit(cls, warm_start=True)
    before = fit(cls)
    assert_same_weights(model, before)
    interrupt(1)
    with pytest.raises(KeyboardInterrupt):
        getattr(model, method)(ENGLISH, FRENCH)
    assert_same_weights(model, before)
    assert_array_equal(model.loss_curve_, before.loss_curve_)
    assert_array_equal(model.predict(ENGLISH), before.predict(ENGLISH))


# Checkpoints


@classes
def test_resumed_is_run_through(cls, tmp_path, interrupt):
    options = {
        "dropout": 0.3,
        "max_iter": 4,
        "n_averaged_checkpoints": 2,
        "early_stopping": True,
    }
    through = fit(cls, **options)
    model = small(cls, checkpoint=str(tmp_path / "state"), **options)
    interrupt(2)
    with pytest.raises(KeyboardInterrupt):
        model.fit(ENGLISH, FRENCH)
    assert not hasattr(model, "network_")
    interrupt(None)
    model.fit(ENGLISH, FRENCH)
    assert_same_weights(model, through)
    assert_array_equal(model.loss_curve_, through.loss_curve_)
    assert_array_equal(model.validation_loss_curve_, through.validation_loss_curve_)
    assert model.n_iter_ == through.n_iter_


@pytest.mark.parametrize("change", ["sources", "targets", "parameter", "seed"])
def test_a_checkpoint_of_something_else_is_refused(change, tmp_path):
    path = str(tmp_path / "state")
    model = fit(TransformerTranslator, checkpoint=path)
    X, y = ENGLISH, FRENCH
    if change == "sources":
        X = ["Go home.", *ENGLISH[1:]]
    elif change == "targets":
        y = ["Merci beaucoup.", *FRENCH[1:]]
    elif change == "seed":
        model.set_params(random_state=1)
    else:
        model.set_params(max_iter=3)
    with pytest.raises(
        ValueError, match=r"TransformerTranslator: the checkpoint .*oth"
    ):
        model.fit(X, y)


def test_a_damaged_checkpoint_is_refused(tmp_path):
    path = tmp_path / "state"
    model = fit(TransformerTranslator, checkpoint=str(path))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(
        ValueError, match=r"TransformerTranslator: the checkpoint .*can"
    ):
        model.fit(ENGLISH, FRENCH)


# Progress


def look(model, X, y):
    return model.n_iter_, model.log_likelihood(X, y)


def record(stop_after=None):
    """A callback that keeps what each pass says."""
    return Recording("epoch", look, stop_after)


@needs_callbacks
@classes
def test_callbacks_see_each_pass_and_what_it_says(cls):
    recording = record()
    options = {"max_iter": 3, "lr_schedule": "constant", "warmup_steps": 0}
    options |= {"dropout": 0.0}
    model = small(cls, **options).set_callbacks(recording).fit(ENGLISH, FRENCH)
    assert recording.tasks == ["epoch"] * 3 + ["fit"]
    assert recording.is_done
    assert [n_iter for n_iter, _ in recording.seen] == [1, 2, 3]
    for n_iter, found in recording.seen:
        expected = fit(cls, **{**options, "max_iter": n_iter})
        assert_allclose(
            found, expected.log_likelihood(ENGLISH, FRENCH), rtol=1e-5, atol=1e-5
        )
    assert_array_equal(recording.seen[-1][1], model.log_likelihood(ENGLISH, FRENCH))


@needs_callbacks
@classes
def test_callbacks_do_not_change_what_is_learned(cls):
    options = {"max_iter": 3, "dropout": 0.3, "early_stopping": True}
    recording = record()
    model = small(cls, **options).set_callbacks(recording).fit(ENGLISH, FRENCH)
    plain = fit(cls, **options)
    assert_array_equal(model.loss_curve_, plain.loss_curve_)
    assert_same_weights(model, plain)


@needs_callbacks
@classes
def test_callbacks_stop_the_fit(cls):
    recording = record(stop_after=2)
    model = small(cls, max_iter=9).set_callbacks(recording).fit(ENGLISH, FRENCH)
    assert recording.tasks == ["epoch"] * 2 + ["fit"]
    assert model.n_iter_ == len(model.loss_curve_) == 2
    assert_array_equal(recording.seen[-1][1], model.log_likelihood(ENGLISH, FRENCH))


@needs_callbacks
@classes
def test_callbacks_of_partial_fit(cls):
    recording = record()
    model = small(cls).set_callbacks(recording)
    model.partial_fit(ENGLISH, FRENCH).partial_fit(ENGLISH, FRENCH)
    assert recording.tasks == ["epoch", "fit"] * 2


@needs_callbacks
@classes
def test_callbacks_are_told_of_a_failure(cls):
    recording = record()
    model = small(cls).set_callbacks(recording)
    with pytest.raises(ValueError, match="document 0 is empty"):
        model.fit(ENGLISH, ["", *FRENCH[1:]])
    assert recording.is_done
    assert not hasattr(model, "network_")


@classes
def test_verbose(cls, capsys):
    model = fit(cls, verbose=1, early_stopping=True)
    lines = capsys.readouterr().out.splitlines()
    smoothing = f" (label smoothing {model.label_smoothing})"
    for i, line in enumerate(lines):
        assert line.startswith(
            f"[{cls.__name__}] epoch {i + 1}/2: loss{smoothing} "
            f"{model.loss_curve_[i]:.4f}, "
            f"validation loss {model.validation_loss_curve_[i]:.4f}, "
        )
    assert len(lines) == 2
    model.set_params(early_stopping=False).partial_fit(ENGLISH, FRENCH)
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert f"epoch 1/1: loss{smoothing} {model.loss_curve_[0]:.4f}, " in out
    model.set_params(verbose=0).fit(ENGLISH, FRENCH)
    assert capsys.readouterr().out == ""


# Copies, and searches


def pickled(model, folder):
    return pickle.loads(pickle.dumps(model))


def dumped(model, folder):
    joblib.dump(model, folder / "model.joblib")
    return joblib.load(folder / "model.joblib")


def copied(model, folder):
    return deepcopy(model)


@pytest.mark.parametrize(
    ("tokenizer", "again"), [("bpe", pickled), ("word", dumped), ("char", copied)]
)
@classes
def test_a_copy_is_equal(cls, tokenizer, again, tmp_path):
    model = fit(cls, tokenizer=tokenizer)
    other = again(model, tmp_path)
    assert_same_weights(model, other)
    assert_array_equal(model.predict(ENGLISH), other.predict(ENGLISH))
    assert_array_equal(
        model.log_likelihood(ENGLISH, FRENCH), other.log_likelihood(ENGLISH, FRENCH)
    )
    assert other.get_params() == model.get_params()
    assert_array_equal(other.loss_curve_, model.loss_curve_)
    # Both go on, apart from each other.
    other.partial_fit(ENGLISH, FRENCH)
    assert not are_same_weights(model, other)
    model.partial_fit(ENGLISH, FRENCH)
    assert_same_weights(model, other)


CHANGES = [
    (Seq2SeqTranslator, {"hidden_size": 16}),
    (Seq2SeqTranslator, {"attention": None, "cell": "lstm"}),
    (TransformerTranslator, {"n_layers": 2, "norm_first": False}),
    (TransformerTranslator, {"max_length": 50}),
]


@pytest.mark.parametrize("again", [pickled, copied])
@pytest.mark.parametrize(("cls", "changes"), CHANGES)
def test_a_copy_is_of_what_was_fitted(cls, changes, again, tmp_path):
    more = {"positions": "learned"} if "max_length" in changes else {}
    model = fit(cls, **more)
    expected = model.log_likelihood(ENGLISH, FRENCH)
    model.set_params(**changes)  # for the next fit
    other = again(model, tmp_path)
    assert other.get_params() == model.get_params()
    assert_array_equal(other.log_likelihood(ENGLISH, FRENCH), expected)
    assert_array_equal(other.predict(ENGLISH), model.predict(ENGLISH))


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("cls", "changes"), [*CHANGES[:3], (TransformerTranslator, {"tokenizer": "char"})]
)
def test_going_on_with_another_network_is_refused(cls, changes, method):
    model = fit(cls, warm_start=True)
    before = deepcopy(model)
    model.set_params(**changes)
    with pytest.raises(ValueError, match=f"{cls.__name__}: ({'|'.join(changes)}) is"):
        getattr(model, method)(ENGLISH, FRENCH)
    assert_same_weights(model, before)


@classes
def test_a_copy_of_what_is_not_fitted(cls):
    model = pickle.loads(pickle.dumps(small(cls)))
    assert not hasattr(model, "network_")
    assert_same_weights(model.fit(ENGLISH, FRENCH), fit(cls))


@classes
def test_a_pickle_has_arrays_and_no_tensors(cls, monkeypatch):
    model = fit(cls)
    stored = pickle.dumps(model)
    assert b"torch" not in stored
    monkeypatch.setitem(sys.modules, "torch", None)
    message = r"A fitted network needs the package 'torch'.*skml\[neural\]"
    with pytest.raises(ImportError, match=message):
        pickle.loads(stored)


@classes
def test_a_clone_is_not_fitted(cls):
    model = fit(cls)
    other = clone(model)
    assert other.get_params() == model.get_params()
    assert not hasattr(other, "network_")


def test_grid_search():
    grid = {"attention": ["additive", None], "learning_rate": [0.01, 0.02]}
    model = small(Seq2SeqTranslator, tokenizer="word")
    search = GridSearchCV(model, grid, cv=2, error_score="raise")
    search.fit(ENGLISH, FRENCH)
    assert 0 <= search.best_score_ <= 1
    assert search.predict(ENGLISH).shape == (20,)
