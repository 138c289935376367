"""The training of FastTextClassifier: epochs over documents, or one over a batch."""

from dataclasses import replace

import numpy as np

from skml._fitting import warn_user
from skml._progress import ProgressLines, Step
from skml._random import make_random_state
from skml._validation import uses_early_stopping
from skml.text._fasttext_features import find_features, mean_vectors, read_tokens
from skml.text._fasttext_targets import read_classes
from skml.text._fasttext_training import FastTextTraining
from skml.text._fasttext_vocabulary import begin, grow
from skml.text._word2vec_fitted import RandomStateData, random_state_to_use


def learn(estimator, X, y, sample_weight, progress):
    """Train until `max_iter` epochs are over, the score stalls, or a callback stops."""
    tokens, targets = _read(estimator, X, y, sample_weight)
    random_state = make_random_state(estimator.random_state)
    held_out = _hold_out(estimator, targets, random_state)
    validation = tokens.take(held_out), targets.take(held_out)
    if len(held_out):
        rest = np.setdiff1d(np.arange(targets.n_documents), held_out)
        tokens, targets = tokens.take(rest), targets.take(rest)
    model, features = begin(estimator, tokens, targets, random_state)
    training = FastTextTraining(model, features, targets, n_jobs=estimator.n_jobs)
    judge = _Judge(estimator, model, *validation) if len(held_out) else None
    return _train(estimator, training, judge, random_state, progress)


def learn_more(estimator, X, y, sample_weight, classes, previous):
    """Continue with more documents, in one epoch over them."""
    if previous is not None:
        previous = previous.decoded()
    tokens, targets = _read(estimator, X, y, sample_weight, classes, previous)
    random_state = random_state_to_use(estimator, previous)
    if previous is None:
        model, features = begin(estimator, tokens, targets, random_state)
    else:
        model, features = grow(estimator, tokens, targets, random_state, previous)
    training = FastTextTraining(model, features, targets, n_jobs=estimator.n_jobs)
    losses, lines = model.loss_curve_.tolist(), ProgressLines(estimator)
    rates = estimator.learning_rate, 0.0
    losses.append(_train_epoch(estimator, training, random_state, len(losses), rates))
    lines.show(_step_of(losses, len(losses), targets, None))
    return _fitted(estimator, training, training.vectors(), losses, random_state)


def _read(estimator, X, y, sample_weight, classes=None, previous=None):
    """The documents that have a weight, and their classes."""
    known = () if previous is None else previous.vocabulary
    tokens = read_tokens(estimator, X, known=known)
    n_documents = tokens.documents.n_documents
    kept, targets = read_classes(estimator, y, n_documents, sample_weight, classes)
    _check_kind(estimator, targets, previous)
    return tokens.take(kept) if len(kept) < n_documents else tokens, targets


def _check_kind(estimator, targets, previous):
    """Refuse targets of another kind than before, and columns of which there are names.

    Names are sorted, and so would no longer be those of the columns.
    """
    caller = type(estimator).__name__
    if previous is None:
        numbers = np.arange(len(targets.classes))
        if targets.is_multilabel and not np.array_equal(targets.classes, numbers):
            raise ValueError(
                f"{caller}: y has {len(numbers)} columns, and the classes are "
                f"{targets.classes.tolist()!r:.100}. Pass their numbers: 0, 1 and so "
                "on."
            )
    elif targets.is_multilabel != previous.is_multilabel:
        one, several = "one class a document", "columns, several classes a document"
        now, before = (one, several) if previous.is_multilabel else (several, one)
        raise ValueError(
            f"{caller}: y has {now}, and had {before} before. Pass targets of one "
            "kind, or begin anew with fit."
        )


def _hold_out(estimator, targets, random_state):
    """The positions of the validation set, of each class in proportion."""
    n, fraction = targets.n_documents, estimator.validation_fraction
    if not uses_early_stopping(estimator.early_stopping, n):
        return np.empty(0, dtype=np.int64)
    order = random_state.permutation(n)
    if targets.is_multilabel:
        held_out = order[: min(round(fraction * n), n - 1)]
    else:
        sizes = targets.counts()
        by_class = order[np.argsort(targets.labels[order], kind="stable")]
        rank = np.arange(n) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        most = np.minimum(np.floor(fraction * sizes + 0.5), sizes - 1)
        held_out = by_class[rank < np.repeat(most, sizes)]
    if len(held_out) == 0:
        warn_user(
            f"{type(estimator).__name__}: early_stopping has no effect, as "
            f"validation_fraction={fraction!r} of the documents of each class is none: "
            "no document is held out."
        )
    return np.sort(held_out)


class _Judge:
    """The documents that are held out, and how well a model does on them."""

    def __init__(self, estimator, model, tokens, targets):
        self.tol, self.patience = estimator.tol, estimator.n_iter_no_change
        self.targets, self.features = targets, find_features(tokens, model)
        self.scores, self.best = [], None
        self._n_without_improvement, self._best_score = 0, -np.inf

    def score(self, training):
        """Note the accuracy of the model so far, and keep the best."""
        means, _ = mean_vectors(
            self.features,
            training.inputs,
            training.model.vector_size,
            is_pruned=training.model.is_pruned,
        )
        outputs = np.array(training.output_rows, order="C")
        model = replace(training.model, output_vectors=outputs)
        score = self.targets.accuracy(model.proba(means))
        if score >= max(self.scores, default=0.0):
            self.best = training.vectors()
        self.scores.append(score)
        has_improved = score > self._best_score + self.tol
        self._n_without_improvement = (
            0 if has_improved else self._n_without_improvement + 1
        )
        self._best_score = max(self._best_score, score)

    @property
    def has_stalled(self):
        return self._n_without_improvement >= self.patience


def _train(estimator, training, judge, random_state, progress):
    losses, max_iter = [], estimator.max_iter
    rates = np.linspace(estimator.learning_rate, 0, max_iter + 1).tolist()
    progress.start()

    def fitted(vectors):
        scores = None if judge is None else judge.scores
        return _fitted(estimator, training, vectors, losses, random_state, scores)

    for epoch in range(max_iter):
        progress.begin("epoch")
        rate = rates[epoch : epoch + 2]
        losses.append(_train_epoch(estimator, training, random_state, epoch, rate))
        if judge is not None:
            judge.score(training)
        step = _step_of(losses, max_iter, training.targets, judge)
        if progress.report(step, lambda: fitted(training.vectors())):
            break
        if judge is not None and judge.has_stalled:
            break
    return fitted(training.vectors() if judge is None else judge.best)


def _train_epoch(estimator, training, random_state, epoch, rates):
    order = random_state.permutation(training.targets.n_documents)
    loss = training.run_epoch(order, *rates)
    if not (np.isfinite(loss) and training.is_finite()):
        raise ValueError(
            f"{type(estimator).__name__}: the loss of epoch {epoch + 1} is {loss:.4g}; "
            "the vectors grew without bound. Lower learning_rate, which is "
            f"{estimator.learning_rate!r}, or the weights of documents and classes, of "
            f"which the largest is {training.targets.weights.max():.4g}."
        )
    return loss


def _fitted(estimator, training, vectors, losses, random_state, scores=None):
    """What was learned."""
    return replace(
        training.model,
        **vectors,
        random_state=RandomStateData.kept(estimator, random_state),
        loss_curve_=np.array(losses, dtype=np.float64),
        validation_score_=None if scores is None else np.array(scores),
        n_iter_=len(losses),
    )


def _step_of(losses, max_iter, targets, judge):
    """What is printed of an epoch."""
    scores = {"loss": losses[-1]}
    if judge is not None:
        scores["validation accuracy"] = judge.scores[-1]
    n_samples = targets.n_documents
    return Step("epoch", len(losses), max_iter, scores, n_samples, "samples")
