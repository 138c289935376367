"""Where the training of word vectors starts: random, given or learned vectors."""

import numpy as np
from joblib import effective_n_jobs

from skml.text._subwords import find_hashes
from skml.text._vocabulary import look_up
from skml.text._word2vec_tables import noise_weights
from skml.text._word2vec_training import Word2VecTraining, fill_randomly
from skml.text._word_vectors import WordVectors

# Rows copied at a time, to hold no second matrix.
_ROWS = 4096


def load_init(estimator):
    """The vectors to start from, before the documents are read; None if random."""
    init = estimator.init
    if isinstance(init, str) and init == "random":
        return None
    if not isinstance(init, WordVectors):
        init = WordVectors.load(init)
    if init.vector_size != estimator.vector_size:
        raise ValueError(
            f"{type(estimator).__name__}: the vectors of init have {init.vector_size} "
            f"dimensions and vector_size={estimator.vector_size!r}; they must agree."
        )
    return init


def prepare(estimator, words, counts, documents, init, previous, random_state):
    """The matrices as they are before training, and the kernel.

    Parameters
    ----------
    estimator : Word2VecTransformer
        The parameters.
    words : list of str
        The words of the vocabulary.
    counts : ndarray of shape (n_words,), dtype int64
        How often each occurs.
    documents : EncodedDocuments
        What is trained on.
    init : WordVectors or None
        Given vectors.
    previous : FittedWord2Vec or None
        What was learned before, to continue with.
    random_state : RandomState
        Draws the other vectors.

    Returns
    -------
    training : Word2VecTraining
        The matrices and the kernel.
    """
    training = _make_training(estimator, words)
    fill_randomly(training.input_rows, random_state)
    fixed = take_init(estimator, init, words, training.word_rows)
    if previous is not None:
        _take_previous(estimator, training, previous)
        if estimator.freeze_init:
            take_init(estimator, init, words, training.word_rows)
    noise = None
    if estimator.loss == "negative-sampling":
        noise = noise_weights(counts, estimator.noise_exponent)
    make_trainer(estimator, training, counts, documents, random_state, fixed, noise)
    return training


def _make_training(estimator, words):
    lengths = estimator.subwords
    lengths = None if lengths is None else tuple(map(int, lengths))
    training = Word2VecTraining(words, estimator.vector_size, lengths)
    if lengths is not None and len(training.hashes) == 0:
        raise ValueError(
            f"{type(estimator).__name__}: subwords={estimator.subwords!r}, and none of "
            f"the {len(words)} words, such as {words[:3]}, has an n-gram of such a "
            "length that is not the whole word. Choose smaller lengths, or None."
        )
    return training


def make_trainer(
    estimator, training, counts, documents, random_state, fixed, noise, n_counted=None
):
    """Prepare the kernel, with the parameters of an estimator."""
    n_workers = effective_n_jobs(estimator.n_jobs)
    training.make_trainer(
        counts,
        random_state,
        noise=noise,
        n_counted=n_counted,
        n_workers=min(n_workers, max(1, len(documents.ids))),
        subsample=estimator.subsample,
        skip_gram=estimator.architecture == "skip-gram",
        n_negatives=estimator.n_negatives,
        window=estimator.window,
        shrink_window=estimator.shrink_window,
        fixed=fixed if estimator.freeze_init else fixed[:0],
    )


def take_init(estimator, init, words, rows, other_words=()):
    """Start from given vectors; return which words have one, as 0 and 1.

    One word must have one, of these or of the other words of the vocabulary.
    """
    if init is None:
        return np.zeros(len(words), dtype=np.uint8)
    is_known = _copy_known(words, rows, init.vocabulary, init.vectors)
    if not is_known.any() and not any(w in init.vocabulary for w in other_words):
        raise ValueError(
            f"{type(estimator).__name__}: none of the {len(words)} words of the "
            f"vocabulary, such as {words[:3]}, is among the {len(init)} of init, "
            f"such as {init.words[:3]}."
        )
    return is_known.astype(np.uint8)


def check_same_size(estimator, size):
    """Refuse to continue with vectors of another size."""
    if size != estimator.vector_size:
        raise ValueError(
            f"{type(estimator).__name__}: vector_size={estimator.vector_size!r}, and "
            f"the vectors learned before have {size} dimensions. Set it back to "
            "continue, or begin anew with fit and warm_start=False."
        )


def _take_previous(estimator, training, previous):
    """Start from what was learned before."""
    tables = previous.tables
    check_same_size(estimator, tables.vector_size)
    words, word_vectors = training.words, tables.word_vectors
    vocabulary, subwords = tables.vocabulary, word_vectors.subwords
    # What is composed now was perhaps not before, and the reverse.
    was_composed, is_composed = subwords is not None, training.lengths is not None
    rows = tables.own_rows if was_composed and is_composed else word_vectors.vectors
    is_known = _copy_known(words, training.word_rows, vocabulary, rows)
    if is_composed and not was_composed:
        training.word_rows[is_known] *= training.n_parts[is_known, None]
    if is_composed and was_composed:
        positions = find_hashes(subwords.hashes, training.hashes)
        is_known = positions >= 0
        training.subword_rows[is_known] = subwords.vectors[positions[is_known]]
    # Those of a tree belong to its nodes, which another vocabulary rearranges.
    if estimator.loss == "negative-sampling" and previous.is_noise_trained:
        _copy_known(words, training.output_rows, vocabulary, tables.output_vectors)


def _copy_known(words, rows, vocabulary, vectors):
    """Copy the vectors of the words that have one into their rows.

    Parameters
    ----------
    words : list of str
        The words of the rows.
    rows : ndarray of shape (n_words, vector_size), dtype float32
        Overwritten where a word is known.
    vocabulary : dict
        The row in `vectors` of each known word.
    vectors : ndarray of shape (n_known, vector_size), dtype float32
        Their vectors.

    Returns
    -------
    is_known : ndarray of shape (n_words,), dtype bool
        Which words are known.
    """
    sources = look_up(words, vocabulary)
    targets = np.flatnonzero(sources >= 0)
    for start in range(0, len(targets), _ROWS):
        part = targets[start : start + _ROWS]
        rows[part] = vectors[sources[part]]
    return sources >= 0
