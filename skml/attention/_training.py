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

    def select(self, positions):
        """The rows at these positions."""
        return Rows(*(field[positions] for field in self))


class Selection(NamedTuple):
    """Positions of rows, and other weights of them; no copy of the rows."""

    rows: Rows
    positions: np.ndarray
    weights: np.ndarray
    repeats: np.ndarray

    def select(self, chosen):
        """Those that are chosen, as `Rows`."""
        rows = self.rows.select(self.positions[chosen])
        return rows._replace(weights=self.weights[chosen], repeats=self.repeats[chosen])


def hold_out(rows, positions):
    """Selections: what is left to learn from, and a validation set, of one row each."""
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

    The first rows are the queries, and all are keys. A query does not attend to itself,
    but to rows that are equal.
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
    """The loss of a validation set, `rows`, which attends to other rows."""
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

    Returns the loss after each iteration (without any, that of the bandwidths as they
    are) and the least loss.
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
    """Choose keys for a batch: its rows, and behind them some that are not in it."""
    is_outside = np.ones(n_rows, dtype=bool)
    is_outside[batch] = False
    if n_rows <= context_size:
        return np.concatenate([batch, np.flatnonzero(is_outside)])
    drawn = random_state.choice(n_rows, context_size, replace=False, shuffle=False)
    return np.concatenate([batch, drawn[is_outside[drawn]]])[:context_size]


class MinibatchTraining:
    """Learns a network by small steps, in each of which queries are left out.

    A step costs `batch_size` times `context_size`, however many rows there are. The
    rows at the positions `validation` decide when to stop.
    """

    def __init__(self, embedding, objective, rows, validation, options, random_state):
        self.embedding = embedding  # learned in place
        self.objective = objective
        self.options = options
        self.random_state = np.random.default_rng(random_state.randint(2**31 - 1))
        learned, held = hold_out(rows, validation)
        order = random_state.permutation(len(learned.positions))
        self.rows = Selection(rows, *(field[order] for field in learned[1:]))
        self.validation = held.select(slice(MOST_HELD_OUT))
        self.optimizer = AdamW(
            embedding.parameters, weight_decay=options["weight_decay"]
        )
        self.batch_size = min(
            options["batch_size"],
            max(32, len(self.rows.positions) // 8),
            max(1, options["context_size"] // 2),
        )
        self.highest_rate = options["learning_rate"]
        self.losses = []  # of each step, of the queries of its batch
        self.scores = []  # of each evaluation, see `_score`
        self.best_loss = np.inf  # the least score; without a validation set the last
        self.best = deepcopy(embedding.parameters)  # which had that score

    def run(self, report):
        """Learn until `max_iter`, or until the validation set no longer improves.

        `report` is called after each evaluation. It returns whether to stop, and so
        does this.
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
        """Positions of rows, epoch after epoch, in random order, without end."""
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
            self._with_noise(self.rows.select(context)),
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
            self.rows.select(slice(MOST_KEYS)),
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
