"""Similarities: the correlation of word vectors with the judgement of people."""

import warnings
from collections.abc import Sequence
from numbers import Real
from os import PathLike
from typing import Any, Literal

import numpy as np
from scipy.stats import rankdata
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils import Bunch

from skml._compat.sklearn import StrOptions, validate_params
from skml._typing import FilePath
from skml.metrics._holders import (
    WordVectorsScorer,
    compose,
    read_lines,
    spellings,
    take,
    vectors_and_words,
)

_OPTIONS = {
    "correlation": [StrOptions({"spearman", "pearson"})],
    "case_sensitive": ["boolean"],
    "unknown": [StrOptions({"skip", "zero"})],
}
_SEPARATORS = {"\t": "tabs", ",": "commas", ";": "semicolons", None: "blanks"}


@validate_params({"path": [str, PathLike]}, prefer_skip_nested_validation=True)
def load_word_similarities(path: FilePath):
    """Read pairs of words and how similar people found them.

    Each line has two words and a score. What the first line has separates the columns
    of all lines: tabs, else commas, else semicolons, else blanks. The score is in the
    first column after the words that is a number; other columns are ignored. So are
    lines that begin with "#", and a first line of three columns or more of which none
    after the words is a number: the header. That reads the files of WordSim-353,
    SimLex-999, SimVerb-3500, MEN, RG-65, MTurk and Rare Words as they are.

    Parameters
    ----------
    path : str or path
        The file, in UTF-8.

    Returns
    -------
    pairs : list of tuple
        Two words and a float for each.

    Raises
    ------
    ValueError
        If a line is no such pair, or its score is not finite, with its number; or if
        there is no pair.

    See Also
    --------
    word_similarity_score : Compares the scores with those of word vectors.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from skml.metrics import load_word_similarities
    >>> lines = ["word1,word2,POS,score", "old,new,A,1.58", "smart,intelligent,A,9.2"]
    >>> with TemporaryDirectory() as folder:
    ...     with open(f"{folder}/pairs.csv", "w") as file:
    ...         print(*lines, sep="\\n", file=file)
    ...     load_word_similarities(f"{folder}/pairs.csv")
    [('old', 'new', 1.58), ('smart', 'intelligent', 9.2)]
    """
    lines = [(i, line) for i, line in read_lines(path) if not line.startswith("#")]
    separator = next((s for s in "\t,;" if lines and s in lines[0][1]), None)
    pairs = []
    for position, (number, line) in enumerate(lines):
        columns = [column.strip() for column in line.split(separator)]
        score = _first_number(columns[2:])
        if position == 0 and score is None and len(columns) > 2:
            continue
        if score is None or not all(columns[:2]):
            raise ValueError(
                f"{path}, line {number}: expected two words and a number between "
                f"{_SEPARATORS[separator]}, got {line!r:.60}."
            )
        if not np.isfinite(score):
            raise ValueError(
                f"{path}, line {number}: the score is {score}; it must be finite."
            )
        pairs.append((*columns[:2], score))
    if not pairs:
        raise ValueError(f"{path} holds no pair, which is two words and a number.")
    return pairs


def _first_number(columns):
    for column in columns:
        try:
            return float(column)
        except ValueError:
            continue
    return None


def _check_pairs(pairs):
    """Check pairs of words and their scores; return a list of tuples."""
    if isinstance(pairs, (str, bytes, PathLike)):
        raise TypeError(
            f"pairs is {pairs!r:.60}, a {type(pairs).__name__}; read a file of pairs "
            "with load_word_similarities(path)."
        )
    pairs = [_check_pair(pair, position) for position, pair in enumerate(pairs)]
    if len(pairs) < 2:
        raise ValueError(
            f"pairs has {len(pairs)} pair(s); the correlation needs two at least."
        )
    if len({score for *_, score in pairs}) == 1:
        raise ValueError(
            f"all {len(pairs)} pairs have the score {pairs[0][2]}; there is no "
            "correlation with a constant."
        )
    return pairs


def _check_pair(pair, position):
    if isinstance(pair, (str, bytes)) or not hasattr(pair, "__iter__"):
        raise TypeError(
            f"pair {position} is {pair!r:.60} ({type(pair).__name__}); expected a "
            "tuple of two words and a score."
        )
    pair = tuple(pair)
    if len(pair) != 3:
        raise ValueError(
            f"pair {position} has {len(pair)} entries, {pair!r:.60}; expected two "
            "words and a score."
        )
    for entry, kind, expected in zip(
        pair, (str, str, Real), ("str", "str", "number"), strict=True
    ):
        if not isinstance(entry, kind):
            raise TypeError(
                f"pair {position} holds {entry!r:.60} ({type(entry).__name__}); "
                f"expected a {expected} there."
            )
    if not np.isfinite(pair[2]):
        raise ValueError(
            f"the score of pair {position}, {pair[:2]!r:.60}, is {pair[2]}; it must be "
            "finite."
        )
    return (*pair[:2], float(pair[2]))


def _take(vectors, composed, rows):
    """Some rows of the vectors, behind which are those composed of n-grams."""
    taken = np.empty((len(rows), vectors.shape[1]))
    is_word = rows < len(vectors)
    taken[is_word] = take(vectors, rows[is_word])
    taken[~is_word] = composed[rows[~is_word] - len(vectors)]
    return taken


def _cosines(first, second):
    """The cosine of each pair of rows; 0 if one is a zero vector."""
    dots, *squares = (
        np.einsum("ij,ij->i", *pair)
        for pair in ((first, second), (first, first), (second, second))
    )
    # The root of a square is exact: all words are equally similar to themselves.
    lengths = np.sqrt(squares[0] * squares[1])
    return np.divide(dots, lengths, out=np.zeros(len(dots)), where=lengths > 0)


def _correlate(x, y, correlation):
    """Spearman's or Pearson's correlation; NaN if one of both is constant."""
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return np.nan
    if correlation == "spearman":
        x, y = rankdata(x), rankdata(y)
    return float(np.corrcoef(x, y)[0, 1])


@validate_params(
    _OPTIONS | {"return_details": ["boolean"]},
    prefer_skip_nested_validation=True,
)
def word_similarity_score(
    word_vectors: Any,
    pairs: Sequence[tuple],
    *,
    correlation: Literal["spearman", "pearson"] = "spearman",
    case_sensitive: bool = False,
    unknown: Literal["skip", "zero"] = "skip",
    return_details: bool = False,
):
    """Correlation of the cosines of word vectors with the judgement of people.

    Read more in the :ref:`User Guide <word_similarities>`.

    Parameters
    ----------
    word_vectors : object
        What has `vectors` and `vocabulary`, as :class:`~skml.text.WordVectors`; or a
        fitted estimator whose `word_vectors_` has them; or a Pipeline with such a step,
        of which the first counts. If it has `subwords`, words outside the vocabulary
        have the vectors that these compose.
    pairs : list of tuples
        Two words and how similar people found them, as `load_word_similarities` gives
        them.
    correlation : {"spearman", "pearson"}, default="spearman"
        The coefficient: Spearman's, of ranks, where equal values have the mean of their
        ranks; or Pearson's, of the values themselves.
    case_sensitive : bool, default=False
        Whether words that differ in case alone are different. Otherwise the first row
        of a word's spellings counts.
    unknown : {"skip", "zero"}, default="skip"
        What to do with a pair of which a word has no vector: leave it out, which is
        usual, or take its cosine for 0. The latter alone compares models with
        different vocabularies: a model that knows fewer words is asked for fewer pairs,
        and rare words are the hard ones.
    return_details : bool, default=False
        Whether to return more than the score.

    Returns
    -------
    score : float
        The correlation, in [-1, 1]; NaN, with a warning, if it is undefined: fewer than
        two pairs are known, or all known pairs are equally similar.

    details : :class:`~sklearn.utils.Bunch`, instead of `score` if `return_details`
        Dictionary-like object, with the following attributes.

        correlation : float
            The score.
        n_asked, n_skipped : int
            Numbers of pairs.
        similarities : ndarray of shape (n_pairs,)
            The cosines; NaN for a pair that is left out.

    Raises
    ------
    TypeError
        If `word_vectors` has no vectors, a word is no str, or a score no number.
    ValueError
        If there are fewer than two pairs, a score is not finite, all scores are equal,
        or a vector is not finite.

    Warns
    -----
    UndefinedMetricWarning
        If the correlation is undefined.

    See Also
    --------
    load_word_similarities : Reads the pairs.
    make_word_similarity_scorer : Makes a scorer of it for model selection.
    word_analogy_score : The other usual measure.

    References
    ----------
    .. [1] L. Finkelstein et al. (2002). Placing search in context: the concept
       revisited. ACM Transactions on Information Systems 20(1), 116-131.
    .. [2] F. Hill, R. Reichart and A. Korhonen (2015). SimLex-999: evaluating semantic
       models with (genuine) similarity estimation. Computational Linguistics 41(4),
       665-695.

    Examples
    --------
    >>> from skml.metrics import word_similarity_score
    >>> from skml.text import WordVectors
    >>> words = WordVectors([[1, 0], [2, 1], [0, 1]], ["cat", "dog", "car"])
    >>> pairs = [("cat", "dog", 9), ("cat", "car", 2), ("dog", "car", 1)]
    >>> pairs += [("cat", "oak", 3)]
    >>> word_similarity_score(words, pairs)
    0.5
    >>> details = word_similarity_score(words, pairs, return_details=True)
    >>> details.similarities.round(2)
    array([0.89, 0.  , 0.45,  nan])
    """
    vectors, words = vectors_and_words(word_vectors)
    pairs = _check_pairs(pairs)
    scores = np.array([score for *_, score in pairs])
    rows, _, look_up = spellings(words, case_sensitive)
    asked = [look_up(word) for *pair, _ in pairs for word in pair]
    composed, numbers = compose(word_vectors, [w for w in asked if w not in rows])
    rows |= {word: len(vectors) + number for word, number in numbers.items()}
    asked = np.array([rows.get(word, -1) for word in asked]).reshape(-1, 2)
    is_known = (asked >= 0).all(axis=1)
    is_asked = is_known | (unknown == "zero")
    similarities = np.where(is_asked, 0.0, np.nan)
    similarities[is_known] = _cosines(
        *(_take(vectors, composed, column) for column in asked[is_known].T)
    )
    score = _correlate(similarities[is_asked], scores[is_asked], correlation)
    if np.isnan(score):
        warnings.warn(
            f"word_similarity_score is undefined: the words of {is_known.sum()} of "
            f"{len(pairs)} pairs are known, and the correlation needs two at least "
            "that differ in similarity and in score. It is set to NaN.",
            UndefinedMetricWarning,
            stacklevel=3,
        )
    if not return_details:
        return score
    return Bunch(
        correlation=score,
        n_asked=int(is_asked.sum()),
        n_skipped=int((~is_asked).sum()),
        similarities=similarities,
    )


@validate_params(_OPTIONS, prefer_skip_nested_validation=True)
def make_word_similarity_scorer(
    pairs: Sequence[tuple],
    *,
    correlation: Literal["spearman", "pearson"] = "spearman",
    case_sensitive: bool = False,
    unknown: Literal["skip", "zero"] = "skip",
):
    """Make a scorer of `word_similarity_score`, for model selection.

    Parameters
    ----------
    pairs : list of tuples
        Two words and how similar people found them; see `word_similarity_score`.
    correlation : {"spearman", "pearson"}, default="spearman"
        The coefficient: Spearman's, of the ranks, or Pearson's, of the values.
    case_sensitive : bool, default=False
        Whether words that differ in case alone are different.
    unknown : {"skip", "zero"}, default="skip"
        What to do with a pair of which a word has no vector. Use "zero" to compare
        parameters that change the vocabulary, such as `min_count`.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X=None, y=None)`` returns the score of a fitted estimator
        that has `word_vectors_`, or of a Pipeline with such a step. X and y are
        ignored: the pairs are what the vectors are tested on. If the correlation is
        undefined, the score is NaN, with a warning; a search ranks that last.

    See Also
    --------
    word_similarity_score : The score.
    make_word_analogy_scorer : The same for analogies.

    Examples
    --------
    >>> from skml.metrics import make_word_similarity_scorer
    >>> from skml.text import Word2VecTransformer
    >>> scorer = make_word_similarity_scorer([("cat", "dog", 9.0), ("cat", "car", 1.0)])
    >>> scorer
    make_word_similarity_scorer(<2 pairs>, correlation='spearman',
                                case_sensitive=False, unknown='skip')
    >>> documents = ["cat and dog", "a car with a motor"] * 9
    >>> -1 <= scorer(Word2VecTransformer(random_state=0).fit(documents)) <= 1
    True
    """
    pairs = _check_pairs(pairs)
    options = {
        "correlation": correlation,
        "case_sensitive": case_sensitive,
        "unknown": unknown,
    }
    what = f"{len(pairs)} pairs"
    return WordVectorsScorer(word_similarity_score, pairs, what, options)
