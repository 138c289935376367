"""What the regressor and the classifier that pool by attention share."""

from functools import partial
from numbers import Integral, Real

import numpy as np
from scipy import sparse
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skml._compat.sklearn import CallbackSupportMixin, Interval, StrOptions
from skml._fitting import Progress, all_or_nothing, warn_user
from skml._random import make_random_state
from skml._table._base import BaseTabular, describe_treatment
from skml._table._frame import as_container, as_dense
from skml._table._rows import group_equal_rows
from skml.attention._ladder import Rung
from skml.attention._threads import limit_threads
from skml.attention._training import ROUND

WITHOUT_NETWORK = {"identity", "scale"}  # embeddings
NEEDS_NETWORK = {"scaled-dot-product", "additive"}  # scores that have no width
FEWEST_ROWS_FOR_NETWORK = 40
ENSEMBLE_GAIN = 0.93  # of the mean of networks, over one; seen on small tables
ROWS_OF_MEMBERS = 40_000  # that all networks together have by default,
MOST_MEMBERS = 8  # of which there are no more
MOST_WIDTHS_TO_TRY = 32  # features, of a table that "auto" tries widths on


class BaseAttentionPooling(
    CallbackSupportMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseTabular
):
    """Common ground of the estimators that pool their training rows.

    A subclass makes the objective and the targets that are pooled.
    """

    _parameter_constraints = {
        **BaseTabular._parameter_constraints,
        "attention": [
            StrOptions(
                {"gaussian", "laplace", "scaled-dot-product", "additive", "auto"}
            )
        ],
        "embedding": [StrOptions({"identity", "scale", "linear", "mlp", "auto"})],
        "width": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
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
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
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
        self._learn(X, y, sample_weight, progress)
        progress.end()
        return self

    @all_or_nothing
    def _learn(self, X, y, sample_weight, progress):
        X = as_container(X, type(self).__name__)
        n_samples = X.shape[0]
        X, y, weights, kept = self._read_fit(X, y, sample_weight)
        X = as_dense(X)
        weights = np.ones(len(X)) if weights is None else weights
        first, group = group_equal_rows(X, y)
        total = np.bincount(group, weights=weights)
        # How the weight of a merged row divides among the rows that it was made of.
        self._shares = sparse.csr_array(
            (weights / total[group], (group, kept)), shape=(len(first), n_samples)
        )
        X, Y = X[first], self._read_targets(y[first], total)
        random_state = make_random_state(self.random_state)
        with limit_threads(self.n_jobs):
            rungs = self._fit_rungs(X, Y, total, random_state, progress)
        best = min(rungs, key=self._expected_loss)
        if best.encoder.n_columns == 0 and len(X) > 1:
            warn_user(
                f"{type(self).__name__} learned nothing: in the {len(X)} distinct rows "
                "no feature varies, so that all predictions are equal. Pass features "
                "that differ between rows."
            )
        vars(self).update(self._learned(best))

    def _fit_rungs(self, X, Y, weights, random_state, progress):
        """Fit the rungs of the ladder that are tried, until a callback says enough."""
        folds = self._hold_out(len(X), random_state)
        options = self.get_params(deep=False)
        options["hidden_layer_sizes"] = tuple(self.hidden_layer_sizes)
        options["n_estimators"] = self._count_members(len(X))
        rungs = []
        for kind in self._kinds(*X.shape):
            rung = Rung(kind, self._objective, options)
            report = partial(self._report, progress)
            rung.fit(X, Y, weights, self._reader, folds, random_state, report)
            rungs.append(rung)
            if rung.is_stopped:
                break
        return rungs

    def _report(self, progress, rung, so_far):
        """Report a round, or widths; whether a callback wants the fit to stop."""
        losses, stage = rung.loss_curves[-1], "widths"
        if rung.is_network:
            stage = f"network {len(rung.loss_curves)}, round {len(losses)}"
        loss = f"loss {losses[-1]:.5f}" if losses else "one row"
        line = f"[{type(self).__name__}] {rung.kind}, {stage}: {loss}"
        return progress.report(
            line, lambda: {**vars(self), **self._learned(so_far())}, task_name="round"
        )

    def _learned(self, rung):
        """The attributes of an estimator that pools by this rung."""
        curves = rung.loss_curves
        shortest = min(map(len, curves))
        return {
            "_rung": rung,
            "embedding_": rung.kind,
            "n_estimators_": len(rung.members),
            "loss_curve_": np.mean([curve[:shortest] for curve in curves], axis=0),
            "validation_score_": -rung.validation_loss,
            "n_iter_": self._count_steps(rung),
        }

    def _count_steps(self, rung):
        """The iterations of widths, or the steps of the longest training."""
        longest = max(map(len, rung.loss_curves))
        return min(longest * ROUND, self.max_iter) if rung.is_network else longest

    def _expected_loss(self, rung):
        """The validation loss; several networks together are better than one."""
        gain = ENSEMBLE_GAIN if len(rung.members) > 1 else 1.0
        return gain * rung.validation_loss

    def _kinds(self, n_rows, n_features):
        """The rungs of the ladder to try."""
        if self.embedding != "auto":
            return (self.embedding,)
        needs_network = self.attention in NEEDS_NETWORK
        if n_rows < FEWEST_ROWS_FOR_NETWORK:
            return ("linear",) if needs_network else ("scale",)
        if needs_network:
            return ("mlp",)
        is_small = n_rows <= self.context_size and n_features <= MOST_WIDTHS_TO_TRY
        return ("scale", "mlp") if is_small else ("mlp",)

    def _count_members(self, n_rows):
        """How many networks: the fewer rows, the more they gain by each other."""
        if self.n_estimators != "auto":
            return self.n_estimators
        return int(np.clip(round(ROWS_OF_MEMBERS / n_rows), 1, MOST_MEMBERS))

    def _hold_out(self, n_rows, random_state):
        """Folds of rows, of which each network holds one out."""
        is_fixed = self.embedding in WITHOUT_NETWORK
        if is_fixed or not self.early_stopping or n_rows < FEWEST_ROWS_FOR_NETWORK:
            return []
        n_folds = int(np.clip(round(1 / self.validation_fraction), 2, n_rows))
        size = max(1, round(self.validation_fraction * n_rows))
        order = random_state.permutation(n_rows)
        n_folds = min(n_folds, self._count_members(n_rows))
        return [np.sort(order[k * size : (k + 1) * size]) for k in range(n_folds)]

    def _check_parameters(self):
        """Refuse what the declared constraints cannot express."""
        name = type(self).__name__
        if not all(
            isinstance(size, Integral) and size > 0 for size in self.hidden_layer_sizes
        ):
            raise ValueError(
                f"{name}: hidden_layer_sizes={self.hidden_layer_sizes!r}; expected "
                "positive integers, such as (64,)."
            )
        if self.n_components % self.n_heads:
            raise ValueError(
                f"{name}: n_heads={self.n_heads} does not divide "
                f"n_components={self.n_components}; each head gets an equal part of "
                "the components."
            )
        if self.n_heads > 1 and self.embedding in WITHOUT_NETWORK:
            raise ValueError(
                f"{name}: n_heads={self.n_heads} has no effect when embedding="
                f"{self.embedding!r}, which has one head. Leave it at its default, 1."
            )
        if self.width != "auto" and self.embedding != "identity":
            raise ValueError(
                f"{name}: width={self.width!r} belongs to embedding='identity'; "
                f"embedding={self.embedding!r} learns its own. Leave it at 'auto'."
            )
        if self.residual == "mlp" and self.embedding not in {"mlp", "auto"}:
            raise ValueError(
                f"{name}: residual='mlp' needs the network of embedding='mlp'; got "
                f"embedding={self.embedding!r}. Use residual='linear'."
            )
        has_network = self.embedding not in WITHOUT_NETWORK
        if self.attention in NEEDS_NETWORK and not has_network:
            raise ValueError(
                f"{name}: attention={self.attention!r} has no width to learn; it needs "
                f"embedding='linear' or 'mlp', got {self.embedding!r}."
            )
        if self.attention == "additive" and self.n_heads > 1:
            raise ValueError(
                f"{name}: n_heads={self.n_heads} has no effect when attention="
                "'additive', which adds up components anyway. Leave it at its default, "
                "1."
            )

    def _outputs(self, X, *, spread=False):
        """What each member finds for the rows of a table."""
        check_is_fitted(self)
        return self._rung.pool(as_dense(self._read_predict(X)), spread=spread)

    def transform(self, X):
        """Map rows to the points where attention compares them.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, with the columns of `fit`.

        Returns
        -------
        points : ndarray of shape (n_samples, n_points)
            The points in the learned embeddings of all members, side by side. Their
            squared distances are means over the members. With attention="additive",
            the points of the rows as queries.
        """
        check_is_fitted(self)
        return self._rung.embed(as_dense(self._read_predict(X)))

    def attention_weights(self, X, top_k=None):
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
            The weight of each row of `fit`, the mean over ensemble members and heads:
            not negative, and with the sum one. With `top_k` the largest ones, in
            descending order; they sum to less than one.
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
        X = as_dense(self._read_predict(X))
        parts = []
        for weights in self._rung.weigh(X):
            weights = weights @ self._shares
            parts.append(weights if top_k is None else largest(weights, top_k))
        if top_k is None:
            return np.vstack(parts)
        return tuple(map(np.vstack, zip(*parts, strict=True)))

    @property
    def _n_features_out(self):
        return sum(member.n_components for member in self._rung.members)

    def _missing_treatments(self):
        """What is done about the missing values of each feature."""
        return [
            "zero of the scaled column + indicator"
            if 0 < share < 1
            else describe_treatment(share, fill, labels)
            for share, fill, labels in zip(
                self.missing_fraction_, self._fill, self._reader.categories, strict=True
            )
        ]


def largest(weights, k):
    """The k largest entries of each row, in descending order, and their columns."""
    columns = np.argsort(-weights, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(weights, columns, axis=1), columns
