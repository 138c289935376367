"""How translators learn: vocabularies and a network, from pairs."""

from copy import deepcopy
from itertools import chain

import numpy as np

from skml._optional import import_optional
from skml._random import make_random_state
from skml.neural._codec import VOCABULARIES
from skml.neural._fitted_translator import FittedTranslator
from skml.neural._network_estimator import read_curves
from skml.neural._torch._device import (
    drawing,
    find_device,
    limit_torch_threads,
    seeded,
)
from skml.neural._torch._translation import TranslationTask
from skml.neural._translation_pairs import (
    encode_pairs,
    ratio_of,
    read_pairs,
)


def learn_translator(estimator, X, y, previous, max_iter, progress):
    """Learn from pairs, anew or from the fitted value of before, which stays as it is.

    Returns what was learned, the mean loss of a token at the end, and the pairs as ids.
    """
    fields, architecture, pairs = _read(estimator, X, y, previous)
    device = find_device(estimator.device, type(estimator).__name__)
    random_state = make_random_state(estimator.random_state)
    seed = random_state.randint(2**31 - 1)
    held_out = estimator._hold_out(len(pairs[0]), random_state)
    make_network = estimator._network_class

    def fitted(training, network):
        return FittedTranslator(network=network, **fields, **read_curves(training))

    def report(training):
        return progress.report(
            estimator._step(training, max_iter),
            lambda: fitted(training, make_network.rebuild(architecture, training.best)),
            task_name="epoch",
        )

    with limit_torch_threads(estimator.n_jobs), seeded(seed, device):
        if previous is None:
            with drawing():
                module = make_network.make(architecture)
        else:
            module = deepcopy(previous.network.module)
        names = estimator._decode_parameters
        task = TranslationTask(
            *pairs,
            held_out,
            batch_size=estimator.batch_size,
            label_smoothing=estimator.label_smoothing,
            device=device,
            decode_options={name: getattr(estimator, name) for name in names},
        )
        progress.start()
        training = estimator._train_network(
            module.to(device),
            task,
            report,
            device=device,
            seed=seed,
            max_iter=max_iter,
            fingerprint=estimator._fingerprint(chain.from_iterable(pairs)),
        )
    learned = fitted(training, make_network(architecture, module))
    return learned, training.best_loss, pairs


def _read(estimator, X, y, previous):
    """What is known before training: fields of the value, the architecture, ids."""
    caller = type(estimator).__name__
    known_kinds = previous.kinds if previous else (None, None)
    sources, targets, kinds = read_pairs(X, y, caller, known_kinds)
    if not sources:
        raise ValueError(f"{caller}: X is empty; at least one pair is needed.")
    parameters = {
        "tokenizer": estimator.tokenizer,
        "vocabulary_size": estimator.vocabulary_size,
    }
    if previous:
        vocabularies = previous.vocabularies
        architecture = _describe(estimator, vocabularies)
        _check_unchanged(architecture | parameters, previous, caller)
    else:
        vocabularies = _learn_vocabularies(estimator, (sources, targets), kinds)
        architecture = _describe(estimator, vocabularies)
    pairs = encode_pairs(sources, targets, vocabularies, estimator.max_length, caller)
    fields = {
        "source_vocabulary_": vocabularies[0],
        "target_vocabulary_": vocabularies[1],
        "vocabulary_parameters": parameters,
        "kinds": kinds,
        "max_length_ratio_": max(
            ratio_of(*pairs), previous.max_length_ratio_ if previous else 0.0
        ),
    }
    return fields, architecture, pairs


def _learn_vocabularies(estimator, both, kinds):
    """The vocabularies of sources and targets."""
    vocabularies = []
    for documents, kind in zip(both, kinds, strict=True):
        name = "tokens" if kind == "tokens" else estimator.tokenizer
        if name == "bpe":
            caller = type(estimator).__name__
            import_optional("tokenizers", extra="neural", caller=caller)
        vocabulary = VOCABULARIES[name].learn(documents, estimator.vocabulary_size)
        vocabularies.append(vocabulary)
    return vocabularies


def _describe(estimator, vocabularies):
    """The architecture of the network, as data of Python's own types."""
    n_source, n_target = map(len, vocabularies)
    sizes = {"n_source": n_source, "n_target": n_target}
    # Positions: ends have some, too, and `max_length` may be raised after `fit`.
    sizes["max_length"] = 2 * (estimator.max_length + 2)
    architecture = {}
    for name, option in estimator._network_class.options().items():
        value = sizes[name] if name in sizes else getattr(estimator, name)
        value = value.item() if isinstance(value, np.generic) else value
        architecture[name] = float(value) if type(option.default) is float else value
    return architecture


def _check_unchanged(wanted, previous, caller):
    """Refuse to continue with parameters that would change network or vocabularies."""
    expected = previous.network.architecture | previous.vocabulary_parameters
    for name, value in wanted.items():
        if value != expected[name]:
            raise ValueError(
                f"{caller}: {name} is {value!r}, and was {expected[name]!r} in the fit "
                "that this one continues. Set it back, or fit anew with "
                "warm_start=False."
            )
