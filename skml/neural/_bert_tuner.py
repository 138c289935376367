"""What the estimators share that fine-tune a model for a task."""

import os
from itertools import chain
from numbers import Integral, Real

import numpy as np
from scipy import sparse
from sklearn.utils.validation import _check_sample_weight

from skml._compat.sklearn import Interval, StrOptions
from skml._fitting import all_or_nothing, warn_user
from skml._random import make_random_state
from skml._validation import uses_early_stopping
from skml.neural._bert_base import (
    MODEL_CONSTRAINTS,
    TRAINING_CONSTRAINTS,
    WINDOW_CONSTRAINTS,
    BertMixin,
)
from skml.neural._network_estimator import BaseNetworkEstimator

MOST_OF_CHANCE = 0.98  # of the loss of chance; above, nothing was learned


class BaseBertTuner(BertMixin, BaseNetworkEstimator):
    """Common ground of the estimators that fine-tune a model of the BERT family.

    A subclass reads targets, and turns outputs of the network into predictions.
    """

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

    # What a subclass says

    def _read_targets(self, y, documents, weights):
        """Learn from targets what belongs to all; return them."""
        raise NotImplementedError

    def _config_changes(self):
        """What the configuration of the network must say of the targets."""
        return {}

    def _labels_of(self, targets):
        """Which document has which class: two arrays; None without classes."""

    def _chance_loss(self, targets, weights):
        """The loss of who knows how frequent targets are, and looks at no text."""
        raise NotImplementedError

    def _targets_of_windows(self, windows, targets):
        """The targets of windows, as `WindowTask` takes them."""
        return targets[windows.documents]

    def _weights_of_windows(self, windows, targets, weights):
        """How much windows count: those of a document together as much as it."""
        return (weights / np.bincount(windows.documents))[windows.documents]

    def _objective(self, outputs, targets, weights):
        """The weighted sum of the losses of a batch, and that of the weights."""
        raise NotImplementedError

    def _start(self, network):
        """What is done to a network before it is trained."""

    def _finish(self, network):
        """What is still done to a network that is trained."""

    # The recipe

    def _fit(self, X, y, sample_weight=None):
        self._import_packages()
        self._check_checkpoint()
        progress = self._begin({"X": X, "y": y}, self.max_iter * self.n_estimators)
        self._learn(X, y, sample_weight, progress)
        progress.end()
        return self

    @all_or_nothing
    def _learn(self, X, y, sample_weight, progress):
        from skml.neural._torch._device import find_device
        from skml.neural._torch._pretrained import as_source

        documents = self._read_fit(X)
        documents, targets, weights = self._drop_weightless(documents, y, sample_weight)
        targets = self._read_targets(targets, documents, weights)
        device = find_device(self.device, type(self).__name__)
        random_state = make_random_state(self.random_state)
        held_out = self._hold_out(
            len(documents), random_state, self._labels_of(targets)
        )
        stops = uses_early_stopping(self.early_stopping, len(documents))
        if stops and len(held_out) == 0:
            warn_user(
                f"{type(self).__name__}: early_stopping has no effect, as each text is "
                "the only one of a class, or the only one at all: none is held out."
            )
        with as_source(self.model, type(self).__name__) as source:
            self._load_tokenizer(source)
            windows, networks = None, []
            for _ in range(self.n_estimators):
                seed = random_state.randint(2**31 - 1)
                network = self._load_network(source, seed)
                if windows is None:
                    windows = self._cut(documents, self._overlap())
                    targets = self._targets_of_windows(windows, targets)
                    weights = self._weights_of_windows(windows, targets, weights)
                    task = (windows, targets, weights, held_out)
                training = self._train_member(
                    network, *task, device, seed, networks, progress
                )
                self._finish(network)
                networks.append(network)
                if training.is_stopped:
                    break
        self.networks_ = networks

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

    def _load_network(self, source, seed):
        """A network for the task; its head is drawn, where none is stored."""
        import torch

        from skml.neural._torch._device import drawing, seeded
        from skml.neural._torch._pretrained import config_to_json, read_network

        with seeded(seed, torch.device("cpu")), drawing():
            network, new, _ = read_network(
                source,
                self.model,
                self._head,
                type(self).__name__,
                dropout=self.dropout,
                **self._config_changes(),
            )
        self.newly_initialized_ = new
        self._start(network)
        self._check_max_length(network)
        self._config = config_to_json(network.config)
        return network

    def _train_member(
        self,
        network,
        windows,
        targets,
        weights,
        held_out,
        device,
        seed,
        others,
        progress,
    ):
        """Train a network; the estimator learns the figures of the first."""
        from skml.neural._torch._device import limit_torch_threads, seeded
        from skml.neural._torch._windows import WindowTask

        network.to(device)
        groups = self._groups(network)
        with limit_torch_threads(self.n_jobs), seeded(seed, device):
            task = WindowTask(
                windows,
                targets,
                weights,
                held_out,
                objective=self._objective,
                batch_size=self.batch_size,
                padding=self._special.get("pad", 0),
                network=network,
            )
            if len(task.learned) == 0:
                raise ValueError(
                    f"{type(self).__name__}: there is nothing to learn from: no text "
                    "that is not held out has a piece with a target."
                )
            training = self._train_network(
                network,
                task,
                lambda training: self._report(training, others, progress),
                device=device,
                seed=seed,
                max_iter=self.max_iter,
                fingerprint=self._fingerprint(
                    chain(
                        windows.ids,
                        targets,
                        [weights, len(others)],
                        (w.cpu() for w in network.state_dict().values()),
                    )
                ),
                checkpoint=self._checkpoint_of(len(others)),
                groups=groups,
            )
        if not others:
            vars(self).update(self._learned(training))
            self._warn_unlearned(training, self._chance_loss(targets, weights))
        return training

    def _warn_unlearned(self, training, chance):
        """Warn where the loss ends as if no text had been read."""
        losses = training.losses
        # In the mean of an only pass is what was before.
        loss = losses[-1] if len(losses) > 1 else training.best_loss
        # Where it is zero, there is nothing to learn.
        if loss > MOST_OF_CHANCE * chance > 0 and not training.is_stopped:
            warn_user(
                f"{type(self).__name__}: after epoch {len(losses)} the loss is "
                f"{loss:.3f}, where it is {chance:.3f} without looking at the texts: "
                "next to nothing was learned, and predictions are as good as chance. "
                f"Raise learning_rate={self.learning_rate!r} or max_iter="
                f"{self.max_iter!r}, lower batch_size={self.batch_size!r}, or begin "
                "with a model that was trained on more text."
            )

    def _checkpoint_of(self, member):
        """Each member has a checkpoint of its own."""
        if self.checkpoint is None or member == 0:
            return self.checkpoint
        return f"{os.fspath(self.checkpoint)}-{member}"

    def _groups(self, network):
        """What learns, and how fast."""
        from skml.neural._torch._loop import group_by_decay
        from skml.neural._torch._pretrained import find_layers, trained_groups

        n_layers = len(find_layers(network))
        if isinstance(self.freeze, Integral) and self.freeze > n_layers:
            raise ValueError(
                f"{type(self).__name__}: freeze={self.freeze!r}, and the model has "
                f"{n_layers} layers."
            )
        head_share = 1.0
        if self.head_learning_rate is not None:
            head_share = self.head_learning_rate / self.learning_rate
        shares = trained_groups(
            network,
            freeze=self.freeze,
            layer_decay=self.layer_decay,
            head_share=head_share,
            new=self.newly_initialized_,
        )
        return [
            group
            for share, parameters in shares
            for group in group_by_decay(
                parameters, self.weight_decay, rate_share=float(share)
            )
            if group["params"]
        ]

    def _report(self, training, others, progress):
        """Report a pass; whether a callback wants the fit to stop."""
        line = self._line(training, self.max_iter)
        if self.n_estimators > 1:
            line += f" (member {len(others) + 1} of {self.n_estimators})"
        return progress.report(
            line, lambda: self._reconstruct(training, others), task_name="epoch"
        )

    def _reconstruct(self, training, others):
        """The attributes of an estimator that stops here."""
        own = {k: v for k, v in vars(self).items() if k.startswith("_") or k[-1] == "_"}
        own.pop("_callbacks", None)
        network = self._rebuild_network(training.best)
        self._finish(network)
        learned = {} if others else self._learned(training)
        return {**own, **learned, "networks_": [*others, network]}

    # After training

    def _windows(self, X):
        """Documents and their windows."""
        documents = self._read(X)
        return documents, self._cut(documents, self._overlap())

    def _mean_over_networks(self, windows, compute, combine, n_samples=None):
        """What an ensemble says: the mean of what its networks say.

        Parameters
        ----------
        windows : Windows
            The windows.
        compute : callable
            From a network and inputs to an array with a row for each window.
        combine : callable
            From that of all windows to what is averaged.
        n_samples : int, default=None
            With how many drawings of dropout each network answers; None is without.
        """
        from skml.neural._torch._device import drawing, find_device, seeded

        def sample(network, inputs):
            with drawing():
                return compute(network, inputs)

        if n_samples is None:
            found = [
                combine(self._collect(network, windows, compute))
                for network in self.networks_
            ]
            return sum(found) / len(found) if len(found) > 1 else found[0]
        seed = make_random_state(self.random_state).randint(2**31 - 1)
        device = find_device(self.device, type(self).__name__)
        total = 0.0
        with seeded(seed, device):
            for network in map(self._sampler, self.networks_):
                for _ in range(n_samples):
                    total = total + combine(self._collect(network, windows, sample))
        return total / (n_samples * len(self.networks_))

    def _sampler(self, network):
        """A network that drops out, beside the fitted one, which does not."""
        from skml.neural._torch._device import share_weights
        from skml.neural._torch._windows import drop_out

        network = share_weights(self._on_device(network))
        drop_out(network)
        return network

    def _set_state(self, state, path):
        if state["kind"] is None:
            raise ValueError("kind=None.")
        super()._set_state(state, path)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def check_samples(mc_samples):
    """The number of samples of Monte-Carlo dropout, or None."""
    is_count = isinstance(mc_samples, Integral) and not isinstance(mc_samples, bool)
    if mc_samples is not None and not (is_count and mc_samples >= 1):
        raise ValueError(
            f"mc_samples={mc_samples!r}; expected None or an integer of at least 1."
        )
    return mc_samples


def logits_of(network, inputs):
    """The logits of a network as an array."""
    return network(**inputs).logits.float().cpu().numpy()
