"""What a term is worth, in each of the schemes of TfidfWeighter.

Here a frequency is how often a term occurs, and a document frequency in how many
documents. A term of frequency 0 is one that the corpus does not hold: a column of
counts, or a word of a given vocabulary, that may still occur in new documents.
"""

import numpy as np
from scipy import sparse
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from skml._validation import is_missing


def bm25_idf(document_frequencies, n_documents):
    """``ln(1 + (n - df + 1/2) / (df + 1/2))``, as in Lucene.

    Robertson & Zaragoza (2009) have it without the 1, which makes it negative for
    terms in more than half of the documents.
    """
    df = np.asarray(document_frequencies, dtype=np.float64)
    return np.log1p((n_documents - df + 0.5) / (df + 0.5))


def bm25_saturation(frequencies, lengths, mean_length, *, k1, b):
    """``tf / (tf + k1 (1 - b + b length / mean_length))``, elementwise.

    So in Robertson & Zaragoza (2009), without the constant factor k1 + 1 of other
    versions. If the mean is 0, of a corpus without a token, lengths do not count.
    """
    relative = lengths / mean_length if mean_length > 0 else 1.0
    return frequencies / (frequencies + k1 * (1 - b + b * relative))


def _fractions(frequencies):
    total = frequencies.sum()
    return frequencies / total if total > 0 else np.zeros(len(frequencies))


def sif(frequencies, *, a):
    """Smooth inverse frequency, ``a / (a + p)`` (Arora, Liang & Ma 2017).

    p is the fraction of all tokens that are the term. A term of frequency 0 gets 1.
    """
    return a / (a + _fractions(frequencies))


def usif(frequencies, mean_length):
    """Unsupervised smooth inverse frequency, ``a / (a / 2 + p)`` (Ethayarajh 2018).

    With V terms and documents of n tokens, ``a = (1 - alpha) / (alpha Z)``, where
    ``Z = V / 2`` and alpha is the fraction of terms with ``p > 1 - (1 - 1 / V) ** n``,
    the probability that n even draws hold a given term. A term of frequency 0 gets 2,
    and so does every term if alpha is 0.
    """
    p, known = _fractions(frequencies), frequencies > 0
    n_terms = np.count_nonzero(known)
    if n_terms == 0:
        return np.full(len(frequencies), 2.0)
    # One draw at least; alpha is then below 1, as not all terms can be above average.
    # The margin keeps a rounding error from saying so where all are equally frequent.
    n_draws = max(1.0, mean_length) * (1 + 1e-9)
    with np.errstate(divide="ignore"):
        frequent = np.log1p(-p[known]) < n_draws * np.log1p(-1 / n_terms)
    alpha = frequent.mean()
    inverse_of_a = alpha * (n_terms / 2) / (1 - alpha)
    return 1 / (0.5 + p * inverse_of_a)


def check_classes(y, *, caller, scheme):
    """The sorted labels, and the position among them of that of each document."""
    if y is None:
        raise ValueError(
            f"{caller}: scheme={scheme!r} requires y to be passed, but the target y is "
            "None. Pass the class of each document to fit, or choose a scheme that "
            "needs none."
        )
    column = column_or_1d(y, warn=True)
    # NumPy makes the str "nan" of a NaN among str: look at lists as they are.
    for position, label in enumerate(y if isinstance(y, (list, tuple)) else column):
        if is_missing(label):
            raise ValueError(
                f"{caller}: label {position} of y is missing ({label!r}); "
                f"scheme={scheme!r} needs the class of every document. Drop the "
                "documents without one."
            )
    check_classification_targets(y)
    labels, codes = np.unique(column, return_inverse=True)
    if len(labels) < 2:
        raise ValueError(
            f"{caller}: y holds {len(labels)} class(es) in {len(column)} label(s); "
            f"scheme={scheme!r} compares classes and needs at least 2."
        )
    return labels, codes


def class_frequencies(counts, codes, n_classes):
    """The number of documents of each class in which each term occurs, not zero.

    The counts are CSR, without stored zeros.
    """
    occurs = (np.ones(counts.nnz), counts.indices, counts.indptr)
    return class_sums(sparse.csr_array(occurs, shape=counts.shape), codes, n_classes)


def class_sums(counts, codes, n_classes):
    """How often each term occurs in all documents of each class, not zero."""
    n_documents = counts.shape[0]
    one_hot = sparse.csr_array(
        (np.ones(n_documents), codes, np.arange(n_documents + 1)),
        shape=(n_documents, n_classes),
    )
    return (one_hot.T @ sparse.csr_array(counts, dtype=np.float64)).tocoo()


def _largest_of_each_term(values, frequencies):
    """The maximum over the classes that hold a term; no less than 0."""
    largest = np.zeros(frequencies.shape[1])
    np.maximum.at(largest, frequencies.coords[1], values)
    return largest


def icf(frequencies):
    """Inverse category frequency, ``log2(1 + n_classes / cf)`` (Wang & Zhang 2013).

    cf is the number of classes that hold the term. A term that none holds gets
    1, as if all held it: it does not separate classes.
    """
    n_classes, n_terms = frequencies.shape
    cf = np.bincount(frequencies.coords[1], minlength=n_terms)
    return np.log2(1 + n_classes / np.where(cf > 0, cf, n_classes))


def rf(frequencies):
    """Relevance frequency, ``log2(2 + a / max(1, c))`` (Lan, Tan, Su & Lu 2009).

    Of the documents that hold the term, a are in the class and c are not; the largest
    value over the classes counts. A term that no class holds gets 1.
    """
    a = frequencies.data
    c = frequencies.sum(axis=0)[frequencies.coords[1]] - a
    return np.log2(2 + _largest_of_each_term(a / np.maximum(1, c), frequencies))


def odds_ratio(frequencies, class_sizes):
    """Logarithm of the odds ratio, ``ln(a d / (b c))`` (Mladenić & Grobelnik 1999).

    In the class, a documents hold the term and b do not; outside, c do and d do not.
    One half is added to each (Haldane 1956; Anscombe 1956), so that none is 0. The
    largest value over the classes that hold the term counts, and 0 if all are negative
    or no class holds it.
    """
    classes, terms = frequencies.coords
    a = frequencies.data
    b = class_sizes[classes] - a
    c = frequencies.sum(axis=0)[terms] - a
    d = class_sizes.sum() - class_sizes[classes] - c
    odds, odds_outside = (a + 0.5) / (b + 0.5), (c + 0.5) / (d + 0.5)
    return _largest_of_each_term(np.log(odds / odds_outside), frequencies)


def log_count_ratio(sums, *, alpha):
    """Naive Bayes log-count ratio, ``|ln(p / q)|`` (Wang & Manning 2012).

    The term is the fraction p of all tokens of the class, and q of all others, with
    alpha added to each count. Two classes have the same ratio but for its sign. The
    largest value over the classes that hold the term counts; 0 if none does.
    """
    classes, terms = sums.coords
    totals, sizes = sums.sum(axis=0), sums.sum(axis=1)
    smoothing = alpha * np.count_nonzero(totals)
    outside = totals[terms] - sums.data
    p = (sums.data + alpha) / (sizes[classes] + smoothing)
    q = (outside + alpha) / (sizes.sum() - sizes[classes] + smoothing)
    return _largest_of_each_term(np.abs(np.log(p / q)), sums)
