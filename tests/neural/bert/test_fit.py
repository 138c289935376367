"""How models are fine-tuned: what learns, how fast, seeds, stops, members, failures."""

import pickle
import random
import shutil
from copy import deepcopy
from functools import cache
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from safetensors.torch import load_file
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from skml.neural import BertClassifier, BertRegressor, BertTokenClassifier
from skml.neural._bert_targets import ClassTargets
from skml.neural._torch import _windows
from skml.neural._torch._loop import NetworkTraining
from skml.neural._torch._windows import WindowTask
from skml.neural.modules import Dropout
from tests.callbacks import Recording, needs_callbacks
from tests.neural.bert.cases import (
    CLASSES,
    LONG,
    NUMBERS,
    TARGETS,
    TASKS,
    are_same_weights,
    assert_same_weights,
    fit,
    outputs,
    small,
    weights_of,
    with_networks,
)
from tests.neural.bert.models import SENTENCES, tiny_model

tasks = pytest.mark.parametrize("cls", TASKS)
# What all estimators share is tested with one.
shared = pytest.mark.parametrize("cls", [BertClassifier])


class Interrupted(Exception):
    """Of a fit, by a test."""


def interrupted(cls, n_passes, member=0):
    """An estimator whose fit ends with an error, after some passes of a member."""

    class Failing(cls):
        def _report(self, training, number, *args):
            if number == member and len(training.losses) == n_passes:
                raise Interrupted
            return super()._report(training, number, *args)

    return Failing


# What learns


def changed_weights(model, n_layers=2):
    """The parts of a network that are not as they were in the folder."""
    before = load_file(Path(tiny_model(n_layers), "model.safetensors"))
    return {
        name.removeprefix("0/bert.")
        for name, w in weights_of(model).items()
        if not np.array_equal(w, before.get(name.removeprefix("0/")))
    }


PARTS = ["embeddings.", "encoder.layer.0.", "encoder.layer.1.", "pooler.", "0/classi"]


@pytest.mark.parametrize(
    ("freeze", "n_frozen"),
    [("none", 0), ("embeddings", 1), (0, 1), (1, 2), (np.int64(2), 3), ("all", 4)],
)
def test_what_is_frozen_keeps_its_weights_and_all_else_learns(freeze, n_frozen):
    model = fit(model=tiny_model(2), freeze=freeze)
    changed, names = changed_weights(model), weights_of(model)
    names = {name.removeprefix("0/bert.") for name in names}
    expected = {name for name in names if name.startswith(tuple(PARTS[n_frozen:]))}
    assert changed == expected


def test_more_layers_than_there_are_cannot_be_frozen():
    message = r"BertClassifier: freeze=2, and the model has 1 layers"
    with pytest.raises(ValueError, match=message):
        fit(freeze=2)


def first_steps(**parameters):
    """By how much of the rate the parts of a network move in a step, at most."""
    model = tiny_model(2)
    options = {"max_iter": 1, "batch_size": 8, "warmup_steps": 0, "weight_decay": 0.0}
    options |= {"lr_schedule": "constant", "learning_rate": 1e-3, "dropout": 0.0}
    after = weights_of(fit(model=model, **options, **parameters))
    rate = {"learning_rate": 1e-30, "head_learning_rate": None}
    before = weights_of(fit(model=model, **{**options, **parameters, **rate}))
    moved = {name: np.abs(w - before[name]).max() / 1e-3 for name, w in after.items()}
    return [
        max(m for n, m in moved.items() if part in n)
        for part in [*PARTS[:-1], "classifier"]
    ]


def test_shares_of_the_learning_rate():
    # The first step of Adam is as long as the rate, whatever the gradient is.
    assert_allclose(first_steps(), [1, 1, 1, 1, 1], rtol=0.01)
    found = first_steps(layer_decay=0.5)
    assert_allclose(found, [0.125, 0.25, 0.5, 1, 1], rtol=0.01)
    found = first_steps(head_learning_rate=5e-3)
    assert_allclose(found, [1, 1, 1, 1, 5], rtol=0.01)
    found = first_steps(head_learning_rate=1e-4, layer_decay=0.1, freeze=1)
    assert_allclose(found, [0, 0, 0.1, 1, 0.1], rtol=0.01)


def test_biases_and_norms_do_not_decay():
    options = {"learning_rate": 0.1, "lr_schedule": "constant", "warmup_steps": 0}
    options |= {"max_iter": 1, "batch_size": 8, "max_grad_norm": 1e-30, "dropout": 0.0}
    plain, decayed = (weights_of(fit(weight_decay=d, **options)) for d in (0.0, 0.5))
    for name, w in plain.items():
        factor = 0.95 if w.ndim > 1 else 1.0
        assert_allclose(decayed[name], factor * w, rtol=1e-4, atol=1e-5)


def test_without_dropout_there_is_none():
    model = fit(dropout=0)
    config = model.estimators_[0].config
    assert config.hidden_dropout_prob == config.attention_probs_dropout_prob == 0.0
    assert config.classifier_dropout == 0.0
    assert_allclose(model.predict_proba(SENTENCES, mc_samples=1), outputs(model))
    assert fit().estimators_[0].config.hidden_dropout_prob == 0.1
    # What is learned is drawn from nothing but the head and the order.
    shuffled = fit(dropout=0.5)
    assert shuffled.estimators_[0].config.hidden_dropout_prob == 0.5
    assert not np.array_equal(shuffled.loss_curve_, model.loss_curve_)


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ({"warmup_steps": 0}, {"warmup_steps": 0.0}, True),
        ({"warmup_steps": 2}, {"warmup_steps": 0.5}, True),
        ({"warmup_steps": 3}, {"warmup_steps": np.float64(0.5)}, True),  # half at most
        ({"warmup_steps": 0}, {"warmup_steps": 0.1}, True),  # of four steps
        (
            {"warmup_steps": 0},
            {"warmup_steps": 0.25},
            True,
        ),  # the first step has the whole rate
        ({"warmup_steps": 0}, {"warmup_steps": 2}, False),
        ({"warmup_steps": 2}, {"warmup_steps": 100}, True),
    ],
)
def test_the_warm_up_is_a_number_or_a_share_of_steps(one, other, are_same):
    # Two batches in each of two passes.
    assert are_same_weights(fit(**one), fit(**other)) == are_same


@pytest.mark.parametrize(
    "options",
    [
        {"lr_schedule": "constant"},
        {"lr_schedule": "cosine"},
        {"lr_schedule": "inverse-sqrt"},
        {"learning_rate": 0.001},
        {"head_learning_rate": 0.001},
        {"layer_decay": 0.5},
        {"weight_decay": 5.0},
        {"max_grad_norm": 1e-6},
        {"warmup_steps": 0.9},
        {"dropout": 0.5},
        {"batch_size": 3},
        {"max_length": 8},
        {"freeze": "all"},
        {"n_averaged_checkpoints": 2},
        {"max_iter": 1},
        {"early_stopping": True},
        {"random_state": 1},
    ],
    ids=repr,
)
@pytest.mark.filterwarnings("ignore:.*have more tokens than max_length")
def test_each_parameter_matters(options):
    assert not np.allclose(outputs(fit(**options)), plain_outputs(), atol=1e-6)


@cache
def plain_outputs():
    return outputs(fit())


@tasks
def test_large_batches_are_computed_in_parts(cls, monkeypatch):
    options = {"dropout": 0.0, "early_stopping": True, "validation_fraction": 0.5}
    whole, seen = fit(cls, **options), []
    monkeypatch.setattr(_windows, "MOST_TOKENS", 30)
    make_inputs = _windows.make_inputs

    def spy(*args):
        seen.append(make_inputs(*args))
        return seen[-1]

    monkeypatch.setattr(_windows, "make_inputs", spy)
    parts = fit(cls, **options)
    assert len(seen) > 8
    assert all(len(i["input_ids"]) == 1 or i["input_ids"].numel() <= 30 for i in seen)
    assert_allclose(parts.loss_curve_, whole.loss_curve_, rtol=1e-4)
    assert_allclose(
        parts.validation_loss_curve_, whole.validation_loss_curve_, rtol=1e-4
    )


# Weights of samples


@tasks
def test_a_sample_of_no_weight_is_left_out(cls):
    weights = np.array([1.0, 0, 2, 1, 0.5, 0, 1, 1])
    kept = weights > 0
    y = TARGETS[cls].copy()
    one = fit(cls, sample_weight=weights, early_stopping=True)
    X = [text for text, keeps in zip(SENTENCES, kept, strict=True) if keeps]
    other = fit(cls, X, y[kept], sample_weight=weights[kept], early_stopping=True)
    assert_same_weights(one, other)
    assert_array_equal(one.loss_curve_, other.loss_curve_)
    assert_array_equal(one.validation_loss_curve_, other.validation_loss_curve_)


@pytest.mark.parametrize("factor", [2.0**-70, 1e300])
@tasks
def test_the_scale_of_weights_is_no_matter(cls, factor):
    weights = np.array([1.0, 4, 2, 1, 0.5, 0, 1, 1])
    one, other = (fit(cls, sample_weight=w) for w in (weights, weights * factor))
    if factor == 2.0**-70:
        assert_same_weights(one, other)
    assert_allclose(one.loss_curve_, other.loss_curve_, rtol=1e-4)
    assert_allclose(outputs(one), outputs(other), rtol=0.05, atol=0.01)


@shared
def test_equal_weights_are_none(cls):
    expected = fit(cls)
    assert_same_weights(fit(cls, sample_weight=np.full(8, 0.25)), expected)
    assert_same_weights(fit(cls, sample_weight=7), expected)


@tasks
def test_twice_the_weight_is_twice_the_sample(cls):
    options = {"batch_size": 100, "dropout": 0.0, "max_iter": 1}
    weights = np.array([1, 2, 1, 1, 3, 1, 1, 1])
    X, y = np.repeat(SENTENCES, weights), np.repeat(TARGETS[cls], weights)
    one, other = fit(cls, sample_weight=weights, **options), fit(cls, X, y, **options)
    assert_allclose(one.loss_curve_, other.loss_curve_, rtol=1e-5)
    assert_allclose(outputs(one), outputs(other), rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.zeros(8), r"non-zero number|all weights in sample_weight are zero"),
        (np.ones(7), r"sample_weight\.shape == \(7,\)"),
        (-np.ones(8), r"Negative values"),
        (np.full(8, np.nan), r"NaN"),
        (np.full(8, np.inf), r"infinity"),
    ],
)
@shared
def test_bad_weights_are_refused(cls, weights, message):
    with pytest.raises(ValueError, match=message):
        fit(cls, sample_weight=weights)


# Seeds


@shared
def test_the_same_seed_gives_the_same_weights(cls):
    options = {"early_stopping": True, "n_estimators": 2}
    one, other = (fit(cls, **options) for _ in range(2))
    assert_same_weights(one, other)
    assert_array_equal(one.loss_curve_, other.loss_curve_)
    assert_same_weights(one.fit(SENTENCES, TARGETS[cls]), other)
    assert not are_same_weights(one, fit(cls, **{**options, "random_state": 1}))


def test_without_a_seed_fits_differ():
    np.random.seed(0)  # noqa: NPY002
    one = fit(random_state=None)
    np.random.seed(0)  # noqa: NPY002
    assert not are_same_weights(one, fit(random_state=None))


def test_a_random_state_moves_on():
    random_state = np.random.RandomState(0)
    one = fit(random_state=random_state)
    assert not are_same_weights(one, fit(random_state=random_state))
    assert_same_weights(one, fit(random_state=np.random.RandomState(0)))


@pytest.fixture
def still():
    """Global generators and threads, which are not to be moved."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(2)

    def look():
        states = np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002
        return *states, torch.get_rng_state().tolist()

    before = look()
    yield
    found = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    assert found == 2
    assert look() == before


@shared
def test_generators_and_threads_are_left_alone(cls, request, tmp_path):
    frozen = fit(cls)
    request.getfixturevalue("still")
    model = small(cls, n_jobs=1, random_state=None, early_stopping=True, n_estimators=2)
    model.set_params(model=frozen).fit(SENTENCES, TARGETS[cls])
    model.predict(SENTENCES)
    method = model.predict if cls is BertRegressor else model.predict_proba
    method(SENTENCES, mc_samples=2)
    pickle.loads(pickle.dumps(model))
    model.save(tmp_path / "model")
    cls.load(tmp_path / "model")
    with pytest.raises(Interrupted):
        interrupted(cls, 1)(**model.get_params(deep=False)).fit(SENTENCES, TARGETS[cls])
    with pytest.raises(AttributeError):
        with_networks(model, [None]).predict(SENTENCES)


def test_n_jobs_is_the_number_of_threads(monkeypatch):
    seen = []
    monkeypatch.setattr(torch, "set_num_threads", seen.append)
    model = fit(n_jobs=2)
    assert 2 in seen
    seen.clear()
    model.set_params(n_jobs=None).predict(SENTENCES)
    assert seen[0] == 1


# When it stops


def test_early_stopping_keeps_the_best_weights():
    # Labels of noise, and high rates: it soon gets worse.
    options = {"early_stopping": True, "validation_fraction": 0.5, "dropout": 0.0}
    options |= {"lr_schedule": "constant", "learning_rate": 0.02, "warmup_steps": 0}
    model = fit(**options, max_iter=50, n_iter_no_change=3)
    losses = model.validation_loss_curve_
    best = int(np.argmin(losses))
    assert model.n_iter_ == len(losses) == len(model.loss_curve_) == best + 4 < 50
    assert_same_weights(model, fit(**options, max_iter=best + 1, n_iter_no_change=50))
    one = fit(**options, max_iter=50, tol=100.0)
    assert one.n_iter_ == 2


@shared
def test_held_out_texts_are_not_learned_from(cls, monkeypatch):
    seen, make_batch = [], WindowTask.make_batch

    def spy(self, rows):
        seen.append(sorted(self.windows.documents[rows].tolist()))
        return make_batch(self, rows)

    monkeypatch.setattr(WindowTask, "make_batch", spy)
    options = {"long_text": "window", "max_length": 16, "max_iter": 3, "batch_size": 99}
    fit(cls, early_stopping=True, validation_fraction=0.25, tol=0.0, **options)
    held_out, *passes = seen
    assert len(set(held_out)) == 2 < len(held_out)
    assert len(passes) >= 2
    for rows in passes:
        assert set(rows) | set(held_out) == set(range(8))
        assert not set(rows) & set(held_out)


@tasks
def test_the_held_out_loss_is_that_of_predictions(cls):
    model = fit(cls, early_stopping=True, validation_fraction=0.01, max_iter=1)
    if cls is BertClassifier:
        codes = (CLASSES == "zoo").astype(int)
        losses = -model.predict_log_proba(SENTENCES)[range(8), codes]
    else:
        losses = ((model.predict(SENTENCES) - NUMBERS) / NUMBERS.std()) ** 2
    (found,) = model.validation_loss_curve_
    assert np.abs(losses - found).min() < 1e-5


@tasks
def test_a_single_text(cls):
    if cls is BertClassifier:
        with pytest.raises(ValueError, match="y has one class, 'zoo'"):
            fit(cls, SENTENCES[:1], CLASSES[:1])
    else:
        with pytest.warns(UserWarning, match="early_stopping has no effect"):
            model = fit(cls, SENTENCES[:1], NUMBERS[:1], early_stopping=True)
        assert len(model.validation_loss_curve_) == 0
        assert model.predict(SENTENCES[:1]).shape == (1,)


def test_time_stops():
    model = fit(max_train_time=1e-9, max_iter=1000)
    assert model.n_iter_ == 1
    assert model.predict(SENTENCES).shape == (8,)


def test_averaged_weights():
    options = {"lr_schedule": "constant", "warmup_steps": 0}
    plain, averaged = (
        fit(max_iter=3, n_averaged_checkpoints=n, **options) for n in (1, 2)
    )
    plain, before = weights_of(plain), weights_of(fit(max_iter=2, **options))
    for name, found in weights_of(averaged).items():
        assert_allclose(found, (plain[name] + before[name]) / 2, atol=1e-6)


def test_divergence(monkeypatch):
    options = {"learning_rate": 1e30, "warmup_steps": 0, "lr_schedule": "constant"}
    with pytest.raises(ValueError, match=r"BertClassifier.*epoch 1 is not finite.*1e"):
        fit(**options)
    # One step in each pass; what it does to the loss of the next.
    held = {"early_stopping": True, "n_iter_no_change": 9, "batch_size": 8}

    losses, objective = [], ClassTargets.objective

    def diverge(self, *args):
        loss, n = objective(self, *args)
        losses.append(loss)
        return (loss * np.inf if len(losses) > 4 else loss), n

    monkeypatch.setattr(ClassTargets, "objective", diverge)
    model = small(**held, max_iter=9)
    with pytest.warns(ConvergenceWarning, match=r"epoch 3 is not finite.*best weights"):
        model.fit(SENTENCES, CLASSES)
    assert model.n_iter_ == 2
    assert np.isfinite(outputs(model)).all()


# Members


@tasks
def test_members_have_other_seeds_and_their_mean_is_said(cls):
    model = fit(cls, n_estimators=3)
    assert len(model.estimators_) == 3
    ones = []
    for network in model.estimators_:
        ones.append(outputs(with_networks(model, [network])))
    assert np.ptp(ones, axis=0).min() > 0
    assert_allclose(outputs(model), np.mean(ones, axis=0), rtol=1e-6)
    single = fit(cls)
    assert_array_equal(model.loss_curve_, single.loss_curve_)
    assert model.n_iter_ == single.n_iter_
    assert_same_weights(with_networks(model, model.estimators_[:1]), single)


@tasks
def test_monte_carlo_samples(cls):
    model = fit(cls, n_estimators=2, dropout=0.3)
    method = model.predict if cls is BertRegressor else model.predict_proba
    plain = method(SENTENCES)
    one, other = (method(SENTENCES, mc_samples=2) for _ in range(2))
    assert_array_equal(one, other)
    assert one.dtype == plain.dtype
    assert not np.allclose(one, plain)
    assert not any(
        module.training for network in model.estimators_ for module in network.modules()
    )
    assert_array_equal(method(SENTENCES), plain)
    # The error of a mean falls with the root of their number: here by four.
    X, many, errors = SENTENCES[:3], method(SENTENCES[:3], mc_samples=100), []
    for n_samples in (2, 32):
        found = [
            model.set_params(random_state=seed) and method(X, mc_samples=n_samples)
            for seed in (1, 2, 3)
        ]
        errors.append(np.sqrt(np.mean((np.array(found) - many) ** 2)))
    assert 1.6 < errors[0] / errors[1] < 10
    assert method([], mc_samples=2).shape[0] == 0


@pytest.mark.parametrize("mc_samples", [0, -1, 1.0, True, "3"])
@shared
def test_bad_numbers_of_samples(cls, mc_samples):
    model = fit(cls, max_iter=1)
    method = model.predict if cls is BertRegressor else model.predict_proba
    with pytest.raises(ValueError, match=rf"mc_samples={mc_samples!r}; expected None"):
        method(SENTENCES, mc_samples=mc_samples)
    assert_array_equal(
        method(SENTENCES, mc_samples=np.int64(1)).shape, method(SENTENCES).shape
    )


@pytest.mark.parametrize("part", ["attention.self", "attention.output", "embeddings"])
def test_samples_drop_out_everywhere(part):
    model = fit(max_iter=1, dropout=0.3)
    for name, module in model.estimators_[0].named_modules():
        if isinstance(module, Dropout) and part not in name:
            module.p = 0.0
    found = model.predict_proba(SENTENCES, mc_samples=1)
    assert np.abs(found - model.predict_proba(SENTENCES)).max() > 1e-3


def test_samples_that_fail_leave_networks_as_they_were(monkeypatch):
    model = fit(max_iter=1)

    def fail(*args, **kwargs):
        raise Interrupted

    monkeypatch.setattr(type(model.estimators_[0]), "forward", fail)
    with pytest.raises(Interrupted):
        model.predict_proba(SENTENCES, mc_samples=2)
    assert not any(module.training for module in model.estimators_[0].modules())


# Checkpoints


@pytest.mark.parametrize(
    ("n_estimators", "member", "n_passes"), [(1, 0, 2), (2, 0, 1), (2, 1, 2)]
)
@shared
def test_resumed_is_run_through(cls, n_estimators, member, n_passes, tmp_path):
    options = {"max_iter": 3, "n_averaged_checkpoints": 2, "early_stopping": True}
    options |= {
        "n_iter_no_change": 5,
        "n_estimators": n_estimators,
        "freeze": "embeddings",
    }
    through = fit(cls, **options)
    model = small(cls, checkpoint=tmp_path / "state", **options)
    with pytest.raises(Interrupted):
        interrupted(cls, n_passes, member)(**model.get_params()).fit(
            SENTENCES, TARGETS[cls]
        )
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"state", "state-1"} if member else {"state"}
    model.fit(SENTENCES, TARGETS[cls])
    assert_same_weights(model, through)
    assert_array_equal(model.loss_curve_, through.loss_curve_)
    assert_array_equal(model.validation_loss_curve_, through.validation_loss_curve_)
    if member:  # all is done: nothing more is learned
        assert_same_weights(model.fit(SENTENCES, TARGETS[cls]), through)


@pytest.mark.parametrize(
    "change", ["texts", "targets", "weights", "model", "parameter", "seed", "windows"]
)
@shared
def test_a_checkpoint_of_something_else_is_refused(cls, change, tmp_path):
    X, y, weights = list(SENTENCES), TARGETS[cls].copy(), np.ones(8)
    model = small(cls, checkpoint=str(tmp_path / "state"), max_iter=1)
    folder = shutil.copytree(tiny_model(n_layers=1), tmp_path / "model")
    model.set_params(model=folder).fit(X, y, weights)
    if change == "texts":
        X[3] = "another text"
    elif change == "targets":
        y[0], y[3] = y[3], y[0]
    elif change == "weights":
        weights[3] = 0.5
    elif change == "model":
        shutil.copy(Path(tiny_model(1, seed=1), "model.safetensors"), folder)
    else:
        changed = {"seed": {"random_state": 1}, "parameter": {"max_iter": 2}}
        changed["windows"] = {"max_length": 9, "long_text": "window"}
        model.set_params(**changed[change])
    message = rf"{cls.__name__}: the checkpoint .*state' is of a fit with other data"
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, weights)


def test_a_checkpoint_needs_a_seed_and_a_place(tmp_path):
    message = r"BertClassifier: to continue from a checkpoint.*got random_state=None"
    with pytest.raises(ValueError, match=message):
        fit(checkpoint=tmp_path / "state", random_state=None)
    message = r"BertClassifier: there is no folder '.*none' to write the checkpoint"
    with pytest.raises(ValueError, match=message):
        fit(checkpoint=tmp_path / "none" / "state")


def test_a_damaged_checkpoint_is_refused(tmp_path):
    path = tmp_path / "state"
    model = fit(checkpoint=path, max_iter=1)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(
        ValueError, match=r"BertClassifier: the checkpoint .* cannot be"
    ):
        model.fit(SENTENCES, CLASSES)


# Progress


def look(model, X, y):
    return model.n_iter_, len(model.estimators_), outputs(model, X)


@needs_callbacks
@tasks
def test_callbacks_see_each_pass_and_what_it_says(cls):
    recording = Recording("epoch", look)
    options = {
        "max_iter": 2,
        "n_estimators": 2,
        "lr_schedule": "constant",
        "warmup_steps": 0,
    }
    model = small(cls, **options).set_callbacks(recording)
    model.fit(SENTENCES, TARGETS[cls])
    assert recording.max_subtasks == 4
    assert recording.tasks == ["epoch"] * 4 + ["fit"]
    assert recording.is_done
    assert [seen[:2] for seen in recording.seen] == [(1, 1), (2, 1), (2, 2), (2, 2)]
    plain = fit(cls, **options)
    assert_same_weights(model, plain)
    assert_array_equal(recording.seen[-1][2], outputs(plain))
    for n_iter in (1, 2):
        single = fit(cls, **{**options, "max_iter": n_iter, "n_estimators": 1})
        assert_array_equal(recording.seen[n_iter - 1][2], outputs(single))


@needs_callbacks
@pytest.mark.parametrize(
    ("stop_after", "n_iter", "n_estimators"), [(1, 1, 1), (4, 3, 2)]
)
@shared
def test_callbacks_stop_the_fit(cls, stop_after, n_iter, n_estimators):
    recording = Recording("epoch", look, stop_after)
    model = small(cls, max_iter=3, n_estimators=3).set_callbacks(recording)
    model.fit(SENTENCES, TARGETS[cls])
    assert recording.tasks == ["epoch"] * stop_after + ["fit"]
    assert model.n_iter_ == len(model.loss_curve_) == n_iter
    assert len(model.estimators_) == n_estimators
    assert_array_equal(recording.seen[-1][2], outputs(model))


@needs_callbacks
def test_callbacks_are_told_of_a_failure():
    recording = Recording("epoch", look)
    with pytest.raises(ValueError, match="X has 8"):
        small().set_callbacks(recording).fit(SENTENCES, CLASSES[1:])
    assert recording.is_done


@shared
def test_verbose(cls, capsys):
    model = fit(cls, verbose=1, early_stopping=True, n_iter_no_change=9)
    lines = capsys.readouterr().out.splitlines()[-2:]
    for i, line in enumerate(lines):
        assert line.startswith(
            f"[{cls.__name__}] epoch {i + 1}/2: loss {model.loss_curve_[i]:.4f}, "
            f"validation loss {model.validation_loss_curve_[i]:.4f}, "
        )
    model = fit(cls, verbose=1, max_iter=1, n_estimators=2)
    first, second = capsys.readouterr().out.splitlines()[-2:]
    line = f"estimator 1/2, epoch 1/1: loss {model.loss_curve_[0]:.4f}, "
    assert first.startswith(f"[{cls.__name__}] {line}")
    assert second.startswith(f"[{cls.__name__}] estimator 2/2, epoch 1/1: loss ")
    fit(cls)
    assert capsys.readouterr() == ("", "")


# What fails leaves what was


@shared
def test_a_refit_that_fails_leaves_the_old_model(cls):
    model = interrupted(cls, 2, member=1)(**small(cls, n_estimators=2).get_params())
    model.set_params(max_iter=1).fit(SENTENCES, TARGETS[cls])
    before, expected = deepcopy(vars(model)), outputs(model)
    with pytest.raises(ValueError, match="X has 8"):
        model.fit(SENTENCES, TARGETS[cls][1:])
    with pytest.raises(ValueError, match="missing"):
        model.fit([*SENTENCES[:-1], None], TARGETS[cls])
    with pytest.raises(ValueError, match="there is no folder"):
        model.set_params(model="no/such/folder").fit(SENTENCES, TARGETS[cls])
    model.set_params(model=tiny_model(n_layers=1), max_iter=2)
    pairs = [("the cat", text) for text in SENTENCES]
    with pytest.raises(Interrupted):
        model.fit(pairs, TARGETS[cls][::-1])
    assert vars(model).keys() == before.keys()
    assert_array_equal(outputs(model), expected)


@shared
def test_a_fit_changes_neither_parameters_nor_data(cls):
    model = small(cls, model=fit(cls), n_estimators=2)
    before = deepcopy(weights_of(model.model)), model.get_params()
    X, y, weights = list(SENTENCES), TARGETS[cls].copy(), np.arange(8.0)
    model.fit(X, y, weights)
    assert X == SENTENCES
    assert_array_equal(y, TARGETS[cls])
    assert_array_equal(weights, np.arange(8.0))
    assert model.get_params() == before[1]
    for name, w in weights_of(model.model).items():
        assert_array_equal(w, before[0][name])


# Copies, and searches


def pickled(model, folder):
    return pickle.loads(pickle.dumps(model))


def dumped(model, folder):
    joblib.dump(model, folder / "model.joblib")
    return joblib.load(folder / "model.joblib")


def mapped(model, folder):
    joblib.dump(model, folder / "model.joblib")
    return joblib.load(folder / "model.joblib", mmap_mode="r")


def copied(model, folder):
    return deepcopy(model)


@pytest.mark.parametrize("again", [pickled, dumped, mapped, copied])
@shared
def test_a_copy_is_equal(cls, again, tmp_path):
    model = fit(cls, n_estimators=2, dropout=0.2, max_iter=1)
    model.set_params(dropout=0.4, n_estimators=1)  # for the next fit
    other = again(model, tmp_path)
    assert_same_weights(model, other)
    assert_array_equal(outputs(model), outputs(other))
    assert other.get_params() == model.get_params()
    method = "predict" if cls is BertRegressor else "predict_proba"
    samples = [getattr(m, method)(SENTENCES, mc_samples=2) for m in (model, other)]
    assert_array_equal(*samples)
    for name in ("n_iter_", "loss_curve_", "newly_initialized_"):
        assert_array_equal(getattr(other, name), getattr(model, name))
    # They are apart.
    with torch.no_grad():
        other.estimators_[0].classifier.bias += 1
    assert not are_same_weights(model, other)
    assert_same_weights(
        model.fit(SENTENCES, TARGETS[cls]), other.fit(SENTENCES, TARGETS[cls])
    )


@shared
def test_a_pickle_has_arrays_and_no_tensors(cls):
    assert b"torch" not in pickle.dumps(fit(cls, max_iter=1))


@shared
def test_a_clone_is_not_fitted(cls):
    model = fit(cls, max_iter=1)
    other = clone(model)
    assert other.get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        other.predict(SENTENCES)


# Parameters


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"model": 3}, "model"),
        ({"max_length": 7}, "max_length"),
        ({"long_text": "head"}, "long_text"),
        ({"window_overlap": -1}, "window_overlap"),
        ({"freeze": "some"}, "freeze"),
        ({"freeze": -1}, "freeze"),
        ({"dropout": 1.0}, "dropout"),
        ({"batch_size": 0}, "batch_size"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"head_learning_rate": 0.0}, "head_learning_rate"),
        ({"layer_decay": 0.0}, "layer_decay"),
        ({"layer_decay": 1.5}, "layer_decay"),
        ({"lr_schedule": "step"}, "lr_schedule"),
        ({"warmup_steps": -1}, "warmup_steps"),
        ({"warmup_steps": 1.0}, "warmup_steps"),
        ({"weight_decay": -1.0}, "weight_decay"),
        ({"max_grad_norm": 0.0}, "max_grad_norm"),
        ({"max_iter": 0}, "max_iter"),
        ({"max_train_time": 0}, "max_train_time"),
        ({"early_stopping": "never"}, "early_stopping"),
        ({"validation_fraction": 1.0}, "validation_fraction"),
        ({"n_averaged_checkpoints": 0}, "n_averaged_checkpoints"),
        ({"n_estimators": 0}, "n_estimators"),
        ({"n_estimators": 1000}, "n_estimators"),
        ({"precision": "float16"}, "precision"),
        ({"device": None}, "device"),
    ],
    ids=repr,
)
@shared
def test_bad_parameters_are_refused(cls, parameters, name):
    with pytest.raises(ValueError, match=rf"'{name}' parameter of {cls.__name__}"):
        fit(cls, **parameters)


@shared
def test_lengths_that_do_not_fit(cls):
    message = rf"{cls.__name__}: max_length=65, and the model takes 64 tokens at most"
    with pytest.raises(ValueError, match=message):
        fit(cls, max_length=65)
    fit(cls, max_length=64, max_iter=1)
    options = {"long_text": "window", "max_length": 21, "max_iter": 1}
    message = rf"{cls.__name__}: window_overlap=11 is more than half of the 21 tokens"
    with pytest.raises(ValueError, match=message):
        fit(cls, window_overlap=11, **options)
    model = fit(cls, window_overlap=10, **options)
    assert len(model.predict([LONG])) == 1
    with pytest.raises(ValueError, match=message):
        model.set_params(window_overlap=11).predict([LONG])


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@shared
def test_a_device_that_is_not_there(cls):
    message = rf"{cls.__name__}: device='cuda' cannot be used here: .*device='auto'"
    with pytest.raises(ValueError, match=message):
        fit(cls, device="cuda")
    model = fit(cls, max_iter=1)
    with pytest.raises(ValueError, match=message):
        model.set_params(device="cuda").predict(SENTENCES)


@tasks
def test_half_precision_is_close(cls):
    curves = [
        fit(cls, precision=precision, dropout=0.0).loss_curve_
        for precision in ("float32", "bfloat16")
    ]
    assert not np.array_equal(*curves)
    assert_allclose(*curves, rtol=0.1)


def test_steps_are_planned(monkeypatch):
    # Two batches in each of two passes: the rate is over at the end.
    rates, step = [], NetworkTraining._step

    def spy(self, batch):
        found = step(self, batch)
        rates.append({group["lr"] for group in self.optimizer.param_groups})
        return found

    monkeypatch.setattr(NetworkTraining, "_step", spy)
    fit(
        max_iter=2, warmup_steps=0, layer_decay=0.5, head_learning_rate=0.1, dropout=0.0
    )
    expected = [
        {share * progress for share in (0.1, 0.005, 0.0025, 0.00125)}
        for progress in (1, 0.75, 0.5, 0.25)
    ]
    assert len(rates) == 4
    for found, wanted in zip(rates, expected, strict=True):
        assert_allclose(sorted(found), sorted(wanted))


# Texts held out


def rows_held_out(monkeypatch, model, X, y):
    """Which documents a fit holds out."""
    seen = []

    class Spy(WindowTask):
        def __init__(self, windows, targets, weights, held_out, **options):
            seen.append(held_out)
            super().__init__(windows, targets, weights, held_out, **options)

    monkeypatch.setattr(_windows, "WindowTask", Spy)
    model.set_params(early_stopping=True, max_iter=1).fit(X, y)
    return seen[0]


@pytest.mark.parametrize("seed", range(5))
def test_classes_are_held_out_in_proportion(seed, monkeypatch):
    y = np.array(["a"] * 24 + ["b"] * 12 + ["c"] * 4 + ["d"])
    X = [f"cat {number}" for number in range(len(y))]
    model = small(random_state=seed, validation_fraction=0.25)
    rows = rows_held_out(monkeypatch, model, X, y)
    assert len(rows) == 10
    counts = dict(zip(*np.unique(y[rows], return_counts=True), strict=True))
    assert abs(counts["a"] - 6) <= 1
    assert abs(counts["b"] - 3) <= 1
    assert counts.get("c", 0) <= 2
    assert set(y) == set(np.delete(y, rows))


@pytest.mark.parametrize("seed", range(5))
def test_no_label_and_no_tag_is_held_out_as_a_whole(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    labels = (rng.random((12, 6)) < 0.2).astype(int)
    labels[rng.integers(12, size=6), range(6)] = 1
    X = [f"cat {number}" for number in range(12)]
    options = {"random_state": seed, "validation_fraction": 0.5}
    rows = rows_held_out(monkeypatch, small(**options), X, labels)
    assert np.delete(labels, rows, axis=0).any(axis=0).all()
    tags = [
        ["O" if label == 0 else f"B-{i}" for i, label in enumerate(r)] for r in labels
    ]
    words = [list("abcdef")] * 12
    rows = rows_held_out(
        monkeypatch, small(BertTokenClassifier, **options), words, tags
    )
    left = {tag for row in np.delete(np.arange(12), rows) for tag in tags[row]}
    assert left == {tag for row in tags for tag in row}


def test_where_no_text_can_be_held_out_it_is_said():
    with pytest.warns(UserWarning, match="early_stopping has no effect"):
        fit(X=SENTENCES[:2], y=["a", "b"], early_stopping=True)


# Nothing learned


@pytest.mark.parametrize("n_passes", [1, 2])
@pytest.mark.parametrize(
    ("cls", "X", "y"),
    [
        (BertClassifier, SENTENCES[::-1], ["zoo", "lab"] * 4),
        (BertClassifier, SENTENCES, np.eye(8, 3, dtype=int)),
        (BertRegressor, SENTENCES, NUMBERS),
        (BertTokenClassifier, [["a", "cat"]] * 8, [["A", "B"], ["B", "A"]] * 4),
    ],
    ids=["classes", "labels", "numbers", "tags"],
)
@pytest.mark.filterwarnings("error:.*nothing useful")
def test_a_loss_of_chance_is_said_once(cls, X, y, n_passes):
    n_estimators = n_passes  # one of two tells, too
    model = small(cls, learning_rate=1e-7, max_iter=n_passes, n_estimators=n_estimators)
    message = f"the loss after epoch {n_passes} is .*learning_rate=1e-07"
    with pytest.warns(UserWarning, match=message) as caught:
        model.fit(X, y)
    assert len(caught) == 1
    if n_passes > 1:
        return
    if cls is BertRegressor:  # a constant is no more than chance, and all there is
        model.set_params(n_estimators=1).fit(X, np.ones(len(X)))
    if cls is not BertTokenClassifier:  # which has nothing to learn
        model.set_params(learning_rate=0.01, max_iter=20, dropout=0.0).fit(X, y)
