"""BLEU of a corpus and of its sentences, by statistics that add up."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Literal

import numpy as np
from sklearn.utils import Bunch

from skml._compat.sklearn import Interval, StrOptions, validate_params
from skml._typing import ArrayLike, Sentences
from skml.metrics._bleu_formula import make_formula
from skml.metrics._bleu_tokenizers import (
    TOKENIZERS,
    number_tokens,
    warn_of_whole_text,
)
from skml.metrics._ngram_matches import closest_lengths, count_matches
from skml.metrics._translations import (
    add_up,
    check_corpus,
    check_statistics,
    make_signature,
)

_STATISTICS_OPTIONS = {
    "max_order": [Interval(Integral, 1, None, closed="left")],
    "tokenize": [StrOptions(set(TOKENIZERS)), callable],
    "lowercase": ["boolean"],
    "multi_reference": ["boolean"],
}
_SCORE_OPTIONS = {
    "weights": ["array-like", None],
    "smooth_method": [StrOptions({"exp", "floor", "add-k", "none"})],
    "smooth_value": [Interval(Real, 0, None, closed="left"), None],
    "effective_order": ["boolean"],
    "formula": [StrOptions({"papineni", "textbook"})],
}


def _corpus_statistics(corpus, max_order, tokenize, lowercase):
    """The statistics of each sentence."""
    segments = corpus.segments()
    if not corpus.is_text:
        for name, value, default in (
            ("tokenize", tokenize, "13a"),
            ("lowercase", lowercase, False),
        ):
            if value != default:
                raise ValueError(
                    f"{name}={value!r} has no effect on lists of tokens, which are "
                    "taken as they are; leave it out, or pass strings."
                )
        tokenize = None
    elif lowercase:
        segments = map(str.lower, segments)
    ids, lengths, tokens = number_tokens(segments, tokenize)
    if tokenize is not None:
        warn_of_whole_text(ids, lengths, tokens, tokenize)
    n_references = corpus.n_references
    matches = count_matches(ids, lengths, n_references, max_order)
    of_sentence, of_reference = closest_lengths(lengths, n_references)
    totals = np.maximum(of_sentence[:, None] - np.arange(max_order), 0)
    return np.column_stack([of_sentence, of_reference, matches, totals])


def _signature(corpus, max_order, formula, tokenize, lowercase):
    """The signature of a score; what sacrebleu does not know only if it is used."""
    if not corpus.is_text:
        tokenize = "given"
    elif callable(tokenize):
        tokenize = getattr(tokenize, "__name__", type(tokenize).__name__)
    smooth = formula.smooth_method
    if formula.smooth_value is not None:
        smooth += f"[{formula.smooth_value:.2f}]"
    fields = {
        "case": "lc" if lowercase else "mixed",
        "eff": "yes" if formula.effective_order else "no",
        "tok": tokenize,
        "smooth": smooth,
    }
    if max_order != 4:
        fields["order"] = max_order
    if formula.weights is not None:
        fields["weights"] = ",".join(f"{weight:g}" for weight in formula.weights)
    if formula.is_textbook:
        fields["formula"] = "textbook"
    return make_signature(corpus.n_references, fields)


@validate_params(
    _STATISTICS_OPTIONS
    | _SCORE_OPTIONS
    | {"sample_weight": ["array-like", None], "return_stats": ["boolean"]},
    prefer_skip_nested_validation=True,
)
def bleu_score(
    y_true: Sentences,
    y_pred: Sentences,
    *,
    max_order: int = 4,
    weights: ArrayLike | None = None,
    smooth_method: Literal["exp", "floor", "add-k", "none"] = "exp",
    smooth_value: float | None = None,
    effective_order: bool = False,
    tokenize: Literal["13a", "intl", "zh", "char", "none"] | Callable = "13a",
    lowercase: bool = False,
    multi_reference: bool = False,
    formula: Literal["papineni", "textbook"] = "papineni",
    sample_weight: ArrayLike | None = None,
    return_stats: bool = False,
):
    """BLEU of a corpus: how many n-grams its sentences share with their references.

    The number is sacrebleu's to the last bit, divided by 100; where rounding brings
    that above 1, it is 1. It is pooled: the counts
    of all sentences are added up before anything is divided, so that the mean of the
    scores of sentences or of folds is another number.

    Parameters
    ----------
    y_true : sequence of str, or of lists of tokens
        The references, one for each sentence; or, with `multi_reference`, a list of
        references for each.
    y_pred : sequence of str, or of lists of tokens
        The sentences. Tokens are taken as they are. Strings should be plain text, not
        tokenised before: blanks around punctuation change the tokens.
    max_order : int, default=4
        The length of the longest n-grams.
    weights : array-like of shape (max_order,), default=None
        The weight of each length of n-grams; they must sum to 1. None weighs all alike.
    smooth_method : {"exp", "floor", "add-k", "none"}, default="exp"
        What becomes of a length of n-grams of which none matches: the first such
        precision counts as half a match, the next as a quarter, and so on ("exp");
        as `smooth_value` matches ("floor"); or `smooth_value` is added to matches and
        n-grams of all lengths but the first ("add-k", which smooths in any case). With
        "none" the score is 0. A corpus of which no token matches scores 0 always.
    smooth_value : float, default=None
        The value for "floor", by default 0.1, or for "add-k", by default 1.
    effective_order : bool, default=False
        Whether to leave out lengths of n-grams that no sentence reaches. Otherwise the
        score is 0 if all sentences are shorter than `max_order`.
    tokenize : {"13a", "intl", "zh", "char", "none"} or callable, default="13a"
        How strings become tokens: as the WMT script mteval-v13a.pl does; as
        mteval-v14.pl does with its international option, by Unicode; by each Chinese
        character, and the rest by "13a"; by each character; at blanks only. A callable
        makes a list of tokens of a string.
    lowercase : bool, default=False
        Whether to change strings to lower case first.
    multi_reference : bool, default=False
        Whether each item of `y_true` is a list of references. Their number may differ
        from sentence to sentence.
    formula : {"papineni", "textbook"}, default="papineni"
        The geometric mean of the precisions p_n, or the product of ``p_n ** 0.5**n``
        over the lengths n, which some textbooks have, without weights and smoothing.
        The brevity penalty ``exp(min(0, 1 - reference_length / length))`` is the same.
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
        precisions : ndarray of shape (max_order,)
            The precision of each length of n-grams, smoothed.
        brevity_penalty : float
            The factor for sentences that are too short together.
        hypothesis_length, reference_length : int
            Tokens of all sentences and of the references that are closest in length;
            floats if a weight is no whole number. So are the next two.
        counts, totals : ndarray of shape (max_order,)
            Matches and n-grams of each length, not smoothed.
        signature : str
            How the number was made, in the form of sacrebleu's signatures.

    Raises
    ------
    TypeError
        If a sentence or a reference is neither str nor list of tokens, if both kinds
        occur, or if strings are given where lists of references are meant, or the
        reverse.
    ValueError
        If the numbers of sentences and references differ or are zero, a value is
        missing, weights do not fit, or an option has no effect with the others.

    See Also
    --------
    sentence_bleu_score : A score for each sentence.
    bleu_statistics : The counts, which can be added up over parts of a corpus.
    chrf_score : The F-score of n-grams of characters.
    paired_bootstrap : Whether one system is better than another.

    Notes
    -----
    Blanks around a sentence do not count. An empty sentence has no n-grams and makes
    the corpus shorter; an empty reference has the length 0. Unlike in sacrebleu,
    sentences that look tokenised cause no warning; there is one where `tokenize`
    leaves Chinese, Japanese, Thai and other text without blanks whole. With "intl",
    characters that are newer than the Unicode of the running Python count as no
    punctuation.

    References
    ----------
    .. [1] K. Papineni, S. Roukos, T. Ward and W.-J. Zhu (2002). BLEU: a method for
       automatic evaluation of machine translation. ACL 2002, 311-318.
    .. [2] B. Chen and C. Cherry (2014). A systematic comparison of smoothing techniques
       for sentence-level BLEU. WMT 2014, 362-367.
    .. [3] M. Post (2018). A call for clarity in reporting BLEU scores. WMT 2018,
       186-191.

    Examples
    --------
    >>> from skml.metrics import bleu_score
    >>> y_true = ["The cat is on the mat.", "It is raining, again."]
    >>> y_pred = ["The cat sat on the mat.", "It is raining again."]
    >>> round(bleu_score(y_true, y_pred), 4)
    0.4117

    Tokens are taken as they are:

    >>> tokens = [["a", "b", "c", "d", "e", "f"]], [["a", "b", "b", "c", "d"]]
    >>> round(bleu_score(*tokens, formula="textbook"), 4)
    0.0
    >>> round(bleu_score(*tokens, formula="textbook", max_order=3), 4)
    0.594

    Several references, and how the number was made:

    >>> y_true = [["The cat is on the mat.", "The cat sat on a mat."], ["It rains."]]
    >>> stats = bleu_score(y_true, y_pred, multi_reference=True, return_stats=True)
    >>> round(stats.score, 4), stats.counts
    (0.5233, array([9, 6, 4, 2]))
    >>> stats.signature
    'nrefs:var|case:mixed|eff:no|tok:13a|smooth:exp|version:skml-...'
    """
    how = make_formula(
        max_order, weights, smooth_method, smooth_value, effective_order, formula
    )
    corpus = check_corpus(
        y_true, y_pred, caller="bleu_score", multi_reference=multi_reference
    )
    statistics = _corpus_statistics(corpus, max_order, tokenize, lowercase)
    sums = add_up(statistics, sample_weight)
    score, precisions, penalty = how.score(sums)
    if not return_stats:
        return score / 100
    return Bunch(
        score=score / 100,
        precisions=np.array(precisions) / 100,
        brevity_penalty=penalty,
        hypothesis_length=sums[0].item(),
        reference_length=sums[1].item(),
        counts=sums[2 : 2 + max_order],
        totals=sums[2 + max_order :],
        signature=_signature(corpus, max_order, how, tokenize, lowercase),
    )


@validate_params(
    _STATISTICS_OPTIONS | _SCORE_OPTIONS, prefer_skip_nested_validation=True
)
def sentence_bleu_score(
    y_true: Sentences,
    y_pred: Sentences,
    *,
    max_order: int = 4,
    weights: ArrayLike | None = None,
    smooth_method: Literal["exp", "floor", "add-k", "none"] = "exp",
    smooth_value: float | None = None,
    effective_order: bool = True,
    tokenize: Literal["13a", "intl", "zh", "char", "none"] | Callable = "13a",
    lowercase: bool = False,
    multi_reference: bool = False,
    formula: Literal["papineni", "textbook"] = "papineni",
) -> np.ndarray:
    """BLEU of each sentence.

    Their mean is not the BLEU of the corpus, for which see `bleu_score`.

    Parameters
    ----------
    y_true : sequence of str, or of lists of tokens
        The references, one for each sentence; or, with `multi_reference`, a list of
        references for each.
    y_pred : sequence of str, or of lists of tokens
        The sentences.
    max_order : int, default=4
        The length of the longest n-grams.
    weights : array-like of shape (max_order,), default=None
        The weight of each length of n-grams; they must sum to 1. None weighs all alike.
    smooth_method : {"exp", "floor", "add-k", "none"}, default="exp"
        What becomes of a length of n-grams of which none matches; see `bleu_score`.
    smooth_value : float, default=None
        The value for "floor", by default 0.1, or for "add-k", by default 1.
    effective_order : bool, default=True
        Whether to leave out lengths of n-grams that a sentence does not reach.
        Otherwise the score of a sentence shorter than `max_order` is 0.
    tokenize : {"13a", "intl", "zh", "char", "none"} or callable, default="13a"
        How strings become tokens; see `bleu_score`.
    lowercase : bool, default=False
        Whether to change strings to lower case first.
    multi_reference : bool, default=False
        Whether each item of `y_true` is a list of references.
    formula : {"papineni", "textbook"}, default="papineni"
        How the precisions are put together; see `bleu_score`.

    Returns
    -------
    scores : ndarray of shape (n_sentences,)
        The scores, in [0, 1].

    Raises
    ------
    TypeError, ValueError
        As `bleu_score`.

    See Also
    --------
    bleu_score : The score of the corpus.

    References
    ----------
    .. [1] B. Chen and C. Cherry (2014). A systematic comparison of smoothing techniques
       for sentence-level BLEU. WMT 2014, 362-367.

    Examples
    --------
    >>> from skml.metrics import sentence_bleu_score
    >>> y_true = ["The cat is on the mat.", "It is raining, again.", "Yes."]
    >>> y_pred = ["The cat sat on the mat.", "It is raining again.", "Yes."]
    >>> sentence_bleu_score(y_true, y_pred).round(4)
    array([0.4889, 0.4094, 1.    ])
    """
    how = make_formula(
        max_order, weights, smooth_method, smooth_value, effective_order, formula
    )
    corpus = check_corpus(
        y_true, y_pred, caller="sentence_bleu_score", multi_reference=multi_reference
    )
    statistics = _corpus_statistics(corpus, max_order, tokenize, lowercase)
    return np.array([how.score(row)[0] for row in statistics]) / 100


@validate_params(_STATISTICS_OPTIONS, prefer_skip_nested_validation=True)
def bleu_statistics(
    y_true: Sentences,
    y_pred: Sentences,
    *,
    max_order: int = 4,
    tokenize: Literal["13a", "intl", "zh", "char", "none"] | Callable = "13a",
    lowercase: bool = False,
    multi_reference: bool = False,
) -> np.ndarray:
    """The counts of each sentence of which BLEU is made.

    Those of the folds of a cross-validation or of the shards of a corpus, put below one
    another or added up, give the score of the whole, exactly.

    Parameters
    ----------
    y_true : sequence of str, or of lists of tokens
        The references, one for each sentence; or, with `multi_reference`, a list of
        references for each.
    y_pred : sequence of str, or of lists of tokens
        The sentences.
    max_order : int, default=4
        The length of the longest n-grams.
    tokenize : {"13a", "intl", "zh", "char", "none"} or callable, default="13a"
        How strings become tokens; see `bleu_score`.
    lowercase : bool, default=False
        Whether to change strings to lower case first.
    multi_reference : bool, default=False
        Whether each item of `y_true` is a list of references.

    Returns
    -------
    statistics : ndarray of shape (n_sentences, 2 * max_order + 2)
        Integers: the length of the sentence, that of the closest reference, the matches
        of each length of n-grams, and the n-grams of each length.

    Raises
    ------
    TypeError, ValueError
        As `bleu_score`.

    See Also
    --------
    bleu_from_statistics : The score of such counts.
    paired_bootstrap : Compares systems by their counts.

    Examples
    --------
    >>> import numpy as np
    >>> from skml.metrics import bleu_from_statistics, bleu_score, bleu_statistics
    >>> y_true = ["The cat is on the mat.", "It is raining, again."]
    >>> y_pred = ["The cat sat on the mat.", "It is raining again."]
    >>> bleu_statistics(y_true, y_pred)
    array([[7, 7, 6, 4, 2, 1, 7, 6, 5, 4],
           [5, 6, 5, 3, 1, 0, 5, 4, 3, 2]])
    >>> parts = [bleu_statistics([a], [b]) for a, b in zip(y_true, y_pred)]
    >>> bleu_from_statistics(np.vstack(parts)) == bleu_score(y_true, y_pred)
    True
    """
    corpus = check_corpus(
        y_true, y_pred, caller="bleu_statistics", multi_reference=multi_reference
    )
    return _corpus_statistics(corpus, max_order, tokenize, lowercase)


@validate_params(
    _SCORE_OPTIONS
    | {"statistics": ["array-like"], "sample_weight": ["array-like", None]},
    prefer_skip_nested_validation=True,
)
def bleu_from_statistics(
    statistics: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    smooth_method: Literal["exp", "floor", "add-k", "none"] = "exp",
    smooth_value: float | None = None,
    effective_order: bool = False,
    formula: Literal["papineni", "textbook"] = "papineni",
    sample_weight: ArrayLike | None = None,
) -> float:
    """BLEU of a corpus from the counts of its sentences.

    Parameters
    ----------
    statistics : array-like of shape (n_sentences, 2 * max_order + 2)
        What `bleu_statistics` returns, of one or more parts of a corpus; or sums of it.
    weights : array-like of shape (max_order,), default=None
        The weight of each length of n-grams; they must sum to 1. None weighs all alike.
    smooth_method : {"exp", "floor", "add-k", "none"}, default="exp"
        What becomes of a length of n-grams of which none matches; see `bleu_score`.
    smooth_value : float, default=None
        The value for "floor", by default 0.1, or for "add-k", by default 1.
    effective_order : bool, default=False
        Whether to leave out lengths of n-grams that no sentence reaches.
    formula : {"papineni", "textbook"}, default="papineni"
        How the precisions are put together; see `bleu_score`.
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
    bleu_statistics : Makes the counts.
    bleu_score : Does both.

    Examples
    --------
    >>> from skml.metrics import bleu_from_statistics, bleu_statistics
    >>> statistics = bleu_statistics(["a b c d e f"], ["a b c d e g"])
    >>> statistics
    array([[6, 6, 5, 4, 3, 2, 6, 5, 4, 3]])
    >>> round(bleu_from_statistics(statistics), 4)
    0.7598
    >>> round(bleu_from_statistics(statistics, weights=[1, 0, 0, 0]), 4)
    0.8333
    """
    statistics = check_statistics(
        statistics,
        "2 * max_order + 2, four at least,",
        lambda n_columns: n_columns >= 4 and n_columns % 2 == 0,
    )
    max_order = (statistics.shape[1] - 2) // 2
    how = make_formula(
        max_order, weights, smooth_method, smooth_value, effective_order, formula
    )
    return how.score(add_up(statistics, sample_weight))[0] / 100
