"""Candidate embeddings, from the simplest to the most flexible: learn, and choose."""

from typing import NamedTuple

import numpy as np

from skml._progress import Step
from skml._table._rows import count_repeats
from skml._validation import uses_early_stopping
from skml.attention._arrays import tiles_of
from skml.attention._encoding import learn_encoder
from skml.attention._ensemble import LinearMean, PoolingEnsemble, make_pooler
from skml.attention._row_embeddings import (
    AdditiveEmbedding,
    NetworkEmbedding,
    make_bandwidths,
)
from skml.attention._training import (
    EVALUATION,
    MinibatchTraining,
    Rows,
    fit_bandwidths,
    held_out_loss,
    hold_out,
)

NETWORKS = ("linear", "mlp")
WITHOUT_NETWORK = ("identity", "scale")
NEEDS_NETWORK = ("scaled-dot-product", "additive")  # scores that have no bandwidth
FEWEST_ROWS_FOR_NETWORK = 40
ENSEMBLE_GAIN = 0.93  # of the mean loss of networks, over one; seen on small tables
ROWS_OF_ENSEMBLE = 40_000  # that all networks together have by default,
MOST_ESTIMATORS = 8  # of which there are no more
MOST_BANDWIDTHS_TO_TRY = 32  # features, of a table that "auto" tries bandwidths on
TRIAL_ITERATIONS = 50  # for bandwidths that are tried on validation sets
PENALTIES = np.logspace(-3, 4, 15)  # of the linear mean, per unit of weight


class Candidate(NamedTuple):
    """An ensemble of a kind of embedding, and how well it predicts."""

    ensemble: PoolingEnsemble
    validation_loss: float  # of rows that were left out
    loss_curve: np.ndarray
    validation_score: np.ndarray | None
    is_stopped: bool = False  # by a callback

    @property
    def expected_loss(self):
        """The validation loss; several networks together are better than one."""
        gain = ENSEMBLE_GAIN if len(self.ensemble.poolers) > 1 else 1.0
        return gain * self.validation_loss


class Problem(NamedTuple):
    """What candidates are learned from."""

    X: np.ndarray  # (n_rows, n_features): values, NaN and codes of categories
    Y: np.ndarray  # (n_rows, n_outputs): scaled targets, or 1 for the class of a row
    weights: np.ndarray  # (n_rows,), positive
    reader: object  # TableReader: knows which columns hold categories
    objective: object  # SquaredError or LogLoss: what is minimised
    options: dict  # the estimator's parameters
    random_state: np.random.RandomState
    report: object  # called as report(step, so_far), returns whether to stop

    def learn_encoder(self, kind):
        """The encoder of a kind of embedding."""
        encoding = self.options["numeric_encoding"]
        if encoding == "auto":
            encoding = "piecewise-linear" if kind in NETWORKS else "none"
        return learn_encoder(
            self.X,
            self.reader,
            self.weights,
            numeric_encoding=encoding,
            n_bins=self.options["n_bins"],
        )

    def make_ensemble(self, kind, encoder, poolers, linear_mean=None):
        """An ensemble of what was learned."""
        return PoolingEnsemble(
            kind=kind,
            encoder=encoder,
            objective=self.objective,
            poolers=tuple(poolers),
            linear_mean=linear_mean,
            weights=self.weights,
            targets=self.Y,
        )

    def score(self, position):
        """The score of an estimator of the ensemble: with "auto" two take turns."""
        score = self.options["attention"]
        return ("gaussian", "laplace")[position % 2] if score == "auto" else score


def learn_best_candidate(problem):
    """Learn the candidates that are tried, and return the best one."""
    folds = draw_validation_sets(problem)
    candidates = []
    for kind in candidate_kinds(*problem.X.shape, problem.options):
        learn = learn_networks if kind in NETWORKS else learn_bandwidths
        candidates.append(learn(kind, problem, folds))
        if candidates[-1].is_stopped:
            break
    return min(candidates, key=lambda candidate: candidate.expected_loss)


def candidate_kinds(n_rows, n_features, options):
    """The kinds of embeddings to try."""
    if options["embedding"] != "auto":
        return (options["embedding"],)
    needs_network = options["attention"] in NEEDS_NETWORK
    if n_rows < FEWEST_ROWS_FOR_NETWORK:
        return ("linear",) if needs_network else ("scale",)
    if needs_network:
        return ("mlp",)
    is_small = n_rows <= options["context_size"]
    has_few_features = n_features <= MOST_BANDWIDTHS_TO_TRY
    return ("scale", "mlp") if is_small and has_few_features else ("mlp",)


def count_estimators(n_rows, options):
    """How many networks: the fewer rows, the more they gain by each other."""
    if options["n_estimators"] != "auto":
        return options["n_estimators"]
    return int(np.clip(round(ROWS_OF_ENSEMBLE / n_rows), 1, MOST_ESTIMATORS))


def draw_validation_sets(problem):
    """Positions of rows of each set; none without early stopping."""
    n_rows, options = len(problem.X), problem.options
    if options["embedding"] in WITHOUT_NETWORK or n_rows < FEWEST_ROWS_FOR_NETWORK:
        return []
    if not uses_early_stopping(options["early_stopping"], n_rows):
        return []
    fraction = options["validation_fraction"]
    n_sets = int(np.clip(round(1 / fraction), 2, n_rows))
    size = max(1, round(fraction * n_rows))
    order = problem.random_state.permutation(n_rows)
    n_sets = min(n_sets, count_estimators(n_rows, options))
    return [np.sort(order[k * size : (k + 1) * size]) for k in range(n_sets)]


# Bandwidths


def learn_bandwidths(kind, problem, folds):
    """Learn the candidate that divides features by bandwidths."""
    X, Y, options = problem.X, problem.Y, problem.options
    encoder = problem.learn_encoder(kind)
    mean = None
    if options["residual"] == "linear":
        mean, Y = fit_linear_mean(encoder.transform(X), Y, problem.weights)
    repeats = count_repeats(problem.weights)
    sample, size = np.arange(len(X)), options["context_size"]
    if len(X) > size:
        sample = np.sort(problem.random_state.permutation(len(X))[:size])
    rows = Rows(
        encoder.transform(X[sample]),
        Y[sample],
        problem.weights[sample],
        repeats[sample],
    )
    embedding, losses, least = search_bandwidths(
        kind, rows, problem, options["max_iter"]
    )
    pooler = make_pooler(
        embedding, problem.score(0), 1, X, Y, encoder, problem.objective
    )
    if folds:  # leave-one-out chose the bandwidths, and would flatter them
        rows = Rows(encoder.transform(X), Y, problem.weights, repeats)
        least = np.mean([try_bandwidths(kind, rows, fold, problem) for fold in folds])
    candidate = Candidate(
        problem.make_ensemble(kind, encoder, [pooler], mean),
        least,
        np.array(losses, dtype=np.float64),
        None,
    )
    is_stopped = problem.report(
        step_of_bandwidths(kind, losses, len(rows.X), problem), lambda: candidate
    )
    return candidate._replace(is_stopped=is_stopped)


def step_of_bandwidths(kind, losses, n_rows, problem):
    """What is printed of bandwidths."""
    name = f"leave-one-out loss ({problem.objective.name})"
    scores = {name: losses[-1]} if losses else {}
    n = len(losses)
    return Step("iteration", n, n, scores, n * n_rows, "rows", kind, n_units=0)


def search_bandwidths(kind, rows, problem, max_iter):
    """Choose the bandwidths that predict each row best from all other rows."""
    n_features, n_outputs = rows.X.shape[1], rows.Y.shape[1]
    n_bandwidths = 1 if kind == "identity" else n_features
    embedding = make_bandwidths(n_bandwidths, n_features, n_outputs)
    if problem.options["bandwidth"] != "auto":
        embedding.parameters["log_bandwidths"][:] = np.log(problem.options["bandwidth"])
        max_iter = 0
    if len(rows.X) < 2:
        return embedding, [], np.inf
    score = problem.score(0)
    losses, least = fit_bandwidths(
        embedding, problem.objective, rows, score=score, max_iter=max_iter
    )
    return embedding, losses, least


def try_bandwidths(kind, rows, fold, problem):
    """The loss of a validation set, with bandwidths that all other rows chose."""
    learned, held = hold_out(rows, fold)
    learned, held = learned.select(slice(None)), held.select(slice(None))
    embedding, _, _ = search_bandwidths(kind, learned, problem, TRIAL_ITERATIONS)
    return held_out_loss(
        embedding,
        problem.objective,
        learned,
        held,
        score=problem.score(0),
        n_heads=1,
        n_jobs=problem.options["n_jobs"],
    )


def fit_linear_mean(encoded, Y, weights):
    """A linear mean, and the residuals of the targets from it."""
    from sklearn.linear_model import RidgeCV

    model = RidgeCV(alphas=PENALTIES * weights.mean())
    model.fit(encoded.toarray(), Y, weights)
    coef = np.atleast_2d(model.coef_)
    intercept = np.broadcast_to(model.intercept_, len(coef)).astype(np.float64)
    mean = LinearMean(coef=coef, intercept=intercept)
    residuals = np.empty_like(Y)
    for rows in tiles_of(len(Y)):
        residuals[rows] = Y[rows] - mean.predict(encoded[rows])
    return mean, residuals


# Networks


def learn_networks(kind, problem, folds):
    """Learn the candidate of networks, one after another."""
    encoder = problem.learn_encoder(kind)
    rows = Rows(
        encoder.transform_in_tiles(problem.X, np.float32),
        problem.Y.astype(np.float32),
        problem.weights.astype(np.float32),
        count_repeats(problem.weights).astype(np.float32),
    )
    poolers, trainings, is_stopped = [], [], False

    def so_far():
        newest = make_network_pooler(trainings, problem, encoder)
        ensemble = problem.make_ensemble(kind, encoder, [*poolers, newest])
        return summarize(ensemble, trainings)

    def report():
        return problem.report(step_of_network(kind, trainings, problem), so_far)

    for i in range(count_estimators(len(problem.X), problem.options)):
        validation = folds[i % len(folds)] if folds else np.empty(0, np.intp)
        options = problem.options | {"attention": problem.score(i)}
        network = make_network(kind, problem, encoder.n_columns)
        trainings.append(
            MinibatchTraining(
                network,
                problem.objective,
                rows,
                validation,
                options,
                problem.random_state,
            )
        )
        is_stopped = trainings[-1].run(report)
        poolers.append(make_network_pooler(trainings, problem, encoder))
        if is_stopped:
            break
    ensemble = problem.make_ensemble(kind, encoder, poolers)
    return summarize(ensemble, trainings)._replace(is_stopped=is_stopped)


def step_of_network(kind, trainings, problem):
    """What is printed of an evaluation of the newest network."""
    training, max_iter = trainings[-1], problem.options["max_iter"]
    n_networks = count_estimators(len(problem.X), problem.options)
    n_steps = len(training.losses)
    n_new = (n_steps - 1) % EVALUATION + 1
    name = f"loss ({problem.objective.name})"
    scores = {name: np.mean(training.losses[-n_new:])}
    if len(training.validation.X):
        scores["validation loss"] = training.scores[-1]
    return Step(
        "step",
        n_steps,
        max_iter,
        scores,
        n_new * training.batch_size,
        "rows",
        part=f"{kind}, network {len(trainings)}/{n_networks}",
        n_units=n_new,
        n_later=(n_networks - len(trainings)) * max_iter,
    )


def make_network(kind, problem, n_features):
    """A network with initial weights."""
    options, is_mlp = problem.options, kind == "mlp"
    is_additive = options["attention"] == "additive"
    residual = options["residual"]
    if residual == "auto":
        residual = kind
    sizes = tuple(map(int, options["hidden_layer_sizes"])) if is_mlp else ()
    network = (AdditiveEmbedding if is_additive else NetworkEmbedding)(
        parameters={},
        n_features=n_features,
        n_components=int(options["n_components"]),
        n_outputs=problem.Y.shape[1],
        hidden_layer_sizes=sizes,
        has_mean=residual != "none",
        mean_sees_hidden=residual == "mlp" and len(sizes) > 0,
    )
    return network.initialize(problem.random_state)


def make_network_pooler(trainings, problem, encoder):
    """The estimator of the newest training, as it would end now."""
    return make_pooler(
        trainings[-1].best_embedding(),
        problem.score(len(trainings) - 1),
        problem.options["n_heads"],
        problem.X,
        problem.Y,
        encoder,
        problem.objective,
    )


def summarize(ensemble, trainings):
    """The candidate of the networks so far, with one value a step in its curves."""
    losses = [training.losses for training in trainings]
    validation_score = None
    if all(len(training.validation.X) for training in trainings):
        scores = [np.repeat(t.scores, EVALUATION)[: len(t.losses)] for t in trainings]
        validation_score = -average_curves(scores)
    validation_loss = float(np.mean([training.best_loss for training in trainings]))
    loss_curve = average_curves(losses)
    return Candidate(ensemble, validation_loss, loss_curve, validation_score)


def average_curves(curves):
    """The mean of curves, the shorter ones of which keep their last value."""
    length = max(map(len, curves))
    padded = [[*curve, *[curve[-1]] * (length - len(curve))] for curve in curves]
    return np.mean(np.array(padded, dtype=np.float64), axis=0)
