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
    entropy_of,
    ratio_of,
    read_pairs,
)


def learn_translator(estimator, X, y, previous, max_iter, progress):
    """Learn from pairs, anew or from what was learned before.

    Parameters
    ----------
    estimator : BaseTranslator
        Has the parameters; it is not changed.
    X, y : iterable of str, or iterable of list of str
        The sources and the targets.
    previous : FittedTranslator or None
        What was learned before; it is not changed.
    max_iter : int
        The number of epochs.
    progress : Progress
        Reports each epoch.

    Returns
    -------
    fitted : FittedTranslator
        What was learned.
    loss : float
        The mean loss of a token at the end.
    entropy : float
        That of the frequencies of target tokens alone.
    """
    caller = type(estimator).__name__
    sources, targets, kinds = read_pairs(X, y, caller, previous and previous.kinds)
    fields = _learn_vocabularies(estimator, sources, targets, kinds, previous)
    vocabularies = fields["source_vocabulary_"], fields["target_vocabulary_"]
    architecture = _describe(estimator, vocabularies)
    if previous is not None:
        _check_unchanged(
            architecture, fields["vocabulary_parameters"], previous, caller
        )
    pairs = encode_pairs(sources, targets, vocabularies, estimator.max_length, caller)
    ratio = max(ratio_of(*pairs), previous.max_length_ratio_ if previous else 0.0)
    fields |= {"kinds": kinds, "max_length_ratio_": ratio}
    device = find_device(estimator.device, caller)
    random_state = make_random_state(estimator.random_state)
    seed = random_state.randint(2**31 - 1)
    held_out = estimator._hold_out(len(pairs[0]), random_state)
    make_network = estimator._network_class

    def report(training):
        def fitted():
            network = make_network.rebuild(architecture, training.best)
            return FittedTranslator(network=network, **fields, **read_curves(training))

        line = estimator._line(training, max_iter)
        return progress.report(line, fitted, task_name="epoch")

    with limit_torch_threads(estimator.n_jobs), seeded(seed, device):
        if previous is None:
            with drawing():
                module = make_network.make(architecture)
        else:
            module = deepcopy(previous.network.module)
        training = estimator._train_network(
            module.to(device),
            _make_task(estimator, pairs, held_out, device),
            report,
            device=device,
            seed=seed,
            max_iter=max_iter,
            fingerprint=estimator._fingerprint(chain.from_iterable(pairs)),
        )
    network = make_network(architecture, module)
    fitted = FittedTranslator(network=network, **fields, **read_curves(training))
    return fitted, training.best_loss, entropy_of(pairs[1])


def _make_task(estimator, pairs, held_out, device):
    return TranslationTask(
        *pairs,
        held_out,
        batch_size=estimator.batch_size,
        label_smoothing=estimator.label_smoothing,
        device=device,
        decode_options=estimator._decode_options(),
    )


def _learn_vocabularies(estimator, sources, targets, kinds, previous):
    """The vocabularies, new or as before, and of which parameters they are."""
    parameters = {
        "tokenizer": estimator.tokenizer,
        "vocabulary_size": estimator.vocabulary_size,
    }
    if previous is not None:
        vocabularies = previous.vocabularies
    else:
        vocabularies = []
        for documents, kind in zip((sources, targets), kinds, strict=True):
            name = "tokens" if kind == "tokens" else estimator.tokenizer
            if name == "bpe":
                caller = type(estimator).__name__
                import_optional("tokenizers", extra="neural", caller=caller)
            vocabulary = VOCABULARIES[name].learn(documents, estimator.vocabulary_size)
            vocabularies.append(vocabulary)
    names = ("source_vocabulary_", "target_vocabulary_")
    return {
        "vocabulary_parameters": parameters,
        **dict(zip(names, vocabularies, strict=True)),
    }


def _describe(estimator, vocabularies):
    """The architecture of the network, as data of Python's own types."""
    architecture = estimator._describe_network(*map(len, vocabularies))
    return {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in architecture.items()
    }


def _check_unchanged(architecture, vocabulary_parameters, previous, caller):
    """Refuse to go on with parameters that would change network or vocabularies."""
    expected = previous.network.architecture | previous.vocabulary_parameters
    for name, value in (architecture | vocabulary_parameters).items():
        if value != expected[name]:
            raise ValueError(
                f"{caller}: {name} is {value!r}, and was {expected[name]!r} in the fit "
                "that this one goes on from. Set it back, or fit anew with "
                "warm_start=False."
            )
