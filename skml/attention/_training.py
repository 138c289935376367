"""How embeddings are learned: full steps for widths, minibatches for networks."""

from copy import copy, deepcopy
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from skml.attention._pooling import backward, pool_heads, split_heads, weigh_rows

WARM_UP = 20  # steps in which the learning rate rises
ROUND = 25  # steps after which held-out rows are scored
PATIENCE = 2  # rounds without a gain, which are undone, to go on with smaller steps
MOST_HELD_OUT = 1024  # of them
MOST_KEYS = 8192  # that they look at


class Rows(NamedTuple):
    """Encoded rows, what they should become, and how much they count."""

    X: object  # EncodedRows of shape (n_rows, n_encoded)
    Y: np.ndarray  # (n_rows, n_outputs)
    weights: np.ndarray  # (n_rows,)
    repeats: np.ndarray  # (n_rows,), of these weights those of rows equal to one

    def at(self, positions):
        """Some of the rows."""
        return Rows(*(field[positions] for field in self))

    def astype(self, dtype):
        """The same rows in another precision."""
        return Rows(*(field.astype(dtype) for field in self))


def hold_out(rows, positions):
    """Rows to learn from, and rows held out: of those that are equal, one each."""
    is_held = np.zeros(len(rows.X), dtype=bool)
    is_held[positions] = True
    left = np.where(is_held, rows.repeats, rows.weights)
    fewer = np.where(is_held, np.maximum(rows.repeats - 1, 0), rows.repeats)
    others = np.flatnonzero(left)
    learned = rows.at(others)._replace(weights=left[others], repeats=fewer[others])
    held = rows.at(positions)
    return learned, held._replace(weights=held.weights - held.repeats)


def loss_and_gradient(
    embedding, objective, rows, n_queries, *, score, n_heads, random_state=None
):
    """The loss of rows that attend to all others, and the gradient of the parameters.

    Parameters
    ----------
    embedding : WidthEmbedding or NetworkEmbedding
        Maps rows to points.
    objective : SquaredError or LogLoss
        What should be small.
    rows : Rows
        Who answers; the first of them ask, and do not answer themselves, but rows that
        are equal to them do.
    n_queries : int
        How many ask.
    score : {"gaussian", "laplace", "scaled-dot-product", "additive"}
        How alike two points are.
    n_heads : int
        In so many parts points are compared; the parts' results are averaged.
    random_state : Generator, default=None
        Drops hidden values.

    Returns
    -------
    loss : float
        The mean loss.
    gradient : dict of str to ndarray
        Its derivatives.
    """
    noise = {} if random_state is None else {"random_state": random_state}
    z, u, tape = embedding.forward(rows.X, **noise)
    values = np.ascontiguousarray(objective.values(rows.Y, u))
    heads = split_heads(z, n_heads)
    with np.errstate(divide="ignore"):
        bonus = np.log(rows.repeats[:n_queries] / rows.weights[:n_queries])
    found = [
        weigh_rows(
            head[:n_queries],
            head,
            values,
            rows.weights,
            score=score,
            exclude=np.arange(n_queries),
            bonus=bonus,
        )
        for head in heads
    ]
    pooled = sum(p for p, _ in found) / n_heads
    output = objective.output(pooled, u[:n_queries])
    loss, gradient = objective.loss(
        output, rows.Y[:n_queries], rows.weights[:n_queries]
    )
    of_pooled = objective.pooled_gradient(gradient, pooled) / n_heads
    of_z, of_values = pull_back(heads, found, values, of_pooled, score)
    of_u = objective.keys_gradient(of_values)
    of_u[:n_queries] += gradient
    return loss, embedding.backward(tape, of_z, of_u)


def pull_back(heads, found, values, of_pooled, score):
    """The derivatives of the points and of the values, from that of what was pooled."""
    n_queries = len(of_pooled)
    of_heads, of_all_values = [], np.zeros_like(values)
    of_pooled = np.ascontiguousarray(of_pooled)
    for head, (pooled, weights) in zip(heads, found, strict=True):
        of_queries, of_head, of_values = backward(
            weights, pooled, values, of_pooled, head[:n_queries], head, score=score
        )
        of_head[:n_queries] += of_queries
        of_heads.append(of_head)
        of_all_values += of_values
    return np.hstack(of_heads), of_all_values


def held_out_loss(embedding, objective, keys, rows, *, score, n_heads, n_jobs):
    """The loss of rows that attend to others."""
    z, u, _ = embedding.forward(keys.X)
    z_out, u_out, _ = embedding.forward(rows.X)
    values = np.ascontiguousarray(objective.values(keys.Y, u))
    key_heads = split_heads(z, n_heads)
    pooled = pool_heads(
        z_out, key_heads, values, keys.weights, score=score, n_jobs=n_jobs
    )
    output = objective.output(pooled, u_out)
    return objective.loss(output, rows.Y, rows.weights)[0]


def fit_widths(embedding, objective, rows, *, score, max_iter):
    """Learn widths from the leave-one-out loss of all rows, by L-BFGS.

    Returns the losses, one for each time that they were computed; without iterations,
    that of the widths as they are.
    """
    losses = []

    def evaluate(log_widths):
        embedding.parameters["log_widths"] = log_widths
        loss, gradient = loss_and_gradient(
            embedding, objective, rows, len(rows.X), score=score, n_heads=1
        )
        losses.append(loss)
        return loss, gradient["log_widths"].astype(np.float64)

    start = embedding.parameters["log_widths"]
    if max_iter == 0:
        evaluate(start)
        return losses
    found = minimize(
        evaluate,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-12.0, 12.0)] * len(start),
        options={"maxiter": max_iter},
    )
    embedding.parameters["log_widths"] = found.x
    return losses


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


def learning_rate(step, n_steps, highest):
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
        What is learned, in place.
    objective : SquaredError or LogLoss
        What should be small.
    rows : Rows
        All rows, in float32.
    held_out : ndarray
        Positions of rows that are not learned from, but tell when to stop.
    options : dict
        The estimator's parameters.
    random_state : RandomState
        Seeds batches, contexts and noise.

    Attributes
    ----------
    losses : list of float
        The loss of held-out rows after each round; without any, of training rows.
    best_loss : float
        The least of them, whose parameters are kept; without held-out rows the last.
    """

    def __init__(self, embedding, objective, rows, held_out, options, random_state):
        self.embedding = embedding
        self.objective = objective
        self.options = options
        self.random_state = np.random.default_rng(random_state.randint(2**31 - 1))
        learned, held = hold_out(rows, held_out)
        self.rows = learned.at(random_state.permutation(len(learned.X)))
        self.held_out = held.at(slice(MOST_HELD_OUT))
        self.optimizer = AdamW(
            embedding.parameters, weight_decay=options["weight_decay"]
        )
        self.batch_size = min(
            options["batch_size"],
            max(32, len(learned.X) // 8),
            max(1, options["context_size"] // 2),
        )
        self.highest_rate = options["learning_rate_init"]
        self.losses = []
        self.best_loss = np.inf
        self.best = deepcopy(embedding.parameters)

    def run(self, report):
        """Learn until `max_iter`, or until held-out rows no longer gain.

        Parameters
        ----------
        report : callable
            Is called after each round; returns whether to stop.

        Returns
        -------
        is_stopped : bool
            Whether it was stopped by the report.
        """
        n_steps, is_stopped = self.options["max_iter"], False
        batches, n_without_gain = self._batches(), 0
        for start in range(0, n_steps, ROUND):
            some = range(start, min(start + ROUND, n_steps))
            losses = [self._step(next(batches), n_steps) for _ in some]
            self.losses.append(self._score(float(np.mean(losses))))
            n_without_gain = 0 if self._is_gain() else n_without_gain + 1
            if n_without_gain == 0:
                self.best_loss = self.losses[-1]
                self.best = deepcopy(self.embedding.parameters)
            elif n_without_gain % PATIENCE == 0:
                self.embedding.parameters.update(deepcopy(self.best))
                self.highest_rate /= 2
            is_stopped = report()
            if is_stopped or n_without_gain >= self.options["n_iter_no_change"]:
                break
        self.embedding.parameters.update(self.best)
        return is_stopped

    def _is_gain(self):
        """Whether the last round was one; without held-out rows it always is."""
        if len(self.held_out.X) == 0:
            return True
        return self.losses[-1] < self.best_loss - self.options["tol"]

    def best_embedding(self):
        """A copy of the embedding, with the best parameters so far."""
        embedding = copy(self.embedding)
        embedding.parameters = deepcopy(self.best)
        return embedding

    def _batches(self):
        """Positions of rows, each in its turn, in random order, without end."""
        n_rows = len(self.rows.X)
        n_batches = max(1, round(n_rows / self.batch_size))
        while True:
            yield from np.array_split(self.random_state.permutation(n_rows), n_batches)

    def _step(self, batch, n_steps):
        context = draw_context(
            len(self.rows.X), self.options["context_size"], batch, self.random_state
        )
        loss, gradient = loss_and_gradient(
            self.embedding,
            self.objective,
            self._with_noise(self.rows.at(context)),
            len(batch),
            score=self.options["attention"],
            n_heads=self.options["n_heads"],
            random_state=self.random_state,
        )
        if not np.isfinite(loss):
            raise ValueError(
                f"The loss of step {self.optimizer.n_steps + 1} is {loss}: training "
                "diverged. Lower learning_rate_init, which is "
                f"{self.options['learning_rate_init']!r}."
            )
        rate = learning_rate(self.optimizer.n_steps, n_steps, self.highest_rate)
        self.optimizer.step(gradient, rate)
        return loss

    def _score(self, training_loss):
        """The loss of held-out rows; without any, of those of training."""
        if len(self.held_out.X) == 0:
            return training_loss
        return held_out_loss(
            self.embedding,
            self.objective,
            self.rows.at(slice(MOST_KEYS)),
            self.held_out,
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
