"""Fits and predictions in threads: each as if it were alone."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import joblib
import numpy as np
import pytest
import torch

from skml.neural import (
    BertClassifier,
    BertPretrainer,
    BertTransformer,
    Seq2SeqTranslator,
    TransformerTranslator,
)
from skml.neural._torch._device import limit_torch_threads, placed
from tests.neural.bert.models import SENTENCES, SMALL, tiny_model
from tests.neural.cases import ENGLISH, FRENCH, small

LABELS = list("abababab")


@pytest.fixture
def _one_thread():
    """Not here: PyTorch has as many threads as it takes by itself."""


def classifier(seed=0, **parameters):
    parameters = {**SMALL, "dropout": 0.3, "random_state": seed, **parameters}
    return BertClassifier(tiny_model(), **parameters)


# What is fitted, with which seed, and what is learned.
FITS = {
    "gru": lambda seed: weights_of(
        small(Seq2SeqTranslator, random_state=seed, max_iter=4).fit(ENGLISH, FRENCH)
    ),
    "lstm": lambda seed: weights_of(
        small(Seq2SeqTranslator, cell="lstm", n_layers=2, random_state=seed).fit(
            ENGLISH, FRENCH
        )
    ),
    "transformer": lambda seed: weights_of(
        small(TransformerTranslator, random_state=seed, max_iter=4).fit(ENGLISH, FRENCH)
    ),
    "classifier": lambda seed: weights_of(classifier(seed).fit(SENTENCES, LABELS)),
    "pretrainer": lambda seed: weights_of(
        BertPretrainer(
            hidden_size=16,
            n_layers=1,
            n_heads=2,
            feed_forward_size=32,
            vocabulary_size=300,
            max_length=32,
            **{**SMALL, "random_state": seed},
        ).fit(SENTENCES)
    ),
}


def weights_of(model):
    network, *_ = getattr(model, "estimators_", None) or [model.network_]
    return [w.clone() for w in network.state_dict().values()]


def are_equal(some, others):
    return all(torch.equal(a, b) for a, b in zip(some, others, strict=True))


@pytest.mark.parametrize("kind", FITS)
def test_fits_in_threads_depend_on_their_seeds_alone(kind):
    expected = [FITS[kind](seed) for seed in (0, 1)]
    before, n_threads = torch.get_rng_state(), torch.get_num_threads()
    found = joblib.Parallel(n_jobs=4, backend="threading")(
        joblib.delayed(FITS[kind])(seed) for seed in (0, 1) * 3
    )
    assert all(are_equal(f, e) for f, e in zip(found, expected * 3, strict=True))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == n_threads
    with ThreadPoolExecutor(1) as pool:  # what a new thread begins with
        assert pool.submit(torch.get_num_threads).result() == n_threads


def state_of(network):
    return [(m.training, m.__dict__.keys()) for m in network.modules()]


def test_samples_of_dropout_do_not_disturb_predictions():
    model = classifier().fit(SENTENCES, LABELS)
    expected, before = model.predict_proba(SENTENCES), state_of(model.estimators_[0])
    sampled = model.predict_proba(SENTENCES, mc_samples=3)
    stop, found, states = Event(), [], []

    def sample():
        while not stop.is_set():
            found.append(model.predict_proba(SENTENCES, mc_samples=3))
            states.append(state_of(model.estimators_[0]))

    thread = Thread(target=sample)
    thread.start()
    try:
        for _ in range(30):
            assert np.array_equal(model.predict_proba(SENTENCES), expected)
    finally:
        stop.set()
        thread.join()
    assert len(found) > 1
    assert all(np.array_equal(sample, sampled) for sample in found)
    assert all(state == before for state in states)


def test_weights_of_attention_do_not_disturb_vectors():
    model = BertTransformer(tiny_model()).fit(SENTENCES)
    network = model.network_
    before, implementations = network.config._attn_implementation, set()

    def watch(module, *_):
        implementations.add(network.config._attn_implementation)

    handle = torch.nn.modules.module.register_module_forward_pre_hook(watch)
    try:
        model.attention_weights(SENTENCES)
    finally:
        handle.remove()
    assert implementations == {before}


def test_a_prediction_elsewhere_leaves_the_network_where_it_is():
    network = torch.nn.Linear(2, 2)
    weights = network.weight
    cpu, other = torch.device("cpu"), torch.device("meta")
    assert placed(network, cpu) is network
    copy = placed(network, other)
    assert copy.weight.device == other
    assert placed(network, other) is copy
    assert network.weight is weights
    assert weights.device == cpu


def test_threads_put_back_what_the_user_had():
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        n_threads = one.submit(torch.get_num_threads).result()
        first, second = (
            limit_torch_threads(n_threads + 1),
            limit_torch_threads(n_threads + 2),
        )
        one.submit(first.__enter__).result()
        other.submit(second.__enter__).result()
        limited = other.submit(torch.__config__.parallel_info).result()
        one.submit(first.__exit__, None, None, None).result()
        assert other.submit(torch.__config__.parallel_info).result() == limited
        found = [one.submit(torch.get_num_threads).result()]
        other.submit(second.__exit__, None, None, None).result()
        found += [pool.submit(torch.get_num_threads).result() for pool in (one, other)]
    assert found == [n_threads] * 3
