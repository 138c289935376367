"""What the estimators share that fine-tune a model for a task."""

import os
from dataclasses import replace
from itertools import chain
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from scipy import sparse

from skml._compat.sklearn import Interval, StrOptions, _check_sample_weight
from skml._fitting import warn_user
from skml._progress import Progress
from skml._random import make_random_state
from skml._validation import uses_early_stopping
from skml.neural._bert_base import (
    MODEL_CONSTRAINTS,
    TRAINING_CONSTRAINTS,
    WINDOW_CONSTRAINTS,
    BaseBert,
)
from skml.neural._bert_fitted import BertNetwork, BertReader, TunedBert
from skml.neural._bert_targets import Targets
from skml.neural._bert_text import Windows
from skml.neural._network_estimator import BaseNetworkEstimator, read_curves

MOST_OF_CHANCE = 0.98  # of the loss of chance; above, nothing was learned


class TuningData(NamedTuple):
    """What all networks of an ensemble learn from."""

    targets: Targets
    reader: BertReader
    windows: Windows
    values: object  # ndarray, or list of ndarray: the targets of windows
    weights: np.ndarray  # of windows
    held_out: np.ndarray  # positions of documents
    device: object


class BaseBertTuner(BaseBert, BaseNetworkEstimator):
    """Common ground of the estimators that fine-tune a model of the BERT family.

    A subclass reads targets, and turns outputs of the network into predictions.
    """

    _fitted_class = TunedBert
    _parameter_constraints = {
        **BaseNetworkEstimator._parameter_constraints,
        **MODEL_CONSTRAINTS,
        **WINDOW_CONSTRAINTS,
        **TRAINING_CONSTRAINTS,
        "freeze": [
            StrOptions({"none", "embeddings", "all"}),
            Interval(Integral, 0, None, closed="left"),
        ],
        "head_learning_rate": [Interval(Real, 0, None, closed="neither"), None],
        "layer_decay": [Interval(Real, 0, 1, closed="right")],
        "n_estimators": [Interval(Integral, 1, 999, closed="both")],
    }

    _betas = (0.9, 0.999)

    def _read_targets(self, y, documents, weights):
        """The targets of documents, as :class:`Targets`."""
        raise NotImplementedError

    # The recipe

    def _fit(self, X, y, sample_weight=None):
        self._load_packages()
        from skml.neural._torch._device import find_device
        from skml.neural._torch._sources import as_source

        name = type(self).__name__
        self._check_checkpoint()
        n_epochs = self.max_iter * self.n_estimators
        context = self._init_callback_context(max_subtasks=n_epochs)
        progress = Progress(self, context, {"X": X, "y": y})
        documents, kind = self._read_fit(X)
        documents, y, weights = self._drop_weightless(documents, y, sample_weight)
        targets = self._read_targets(y, documents, weights)
        device = find_device(self.device, name)
        random_state = make_random_state(self.random_state)
        held_out = self._hold_out(
            len(documents), random_state, targets.document_classes()
        )
        self._warn_of_no_validation(documents, held_out)
        data = fitted = None
        progress.announce("reading the model, tokenizing the texts")
        with as_source(self.model, name) as source:
            tokenizer = self._read_tokenizer(source)
            for _ in range(self.n_estimators):
                seed = random_state.randint(2**31 - 1)
                network, new = self._load_network(source, seed, targets)
                if data is None:
                    reader = self._make_reader(*tokenizer, network, kind)
                    data = self._prepare(
                        targets, reader, documents, weights, held_out, device
                    )
                training, fitted = self._tune(
                    network, new, data, seed, fitted, progress
                )
                if training.is_stopped:
                    break
        self._publish(fitted)
        progress.end()
        return self

    def _warn_of_no_validation(self, documents, held_out):
        stops = uses_early_stopping(self.early_stopping, len(documents))
        if stops and len(held_out) == 0:
            warn_user(
                f"{type(self).__name__}: early_stopping has no effect, as each text is "
                "the only one of a class, or the only one at all: none is held out."
            )

    def _drop_weightless(self, documents, y, sample_weight):
        """Documents, targets and weights, without those of no weight."""
        name = type(self).__name__
        y = self._check_targets(y, documents)
        if sample_weight is None:
            return documents, y, np.ones(len(documents))
        weights = _check_sample_weight(
            sample_weight, np.empty((len(documents), 1)), ensure_non_negative=True
        )
        kept = np.flatnonzero(weights)
        if len(kept) == 0:  # which older scikit-learn lets pass
            raise ValueError(f"{name}: all weights in sample_weight are zero.")
        weights = weights / weights.max()  # none is too large, or too small
        if len(kept) == len(documents):
            return documents, y, weights
        if sparse.issparse(y):
            y = y.tocsr()  # other formats have no rows to choose
        y = y.to_numpy() if hasattr(y, "to_numpy") else y
        y = y[kept] if hasattr(y, "shape") else [y[i] for i in kept]
        return [documents[i] for i in kept], y, weights[kept]

    def _check_targets(self, y, documents):
        """Targets, one for each document."""
        name = type(self).__name__
        if y is None:
            raise ValueError(
                f"{name} requires y to be passed, but the target y is None."
            )
        y = y if hasattr(y, "__len__") else list(y)
        n_targets = y.shape[0] if hasattr(y, "shape") else len(y)
        if n_targets != len(documents):
            raise ValueError(
                f"{name}: X has {len(documents)} document(s), and y has {n_targets}; "
                "expected one target for each document."
            )
        return y

    def _load_network(self, source, seed, targets):
        """A network for the task; its head is initialized, where none is stored."""
        import torch

        from skml.neural._torch._device import drawing, seeded
        from skml.neural._torch._pretrained import read_network

        with seeded(seed, torch.device("cpu")), drawing():
            network, new, _ = read_network(
                source,
                self.model,
                self._fitted_class.head,
                type(self).__name__,
                dropout=self.dropout,
                **targets.config_changes(),
            )
        targets.start(network, new)
        return network, new

    def _prepare(self, targets, reader, documents, weights, held_out, device):
        """Windows, and what they count."""
        windows = self._cut(reader, documents)
        values = targets.values_of_windows(windows)
        weights = targets.weights_of_windows(windows, values, weights)
        return TuningData(targets, reader, windows, values, weights, held_out, device)

    def _tune(self, network, new, data, seed, before, progress):
        """Train a network; returns the training, and the ensemble that it joins."""
        from skml.neural._torch._device import limit_torch_threads, seeded
        from skml.neural._torch._windows import WindowTask

        number = 0 if before is None else len(before.networks)

        def extend(training, network):
            return self._extend(before, training, network, new, data)

        network.to(data.device)
        groups = self._groups(network, new)
        with limit_torch_threads(self.n_jobs), seeded(seed, data.device):
            task = WindowTask(
                data.windows,
                data.values,
                data.weights,
                data.held_out,
                objective=data.targets.objective,
                batch_size=self.batch_size,
                padding=data.reader.padding,
                network=network,
            )
            self._check_learned(task)
            if number == 0:
                progress.start()
            training = self._train_network(
                network,
                task,
                lambda training: self._report(training, number, extend, progress),
                device=data.device,
                seed=seed,
                max_iter=self.max_iter,
                fingerprint=self._fingerprint_of(data, number, network),
                checkpoint=self._checkpoint_of(number),
                groups=groups,
            )
        if before is None:
            chance = data.targets.chance_loss(data.values, data.weights)
            self._warn_unlearned(training, chance)
        return training, extend(training, network)

    def _extend(self, before, training, network, new, data):
        """The ensemble with one more network, which the first one begins."""
        data.targets.finish(network)
        network = BertNetwork.of(network, self._fitted_class.head)
        if before is not None:
            networks = [*before.networks, network]
            return replace(before, networks=networks, newly_initialized_=new)
        return self._fitted_class(
            reader=data.reader,
            networks=[network],
            newly_initialized_=new,
            **read_curves(training),
            **data.targets.learned(),
        )

    def _check_learned(self, task):
        if len(task.learned) == 0:
            raise ValueError(
                f"{type(self).__name__}: there is nothing to learn from: no text that "
                "is not held out has a token with a target."
            )

    def _fingerprint_of(self, data, number, network):
        """Identifies this training in a checkpoint."""
        weights = (w.cpu() for w in network.state_dict().values())
        return self._fingerprint(
            chain(data.windows.ids, data.values, [data.weights, number], weights)
        )

    def _checkpoint_of(self, number):
        """Each network has a checkpoint of its own."""
        if self.checkpoint is None or number == 0:
            return self.checkpoint
        return f"{os.fspath(self.checkpoint)}-{number}"

    def _warn_unlearned(self, training, chance):
        """Warn where the loss ends as if no text had been read."""
        losses = training.losses
        # In the mean of an only epoch is what was before.
        loss = losses[-1] if len(losses) > 1 else training.best_loss
        # Where it is zero, there is nothing to learn.
        if loss > MOST_OF_CHANCE * chance > 0 and not training.is_stopped:
            warn_user(
                f"{type(self).__name__}: the loss after epoch {len(losses)} is "
                f"{loss:.3f}, that of a constant prediction {chance:.3f}: nothing "
                "useful was learned. Increase learning_rate="
                f"{self.learning_rate!r} or max_iter={self.max_iter!r}, decrease "
                f"batch_size={self.batch_size!r}, or start from a model that was "
                "pretrained on more text."
            )

    def _groups(self, network, new):
        """What learns, and how fast."""
        from skml.neural._torch._layers import find_layers, trained_groups
        from skml.neural._torch._loop import group_by_decay

        n_layers = len(find_layers(network))
        if isinstance(self.freeze, Integral) and self.freeze > n_layers:
            raise ValueError(
                f"{type(self).__name__}: freeze={self.freeze!r}, and the model has "
                f"{n_layers} layers."
            )
        head_factor = 1.0
        if self.head_learning_rate is not None:
            head_factor = self.head_learning_rate / self.learning_rate
        groups = trained_groups(
            network,
            freeze=self.freeze,
            layer_decay=self.layer_decay,
            head_factor=head_factor,
            new=new,
        )
        return [
            group
            for factor, parameters in groups
            for group in group_by_decay(
                parameters, self.weight_decay, learning_rate_factor=float(factor)
            )
            if group["params"]
        ]

    def _report(self, training, number, extend, progress):
        """Report an epoch; whether a callback wants the fit to stop."""
        several = {}
        if self.n_estimators > 1:
            several = {
                "part": f"estimator {number + 1}/{self.n_estimators}",
                "n_later": (self.n_estimators - number - 1) * self.max_iter,
            }
        step = self._step(training, self.max_iter, **several)

        def fitted():
            now = BertNetwork.of(training.network, self._fitted_class.head)
            again = BertNetwork.rebuild(now.architecture, training.best)
            return extend(training, again.module)

        return progress.report(step, fitted, task_name="epoch")

    # After training

    @property
    def estimators_(self):
        """The networks of transformers."""
        return [network.module for network in self._fitted.networks]

    def _windows(self, X):
        """Documents and their windows."""
        documents = self._read(X)
        return documents, self._cut(self._fitted.reader, documents)

    def _mean_over_networks(self, windows, compute, combine, n_samples=None):
        """What an ensemble predicts: the mean of the predictions of its networks.

        `compute` makes an array of a network and inputs, and `combine` what is averaged
        of that of all windows. With `n_samples`, each network predicts as many times
        with random dropout.
        """
        from skml.neural._torch._device import drawing, find_device, seeded

        def sample(network, inputs):
            with drawing():
                return compute(network, inputs)

        networks = self.estimators_
        if n_samples is None:
            found = [combine(self._collect(n, windows, compute)) for n in networks]
            return sum(found) / len(found) if len(found) > 1 else found[0]
        seed = make_random_state(self.random_state).randint(2**31 - 1)
        device = find_device(self.device, type(self).__name__)
        total = 0.0
        with seeded(seed, device):
            for network in map(self._sampler, networks):
                for _ in range(n_samples):
                    total = total + combine(self._collect(network, windows, sample))
        return total / (n_samples * len(networks))

    def _sampler(self, network):
        """A network that drops out, beside the fitted one, which does not."""
        from skml.neural._torch._device import share_weights
        from skml.neural._torch._windows import drop_out

        network = share_weights(self._on_device(network))
        drop_out(network)
        return network

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def logits_of(network, inputs):
    """The logits of a network as an array."""
    return network(**inputs).logits.float().cpu().numpy()
