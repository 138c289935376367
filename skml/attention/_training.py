"""How embeddings are learned: full steps for bandwidths, minibatches for networks."""

from copy import deepcopy
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from skml.attention._pooling import backward, pool_heads, split_heads, weigh_rows

WARM_UP = 20  # steps in which the learning rate rises
EVALUATION = 25  # steps after which the validation set is scored
PATIENCE = 2  # evaluations without improvement, then steps are undone and get smaller
MOST_HELD_OUT = 1024  # rows of the validation set that are scored
MOST_KEYS = 8192  # that they attend to
BOUND = 12.0  # of the logarithms of bandwidths


class Rows(NamedTuple):
    """Encoded rows, their targets and their weights."""

    X: object  # EncodedRows of shape (n_rows, n_columns)
    Y: np.ndarray  # (n_rows, n_outputs)
    weights: np.ndarray  # (n_rows,)
    repeats: np.ndarray  # (n_rows,), of these weights those of rows equal to one

    def at(self, positions):
        """Some of the rows."""
        return Rows(*(field[positions] for field in self))


class Selection(NamedTuple):
    """Some rows in an order of their own, with other weights; no copy of the rows."""

    rows: Rows
    positions: np.ndarray
    weights: np.ndarray
    repeats: np.ndarray

    def at(self, places):
        """Some of them, as `Rows`."""
        positions = self.positions[places]
        return Rows(
            self.rows.X[positions],
            self.rows.Y[positions],
            self.weights[places],
            self.repeats[places],
        )


def hold_out(rows, positions):
    """Rows to learn from, and a validation set: of rows that are equal, one each.

    Returns
    -------
    learned : Selection
        All others, and what is left of the rows that are held out.
    held : Selection
        The rows at `positions`.
    """
    is_held = np.zeros(len(rows.X), dtype=bool)
    is_held[positions] = True
    left = np.where(is_held, rows.repeats, rows.weights)
    fewer = np.where(is_held, np.maximum(rows.repeats - 1, 0), rows.repeats)
    learned = np.flatnonzero(left)
    repeats = rows.repeats[positions]
    held = Selection(rows, positions, rows.weights[positions] - repeats, repeats)
    return Selection(rows, learned, left[learned], fewer[learned]), held


def loss_and_gradient(
    embedding, objective, rows, n_queries, *, score, n_heads, **dropout
):
    """The loss of rows that attend to all others, and the gradient of the parameters.

    Parameters
    ----------
    embedding : BandwidthEmbedding or NetworkEmbedding
        Maps rows to points.
    objective : SquaredError or LogLoss
        What is minimised.
    rows : Rows
        The keys; the first of them are the queries, which do not attend to themselves,
        but to rows that are equal.
    n_queries : int
        The number of queries.
    score : {"gaussian", "laplace", "scaled-dot-product", "additive"}
        How alike two points are.
    n_heads : int
        The number of parts in which points are compared; the results are averaged.
    **dropout : dict
        Of a network in training: its arguments `dropout` and `random_state`.

    Returns
    -------
    loss : float
        The mean loss.
    gradient : dict of str to ndarray
        Its derivatives.
    """
    z, u, tape = embedding.forward(rows.X, **dropout)
    values = np.ascontiguousarray(objective.values(rows.Y, u))
    heads, queries = split_heads(z, n_heads), slice(n_queries)
    with np.errstate(divide="ignore"):
        bonus = np.log(rows.repeats[queries] / rows.weights[queries])
    keywords = {"score": score, "exclude": np.arange(n_queries), "bonus": bonus}
    pooled, by_head = 0, []
    for head in heads:
        result = weigh_rows(head[queries], head, values, rows.weights, **keywords)
        pooled = pooled + result[0]
        by_head.append(result)
    pooled = pooled / n_heads
    output = objective.output(pooled, u[queries])
    loss, gradient = objective.loss(output, rows.Y[queries], rows.weights[queries])
    pooled_gradient = objective.pooled_gradient(gradient, pooled) / n_heads
    z_gradient, value_gradient = pull_back(
        heads, by_head, values, pooled_gradient, score
    )
    u_gradient = objective.mean_gradient(value_gradient)
    u_gradient[queries] += gradient
    return loss, embedding.backward(tape, z_gradient, u_gradient)


def pull_back(heads, by_head, values, pooled_gradient, score):
    """The derivatives of the points and of the values, from that of what was pooled."""
    n_queries = len(pooled_gradient)
    head_gradients, total_value_gradient = [], np.zeros_like(values)
    pooled_gradient = np.ascontiguousarray(pooled_gradient)
    for head, (pooled, weights) in zip(heads, by_head, strict=True):
        query_gradient, head_gradient, value_gradient = backward(
            weights,
            pooled,
            values,
            pooled_gradient,
            head[:n_queries],
            head,
            score=score,
        )
        head_gradient[:n_queries] += query_gradient
        head_gradients.append(head_gradient)
        total_value_gradient += value_gradient
    return np.hstack(head_gradients), total_value_gradient


def held_out_loss(embedding, objective, keys, rows, *, score, n_heads, n_jobs):
    """The loss of a validation set, which attends to other rows."""
    z, u, _ = embedding.forward(keys.X)
    z_out, u_out, _ = embedding.forward(rows.X)
    values = np.ascontiguousarray(objective.values(keys.Y, u))
    key_heads = split_heads(z, n_heads)
    pooled = pool_heads(
        z_out, key_heads, values, keys.weights, score=score, n_jobs=n_jobs
    )
    output = objective.output(pooled, u_out)
    return objective.loss(output, rows.Y, rows.weights)[0]


def fit_bandwidths(embedding, objective, rows, *, score, max_iter):
    """Learn bandwidths, in place, from the leave-one-out loss of all rows, by L-BFGS.

    Returns
    -------
    losses : list of float
        The loss after each iteration; without any, that of the bandwidths as they are.
    least : float
        The least loss that was seen.
    """
    evaluated, losses = [], []

    def evaluate(log_bandwidths):
        embedding.parameters["log_bandwidths"] = log_bandwidths
        loss, gradient = loss_and_gradient(
            embedding, objective, rows, len(rows.X), score=score, n_heads=1
        )
        evaluated.append(loss)
        return loss, gradient["log_bandwidths"].astype(np.float64)

    start = embedding.parameters["log_bandwidths"]
    if max_iter == 0:
        evaluate(start)
        return evaluated, evaluated[0]
    result = minimize(
        evaluate,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-BOUND, BOUND)] * len(start),
        callback=lambda intermediate_result: losses.append(intermediate_result.fun),
        options={"maxiter": max_iter},
    )
    embedding.parameters["log_bandwidths"] = result.x
    return losses or evaluated[:1], min(evaluated)


class AdamW:
    """Steps along the gradient, each parameter at its own pace; weights decay.

    Loshchilov & Hutter, 2019.
    """

    def __init__(self, parameters, *, weight_decay, betas=(0.9, 0.95), epsilon=1e-8):
        self.parameters = parameters
        self.weight_decay = weight_decay
        self.betas = betas
        self.epsilon = epsilon
        self.means = {name: np.zeros_like(p) for name, p in parameters.items()}
        self.squares = {name: np.zeros_like(p) for name, p in parameters.items()}
        self.n_steps = 0

    def step(self, gradient, rate):
        """Move the parameters, in place."""
        self.n_steps += 1
        first, second = self.betas
        correction = np.sqrt(1 - second**self.n_steps) / (1 - first**self.n_steps)
        for name, parameter in self.parameters.items():
            mean, square, slope = self.means[name], self.squares[name], gradient[name]
            mean += (1 - first) * (slope - mean)
            square += (1 - second) * (np.square(slope) - square)
            if parameter.ndim > 1:
                parameter *= 1 - rate * self.weight_decay
            parameter -= rate * correction * mean / (np.sqrt(square) + self.epsilon)


def scheduled_rate(step, n_steps, highest):
    """The rate rises in the first steps, and then falls along half a cosine."""
    return (
        highest
        * min(1.0, (step + 1) / WARM_UP)
        * (0.5 + 0.5 * np.cos(np.pi * step / n_steps))
    )


def draw_context(n_rows, context_size, batch, random_state):
    """Choose keys for a batch: its own rows, and others behind them."""
    is_other = np.ones(n_rows, dtype=bool)
    is_other[batch] = False
    if n_rows <= context_size:
        return np.concatenate([batch, np.flatnonzero(is_other)])
    drawn = random_state.choice(n_rows, context_size, replace=False, shuffle=False)
    return np.concatenate([batch, drawn[is_other[drawn]]])[:context_size]


class MinibatchTraining:
    """Learns a network by small steps, in each of which queries are left out.

    A step costs `batch_size` times `context_size`, however many rows there are.

    Parameters
    ----------
    embedding : NetworkEmbedding
        The network, which is learned in place.
    objective : SquaredError or LogLoss
        What is minimised.
    rows : Rows
        All rows, in float32.
    validation : ndarray
        Positions of rows that are not learned from, but decide when to stop.
    options : dict
        The estimator's parameters.
    random_state : RandomState
        Seeds batches, contexts and noise.

    Attributes
    ----------
    losses : list of float
        The loss of each step, of the queries of its batch.
    scores : list of float
        The loss of the validation set after each evaluation; without validation set,
        the mean of the losses of the steps since the last one.
    best_loss : float
        The least of them, whose parameters are kept; without validation set the last.
    """

    def __init__(self, embedding, objective, rows, validation, options, random_state):
        self.embedding = embedding
        self.objective = objective
        self.options = options
        self.random_state = np.random.default_rng(random_state.randint(2**31 - 1))
        learned, held = hold_out(rows, validation)
        order = random_state.permutation(len(learned.positions))
        self.rows = Selection(rows, *(field[order] for field in learned[1:]))
        self.validation = held.at(slice(MOST_HELD_OUT))
        self.optimizer = AdamW(
            embedding.parameters, weight_decay=options["weight_decay"]
        )
        self.batch_size = min(
            options["batch_size"],
            max(32, len(self.rows.positions) // 8),
            max(1, options["context_size"] // 2),
        )
        self.highest_rate = options["learning_rate"]
        self.losses, self.scores = [], []
        self.best_loss = np.inf
        self.best = deepcopy(embedding.parameters)

    def run(self, report):
        """Learn until `max_iter`, or until the validation set no longer improves.

        Parameters
        ----------
        report : callable
            Is called after each evaluation; returns whether to stop.

        Returns
        -------
        is_stopped : bool
            Whether it was stopped by the report.
        """
        n_without_improvement, is_stopped = 0, False
        for n_steps, batch in enumerate(self._batches(), start=1):
            self.losses.append(self._step(batch))
            is_last = n_steps == self.options["max_iter"]
            if n_steps % EVALUATION and not is_last:
                continue
            n_without_improvement = self._evaluate(n_without_improvement)
            is_stopped = report()
            is_patient = n_without_improvement < self.options["n_iter_no_change"]
            if is_last or is_stopped or not is_patient:
                break
        self.embedding.parameters.update(self.best)
        return is_stopped

    def _evaluate(self, n_without_improvement):
        """Score the network; keep it, or perhaps go back to the best one."""
        self.scores.append(self._score())
        has_validation = len(self.validation.X) > 0
        enough = self.best_loss - self.options["tol"]
        if not has_validation or self.scores[-1] < enough:
            self.best_loss = self.scores[-1]
            self.best = deepcopy(self.embedding.parameters)
            return 0
        if (n_without_improvement + 1) % PATIENCE == 0:
            self.embedding.parameters.update(deepcopy(self.best))
            self.highest_rate /= 2
        return n_without_improvement + 1

    def best_embedding(self):
        """The embedding with a copy of the best parameters so far."""
        return replace(self.embedding, parameters=deepcopy(self.best))

    def _batches(self):
        """Positions of rows, each in its turn, in random order, without end."""
        n_rows = len(self.rows.positions)
        n_batches = max(1, round(n_rows / self.batch_size))
        while True:
            yield from np.array_split(self.random_state.permutation(n_rows), n_batches)

    def _step(self, batch):
        context = draw_context(
            len(self.rows.positions),
            self.options["context_size"],
            batch,
            self.random_state,
        )
        loss, gradient = loss_and_gradient(
            self.embedding,
            self.objective,
            self._with_noise(self.rows.at(context)),
            len(batch),
            score=self.options["attention"],
            n_heads=self.options["n_heads"],
            dropout=self.options["dropout"],
            random_state=self.random_state,
        )
        if not np.isfinite(loss):
            raise ValueError(
                f"The loss of step {self.optimizer.n_steps + 1} is {loss}: training "
                "diverged. Lower learning_rate, which is "
                f"{self.options['learning_rate']!r}."
            )
        n_steps = self.optimizer.n_steps, self.options["max_iter"]
        self.optimizer.step(gradient, scheduled_rate(*n_steps, self.highest_rate))
        return loss

    def _score(self):
        """The loss of the validation set; without any, that of the last steps."""
        if len(self.validation.X) == 0:
            start = EVALUATION * len(self.scores)
            return float(np.mean(self.losses[start:]))
        return held_out_loss(
            self.embedding,
            self.objective,
            self.rows.at(slice(MOST_KEYS)),
            self.validation,
            score=self.options["attention"],
            n_heads=self.options["n_heads"],
            n_jobs=self.options["n_jobs"],
        )

    def _with_noise(self, rows):
        size = self.options["input_noise"]
        if size == 0:
            return rows
        noise = self.random_state.standard_normal(rows.X.dense.shape, dtype=np.float32)
        return rows._replace(X=rows.X.with_noise(np.float32(size) * noise))
