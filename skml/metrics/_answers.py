"""Exact match and F1 of short answers, the scores of extractive question answering."""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Iterable
from numbers import Integral
from typing import Literal

import numpy as np

from skml._compat.sklearn import StrOptions, validate_params
from skml._typing import ArrayLike
from skml._validation import is_missing
from skml.metrics._translations import check_sample_weight

_ASCII_MARKS = frozenset(string.punctuation)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
# Ideographs and kana, which are written without blanks between words. Planes 2 and 3
# are set aside for ideographs, so that extensions to come are among them. What voices
# a kana or selects a variant of an ideograph stays with it.
_CJK = re.compile(
    "(["
    "\u2e80-\u2fdf"  # radicals
    "\u3005-\u3007\u3021-\u3029\u3038-\u303c"  # iteration marks and numerals
    "\u3041-\u3098\u309b-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # kana
    "\U0001aff0-\U0001afff\U0001b000-\U0001b16f"  # rare and historic kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # ideographs
    "][\u3099\u309a\ufe00-\ufe0f\U000e0100-\U000e01ef]*)"
)
_FORMS = (
    "a str, a list of str, a dict with 'text', a tuple (text, start), or None for no "
    "answer"
)


# From arguments to texts


def _read_column(y, name):
    """The entries, one for each question."""
    kind = type(y).__name__
    if isinstance(y, (str, bytes, bytearray, dict)):
        raise TypeError(
            f"{name} must be a list with an entry for each question; got a single "
            f"{kind}, {y!r:.60}. Put it into a list."
        )
    if isinstance(y, (set, frozenset)) or not hasattr(y, "__iter__"):
        raise TypeError(
            f"{name} must be a list with an entry for each question; got {y!r:.60} "
            f"({kind})."
        )
    n_dimensions = 2 if hasattr(y, "columns") else getattr(y, "ndim", 1)
    if n_dimensions != 1:
        raise ValueError(
            f"{name} must have one dimension, with an entry for each question; got a "
            f"{kind} with {n_dimensions} dimension(s). Select a column; several right "
            "answers of a question go into y_true as a list of lists."
        )
    entries = list(y)
    if not entries:
        raise ValueError(f"{name} is empty; give the answer of one question at least.")
    return entries


def _check_lengths(n_true, n_pred):
    if n_true != n_pred:
        longer = "y_true" if n_true > n_pred else "y_pred"
        raise ValueError(
            f"y_true has {n_true} question(s) and y_pred has {n_pred}: from question "
            f"{min(n_true, n_pred)} on, counted from 0, {longer} stands alone. Both "
            "must have the same questions, in the same order."
        )


def _refuse(value, where, expected, advice=""):
    if isinstance(value, (bytes, bytearray)):
        advice = " Decode it first: answer.decode(encoding)."
    error = ValueError if is_missing(value) else TypeError
    raise error(
        f"{where}: expected {expected}, got {value!r:.60} ({type(value).__name__})."
        f"{advice}"
    )


def _predicted_text(entry, question):
    if not isinstance(entry, str):
        advice = ' Write "" where there is no answer.' if is_missing(entry) else ""
        _refuse(entry, f"y_pred, question {question}", "a str", advice)
    return entry


def _right_texts(entry, question):
    """All texts that are right for a question; none if it has no answer."""
    if is_missing(entry):
        return []
    where = f"y_true, question {question}"
    texts, expected = entry, _FORMS
    if isinstance(entry, dict):
        if "text" not in entry:
            raise ValueError(
                f"{where}: the dict has no 'text'; its keys are {list(entry)!r:.60}. "
                "Give the right answers as {'text': [...]}."
            )
        texts = entry["text"]
        expected = "a str or a list of str as 'text', empty for no answer"
    elif _is_text_and_start(entry):
        texts = entry[0]
    if isinstance(texts, str):
        return [texts]
    # Arrow tables hand out lists as arrays.
    is_array = hasattr(texts, "dtype") and getattr(texts, "ndim", 1) == 1
    if not (is_array or isinstance(texts, (list, tuple))):
        _refuse(texts, where, expected)
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            advice = (
                " Leave it out."
                if is_missing(text)
                else " In a list, each right answer is its text alone; (text, start) "
                "is a tuple, with an int as start."
            )
            _refuse(text, f"{where}, answer {number}", "a str", advice)
    return list(texts)


def _is_text_and_start(entry):
    return (
        isinstance(entry, tuple)
        and len(entry) == 2
        and isinstance(entry[0], str)
        and isinstance(entry[1], Integral)
        and not isinstance(entry[1], bool)
    )


# From texts to scores


def _tokens(text, is_mixed):
    """What is left of an answer to compare, in order."""
    text = "".join(
        character
        for character in text.lower()
        if character not in _ASCII_MARKS
        and not (is_mixed and unicodedata.category(character)[0] == "P")
    )
    # Before characters are set apart, or vitamin A would lose its letter in Chinese.
    text = _ARTICLES.sub(" ", text)
    if is_mixed:
        text = _CJK.sub(r" \1 ", text)
    return text.split()


def _f1(true, pred):
    if not true or not pred:
        return float(true == pred)
    n_common = (Counter(true) & Counter(pred)).total()
    return 2 * n_common / (len(true) + len(pred))


def _exact_match(true, pred):
    return float(true == pred)


def _mean_of_best(score, y_true, y_pred, is_mixed, sample_weight):
    """The mean over the questions of the score of the best of the right answers."""
    y_true, y_pred = _read_column(y_true, "y_true"), _read_column(y_pred, "y_pred")
    _check_lengths(len(y_true), len(y_pred))
    weights = check_sample_weight(sample_weight, len(y_true), "question")
    scores = []
    for question, (entry, text) in enumerate(zip(y_true, y_pred, strict=True)):
        pred = _tokens(_predicted_text(text, question), is_mixed)
        right = (_tokens(text, is_mixed) for text in _right_texts(entry, question))
        # One of which nothing is left does not say that there is no answer, if another
        # says which it is.
        right = list(filter(None, right)) or [[]]
        scores.append(max(score(true, pred) for true in right))
    return float(np.average(scores, weights=weights))


@validate_params(
    {
        "tokenize": [StrOptions({"mixed", "whitespace"})],
        "sample_weight": ["array-like", None],
    },
    prefer_skip_nested_validation=True,
)
def answer_f1_score(
    y_true: Iterable,
    y_pred: Iterable[str],
    *,
    tokenize: Literal["mixed", "whitespace"] = "mixed",
    sample_weight: ArrayLike | None = None,
) -> float:
    r"""F1 of the tokens of answers, as SQuAD has it: the mean over the questions.

    With :math:`T` and :math:`P` the tokens of a right answer and of the predicted one,
    each as often as it occurs,

    .. math:: F_1 = \frac{2 |T \cap P|}{|T| + |P|}

    which is the harmonic mean of precision and recall. If a side has no token, it is 1
    if the other has none either, and else 0 [2]_. Of several right answers the best
    counts. Before, the text becomes lower case, punctuation is removed, the words *a*,
    *an* and *the* are dropped, and white space separates tokens. Read more in the
    :ref:`User Guide <answer_scores>`.

    Parameters
    ----------
    y_true : collection of str, list of str, dict, tuple or None
        The right answer of each question: a text; a list or tuple of several texts, any
        of which is right; a dict as in SQuAD, of which ``"text"``, a text or a list of
        texts, is read; a tuple ``(text, start)``, of which the int is not. None, or
        another missing value such as pandas makes of it, "" and an empty list say that
        there is no answer. An empty text among others does not, as in [2]_.
    y_pred : collection of str
        The predicted answer of each question; "" for none.
    tokenize : {"mixed", "whitespace"}, default="mixed"
        What a token is, and what punctuation.

        - "mixed": each ideograph and each kana is a token of its own [3]_ [4]_; what
          is left between them and white space is one. All punctuation of Unicode is
          removed.
        - "whitespace": what white space separates. Punctuation of ASCII is removed.
          This is the number of SQuAD's script, divided by 100.

        For text without ideographs, kana and other punctuation both are equal.
    sample_weight : array-like of shape (n_questions,), default=None
        How often each question counts.

    Returns
    -------
    score : float
        The score, in [0, 1].

    Raises
    ------
    TypeError
        If an argument is no list of answers, or an answer is of another type.
    ValueError
        If there is no question, the numbers of questions differ, an argument has more
        than one dimension, a prediction or one of several answers is missing, or a dict
        has no "text"; or if a weight is negative or not finite, or all are 0.

    See Also
    --------
    answer_exact_match_score : The fraction of the answers that are right as a whole.
    bleu_score : Compares longer texts, by their n-grams.

    Notes
    -----
    In CMRC 2018 [3]_ and MLQA [4]_, too, each Chinese character is a token; kana and
    rare ideographs are not. Their scripts differ otherwise: MLQA's drops no articles
    from Chinese text, and CMRC's counts the longest run of tokens that both answers
    have in place of all common ones. The first script of SQuAD [1]_ gives 0 where both
    sides are empty, which its questions never are.

    References
    ----------
    .. [1] P. Rajpurkar, J. Zhang, K. Lopyrev and P. Liang (2016). SQuAD: 100,000+
       questions for machine comprehension of text. EMNLP, 2383-2392.
    .. [2] P. Rajpurkar, R. Jia and P. Liang (2018). Know what you don't know:
       unanswerable questions for SQuAD. ACL, 784-789.
    .. [3] Y. Cui et al. (2019). A span-extraction dataset for Chinese machine reading
       comprehension. EMNLP-IJCNLP, 5883-5889.
    .. [4] P. Lewis, B. Oguz, R. Rinott, S. Riedel and H. Schwenk (2020). MLQA:
       evaluating cross-lingual extractive question answering. ACL, 7315-7330.

    Examples
    --------
    >>> from skml.metrics import answer_f1_score
    >>> answer_f1_score(["in the year 1969", None], ["1969.", ""])
    0.75
    >>> answer_f1_score([["gold", "a golden hue"]], ["The golden hue"])
    1.0
    >>> answer_f1_score([{"text": ["北京"], "answer_start": [3]}], ["在北京。"])
    0.8
    """
    return _mean_of_best(_f1, y_true, y_pred, tokenize == "mixed", sample_weight)


@validate_params(
    {"sample_weight": ["array-like", None]}, prefer_skip_nested_validation=True
)
def answer_exact_match_score(
    y_true: Iterable, y_pred: Iterable[str], *, sample_weight: ArrayLike | None = None
) -> float:
    """The fraction of the answers that are right as a whole, as SQuAD has it.

    Answers are equal if the tokens that `answer_f1_score` compares by default are, one
    by one and in order. That is, after the text becomes lower case, punctuation is
    removed, the words *a*, *an* and *the* are dropped, and white space is made one.
    Read more in the :ref:`User Guide <answer_scores>`.

    Parameters
    ----------
    y_true : collection of str, list of str, dict, tuple or None
        The right answer of each question: a text; a list or tuple of several texts, any
        of which is right; a dict as in SQuAD, of which ``"text"``, a text or a list of
        texts, is read; a tuple ``(text, start)``, of which the int is not. None, or
        another missing value such as pandas makes of it, "" and an empty list say that
        there is no answer. An empty text among others does not, as in [2]_.
    y_pred : collection of str
        The predicted answer of each question; "" for none.
    sample_weight : array-like of shape (n_questions,), default=None
        How often each question counts.

    Returns
    -------
    score : float
        The score, in [0, 1]; never above `answer_f1_score` with its defaults.

    Raises
    ------
    TypeError
        If an argument is no list of answers, or an answer is of another type.
    ValueError
        If there is no question, the numbers of questions differ, an argument has more
        than one dimension, a prediction or one of several answers is missing, or a dict
        has no "text"; or if a weight is negative or not finite, or all are 0.

    See Also
    --------
    answer_f1_score : Counts answers that are right in part.

    Notes
    -----
    All punctuation of Unicode is removed, and white space beside ideographs and kana
    does not count. The scripts of SQuAD [1]_ [2]_ remove ASCII punctuation alone: for
    them, a dash or a curly quote that one side lacks is an error. For text without such
    characters both are equal.

    References
    ----------
    .. [1] P. Rajpurkar, J. Zhang, K. Lopyrev and P. Liang (2016). SQuAD: 100,000+
       questions for machine comprehension of text. EMNLP, 2383-2392.
    .. [2] P. Rajpurkar, R. Jia and P. Liang (2018). Know what you don't know:
       unanswerable questions for SQuAD. ACL, 784-789.

    Examples
    --------
    >>> from skml.metrics import answer_exact_match_score
    >>> answer_exact_match_score(["the year 1969", None], ["1969.", ""])
    0.5
    >>> answer_exact_match_score([("北京", 3)], ["“北京”"])
    1.0
    """
    return _mean_of_best(_exact_match, y_true, y_pred, True, sample_weight)
