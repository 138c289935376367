"""The words and buckets of a text classifier, and the vectors that it starts from."""

from dataclasses import replace

import numpy as np

from skml.text._fasttext_features import find_buckets, find_features
from skml.text._fasttext_fitted import FittedFastText, find_word
from skml.text._fasttext_parameters import ngram_settings
from skml.text._subwords import END_OF_LINE
from skml.text._tfidf_vocabulary import Vocabulary
from skml.text._unknown import segmentation_advice, warn_unknown
from skml.text._vocabulary import look_up, spell

# Of more buckets, those that are used are found by sorting.
_MOST_MARKED = 1 << 26
_NUMBERS = 1 << 20  # random ones at a time


def begin(estimator, tokens, targets, random_state):
    """A model of the words and n-grams of documents, and the documents as its rows."""
    counts = tokens.counts()
    in_order = tokens.in_order()
    order = in_order[np.argsort(-counts[in_order], kind="stable")]
    chosen = order[counts[order] >= estimator.min_count]
    settings = ngram_settings(estimator)
    buckets = find_buckets(tokens, settings)
    used = _used_buckets(buckets, counts, settings.n_buckets)
    if len(tokens.documents.ids) == 0 or len(chosen) + len(used) == 0:
        raise ValueError(_nothing_to_learn(estimator, tokens, counts))
    vocabulary, counts = tokens.vocabulary(chosen), counts[chosen]
    vocabulary, counts = _add_end_of_line(vocabulary, counts, targets.n_documents)
    vocabulary, counts = _add_pretrained(estimator, vocabulary, counts)
    n_rows, size = len(vocabulary) + len(used), int(estimator.vector_size)
    vectors = np.empty((n_rows, size), dtype=np.float32)
    _fill_randomly(vectors, random_state)
    _take_pretrained(estimator, vocabulary, vectors)
    model = FittedFastText(
        vocabulary=vocabulary,
        counts_=counts,
        input_vectors=vectors,
        buckets=used,
        n_buckets=settings.n_buckets,
        output_vectors=np.zeros((len(targets.classes), size), dtype=np.float32),
        classes_=targets.classes,
        class_counts=targets.counts(),
        loss=estimator.loss,
        is_multilabel=targets.is_multilabel,
        word_ngrams=settings.word_ngrams,
        subwords=settings.subwords,
        end_of_line=settings.end_of_line,
        random_state=None,
        loss_curve_=np.empty(0),
        validation_score_=None,
        n_iter_=0,
    )
    features = find_features(tokens, model, buckets)
    if estimator.min_count > 1:
        warn_unknown(
            estimator,
            tokens.sizes,
            features.sizes() - 1,
            tokens.sample,
            why=f"none of theirs occurs min_count={estimator.min_count} times",
            remedy="Lower min_count, or pass more text.",
            most=0.5,
            become="have equal vectors",
        )
    return model, features


def grow(estimator, tokens, targets, random_state, previous):
    """As `begin`, from a model that gets the words and n-grams of more documents."""
    counts, rows = tokens.counts(), tokens.rows_in(previous.vocabulary)
    in_order = tokens.in_order()
    is_new = (rows[in_order] < 0) & (counts[in_order] >= estimator.min_count)
    added = in_order[is_new]
    vocabulary = _join(previous.vocabulary, tokens.vocabulary(added))
    new_counts = previous.counts_.copy()
    is_known = rows >= 0
    new_counts[rows[is_known]] += counts[is_known]
    if previous.end_row >= 0:
        new_counts[previous.end_row] += targets.n_documents
    buckets = find_buckets(tokens, previous)
    used = _used_buckets(buckets, counts, previous.n_buckets)
    used = np.union1d(previous.buckets, used).astype(np.int32)
    n_words, n_before = len(vocabulary), len(previous.vocabulary)
    shape = n_words + len(used), previous.vector_size
    vectors = np.empty(shape, dtype=np.float32)
    _fill_randomly(vectors, random_state)
    vectors[:n_before] = previous.input_vectors[:n_before]
    places = np.searchsorted(used, previous.buckets)
    vectors[n_words + places] = previous.input_vectors[n_before:]
    has_tree = previous.loss == "hierarchical-softmax"
    model = replace(
        previous,
        vocabulary=vocabulary,
        counts_=np.concatenate([new_counts, counts[added]]),
        input_vectors=vectors,
        buckets=used,
        # The tree stays as it is.
        class_counts=previous.class_counts + (0 if has_tree else targets.counts()),
        validation_score_=None,
    )
    return model, find_features(tokens, model, buckets)


def _used_buckets(buckets, counts, n_buckets):
    """The buckets of the n-grams that occur, ascending."""
    offsets, of_tokens = buckets.of_tokens
    if len(of_tokens):
        # Tokens may occur in documents that were left out.
        of_tokens = of_tokens[np.repeat(counts > 0, np.diff(offsets))]
    of_documents = buckets.of_documents[1]
    if n_buckets > _MOST_MARKED:
        return np.union1d(of_tokens, of_documents).astype(np.int32)
    is_used = np.zeros(n_buckets, dtype=bool)
    is_used[of_tokens] = is_used[of_documents] = True
    return np.flatnonzero(is_used).astype(np.int32)


def _fill_randomly(vectors, random_state):
    """Fill vectors with uniform numbers in [-1, 1) / vector_size."""
    seed = random_state.randint(0, 1 << 32, size=4, dtype=np.uint64)
    generator = np.random.Generator(np.random.SFC64(seed.tolist()))
    flat, size = vectors.reshape(-1), vectors.shape[1]
    for start in range(0, len(flat), _NUMBERS):
        part = flat[start : start + _NUMBERS]
        generator.random(out=part, dtype=np.float32)
        part *= np.float32(2 / size)
        part -= np.float32(1 / size)


def _join(vocabulary, other):
    """The words of one vocabulary, and behind them those of another."""
    if len(other) == 0:
        return vocabulary
    return Vocabulary(
        np.concatenate([vocabulary.spelling, other.spelling]),
        np.concatenate([vocabulary.ends, vocabulary.ends[-1] + other.ends[1:]]),
    )


def _add_end_of_line(vocabulary, counts, n_documents):
    """Add the token that ends each document."""
    row = find_word(vocabulary, END_OF_LINE)
    if row < 0:
        vocabulary = _join(vocabulary, Vocabulary.of([END_OF_LINE]))
        return vocabulary, np.append(counts, n_documents)
    counts = counts.copy()
    counts[row] += n_documents
    return vocabulary, counts


def _add_pretrained(estimator, vocabulary, counts):
    """Add the words that have a given vector, and occur in no document."""
    if estimator.pretrained_vectors is None:
        return vocabulary, counts
    words = estimator.pretrained_vectors.words
    added = [word for word in words if word not in vocabulary]
    zeros = np.zeros(len(added), dtype=np.int64)
    return _join(vocabulary, Vocabulary(*spell(added))), np.append(counts, zeros)


def _take_pretrained(estimator, vocabulary, vectors):
    """Start from the given vectors for the words that have one."""
    given = estimator.pretrained_vectors
    if given is not None:
        vectors[look_up(given.words, vocabulary.index)] = given.vectors


def _nothing_to_learn(estimator, tokens, counts):
    caller = type(estimator).__name__
    n_documents = tokens.documents.n_documents
    if len(tokens.documents.ids) == 0:
        return (
            f"{caller}: the {n_documents} documents hold no token; all are empty after "
            "analysis."
        )
    message = (
        f"{caller}: no word reaches min_count={estimator.min_count}, and there are no "
        f"n-grams: of {np.count_nonzero(counts)} words in {counts.sum()} tokens, the "
        f"most frequent occurs {counts.max()} times. Lower min_count."
    )
    if estimator.analyzer == "word":
        message += segmentation_advice(tokens.sample())
    return message
