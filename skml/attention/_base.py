"""The common ground of the regressor and the classifier that pool by attention."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skml._compat.sklearn import CallbackSupportMixin, Interval, StrOptions
from skml._fitting import warn_user
from skml._progress import Progress
from skml._random import make_random_state
from skml._table._containers import as_dense
from skml._table._learner import BaseTableLearner
from skml._typing import MatrixLike
from skml.attention._candidates import (
    NEEDS_NETWORK,
    WITHOUT_NETWORK,
    Problem,
    learn_best_candidate,
)
from skml.attention._fitted import FittedAttention, read_distinct_rows
from skml.attention._threads import limit_blas_threads


class BaseAttentionPooling(
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseTableLearner,
):
    """Common ground of the estimators that pool; a subclass makes the objective."""

    _fitted_class = FittedAttention

    _parameter_constraints = {
        **BaseTableLearner._parameter_constraints,
        "attention": [
            StrOptions(
                {"gaussian", "laplace", "scaled-dot-product", "additive", "auto"}
            )
        ],
        "embedding": [StrOptions({"identity", "scale", "linear", "mlp", "auto"})],
        "bandwidth": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        "numeric_encoding": [StrOptions({"none", "piecewise-linear", "auto"})],
        "n_bins": [Interval(Integral, 2, None, closed="left")],
        "residual": [StrOptions({"none", "linear", "mlp", "auto"})],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "hidden_layer_sizes": ["array-like"],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
        "n_estimators": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "context_size": [Interval(Integral, 2, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean", StrOptions({"auto"})],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "input_noise": [Interval(Real, 0, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def _fit(self, X, y, sample_weight):
        """Learn from a table; `y` as the subclass reads it."""
        self._check_parameters()
        context = self._init_callback_context(max_subtasks=None)
        progress = Progress(self, context, {"X": X, "y": y})
        X, y, weights, known = read_distinct_rows(X, y, sample_weight, self)
        Y, objective, scaling = self._read_targets(y, weights, known["classes_"])

        def fitted(candidate):
            return FittedAttention(
                **known,
                ensemble=candidate.ensemble,
                scaling=scaling,
                embedding_=candidate.ensemble.kind,
                n_estimators_=len(candidate.ensemble.poolers),
                n_iter_=len(candidate.loss_curve),
                loss_curve_=candidate.loss_curve,
                validation_score_=candidate.validation_score,
            )

        def report(step, so_far):
            return progress.report(
                step, lambda: fitted(so_far()), task_name="evaluation"
            )

        problem = Problem(
            X=X,
            Y=Y,
            weights=weights,
            reader=known["table"].reader,
            objective=objective,
            options={name: getattr(self, name) for name in self._parameter_constraints},
            random_state=make_random_state(self.random_state),
            report=report,
        )
        progress.start()
        with limit_blas_threads(self.n_jobs):
            best = learn_best_candidate(problem)
        self._warn_if_constant(best.ensemble)
        self._publish(fitted(best))
        progress.end()
        return self

    def _warn_if_constant(self, ensemble):
        n_rows = len(ensemble.weights)
        if ensemble.encoder.n_informative == 0 and n_rows > 1:
            warn_user(
                f"{type(self).__name__} learned nothing: in the {n_rows} distinct rows "
                "no feature varies, so that all predictions are equal. Pass features "
                "that differ between rows."
            )

    def _check_parameters(self):
        """Refuse what the declared constraints cannot express."""
        for is_wrong, message in (*self._wrong_sizes(), *self._wrong_choices()):
            if is_wrong:
                raise ValueError(f"{type(self).__name__}: {message}")

    def _wrong_sizes(self):
        """Whether sizes do not belong together, each with the message."""
        sizes, n_heads = self.hidden_layer_sizes, self.n_heads
        yield (
            not all(isinstance(size, Integral) and size > 0 for size in sizes),
            f"hidden_layer_sizes={sizes!r}; expected positive integers, such as (64,).",
        )
        yield (
            self.n_components % n_heads,
            f"n_heads={n_heads} does not divide n_components={self.n_components}; each "
            "head gets an equal part of the components.",
        )
        yield (
            n_heads > 1 and self.embedding in WITHOUT_NETWORK,
            f"n_heads={n_heads} has no effect when embedding={self.embedding!r}, which "
            "has one head. Leave it at its default, 1.",
        )
        yield (
            n_heads > 1 and self.attention == "additive",
            f"n_heads={n_heads} has no effect when attention='additive', which adds up "
            "components anyway. Leave it at its default, 1.",
        )

    def _wrong_choices(self):
        """Whether choices do not belong together, each with the message."""
        embedding = self.embedding
        yield (
            self.bandwidth != "auto" and embedding != "identity",
            f"bandwidth={self.bandwidth!r} belongs to embedding='identity'; embedding="
            f"{embedding!r} learns its own. Leave it at 'auto'.",
        )
        yield (
            self.residual == "mlp" and embedding not in {"mlp", "auto"},
            "residual='mlp' needs the network of embedding='mlp'; got embedding="
            f"{embedding!r}. Use residual='linear'.",
        )
        yield (
            self.attention in NEEDS_NETWORK and embedding in WITHOUT_NETWORK,
            f"attention={self.attention!r} has no bandwidth to learn; it needs "
            f"embedding='linear' or 'mlp', got {embedding!r}.",
        )

    def transform(self, X: MatrixLike) -> np.ndarray:
        """Map rows to the points where attention compares them.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, with the columns of `fit`.

        Returns
        -------
        points : ndarray of shape (n_samples, n_points)
            The points in the learned embeddings of all estimators of the ensemble, side
            by side; their squared distances are means over these. With
            attention="additive", the points of the rows as queries.
        """
        X = as_dense(self._read(X))
        return self._fitted.ensemble.embed(X)

    def attention_weights(self, X: MatrixLike, top_k: int | None = None):
        """Return how much weight predictions give to each training row.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, with the columns of `fit`.
        top_k : int, default=None
            Return only the largest weights of each row; None returns all.

        Returns
        -------
        weights : ndarray of shape (n_samples, n_samples_fit) or (n_samples, top_k)
            The weight of each row of `fit`, the mean over the estimators of the
            ensemble and their heads: not negative, and with the sum one. With `top_k`
            the largest ones, in descending order; they sum to at most one.
        indices : ndarray of shape (n_samples, top_k), dtype intp
            The rows of `fit` that have these weights. Only with `top_k`.

        Raises
        ------
        ValueError
            If `top_k` is no positive integer.
        """
        check_is_fitted(self)
        if top_k is not None and (not isinstance(top_k, Integral) or top_k < 1):
            raise ValueError(f"top_k={top_k!r}; expected a positive integer, or None.")
        X, fitted = as_dense(self._read(X)), self._fitted
        parts = []
        for weights in fitted.ensemble.weigh(X):
            weights = weights[:, fitted.sample_rows] * fitted.sample_fractions
            parts.append(weights if top_k is None else largest(weights, top_k))
        if top_k is None:
            return np.vstack(parts)
        return tuple(map(np.vstack, zip(*parts, strict=True)))

    @property
    def _n_features_out(self):
        return self._fitted.ensemble.n_components


def largest(weights, k):
    """The k largest entries of each row, in descending order, and their columns."""
    columns = np.argsort(-weights, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(weights, columns, axis=1), columns
