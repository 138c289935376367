"""The most similar words: products of queries with one tile of words after another."""

import numpy as np

# Similarities are computed in tiles of so many words and queries, 16 MB.
TILE = 16_384
_QUERIES = 256
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
    """The k best columns of each line of scores; ties are in order of `rows`."""
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


def split_queries(positive, negative, part_of):
    """The positive and negative parts of each query, and whether it is just one."""
    if not (_is_nested(positive) or _is_nested(negative)):
        positive, negative, is_one = [positive], [negative], True
    else:
        positive = list(positive) or [()] * len(negative)
        negative = list(negative) or [()] * len(positive)
        is_one = False
    if len(positive) != len(negative):
        raise ValueError(
            f"positive has {len(positive)} queries and negative has "
            f"{len(negative)}; pass a list of words for each query."
        )
    queries = [
        (_parts(p, part_of), _parts(n, part_of))
        for p, n in zip(positive, negative, strict=True)
    ]
    return queries, is_one


def _parts(items, part_of):
    if isinstance(items, (str, np.ndarray)):
        items = [items]
    return [part_of(item) for item in items]


def _is_nested(items):
    """Whether these are many queries: a list of nothing but lists."""
    if isinstance(items, (str, np.ndarray)):
        return False
    return len(items) > 0 and all(isinstance(item, (list, tuple)) for item in items)


def candidate_rows(candidates, vocabulary):
    """The rows of the only words that may be found, in order; None is all."""
    if candidates is None:
        return None
    if isinstance(candidates, str):
        raise TypeError(
            f"candidates={candidates!r:.60} is a str; pass a list of words."
        )
    candidates = list(candidates)
    if not candidates:
        raise ValueError("candidates is empty; pass words, or None for all words.")
    unknown = [
        word
        for word in candidates
        if not isinstance(word, str) or word not in vocabulary
    ]
    if unknown:
        names = ", ".join(f"{word!r:.60}" for word in unknown[:5])
        names += " and others" if len(unknown) > 5 else ""
        raise KeyError(
            f"{len(unknown)} of {len(candidates)} candidates are not in the vocabulary "
            f"of {len(vocabulary)} words: {names}"
        )
    return np.unique([vocabulary[word] for word in candidates])


def search(queries, vectors, lengths, topn, method, rows=None):
    """Yield the `topn` best words of each query, best first, as rows and scores.

    A query is its positive and its negative parts: rows of words, or unit vectors. Only
    words of the given rows, which ascend, are found; None is all.
    """
    for start in range(0, len(queries), _QUERIES):
        batch = queries[start : start + _QUERIES]
        best = _search(batch, vectors, lengths, topn, method, rows)
        for scores, found in zip(*best, strict=True):
            pairs = zip(found, scores, strict=True)
            yield [(row, score) for row, score in pairs if score > -np.inf]


def _search(queries, vectors, lengths, topn, method, rows):
    """The scores and the rows of the best words; minus infinity is no word."""
    parts, signs, starts, (query, row) = _flatten(queries, vectors, lengths)
    if method == "3CosAdd":
        parts = np.add.reduceat(parts * signs, starts, axis=0)
        parts /= lengths_of(parts)[:, None]
    best = np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), int)
    for first in range(0, len(vectors) if rows is None else len(rows), TILE):
        tile = slice(first, first + TILE)
        last = min(first + TILE, len(vectors))
        found = np.arange(first, last) if rows is None else rows[tile]
        tile = tile if rows is None else found
        scores = parts @ np.asarray(vectors[tile]).T
        scores /= lengths[tile]
        # What rounding adds to a cosine would also order those that are equal to 1.
        np.clip(scores, -1, 1, out=scores)
        if method == "3CosMul":
            scores = _multiply(scores, signs, starts)
        column = np.minimum(np.searchsorted(found, row), len(found) - 1)
        here = found[column] == row
        scores[query[here], column[here]] = -np.inf
        best = _merge(best, _best(scores, found, topn), topn)
    return [each.tolist() for each in best]


def _flatten(queries, vectors, lengths):
    """The unit vectors of all parts of the queries below each other.

    Returns also their signs, the first part of each query, and pairs of a query and a
    word that it must not find.
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
