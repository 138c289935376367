"""What all estimators share that train a network: parameters, checks, training."""

import hashlib
import sys
import warnings
from numbers import Integral, Real
from os import PathLike
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skml._compat.sklearn import CallbackSupportMixin, Interval, StrOptions
from skml._estimator import BaseLearner
from skml._optional import import_optional
from skml._progress import ProgressLines, Step
from skml._validation import uses_early_stopping

CURVES = ("loss_curve_", "validation_loss_curve_")
# What changes nothing that is learned, or is not known before.
NOT_OF_THE_FIT = {"checkpoint", "verbose", "n_jobs", "max_train_time", "device"}


def stratify(order, size, samples, classes):
    """Choose samples, of each class in proportion, and never all that have it.

    `order` are the positions of all samples, shuffled, and `size` is the most that are
    chosen. `samples` and `classes` say which sample has which class; it may have
    several, of which the rarest counts.
    """
    ranks = np.argsort(order)
    by_class = np.lexsort((ranks[samples], classes))
    _, first = np.unique(classes[by_class], return_index=True)
    needed = samples[by_class[first]]
    frequent_first = np.argsort(-np.bincount(classes)[classes], kind="stable")
    rarest = np.full(len(order), -1)
    rarest[samples[frequent_first]] = classes[frequent_first]  # the last one stays
    free = order[~np.isin(order, needed)]
    if len(free) == 0:  # one alone may still go, if others have each of its classes
        pairs = np.unique(np.stack([samples, classes], axis=1), axis=0)
        is_rare = np.bincount(pairs[:, 1])[pairs[:, 1]] == 1
        free = order[~np.isin(order, pairs[is_rare, 0])][:1]
    free = free[np.argsort(rarest[free], kind="stable")]
    size = min(size, len(free))
    return free[((np.arange(size) + 0.5) * len(free) / max(size, 1)).astype(np.intp)]


def read_curves(training):
    """Fields of a `Fitted` value: the number of epochs, and the losses of each."""
    curves = (training.losses, training.held_out_losses)
    arrays = (np.array(curve, dtype=np.float64) for curve in curves)
    return {"n_iter_": len(training.losses), **dict(zip(CURVES, arrays, strict=True))}


def check_curves(fitted):
    """Raise a ValueError unless the curves have a loss for each epoch."""
    sizes = {"loss_curve_": {fitted.n_iter_}, CURVES[1]: {0, fitted.n_iter_}}
    if fitted.n_iter_ < 1:
        raise ValueError(f"n_iter_ is {fitted.n_iter_}")
    for name, expected in sizes.items():
        curve = getattr(fitted, name)
        if curve.dtype != np.float64 or curve.ndim != 1 or len(curve) not in expected:
            raise ValueError(
                f"{name} has the shape {curve.shape} and the dtype {curve.dtype}; "
                f"expected {fitted.n_iter_} numbers"
            )


def check_count(name, value, most=np.inf, expected="of at least 1"):
    """Refuse an argument that is neither None nor a number of things."""
    is_count = isinstance(value, Integral) and not isinstance(value, bool)
    if value is not None and not (is_count and 1 <= value <= most):
        raise ValueError(f"{name}={value!r}; expected None or an integer {expected}.")


class PackagesMixin:
    """Asks for packages that only some users have."""

    _extra = "neural"  # what brings the packages
    _packages = ("torch",)

    @classmethod
    def _import_packages(cls):
        for package in cls._packages:
            import_optional(package, extra=cls._extra, caller=cls.__name__)


class BaseNetworkEstimator(PackagesMixin, CallbackSupportMixin, BaseLearner):
    """Common ground of the estimators that train a network in the one loop."""

    _parameter_constraints = {
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "lr_schedule": [
            StrOptions({"constant", "cosine", "inverse-sqrt", "linear"}),
        ],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "max_grad_norm": [Interval(Real, 0, None, closed="right")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "max_train_time": [Interval(Real, 0, None, closed="neither"), None],
        "early_stopping": ["boolean", StrOptions({"auto"})],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_averaged_checkpoints": [Interval(Integral, 1, None, closed="left")],
        "checkpoint": [str, PathLike, None],
        "precision": [StrOptions({"auto", "float32", "bfloat16"})],
        "device": [str],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    _betas = (0.9, 0.98)  # of Adam

    def _check_checkpoint(self, continue_training=False):
        """A checkpoint needs a place, a number as a seed, and a fit from the start."""
        name = type(self).__name__
        if self.checkpoint is None:
            return
        if continue_training:
            raise ValueError(
                f"{name}: a checkpoint is of one fit, and has no effect on partial_fit "
                "and warm_start=True. Leave checkpoint at its default, None."
            )
        if not isinstance(self.random_state, Integral):
            raise ValueError(
                f"{name}: to continue from a checkpoint, the same samples must be held "
                f"out again; got random_state={self.random_state!r}. Pass an integer."
            )
        folder = Path(self.checkpoint).parent
        if not folder.is_dir():
            raise ValueError(
                f"{name}: there is no folder {str(folder)!r} to write the checkpoint "
                f"{Path(self.checkpoint).name!r} in."
            )

    def _hold_out(self, n_samples, random_state, labels=None):
        """Positions of the samples of the validation set.

        With `labels`, as `stratify` takes them, of each class in proportion.
        """
        stops = uses_early_stopping(self.early_stopping, n_samples)
        if not stops or n_samples < 2:
            return np.empty(0, dtype=np.intp)
        size = min(max(1, round(self.validation_fraction * n_samples)), n_samples - 1)
        order = random_state.permutation(n_samples)
        return np.sort(
            order[:size] if labels is None else stratify(order, size, *labels)
        )

    def _train_network(
        self,
        network,
        task,
        report,
        *,
        device,
        seed,
        max_iter,
        fingerprint,
        checkpoint=None,
        groups=None,
    ):
        """Train a network in place, to its best weights.

        `report` is called after each epoch with the training, and returns whether a
        callback wants to stop; `groups` are those of the optimiser; `checkpoint`
        replaces the parameter.
        """
        from skml.neural._torch._loop import NetworkTraining, TrainingOptions

        options = TrainingOptions(
            max_iter=max_iter,
            learning_rate=self.learning_rate,
            lr_schedule=self.lr_schedule,
            warmup_steps=self.warmup_steps,
            weight_decay=self.weight_decay,
            max_grad_norm=self.max_grad_norm,
            betas=self._betas,
            dtype=self._choose_dtype(network, task, device),
            device=device,
            n_iter_no_change=self.n_iter_no_change,
            tol=self.tol,
            max_train_time=self.max_train_time or np.inf,
            n_averaged_checkpoints=self.n_averaged_checkpoints,
            checkpoint=checkpoint or self.checkpoint,
            fingerprint=fingerprint,
            caller=type(self).__name__,
        )
        training = NetworkTraining(network, task, options, seed, groups)
        weights = training.run(lambda: report(training))
        if training.is_diverged:
            self._raise_or_warn_diverged(training)
        network.load_state_dict(weights)
        network.eval()
        return training

    def _choose_dtype(self, network, task, device):
        """The type of products in training, in which this network can be computed."""
        import torch

        from skml.neural._torch._device import find_dtype
        from skml.neural._torch._loop import find_obstacle

        dtype = find_dtype(self.precision, device)
        obstacle = find_obstacle(network, task, device, dtype)
        if obstacle is None:
            return dtype
        if self.precision == "auto":
            return torch.float32
        raise ValueError(
            f"{type(self).__name__}: precision={self.precision!r}, and this network "
            f"cannot be computed in it on this {device.type}: {obstacle:.200} Pass "
            "precision='float32', or 'auto', which is float32 here."
        )

    def _raise_or_warn_diverged(self, training):
        what = f"the loss of epoch {len(training.losses) + 1} is not finite"
        if training.best is None:
            raise ValueError(
                f"{type(self).__name__}: {what}: training diverged. Lower "
                f"learning_rate, which is {self.learning_rate!r}."
            )
        warnings.warn(
            f"{type(self).__name__}: {what}: training diverged and is over; the best "
            "weights before are kept. Lower learning_rate, which is "
            f"{self.learning_rate!r}.",
            ConvergenceWarning,
            stacklevel=2,
        )

    def _load_packages(self):
        """Import the packages, and print so if that takes some seconds."""
        new = [package for package in self._packages if package not in sys.modules]
        if new:
            ProgressLines(self).announce(f"importing {' and '.join(new)}")
        self._import_packages()

    def _step(self, training, max_iter, **fields):
        """What is printed after an epoch."""
        smoothing = getattr(self, "label_smoothing", 0)
        smoothed = f" (label smoothing {smoothing})" if smoothing else ""
        scores = {f"loss{smoothed}": training.losses[-1]}
        if training.held_out_losses:
            scores["validation loss"] = training.held_out_losses[-1]
        n_samples = len(training.task.learned)
        number = len(training.losses)
        return Step("epoch", number, max_iter, scores, n_samples, "samples", **fields)

    def _fingerprint(self, sequences):
        """Identifies this fit in a checkpoint; None if there is none."""
        if self.checkpoint is None:
            return None
        digest = hashlib.sha256()
        params = self.get_params(deep=False)
        shown = {k: repr(v) for k, v in params.items() if k not in NOT_OF_THE_FIT}
        digest.update(repr(sorted(shown.items())).encode())
        for sequence in sequences:
            digest.update(np.asarray(sequence).tobytes() + b"|")
        return digest.hexdigest()
