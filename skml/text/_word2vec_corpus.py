"""From documents to what word2vec is trained on: words, their counts, and ids."""

import math
from dataclasses import dataclass

import numpy as np

from skml._fitting import warn_user
from skml.text._counts import count_matrix
from skml.text._document_vectors import count_rows
from skml.text._unknown import segmentation_advice, warn_unknown
from skml.text._vocabulary import (
    EncodedDocuments,
    count_ids,
    look_up,
    rank_terms,
    reindex,
)
from skml.text._word2vec_online import Growth

# max_iter="auto": epochs until so many tokens were trained on, within these bounds.
_TOKENS, _FEWEST_EPOCHS, _MOST_EPOCHS = 5_000_000, 5, 40


@dataclass
class Corpus:
    """The words and their counts, and the documents as ids of words.

    If terms that are no words have vectors, too, and are to be pooled, `with_all_terms`
    is all terms, and the documents as ids of these.
    """

    words: list
    counts: np.ndarray
    documents: EncodedDocuments
    with_all_terms: tuple | None = None

    def count_words(self):
        """How often each document has each word."""
        return count_matrix(self.documents.copy(), len(self.words))

    def rows(self, word_vectors):
        """The counts of all terms that have vectors, and those that are composed."""
        if self.with_all_terms is None:
            return self.count_words(), None
        terms, documents = self.with_all_terms
        return count_rows(terms, documents.copy(), word_vectors)


def learn_vocabulary(estimator, X, *, to_pool):
    """Choose the words of documents, which are perhaps pooled afterwards."""
    terms, documents = estimator._encode(X)
    counts = count_ids(documents.ids, len(terms))
    chosen = rank_terms(
        terms,
        counts,
        min_count=estimator.min_count,
        max_features=estimator.max_features,
    )
    if len(chosen) == 0:
        raise ValueError(_no_words(estimator, terms, counts, documents))
    new_id = np.full(len(terms), -1, dtype=np.int32)
    new_id[chosen] = np.arange(len(chosen))
    words = [str(terms[i]) for i in chosen]
    with_all_terms = None
    if estimator.subwords is not None and (to_pool or estimator.remove_components):
        with_all_terms = terms, documents.copy()
    corpus = Corpus(words, counts[chosen], reindex(documents, new_id), with_all_terms)
    n_known = np.diff(corpus.documents.offsets)
    if n_known.max() > 1 and estimator.subwords is None:
        warn_unknown(
            estimator,
            np.diff(documents.offsets),
            n_known,
            terms,
            why=f"none of theirs occurs min_count={estimator.min_count} times",
            remedy="Lower min_count, or pass more text.",
            most=0.5,
        )
    return corpus


def count_epochs(max_iter, n_tokens):
    """The number of epochs over a corpus of so many tokens."""
    if max_iter != "auto":
        return max_iter
    return min(max(_FEWEST_EPOCHS, math.ceil(_TOKENS / n_tokens)), _MOST_EPOCHS)


def count_more(estimator, X, tables):
    """What documents add to the words of tables."""
    known, rare_counts = tables.vocabulary, tables.rare_counts
    terms, documents = estimator._encode(X, is_fit=not known, known=known)
    if not known and len(terms) == 0:
        raise ValueError(_no_words(estimator, terms, None, documents))
    batch = count_ids(documents.ids, len(terms))
    new_id = look_up(terms, known)
    is_known = new_id >= 0
    rows, row_counts = new_id[is_known], batch[is_known]
    # Terms that are not words yet, and how often they were seen in all calls.
    unknown = np.flatnonzero(~is_known)
    names = [str(terms[i]) for i in unknown]
    seen = batch[unknown]
    seen += np.array([rare_counts.get(name, 0) for name in names], dtype=np.int64)
    most = estimator.max_features
    added = rank_terms(
        names,
        seen,
        min_count=estimator.min_count,
        max_features=most and max(0, most - len(known)),
    )
    new_id[unknown[added]] = np.arange(len(known), len(known) + len(added))
    return Growth(
        words=[names[i] for i in added],
        word_counts=seen[added],
        rows=rows,
        row_counts=row_counts,
        seen=dict(zip(names, seen.tolist(), strict=True)),
        documents=reindex(documents, new_id),
    )


def warn_of_no_pair(estimator, words, documents):
    """Warn that nothing was trained, as no word had another one around it."""
    if np.diff(documents.offsets).max() > 1:
        reason = (
            f"subsample={estimator.subsample!r} leaves none in so small a corpus. Set "
            "subsample=0."
        )
    else:
        reason = (
            "no document has two words of the vocabulary. Pass longer documents, or "
            "lower min_count; if X is the words of one document, pass [X]."
        )
        if estimator.analyzer == "word":
            reason += segmentation_advice(words)
    warn_user(
        f"{type(estimator).__name__}: the word vectors are not trained, but as they "
        "were at the start (random, by default). They are learned from pairs of words "
        f"that stand close, and {reason}"
    )


def _no_words(estimator, terms, counts, documents):
    caller = type(estimator).__name__
    if len(terms) == 0:
        return (
            f"{caller}: the {documents.n_documents} documents hold no token; all are "
            "empty after analysis."
        )
    message = (
        f"{caller}: no word reaches min_count={estimator.min_count}: of {len(terms)} "
        f"words in {len(documents.ids)} tokens, the most frequent occurs "
        f"{counts.max()} times. min_count={counts.max()} would keep "
        f"{np.count_nonzero(counts == counts.max())}."
    )
    if estimator.analyzer == "word":
        message += segmentation_advice(terms)
    return message
