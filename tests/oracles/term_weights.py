"""Weights of terms by each scheme, slow and plain: loops over lists of tokens."""

import math

SUPERVISED = ("icf", "rf", "or", "nb")


def weights_of_terms(
    terms,
    documents,
    scheme,
    *,
    labels=None,
    use_idf=True,
    smooth_idf=True,
    a=1e-3,
    alpha=1.0,
):
    """The global weight of each term.

    Parameters
    ----------
    terms : list of str
        The vocabulary; tokens outside of it do not count.
    documents : list of list of str
        The corpus.
    scheme : str
        The scheme.
    labels : list, optional
        The class of each document.

    Returns
    -------
    weights : dict
        The weight of each term.
    """
    documents = [[t for t in tokens if t in terms] for tokens in documents]
    n = len(documents)
    n_tokens = sum(len(tokens) for tokens in documents)
    df = {t: sum(t in tokens for tokens in documents) for t in terms}
    tf = {t: sum(tokens.count(t) for tokens in documents) for t in terms}
    p = {t: tf[t] / n_tokens if n_tokens else 0.0 for t in terms}
    if scheme in ("tf-idf", "idf"):
        return {t: _idf(df[t], n, use_idf, smooth_idf) for t in terms}
    if scheme == "bm25":
        return {t: math.log(1 + (n - df[t] + 0.5) / (df[t] + 0.5)) for t in terms}
    if scheme == "sif":
        return {t: a / (a + p[t]) for t in terms}
    if scheme == "usif":
        return _usif(p, n_tokens / n)
    if scheme == "nb":
        return {t: _log_count_ratio(t, terms, documents, labels, alpha) for t in terms}
    return {t: _supervised(t, documents, labels, scheme) for t in terms}


def _idf(df, n, use_idf, smooth_idf):
    if not use_idf:
        return 1.0
    if df == 0 and not smooth_idf:
        return 0.0
    return 1 + math.log((n + smooth_idf) / (df + smooth_idf))


def _usif(p, mean_length):
    known = [t for t in p if p[t] > 0]
    threshold = 1 - (1 - 1 / len(known)) ** max(1, mean_length)
    alpha = sum(p[t] > threshold for t in known) / len(known)
    if alpha == 0:
        return dict.fromkeys(p, 2.0)
    a = (1 - alpha) / (alpha * 0.5 * len(known))
    return {t: a / (0.5 * a + p[t]) for t in p}


def _supervised(term, documents, labels, scheme):
    classes = set(labels)
    holders = [y for tokens, y in zip(documents, labels, strict=True) if term in tokens]
    if scheme == "icf":
        cf = len(set(holders)) or len(classes)
        return math.log2(1 + len(classes) / cf)
    values = []
    for y in classes:
        a = holders.count(y)
        c = len(holders) - a
        b = labels.count(y) - a
        d = len(labels) - a - b - c
        if scheme == "rf":
            values.append(math.log2(2 + a / max(1, c)))
        elif a > 0:
            values.append(math.log((a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5))))
    return max([0.0, *values])


def _log_count_ratio(term, terms, documents, labels, alpha):
    """Of vectors p and q, as in the paper, in each class that holds the term."""
    used = [t for t in terms if any(t in tokens for tokens in documents)]
    largest = 0.0
    for y in set(labels):
        inside, outside = dict.fromkeys(used, alpha), dict.fromkeys(used, alpha)
        for tokens, label in zip(documents, labels, strict=True):
            for token in tokens:
                (inside if label == y else outside)[token] += 1
        if inside.get(term, alpha) > alpha:
            p = inside[term] / sum(inside.values())
            q = outside[term] / sum(outside.values())
            largest = max(largest, abs(math.log(p / q)))
    return largest


def weigh(
    documents,
    fitted_on,
    scheme,
    *,
    terms,
    norm="l2",
    sublinear_tf=False,
    k1=1.2,
    b=0.75,
    **options,
):
    """The rows of weights of documents, a dict each."""
    weights = weights_of_terms(terms, fitted_on, scheme, **options)
    lengths = [sum(t in weights for t in tokens) for tokens in fitted_on]
    mean_length = sum(lengths) / len(lengths)
    rows = []
    for tokens in documents:
        length = sum(t in weights for t in tokens)
        row = {}
        for t in tokens:
            if t not in weights:
                continue
            tf = tokens.count(t)
            if scheme == "idf":
                local = 1.0
            elif scheme == "bm25":
                relative = length / mean_length if mean_length else 1.0
                local = tf / (tf + k1 * (1 - b + b * relative))
            else:
                local = 1 + math.log(tf) if sublinear_tf else tf
            row[t] = local * weights[t]
        total = {
            "l2": math.sqrt(sum(weight**2 for weight in row.values())),
            "l1": sum(row.values()),
            None: 1.0,
        }[norm]
        rows.append({t: weight / (total or 1.0) for t, weight in row.items()})
    return rows
