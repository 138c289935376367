"""One rung of the ladder: an embedding of a kind, its members, and what they pool."""

from copy import copy
from functools import partial
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import RidgeCV

from skml._table._rows import count_repeats
from skml.attention._embedding import NetworkEmbedding, WidthEmbedding
from skml.attention._features import TableEncoder
from skml.attention._pooling import pool_heads, split_heads, weigh_rows
from skml.attention._training import (
    MinibatchTraining,
    Rows,
    fit_widths,
    held_out_loss,
    hold_out,
)

TRIAL_ITERATIONS = 50  # for widths that are tried on held-out rows
PENALTIES = np.logspace(-3, 4, 15)  # of the linear mean, per unit of weight
TILE_BYTES = 2**24  # of weights that are looked at together


class Member(NamedTuple):
    """A fitted embedding, and the training rows as it sees them."""

    embedding: object
    score: str
    keys: list  # of each head, (n_rows, size)
    values: np.ndarray  # what is pooled, (n_rows, n_outputs)

    @property
    def n_components(self):
        """The number of components of a row as a query."""
        parts = 2 if self.score == "additive" else 1  # the other part: it as a key
        return self.embedding.n_components // parts


class Pooled(NamedTuple):
    """What a member found for some queries."""

    output: np.ndarray  # (n_queries, n_outputs)
    variance: np.ndarray  # of the pooled values, (n_queries, n_outputs)


class Rung:
    """Pools the training rows by the attention of one kind of embedding.

    Parameters
    ----------
    kind : {"identity", "scale", "linear", "mlp"}
        The embedding.
    objective : SquaredError or LogLoss
        What should be small.
    options : dict
        The estimator's parameters.

    Attributes
    ----------
    members : list of Member
        The fitted embeddings.
    validation_loss : float
        The mean loss of rows that were left out.
    loss_curves : list of list of float
        Of each member, the loss over time.
    is_stopped : bool
        Whether who was reported to had enough.
    """

    def __init__(self, kind, objective, options):
        self.kind = kind
        self.objective = objective
        self.options = options
        self.is_network = kind in {"linear", "mlp"}
        chosen = options["numeric_encoding"]
        if chosen == "auto":
            chosen = "piecewise-linear" if self.is_network else "none"
        self.encoder = TableEncoder(numeric_encoding=chosen, n_bins=options["n_bins"])
        self.residual = options["residual"]
        if self.residual == "auto":
            self.residual = {"linear": "linear", "mlp": "mlp"}.get(kind, "none")

    def fit(self, X, Y, weights, reader, folds, random_state, report):
        """Learn the embeddings.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Numbers, NaN and codes of categories.
        Y : ndarray of shape (n_rows, n_outputs)
            Scaled targets, or 1 for the class of a row.
        weights : ndarray of shape (n_rows,)
            Positive weights.
        reader : TableReader
            Knows which columns hold categories.
        folds : list of ndarray
            Positions of rows to hold out, one part after another; perhaps none.
        random_state : RandomState
            Draws everything.
        report : callable
            Is told of each round, as ``report(rung, so_far)``, where ``so_far()`` is a
            rung that ends here; returns whether to stop.

        Returns
        -------
        self : Rung
            The fitted rung.
        """
        encoded = self.encoder.fit(X, reader, weights).transform(X)
        self.weights, self.targets = weights, Y
        self.mean = self._fit_mean(encoded, Y, weights)
        Y = Y - self._mean_of(encoded, Y.shape[1])
        rows = Rows(encoded, Y, weights, count_repeats(weights))
        if self.is_network:
            self._fit_networks(rows, folds, random_state, report)
        else:
            self._fit_widths(rows, folds, random_state)
            self.is_stopped = report(self, lambda: self)
        return self

    def pool(self, X, *, spread=False):
        """What each member finds for some queries."""
        encoded = self.encoder.transform(X)
        return [self._pool(member, encoded, spread) for member in self.members]

    def pool_targets(self, X):
        """The scaled targets, weighted by attention, without any mean under it."""
        encoded = self.encoder.transform(X)
        found = [
            self._pool_heads(member, member.embedding.forward(encoded)[0], self.targets)
            for member in self.members
        ]
        return np.mean(found, axis=0)

    def embed(self, X):
        """The points of some rows, those of all members side by side."""
        encoded = self.encoder.transform(X)
        points = [
            member.embedding.forward(encoded)[0][:, : member.n_components]
            for member in self.members
        ]
        return np.hstack(points) / np.sqrt(len(points))

    def weigh(self, X):
        """Yield the mean weights that rows give to the keys, some rows at a time."""
        encoded = self.encoder.transform(X)
        step = max(1, TILE_BYTES // (8 * len(self.weights)))
        for start in range(0, len(encoded), step):
            some = encoded[start : start + step]
            total = sum(
                weights
                for member in self.members
                for weights in self._weigh(member, some)
            )
            yield total / (len(self.members) * self.n_heads)

    @property
    def n_heads(self):
        """The number of heads, 1 of rungs without a network."""
        return self.options["n_heads"] if self.is_network else 1

    # What is under the pooling

    def _fit_mean(self, encoded, Y, weights):
        """A linear mean of a rung without a network; a network has its own."""
        if self.is_network or self.residual != "linear":
            return None
        model = RidgeCV(alphas=PENALTIES * weights.mean())
        return model.fit(encoded.toarray(), Y, weights)

    def _mean_of(self, encoded, n_outputs):
        if self.mean is None:
            return 0.0
        return self.mean.predict(encoded.toarray()).reshape(len(encoded), n_outputs)

    # Learning

    def _fit_widths(self, rows, folds, random_state):
        sample = rows.at(self._sample(len(rows.X), random_state))
        embedding, losses = self._learn_widths(sample, self.options["max_iter"])
        self.loss_curves = [losses]
        self.members = [self._member(embedding, rows, 0)]
        self.validation_loss = min(losses, default=np.inf)
        if folds:  # leave-one-out chose the widths, and would flatter them
            self.validation_loss = np.mean([self._try_fold(rows, f) for f in folds])

    def _learn_widths(self, rows, max_iter):
        """Choose the widths that predict each row best from the others."""
        n_features, n_outputs = rows.X.shape[1], rows.Y.shape[1]
        n_widths = 1 if self.kind == "identity" else n_features
        embedding = WidthEmbedding(n_widths, n_features, n_outputs)
        if self.options["width"] != "auto":
            embedding.parameters["log_widths"][:] = np.log(self.options["width"])
            max_iter = 0
        if len(rows.X) < 2:
            return embedding, []
        losses = fit_widths(
            embedding, self.objective, rows, score=self._score(0), max_iter=max_iter
        )
        return embedding, losses

    def _try_fold(self, rows, fold):
        """The loss of some rows, of widths that the others chose."""
        others, held = hold_out(rows, fold)
        embedding, _ = self._learn_widths(others, TRIAL_ITERATIONS)
        return held_out_loss(
            embedding,
            self.objective,
            others,
            held,
            score=self._score(0),
            n_heads=1,
            n_jobs=self.options["n_jobs"],
        )

    def _sample(self, n_rows, random_state):
        """The rows that widths are learned from."""
        size = self.options["context_size"]
        if n_rows <= size:
            return np.arange(n_rows)
        return np.sort(random_state.permutation(n_rows)[:size])

    def _fit_networks(self, rows, folds, random_state, report):
        self.members, self.loss_curves, losses = [], [], []
        fast = rows.astype(np.float32)
        for number in range(self.options["n_estimators"]):
            embedding = self._new_network(rows, random_state)
            held_out = folds[number % len(folds)] if folds else np.empty(0, np.intp)
            options = {**self.options, "attention": self._score(number)}
            training = MinibatchTraining(
                embedding, self.objective, fast, held_out, options, random_state
            )
            self.loss_curves.append(training.losses)
            so_far = partial(self._so_far, training, rows, losses)
            self.is_stopped = training.run(partial(report, self, so_far))
            losses.append(training.best_loss)
            self.validation_loss = float(np.mean(losses))
            self.members.append(self._member(embedding, rows, number))
            if self.is_stopped:
                break

    def _so_far(self, training, rows, losses):
        """This rung with the member that is in training, as it would end now."""
        rung = copy(self)
        member = self._member(training.best_embedding(), rows, len(self.members))
        rung.members = [*self.members, member]
        rung.loss_curves = [list(curve) for curve in self.loss_curves]
        rung.validation_loss = float(np.mean([*losses, training.best_loss]))
        return rung

    def _new_network(self, rows, random_state):
        is_mlp = self.kind == "mlp"
        n_components, n_constants = self.options["n_components"], 0
        if self.options["attention"] == "additive":
            n_components, n_constants = 2 * n_components, n_components
        return NetworkEmbedding(
            rows.X.shape[1],
            n_components,
            rows.Y.shape[1],
            n_constants=n_constants,
            hidden_layer_sizes=self.options["hidden_layer_sizes"] if is_mlp else (),
            has_mean=self.residual != "none",
            mean_sees_hidden=self.residual == "mlp",
            dropout=self.options["dropout"],
            random_state=random_state,
        )

    def _score(self, number):
        """The score of a member: "auto" lets them take turns."""
        score = self.options["attention"]
        return ("gaussian", "laplace")[number % 2] if score == "auto" else score

    def _member(self, embedding, rows, number):
        z, u, _ = embedding.forward(rows.X)
        values = self.objective.values(rows.Y, u)
        return Member(
            embedding,
            self._score(number),
            split_heads(z, self.n_heads),
            np.ascontiguousarray(values, dtype=np.float64),
        )

    # Asking

    def _pool(self, member, encoded, spread):
        z, u, _ = member.embedding.forward(encoded)
        n_outputs = member.values.shape[1]
        values = member.values
        if spread:
            values = np.hstack([values, np.square(values)])
        pooled = self._pool_heads(member, z, values)
        mean, variance = pooled[:, :n_outputs], None
        if spread:
            variance = np.maximum(pooled[:, n_outputs:] - np.square(mean), 0.0)
        u = u + self._mean_of(encoded, n_outputs)
        return Pooled(self.objective.output(mean, u), variance)

    def _pool_heads(self, member, z, values):
        return pool_heads(
            z,
            member.keys,
            values,
            self.weights,
            score=member.score,
            n_jobs=self.options["n_jobs"],
        )

    def _weigh(self, member, encoded):
        z, _, _ = member.embedding.forward(encoded)
        values = np.zeros((len(self.weights), 1))
        for queries, keys in zip(
            split_heads(z, self.n_heads), member.keys, strict=True
        ):
            yield weigh_rows(queries, keys, values, self.weights, score=member.score)[1]
