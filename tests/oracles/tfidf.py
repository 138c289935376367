"""Tf-idf weights, slow and plain: one dict for each document."""

import math


def document_frequencies(documents):
    df = {}
    for tokens in documents:
        for term in set(tokens):
            df[term] = df.get(term, 0) + 1
    return df


def idf_of(df, n_documents, *, use_idf=True, smooth_idf=True):
    if not use_idf:
        return 1.0
    return 1.0 + math.log((n_documents + smooth_idf) / (df + smooth_idf))


def tfidf(documents, fitted_on, *, sublinear_tf=False, norm="l2", **idf_options):
    """Weigh the terms of token lists.

    Parameters
    ----------
    documents, fitted_on : list of list of str
        What to weigh, and where the document frequencies come from.

    Returns
    -------
    rows : list of dict
        The weight of each term of each document that `fitted_on` has too.
    """
    df = document_frequencies(fitted_on)
    rows = []
    for tokens in documents:
        row = {}
        for term in tokens:
            if term in df:
                tf = tokens.count(term)
                tf = 1.0 + math.log(tf) if sublinear_tf else tf
                row[term] = tf * idf_of(df[term], len(fitted_on), **idf_options)
        total = {
            "l2": math.sqrt(sum(weight**2 for weight in row.values())),
            "l1": sum(row.values()),
            None: 1.0,
        }[norm]
        rows.append({term: weight / total for term, weight in row.items()})
    return rows
