"""Ensembles that pool training rows: embeddings, and the rows as keys in each."""

from typing import NamedTuple

import numpy as np

from skml._codec import show, stored
from skml.attention._arrays import check_stored, tiles_of
from skml.attention._encoding import TableEncoder
from skml.attention._losses import LogLoss, SquaredError
from skml.attention._pooling import pool_heads, split_heads, weigh_rows
from skml.attention._row_embeddings import BandwidthEmbedding, NetworkEmbedding

TILE_BYTES = 2**24  # of weights that are held at a time
KINDS = ("identity", "scale", "linear", "mlp")
SCORES = ("gaussian", "laplace", "scaled-dot-product", "additive")


class Pooled(NamedTuple):
    """What an estimator of the ensemble pools for a tile of queries."""

    output: np.ndarray  # (n_queries, n_outputs)
    variance: np.ndarray | None  # of the pooled values, (n_queries, n_outputs)


@stored
class Pooler:
    """An estimator of the ensemble: an embedding, and the training rows in it."""

    embedding: BandwidthEmbedding | NetworkEmbedding
    score: str
    keys: tuple  # the points of the training rows, (n_rows, n_components) of each head
    values: np.ndarray  # (n_rows, n_outputs), what is pooled

    def check(self):
        """Check that there is a key for each value, and as many columns as points."""
        if self.score not in SCORES:
            raise ValueError(f"score is {show(self.score)}")
        embedding, n_rows, n_heads = self.embedding, len(self.values), len(self.keys)
        dtype = key_dtype(embedding)
        n_columns = embedding.n_parts * embedding.n_components
        check_stored("values", self.values, (n_rows, embedding.n_outputs), dtype)
        if n_heads == 0 or n_columns % n_heads:
            raise ValueError(f"{n_heads} heads of {n_columns} columns")
        for keys in self.keys:
            check_stored("keys", keys, (n_rows, n_columns // n_heads), dtype)
        if (embedding.n_parts > 1) != (self.score == "additive"):
            raise ValueError(f"score {self.score} does not belong to the embedding")


def key_dtype(embedding):
    """The precision of keys and values: float32 of networks."""
    return np.float64 if isinstance(embedding, BandwidthEmbedding) else np.float32


def make_pooler(embedding, score, n_heads, X, Y, encoder, objective):
    """Embed the training rows as keys, some at a time."""
    dtype = key_dtype(embedding)
    shape = len(X), embedding.n_parts * embedding.n_components // n_heads
    keys = tuple(np.empty(shape, dtype) for _ in range(n_heads))
    values = np.empty(Y.shape, dtype)
    for rows in tiles_of(len(X)):
        z, u, _ = embedding.forward(encoder.transform(X[rows]))
        values[rows] = objective.values(Y[rows], u)
        for head, points in zip(keys, split_heads(z, n_heads), strict=True):
            head[rows] = points
    return Pooler(embedding=embedding, score=score, keys=keys, values=values)


@stored
class LinearMean:
    """A linear mean under the pooling of an ensemble without networks."""

    coef: np.ndarray  # (n_outputs, n_columns)
    intercept: np.ndarray  # (n_outputs,)

    def check(self):
        """Check that there is a row of coefficients for each output."""
        n_outputs, n_columns = len(self.coef), self.coef.size // len(self.coef)
        check_stored("coef", self.coef, (n_outputs, n_columns))
        check_stored("intercept", self.intercept, (n_outputs,))

    def predict(self, encoded):
        return encoded.toarray() @ self.coef.T + self.intercept


@stored
class PoolingEnsemble:
    """Estimators of one kind of embedding, whose results are averaged."""

    kind: str
    encoder: TableEncoder
    objective: SquaredError | LogLoss  # makes predictions of what was pooled
    poolers: tuple  # of Pooler
    linear_mean: LinearMean | None  # under the pooling; networks have their own
    weights: np.ndarray  # (n_rows,), of the training rows
    targets: np.ndarray  # (n_rows, n_outputs), as they were learned

    def check(self):
        """Check that the parts belong together."""
        if self.kind not in KINDS or not self.poolers:
            raise ValueError(f"an ensemble of {len(self.poolers)} {show(self.kind)}")
        n_rows, n_columns = len(self.weights), self.encoder.n_columns
        n_outputs = self.targets.size // n_rows
        check_stored("weights", self.weights, (n_rows,))
        check_stored("targets", self.targets, (n_rows, n_outputs))
        if (self.weights <= 0).any():
            raise ValueError("weights are not positive")
        for pooler in self.poolers:
            if not isinstance(pooler, Pooler):
                raise ValueError(f"poolers have {show(pooler)}")
            if pooler.values.shape != self.targets.shape:
                raise ValueError("values are not one for each target")
            if pooler.embedding.n_features != n_columns:
                raise ValueError(f"an embedding does not take {n_columns} columns")
        mean, objective = self.linear_mean, self.objective
        if mean is not None and mean.coef.shape != (n_outputs, n_columns):
            raise ValueError("linear_mean does not fit to the columns")
        if isinstance(objective, LogLoss) and objective.floor.shape != (n_outputs,):
            raise ValueError("floor does not have an entry for each class")

    @property
    def n_components(self):
        """The number of columns that `embed` returns."""
        return sum(pooler.embedding.n_components for pooler in self.poolers)

    def pool(self, X, n_jobs, *, spread=False):
        """Yield what each estimator pools, tile by tile."""
        for rows in tiles_of(len(X)):
            encoded = self.encoder.transform(X[rows])
            yield [self._pool(p, encoded, n_jobs, spread) for p in self.poolers]

    def pool_targets(self, X, n_jobs):
        """The targets, weighted by attention, without any mean under it."""

        def pool(pooler, encoded):
            z = pooler.embedding.forward(encoded)[0]
            return self._pool_heads(pooler, z, self.targets, n_jobs)

        pooled = np.empty((len(X), self.targets.shape[1]))
        for rows in tiles_of(len(X)):
            encoded = self.encoder.transform(X[rows])
            pooled[rows] = np.mean([pool(p, encoded) for p in self.poolers], axis=0)
        return pooled

    def embed(self, X):
        """The points of rows, those of all estimators side by side."""
        points = np.empty((len(X), self.n_components))
        for rows in tiles_of(len(X)):
            encoded = self.encoder.transform(X[rows])
            parts = [
                p.embedding.forward(encoded)[0][:, : p.embedding.n_components]
                for p in self.poolers
            ]
            points[rows] = np.hstack(parts)
        points /= np.sqrt(len(self.poolers))
        return points

    def weigh(self, X):
        """Yield the mean weights that rows give to the keys, tile by tile."""
        values = np.zeros((len(self.weights), 1))
        for rows in tiles_of(len(X), max(1, TILE_BYTES // values.nbytes)):
            encoded, total = self.encoder.transform(X[rows]), 0
            for pooler in self.poolers:
                z = pooler.embedding.forward(encoded)[0]
                dtype = pooler.values.dtype
                heads = split_heads(z.astype(dtype), len(pooler.keys))
                for head in zip(heads, pooler.keys, strict=True):
                    points = [points.astype(np.float64) for points in head]
                    _, weights = weigh_rows(
                        *points, values, self.weights, score=pooler.score
                    )
                    total = total + weights
            yield total / sum(len(pooler.keys) for pooler in self.poolers)

    def _pool(self, pooler, encoded, n_jobs, spread):
        z, u, _ = pooler.embedding.forward(encoded)
        if self.linear_mean is not None:
            u = u + self.linear_mean.predict(encoded)
        mean = self._pool_heads(pooler, z, pooler.values, n_jobs)
        variance = None
        if spread:  # a difference of squares, which float32 would round
            values = pooler.values.astype(np.float64)
            values = np.hstack([values, np.square(values)])
            moments = self._pool_heads(pooler, z, values, n_jobs)
            first, second = np.split(moments, 2, axis=1)
            variance = np.maximum(second - np.square(first), 0.0)
        return Pooled(self.objective.output(mean.astype(np.float64), u), variance)

    def _pool_heads(self, pooler, z, values, n_jobs):
        return pool_heads(
            z.astype(pooler.values.dtype),
            pooler.keys,
            values,
            self.weights,
            score=pooler.score,
            n_jobs=n_jobs,
        )
