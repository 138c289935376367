"""The training of word2vec: epochs over a corpus, or one over a batch of documents."""

import numpy as np

from skml._progress import ProgressLines, Step
from skml._random import make_random_state
from skml.text._document_vectors import fit_weighter, learn_components
from skml.text._vocabulary import EncodedDocuments
from skml.text._word2vec_corpus import count_more, warn_of_no_pair
from skml.text._word2vec_fitted import (
    FittedWord2Vec,
    RandomStateData,
    WordTables,
    random_state_to_use,
)
from skml.text._word2vec_online import OnlineVectors
from skml.text._word2vec_parameters import check_same_size
from skml.text._word2vec_training import (
    Word2VecTraining,
    fill_randomly,
    prepare,
    take_init,
)


def learn(corpus, estimator, *, y, init, previous, max_iter, progress):
    """Train for `max_iter` epochs, or until a callback stops it.

    `init` are given vectors to start from, `previous` is what was learned before; both
    may be None.
    """
    words, counts, documents = corpus.words, corpus.counts, corpus.documents
    composed = None if estimator.subwords is None else ()
    word_counts = None if estimator.weighter is None else corpus.count_words()
    weighter = fit_weighter(estimator, word_counts, composed, len(words), y)
    random_state = make_random_state(estimator.random_state)
    training = prepare(
        estimator, words, counts, documents, init, previous, random_state
    )
    n_tokens, losses = len(documents.ids), []

    def fitted(matrices):
        tables = _tables_of(matrices, counts, {})
        rows = corpus.rows(tables.word_vectors) if estimator.remove_components else None
        return _fitted(
            estimator, tables, losses, n_tokens, random_state, weighter, rows
        )

    rates = np.linspace(
        estimator.learning_rate, estimator.learning_rate_min, max_iter + 1
    ).tolist()
    progress.start()
    for epoch in range(max_iter):
        progress.begin("epoch")
        rate = rates[epoch : epoch + 2]
        losses.append(_train_epoch(estimator, training, documents, epoch, rate))
        step = _step_of(losses, max_iter, n_tokens)
        if progress.report(step, lambda: fitted(training.copy())):
            break
    if training.n_pairs == 0:
        warn_of_no_pair(estimator, words, documents)
    training.drop_padding()
    return fitted(training)


def learn_more(X, estimator, *, init, previous):
    """Continue with more documents, in one epoch over them.

    As long as no term is frequent enough, what is learned are only counts of terms.
    """
    tables = _tables_to_grow(estimator, previous)
    check_same_size(estimator, tables.vector_size)
    growth = count_more(estimator, X, tables)
    if previous is None or not previous.has_words:
        if not growth.words:
            tables.count_rare(growth)
            return _fitted(estimator, tables, np.empty(0), 0, None)
        previous = None
    random_state = random_state_to_use(estimator, previous)
    losses, n_before = np.empty(0), 0
    if previous is not None:
        losses, n_before = previous.loss_curve_, previous.n_tokens_
    words = tables.words + growth.words if growth.words else tables.words
    if estimator.subwords is None:
        losses = _train_some_rows(estimator, tables, growth, init, random_state, losses)
    else:
        tables, losses = _train_all_rows(
            estimator, tables, growth, previous, random_state, losses
        )
    n_known = np.diff(growth.documents.offsets)
    if len(n_known) > 1 and n_known.max() < 2:
        warn_of_no_pair(estimator, words, growth.documents)
    n_tokens = n_before + len(growth.documents.ids)
    return _fitted(estimator, tables, losses, n_tokens, random_state)


def _tables_to_grow(estimator, previous):
    """The words and vectors that more documents are added to."""
    if previous is None:
        nothing = np.empty((0, estimator.vector_size), dtype=np.float32)
        return OnlineVectors([], np.empty(0, np.int64), nothing, nothing, {})
    tables = previous.tables
    if isinstance(tables, OnlineVectors) or estimator.subwords is not None:
        return tables
    vectors, outputs = tables.word_vectors.vectors, tables.output_vectors
    if not previous.is_noise_trained:
        outputs = np.zeros_like(vectors)
    return OnlineVectors(
        tables.words, tables.counts, vectors, outputs, tables.rare_counts
    )


def _train_all_rows(estimator, tables, growth, previous, random_state, losses):
    """Train on a batch with the vectors of all words, which share n-grams."""
    counts = growth.counts(tables.counts)
    words, documents = tables.words + growth.words, growth.documents
    training = prepare(
        estimator, words, counts, documents, None, previous, random_state
    )
    losses = _train_batch(estimator, training, documents, losses)
    rare_counts = {**tables.rare_counts, **growth.seen}
    for word in growth.words:
        del rare_counts[word]
    return _tables_of(training, counts, rare_counts), losses


def _train_some_rows(estimator, online, growth, init, random_state, losses):
    """Train on a batch with the vectors of its words, and of noise words."""
    documents, vocabulary = growth.documents, online.vocabulary
    n_noise_words = estimator.n_negatives * max(1, len(documents.ids))
    rows, weights = online.rows_of(
        growth, n_noise_words, estimator.noise_exponent, random_state
    )
    words = [online.words[row] for row in rows if row < len(online)] + growth.words
    training = Word2VecTraining(estimator, words)
    n_known = len(words) - len(growth.words)
    fill_randomly(training.word_rows[n_known:], random_state)
    fixed = take_init(estimator, init, words, training.word_rows, vocabulary)
    online.read(rows[:n_known], training)
    if estimator.freeze_init:
        take_init(estimator, init, words, training.word_rows, vocabulary)
    training.make_trainer(
        estimator,
        online.counts_of(growth, rows),
        len(documents.ids),
        random_state,
        fixed=fixed,
        noise=weights,
        n_counted=online.n_counted + growth.n_counted,
    )
    ids = np.searchsorted(rows, documents.ids).astype(np.int32)
    documents = EncodedDocuments(ids, documents.offsets)
    losses = _train_batch(estimator, training, documents, losses)
    online.take(growth, rows, training)
    return losses


def _train_batch(estimator, training, documents, losses):
    """Train in one epoch; return the losses of all calls."""
    lines = ProgressLines(estimator)
    rates = estimator.learning_rate, estimator.learning_rate_min
    loss = _train_epoch(estimator, training, documents, len(losses), rates)
    # The vectors are taken over at once, and looked at when they are asked for.
    if not (
        np.isfinite(training.input_rows).all()
        and np.isfinite(training.output_rows).all()
    ):
        raise ValueError(
            f"{type(estimator).__name__}: the word vectors grew without bound. Lower "
            f"learning_rate, which is {estimator.learning_rate!r}."
        )
    losses = np.append(losses, loss)
    lines.show(_step_of(losses, len(losses), len(documents.ids)))
    training.drop_padding()
    return losses


def _train_epoch(estimator, training, documents, epoch, rates):
    loss = training.run_epoch(documents, *rates)
    # Guessing costs log(2) a prediction. A tree makes 31 at most for any corpus that
    # could be read, and a mean may be far off for a while.
    uses_noise = estimator.loss == "negative-sampling"
    n_predictions = 1 + estimator.n_negatives if uses_noise else 31
    if not loss <= 20 * n_predictions:
        raise ValueError(
            f"{type(estimator).__name__}: the loss of epoch {epoch + 1} is {loss:.4g}; "
            "the word vectors grew without bound. Lower learning_rate, which is "
            f"{estimator.learning_rate!r}, or window, which is {estimator.window!r}."
        )
    return loss


def _tables_of(training, counts, rare_counts):
    """The vectors as they are in `training`."""
    return WordTables(
        word_vectors=training.word_vectors(),
        counts=counts,
        output_vectors=training.output_rows,
        own_rows=None if training.lengths is None else training.word_rows,
        rare_counts=rare_counts,
    )


def _fitted(
    estimator, tables, losses, n_tokens, random_state, weighter=None, rows=None
):
    """What was learned; rows of documents are given if components are removed."""
    # Asking for word vectors copies those that grow.
    word_vectors = tables if rows is None else tables.word_vectors
    return FittedWord2Vec(
        tables=tables,
        is_noise_trained=estimator.loss == "negative-sampling",
        random_state=RandomStateData.kept(estimator, random_state),
        weighter_=weighter,
        components_=learn_components(estimator, rows, word_vectors, weighter),
        pooling=estimator.pooling,
        loss_curve_=np.array(losses, dtype=np.float64),
        n_tokens_=n_tokens,
        n_iter_=len(losses),
    )


def _step_of(losses, max_iter, n_tokens):
    """What is printed of an epoch."""
    return Step(
        "epoch", len(losses), max_iter, {"loss": losses[-1]}, n_tokens, "tokens"
    )
