"""chrF: the F-score of n-grams of characters, by statistics that add up."""

import string
from numbers import Integral, Real

import numpy as np
from sklearn.utils import Bunch

from skml._compat.sklearn import Interval, validate_params
from skml._typing import ArrayLike, Sentences
from skml.metrics._bleu_tokenizers import number_tokens
from skml.metrics._ngram_matches import count_matches
from skml.metrics._translations import (
    add_up,
    check_corpus,
    check_statistics,
    make_signature,
)

_SCORE_OPTIONS = {
    "beta": [Interval(Real, 0, None, closed="neither")],
    "eps_smoothing": ["boolean"],
}
_STATISTICS_OPTIONS = {
    "char_order": [Interval(Integral, 1, None, closed="left")],
    "word_order": [Interval(Integral, 0, None, closed="left")],
    "lowercase": ["boolean"],
    "whitespace": ["boolean"],
    "multi_reference": ["boolean"],
    **_SCORE_OPTIONS,
}
_MARKS = frozenset(string.punctuation)
# In place of a ratio that has no denominator, as the first program for chrF has it.
_EPS = 1e-16


def _without_blanks(line):
    return "".join(line.split())


def _words(line):
    """Words; one mark at the end, or else one at the start, is a word of its own."""
    words = []
    for word in line.split():
        if len(word) > 1 and word[-1] in _MARKS:
            words += (word[:-1], word[-1])
        elif len(word) > 1 and word[0] in _MARKS:
            words += (word[0], word[1:])
        else:
            words.append(word)
    return words


def _counts(sequences, max_order):
    """N-grams of sentences, of their references and of both, by pair and order.

    Behind each sentence is one reference; where this has none, the sentence has none.
    """
    ids, lengths, _ = number_tokens(sequences, None)
    n_pairs = len(lengths) // 2
    matches = count_matches(ids, lengths, np.ones(n_pairs, dtype=np.int64), max_order)
    totals = np.maximum(lengths.reshape(-1, 2, 1) - np.arange(max_order), 0)
    ours, theirs = totals[:, 0], totals[:, 1]
    return np.stack([np.where(theirs > 0, ours, 0), theirs, matches], axis=2)


def _f_scores(counts, beta, eps_smoothing):
    """The scores, from 0 to 100, of counts of shape (n_rows, n_orders, 3).

    The operations and their order are sacrebleu's: which reference of a sentence is the
    best one depends on the last digit.
    """
    ours, theirs, both = np.moveaxis(counts.astype(float), 2, 0)
    precision, recall = (
        np.divide(both, all_, out=np.full(both.shape, _EPS), where=all_ > 0)
        for all_ in (ours, theirs)
    )
    factor = beta**2
    n_orders = counts.shape[1]
    if eps_smoothing:
        scores = _f_score(precision, recall, factor, _EPS)
        return 100 * _sum_of_orders(scores) / n_orders
    is_used = (ours > 0) & (theirs > 0)
    n_used = np.maximum(is_used.sum(axis=1), 1)
    precision, recall = (
        _sum_of_orders(np.where(is_used, ratio, 0)) / n_used
        for ratio in (precision, recall)
    )
    return 100 * _f_score(precision, recall, factor, 0.0)


def _sum_of_orders(values):
    """Sums over the columns, one column after the other."""
    total = np.zeros(len(values))
    for column in values.T:
        total += column
    return total


def _f_score(precision, recall, factor, otherwise):
    divisor = factor * precision + recall
    product = (1 + factor) * precision * recall
    return np.divide(
        product, divisor, out=np.full(divisor.shape, otherwise), where=divisor > 0
    )


def _corpus_statistics(
    corpus, char_order, word_order, beta, lowercase, whitespace, eps_smoothing
):
    """The counts of each sentence against its best reference."""
    pairs = [
        text.lower() if lowercase else text
        for prediction, references in zip(
            corpus.predictions, corpus.references, strict=True
        )
        for reference in references
        for text in (prediction, reference)
    ]
    counts = _counts(pairs if whitespace else map(_without_blanks, pairs), char_order)
    if word_order > 0:
        of_words = _counts(map(_words, pairs), word_order)
        counts = np.concatenate([counts, of_words], axis=1)
    n_references = corpus.n_references
    if n_references.max() > 1:
        scores = _f_scores(counts, beta, eps_smoothing)
        counts = counts[_first_best(scores, n_references)]
    return counts.reshape(len(counts), -1)


def _first_best(scores, n_references):
    """The row of the first reference with the best score, for each sentence."""
    first = np.cumsum(n_references) - n_references
    best = np.maximum.reduceat(scores, first)
    rows = np.flatnonzero(scores == np.repeat(best, n_references))
    return rows[np.searchsorted(rows, first)]


def _check_text(y_true, y_pred, caller, multi_reference):
    corpus = check_corpus(
        y_true, y_pred, caller=caller, multi_reference=multi_reference
    )
    if not corpus.is_text:
        raise TypeError(
            f"{caller} counts characters and needs str; y_pred holds lists of tokens. "
            'Join them: " ".join(tokens).'
        )
    return corpus


@validate_params(
    _STATISTICS_OPTIONS
    | {"sample_weight": ["array-like", None], "return_stats": ["boolean"]},
    prefer_skip_nested_validation=True,
)
def chrf_score(
    y_true: Sentences,
    y_pred: Sentences,
    *,
    char_order: int = 6,
    word_order: int = 0,
    beta: float = 2,
    lowercase: bool = False,
    whitespace: bool = False,
    eps_smoothing: bool = False,
    multi_reference: bool = False,
    sample_weight: ArrayLike | None = None,
    return_stats: bool = False,
):
    """F-score of the n-grams of characters that sentences share with references: chrF.

    It needs no tokeniser, and a word with a wrong ending is not all wrong, which
    makes it the better choice for languages with many endings. The number is
    sacrebleu's, divided by 100. It is pooled over all sentences, as that of
    `bleu_score`.

    Parameters
    ----------
    y_true : sequence of str
        The references, one for each sentence; or, with `multi_reference`, a list of
        references for each, of which the one with the best score counts.
    y_pred : sequence of str
        The sentences.
    char_order : int, default=6
        The length of the longest n-grams of characters.
    word_order : int, default=0
        The length of the longest n-grams of words. With 2 the score is called chrF++.
    beta : float, default=2
        How many times as important recall is as precision.
    lowercase : bool, default=False
        Whether to change strings to lower case first.
    whitespace : bool, default=False
        Whether blanks count as characters. Otherwise they are removed first.
    eps_smoothing : bool, default=False
        Whether to take the mean of the F-scores of all lengths of n-grams, those that
        do not occur included, as the first program for chrF did. Otherwise it is the
        F-score of the mean precision and the mean recall of those that do occur.
    multi_reference : bool, default=False
        Whether each item of `y_true` is a list of references. Their number may differ
        from sentence to sentence.
    sample_weight : array-like of shape (n_sentences,), default=None
        Weights of the sentences: 2 counts a sentence twice.
    return_stats : bool, default=False
        Whether to return more than the score.

    Returns
    -------
    score : float
        The score, in [0, 1].

    stats : :class:`~sklearn.utils.Bunch`, instead of `score` if `return_stats`
        Dictionary-like object, with the following attributes.

        score : float
            The score.
        counts : ndarray of shape (char_order + word_order, 3)
            N-grams of the sentences, of the references and of both, for each length of
            n-grams of characters, then of words.
        signature : str
            How the number was made, in the form of sacrebleu's signatures.

    Raises
    ------
    TypeError
        If a sentence or a reference is no str, or if strings are given where lists of
        references are meant, or the reverse.
    ValueError
        If the numbers of sentences and references differ or are zero, a value is
        missing, or weights do not fit.

    See Also
    --------
    bleu_score : The precision of n-grams of words.
    chrf_statistics : The counts, which can be added up over parts of a corpus.

    References
    ----------
    .. [1] M. Popović (2015). chrF: character n-gram F-score for automatic MT
       evaluation. WMT 2015, 392-395.
    .. [2] M. Popović (2017). chrF++: words helping character n-grams. WMT 2017,
       612-618.

    Examples
    --------
    >>> from skml.metrics import chrf_score
    >>> y_true = ["The cat is on the mat.", "It is raining, again."]
    >>> y_pred = ["The cat sat on the mat.", "It rains again."]
    >>> round(chrf_score(y_true, y_pred), 4)
    0.5244
    >>> stats = chrf_score(y_true, y_pred, word_order=2, return_stats=True)
    >>> round(stats.score, 4), stats.signature
    (0.5416, 'nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no|version:skml-...')
    """
    corpus = _check_text(y_true, y_pred, "chrf_score", multi_reference)
    statistics = _corpus_statistics(
        corpus, char_order, word_order, beta, lowercase, whitespace, eps_smoothing
    )
    sums = add_up(statistics, sample_weight).reshape(1, -1, 3)
    score = _f_scores(sums, beta, eps_smoothing)[0].item() / 100
    if not return_stats:
        return score
    fields = {
        "case": "lc" if lowercase else "mixed",
        "eff": "no" if eps_smoothing else "yes",
        "nc": char_order,
        "nw": word_order,
        "space": "yes" if whitespace else "no",
    }
    if beta != 2:
        fields["beta"] = f"{beta:g}"
    signature = make_signature(corpus.n_references, fields)
    return Bunch(score=score, counts=sums[0], signature=signature)


@validate_params(_STATISTICS_OPTIONS, prefer_skip_nested_validation=True)
def chrf_statistics(
    y_true: Sentences,
    y_pred: Sentences,
    *,
    char_order: int = 6,
    word_order: int = 0,
    beta: float = 2,
    lowercase: bool = False,
    whitespace: bool = False,
    eps_smoothing: bool = False,
    multi_reference: bool = False,
) -> np.ndarray:
    """The counts of each sentence of which chrF is made.

    Those of the folds of a cross-validation or of the shards of a corpus, put below one
    another or added up, give the score of the whole, exactly.

    Parameters
    ----------
    y_true : sequence of str
        The references, one for each sentence; or, with `multi_reference`, a list of
        references for each.
    y_pred : sequence of str
        The sentences.
    char_order : int, default=6
        The length of the longest n-grams of characters.
    word_order : int, default=0
        The length of the longest n-grams of words.
    beta : float, default=2
        How many times as important recall is as precision. It decides which of several
        references is the best one, and nothing else here.
    lowercase : bool, default=False
        Whether to change strings to lower case first.
    whitespace : bool, default=False
        Whether blanks count as characters.
    eps_smoothing : bool, default=False
        How scores are made; see `chrf_score`. It decides which of several references is
        the best one, and nothing else here.
    multi_reference : bool, default=False
        Whether each item of `y_true` is a list of references.

    Returns
    -------
    statistics : ndarray of shape (n_sentences, 3 * (char_order + word_order))
        Integers: the n-grams of the sentence, of the reference and of both, for each
        length of n-grams of characters, then of words.

    Raises
    ------
    TypeError, ValueError
        As `chrf_score`.

    See Also
    --------
    chrf_from_statistics : The score of such counts.
    paired_bootstrap : Compares systems by their counts.

    Examples
    --------
    >>> from skml.metrics import chrf_statistics
    >>> chrf_statistics(["It is raining."], ["It rains."], char_order=2)
    array([[ 8, 12,  8,  7, 11,  4]])
    """
    corpus = _check_text(y_true, y_pred, "chrf_statistics", multi_reference)
    return _corpus_statistics(
        corpus, char_order, word_order, beta, lowercase, whitespace, eps_smoothing
    )


@validate_params(
    _SCORE_OPTIONS
    | {"statistics": ["array-like"], "sample_weight": ["array-like", None]},
    prefer_skip_nested_validation=True,
)
def chrf_from_statistics(
    statistics: ArrayLike,
    *,
    beta: float = 2,
    eps_smoothing: bool = False,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Score with chrF from the counts of the sentences of a corpus.

    Parameters
    ----------
    statistics : array-like of shape (n_sentences, 3 * n_orders)
        What `chrf_statistics` returns, of one or more parts of a corpus; or sums of it.
    beta : float, default=2
        How many times as important recall is as precision.
    eps_smoothing : bool, default=False
        How the lengths of n-grams are put together; see `chrf_score`.
    sample_weight : array-like of shape (n_sentences,), default=None
        Weights of the rows.

    Returns
    -------
    score : float
        The score, in [0, 1].

    Raises
    ------
    ValueError
        If `statistics` is no table of that kind, or weights do not fit.

    See Also
    --------
    chrf_statistics : Makes the counts.
    chrf_score : Does both.

    Examples
    --------
    >>> from skml.metrics import chrf_from_statistics, chrf_score, chrf_statistics
    >>> texts = ["It is raining.", "Yes."], ["It rains.", "Yes."]
    >>> chrf_from_statistics(chrf_statistics(*texts)) == chrf_score(*texts)
    True
    """
    statistics = check_statistics(
        statistics,
        "three for each length of n-grams,",
        lambda n_columns: n_columns > 0 and n_columns % 3 == 0,
    )
    sums = add_up(statistics, sample_weight).reshape(1, -1, 3)
    return _f_scores(sums, beta, eps_smoothing)[0].item() / 100
