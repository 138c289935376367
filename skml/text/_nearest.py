"""The most similar words: products of queries with one tile of words after another."""

import numpy as np

# Similarities are computed in tiles of so many words; with 256 queries, 16 MB.
TILE = 16_384
# Levy & Goldberg (2014) divide by this plus the similarity to the negative words.
_EPSILON = 1e-3


def lengths_of(vectors):
    """The length of each row, or 1 where it is zero: its similarity is then 0."""
    lengths = np.empty(len(vectors), dtype=np.float32)
    for start in range(0, len(vectors), TILE):
        rows = np.asarray(vectors[start : start + TILE])
        # A double keeps the squares of large and small numbers.
        squares = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
        lengths[start : start + TILE] = np.sqrt(squares)
    lengths[lengths == 0] = 1
    return lengths


def _best(scores, rows, k):
    """The k best columns of each line of scores: ties in order of `rows`.

    Parameters
    ----------
    scores : ndarray of shape (n_queries, n_columns)
        Higher is better.
    rows : ndarray of shape (n_queries, n_columns) or (n_columns,)
        The row of the word of each score.
    k : int
        How many are wanted.

    Returns
    -------
    scores, rows : ndarrays of shape (n_queries, min(k, n_columns))
        In descending order of the scores.
    """
    rows = np.broadcast_to(rows, scores.shape)
    if scores.shape[1] > 2 * k:
        worst = np.partition(scores, -k, axis=1)[:, -k]
        columns = np.array(
            [_first(line, bound, k) for line, bound in zip(scores, worst, strict=True)]
        )
        scores = np.take_along_axis(scores, columns, axis=1)
        rows = np.take_along_axis(rows, columns, axis=1)
    order = np.lexsort((rows, -scores))[:, :k]
    return np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)


def _merge(first, second, k):
    """The k best of two results of `_best`."""
    scores, rows = (np.hstack(pair) for pair in zip(first, second, strict=True))
    return _best(scores, rows, k)


def _first(scores, bound, k):
    """The columns of the k best scores; of those that equal the bound the first."""
    above = np.flatnonzero(scores > bound)
    equal = np.flatnonzero(scores == bound)
    return np.concatenate([above, equal[: k - len(above)]])


def search(queries, vectors, lengths, topn, method):
    """Find the best words of a few queries.

    Parameters
    ----------
    queries : list of tuple of (list, list)
        The positive and negative parts of each: rows of words, or unit vectors.
    vectors : ndarray of shape (n_words, vector_size), dtype float32
        The vectors of the words.
    lengths : ndarray of shape (n_words,), dtype float32
        Their lengths, as `lengths_of` gives them.
    topn : int
        How many words to find for each query.
    method : {"3CosAdd", "3CosMul"}
        The score.

    Returns
    -------
    scores, rows : list of list of float, list of list of int
        Of each query the best words, best first; a score of minus infinity is none.
    """
    parts, signs, starts, (query, row) = _flatten(queries, vectors, lengths)
    if method == "3CosAdd":
        parts = np.add.reduceat(parts * signs, starts, axis=0)
        parts /= lengths_of(parts)[:, None]
    best = np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), int)
    for first in range(0, len(vectors), TILE):
        tile = slice(first, first + TILE)
        scores = parts @ np.asarray(vectors[tile]).T
        scores /= lengths[tile]
        # What rounding adds to a cosine would also order those that are equal to 1.
        np.clip(scores, -1, 1, out=scores)
        if method == "3CosMul":
            scores = _multiply(scores, signs, starts)
        here = (first <= row) & (row < first + scores.shape[1])
        scores[query[here], row[here] - first] = -np.inf
        rows = np.arange(first, first + scores.shape[1])
        best = _merge(best, _best(scores, rows, topn), topn)
    scores, rows = (each.tolist() for each in best)
    return scores, rows


def _flatten(queries, vectors, lengths):
    """The unit vectors of all parts of the queries below each other.

    Returns
    -------
    parts : ndarray of shape (n_parts, vector_size), dtype float32
        The unit vectors.
    signs : ndarray of shape (n_parts, 1), dtype float32
        1 for positive, -1 for negative.
    starts : list of int
        The first part of each query.
    excluded : ndarray of shape (2, n_excluded)
        Queries, and words that they must not find.
    """
    parts, signs, starts, excluded = [], [], [], []
    for query, (positive, negative) in enumerate(queries):
        if not positive and not negative:
            raise ValueError(
                f"query {query} is empty: it has no positive and no negative words."
            )
        starts.append(len(parts))
        for part in (*positive, *negative):
            if isinstance(part, int):
                excluded.append((query, part))
                part = vectors[part] / lengths[part]
            parts.append(part)
        signs += [1] * len(positive) + [-1] * len(negative)
    return (
        np.array(parts, dtype=np.float32),
        np.array(signs, dtype=np.float32)[:, None],
        starts,
        np.array(excluded, dtype=np.intp).reshape(-1, 2).T,
    )


def _multiply(cosines, signs, starts):
    """3CosMul of the queries from the cosines of their parts."""
    shifted = (1 + cosines) / 2
    above = np.multiply.reduceat(np.where(signs > 0, shifted, 1), starts)
    below = np.multiply.reduceat(np.where(signs < 0, shifted, 1), starts)
    return above / (below + np.float32(_EPSILON))
