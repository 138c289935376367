"""Analogies: the fraction of questions that word vectors answer correctly."""

import warnings
from collections.abc import Mapping, Sequence
from itertools import chain
from numbers import Integral
from os import PathLike
from typing import Any, Literal

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils import Bunch

from skml._compat.sklearn import Interval, StrOptions, validate_params
from skml._typing import FilePath
from skml.metrics._holders import (
    WordVectorsScorer,
    read_lines,
    spellings,
    unit,
    vectors_and_words,
)

# A tile of scores: so many questions by so many words, 8 MB.
_QUESTIONS = 256
_WORDS = 8192
# Levy & Goldberg (2014) divide by this plus the similarity to the negative word.
_EPSILON = 1e-3

_OPTIONS = {
    "method": [StrOptions({"3CosAdd", "3CosMul"})],
    "restrict_vocabulary": [Interval(Integral, 1, None, closed="left"), None],
    "case_sensitive": ["boolean"],
    "unknown": [StrOptions({"skip", "wrong"})],
}


@validate_params({"path": [str, PathLike]}, prefer_skip_nested_validation=True)
def load_word_analogies(path: FilePath):
    """Read analogy questions from a file in the format of "questions-words".

    Each line has the four words of a question "a is to b as c is to d", with blanks
    between them. A line of a colon, a blank and a name begins a section.

    Parameters
    ----------
    path : str or path
        The file, in UTF-8.

    Returns
    -------
    questions : dict
        For each section a list of tuples of four words. Questions before the first
        section are in the section "".

    Raises
    ------
    ValueError
        If a line is neither, with its number; or if there is no question.

    See Also
    --------
    word_analogy_score : Asks the questions.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from skml.metrics import load_word_analogies
    >>> lines = [": capitals", "Athens Greece Oslo Norway", ": plural"]
    >>> lines += ["cat cats ox oxen"]
    >>> with TemporaryDirectory() as folder:
    ...     with open(f"{folder}/questions.txt", "w") as file:
    ...         print(*lines, sep="\\n", file=file)
    ...     load_word_analogies(f"{folder}/questions.txt")
    {'capitals': [('Athens', 'Greece', 'Oslo', 'Norway')],
     'plural': [('cat', 'cats', 'ox', 'oxen')]}
    """
    questions, section = {}, ""
    for number, line in read_lines(path):
        words = tuple(line.split())
        if words[0] == ":":
            section = line[1:].strip()
        elif len(words) == 4:
            questions.setdefault(section, []).append(words)
        else:
            raise ValueError(
                f"{path}, line {number}: expected four words or ': section', got "
                f"{line!r:.60}."
            )
    if not questions:
        raise ValueError(f"{path} holds no question, which is a line of four words.")
    return questions


def _check_questions(questions):
    """Check analogy questions; return a dict of lists of them."""
    if isinstance(questions, (str, bytes, PathLike)):
        raise TypeError(
            f"questions is {questions!r:.60}, a {type(questions).__name__}; read a "
            "file of questions with load_word_analogies(path)."
        )
    if not isinstance(questions, Mapping):
        questions = {"": questions}
    sections = {
        name: [
            _check_question(question, position, name)
            for position, question in enumerate(section)
        ]
        for name, section in questions.items()
    }
    if not any(sections.values()):
        raise ValueError("questions is empty; there must be one at least.")
    return sections


def _check_question(question, position, section):
    where = f"question {position}" + (f" of section {section!r}" if section else "")
    if isinstance(question, (str, bytes)) or not hasattr(question, "__iter__"):
        raise TypeError(
            f"{where} is {question!r:.60} ({type(question).__name__}); expected a "
            "tuple of four words."
        )
    question = tuple(question)
    if len(question) != 4:
        raise ValueError(
            f"{where} has {len(question)} words, {question!r:.60}; expected four, "
            "(a, b, c, d) for 'a is to b as c is to d'."
        )
    for word in question:
        if not isinstance(word, str):
            raise TypeError(
                f"{where} holds {word!r:.60} ({type(word).__name__}); expected a str."
            )
    return question


def _cos_add(parts, questions, tile):
    """cos(x, b - a + c) times the length of b - a + c, for all words x of a tile."""
    a, b, c = questions.T
    return (parts[b] - parts[a] + parts[c]) @ tile.T


def _cos_mul(parts, questions, tile):
    """cos(x, b) cos(x, c) / (cos(x, a) + epsilon), the cosines moved to [0, 1]."""
    # Neighbouring questions share most of their words.
    rows, (a, b, c) = _distinct(questions)
    cosines = (parts[rows] / 2) @ tile.T
    cosines += 0.5
    scores, below = cosines[b], cosines[a]
    scores *= cosines[c]
    below += _EPSILON
    scores /= below
    return scores


def _distinct(questions):
    """The distinct rows of the questions, and where in these those of a, b, c are."""
    rows, places = np.unique(questions, return_inverse=True)
    return rows, places.reshape(questions.shape).T


_SCORES = {"3CosAdd": _cos_add, "3CosMul": _cos_mul}


def _answer(vectors, questions, first, method):
    """The row of the best answer to each question (rows of a, b, c), or -1 if none.

    For each word that may be an answer, `first` is the first row of its spellings.
    """
    n_questions, n_words = len(questions), len(first)
    asking, excluded = _every_spelling(questions, first)
    rows, places = _distinct(questions)
    parts, questions = unit(vectors, rows), places.T
    score_tile = _SCORES[method]
    answers = np.full(n_questions, -1, dtype=np.intp)
    best = np.full(n_questions, -np.inf, dtype=np.float32)
    for low in range(0, n_words, _WORDS):
        high = min(low + _WORDS, n_words)
        tile = unit(vectors, slice(low, high))
        here = (low <= excluded) & (excluded < high)
        asking_here, excluded_here = asking[here], excluded[here] - low
        for start in range(0, n_questions, _QUESTIONS):
            batch = slice(start, start + _QUESTIONS)
            scores = score_tile(parts, questions[batch], tile)
            of_batch = slice(*asking_here.searchsorted([start, start + len(scores)]))
            scores[asking_here[of_batch] - start, excluded_here[of_batch]] = -np.inf
            columns = scores.argmax(axis=1)
            score = scores[np.arange(len(scores)), columns]
            # Of equal scores that in the lower row stays.
            better = score > best[batch]
            best[batch][better] = score[better]
            answers[batch][better] = columns[better] + low
    return answers


def _every_spelling(questions, first):
    """All rows that are words of a question: the questions, in order, and the rows."""
    order = first.argsort(kind="stable")
    in_order, words = first[order], questions.ravel()
    begin = in_order.searchsorted(words)
    counts = in_order.searchsorted(words, side="right") - begin
    # The spellings of a word stand next to each other, from `begin` on.
    shift = np.repeat(begin - counts.cumsum() + counts, counts)
    rows = order[np.arange(len(shift)) + shift]
    return np.repeat(np.arange(len(words)) // 3, counts), rows


def _summary(correct, is_asked):
    n_correct, n_asked = int(correct.sum()), int(is_asked.sum())
    return Bunch(
        accuracy=n_correct / n_asked if n_asked else np.nan,
        n_correct=n_correct,
        n_asked=n_asked,
        n_skipped=len(is_asked) - n_asked,
    )


@validate_params(
    _OPTIONS | {"return_details": ["boolean"]},
    prefer_skip_nested_validation=True,
)
def word_analogy_score(
    word_vectors: Any,
    questions: dict | Sequence[tuple],
    *,
    method: Literal["3CosAdd", "3CosMul"] = "3CosAdd",
    restrict_vocabulary: int | None = 300_000,
    case_sensitive: bool = False,
    unknown: Literal["skip", "wrong"] = "skip",
    return_details: bool = False,
):
    """Fraction of analogy questions that word vectors answer correctly.

    A question "a is to b as c is to ?" is answered by the word whose vector is nearest
    to b - a + c [1]_. The words of the question are never the answer; of words with
    equal scores that in the lower row is.

    Read more in the :ref:`User Guide <word_analogies>`.

    Parameters
    ----------
    word_vectors : object
        What has `vectors` and `vocabulary`, as :class:`~skml.text.WordVectors`; or a
        fitted estimator whose `word_vectors_` has them; or a Pipeline with such a step,
        of which the first counts.
    questions : dict of lists of tuples, or list of tuples
        The four words of each question, the correct answer last; in a dict by section,
        as `load_word_analogies` gives them.
    method : {"3CosAdd", "3CosMul"}, default="3CosAdd"
        How an answer x is scored: by cos(x, b) - cos(x, a) + cos(x, c), all vectors
        having length one [1]_; or by cos(x, b) cos(x, c) / (cos(x, a) + 0.001), all
        cosines being moved to [0, 1] by (1 + cos) / 2 [2]_.
    restrict_vocabulary : int or None, default=300_000
        Only the words in so many first rows, mostly the most frequent, are known and
        may be answers; None takes all.
    case_sensitive : bool, default=False
        Whether words that differ in case alone are different. Otherwise the first row
        of a word's spellings counts, all its spellings are correct answers, and none
        is an answer if it is in the question.
    unknown : {"skip", "wrong"}, default="skip"
        What to do with a question of which a word is unknown: leave it out, which is
        usual, or count it as wrong. The latter alone compares models with different
        vocabularies: a model that knows fewer words is asked fewer questions, often
        the easier ones.
    return_details : bool, default=False
        Whether to return more than the score.

    Returns
    -------
    score : float
        The accuracy, in [0, 1]; NaN, with a warning, if no question can be asked.

    details : :class:`~sklearn.utils.Bunch`, instead of `score` if `return_details`
        Dictionary-like object, with the following attributes.

        accuracy : float
            The score.
        n_correct, n_asked, n_skipped : int
            Numbers of questions.
        answers : list of str or None
            The answer to each question, section by section; None if a word is unknown,
            or if there is no word but those of the question.
        sections : dict
            For each section a Bunch of `accuracy`, `n_correct`, `n_asked` and
            `n_skipped`. The accuracy is NaN if no question of it is asked.

    Raises
    ------
    TypeError
        If `word_vectors` has no vectors, or a word is no str.
    ValueError
        If there is no question, one has not four words, or a vector is not finite.

    Warns
    -----
    UndefinedMetricWarning
        If no question can be asked.

    See Also
    --------
    load_word_analogies : Reads the questions.
    make_word_analogy_scorer : Makes a scorer of it for model selection.
    word_similarity_score : The other usual measure.

    References
    ----------
    .. [1] T. Mikolov, W. Yih and G. Zweig (2013). Linguistic regularities in
       continuous space word representations. NAACL-HLT, 746-751.
    .. [2] O. Levy and Y. Goldberg (2014). Linguistic regularities in sparse and
       explicit word representations. CoNLL, 171-180.

    Examples
    --------
    >>> from skml.metrics import word_analogy_score
    >>> from skml.text import WordVectors
    >>> vectors = [[1, 0, 0], [1, 1, 0], [1, 0, 1], [1, 1, 1], [0, 3, 0]]
    >>> words = WordVectors(vectors, ["man", "woman", "king", "queen", "female"])
    >>> questions = {
    ...     "royal": [
    ...         ("man", "woman", "king", "queen"),
    ...         ("man", "king", "woman", "queen"),
    ...     ],
    ...     "other": [
    ...         ("man", "king", "female", "woman"),
    ...         ("man", "men", "king", "kings"),
    ...     ],
    ... }
    >>> word_analogy_score(words, questions)
    0.666...
    >>> details = word_analogy_score(words, questions, return_details=True)
    >>> details.answers
    ['queen', 'queen', 'queen', None]
    >>> details.sections["other"]
    {'accuracy': 0.0, 'n_correct': 0, 'n_asked': 1, 'n_skipped': 1}
    """
    vectors, words = vectors_and_words(word_vectors)
    sections = _check_questions(questions)
    words = words[:restrict_vocabulary]
    rows, first, look_up = spellings(words, case_sensitive)
    asked = np.array(
        [
            [rows.get(look_up(word), -1) for word in question]
            for question in chain.from_iterable(sections.values())
        ],
        dtype=np.intp,
    )
    is_known = (asked >= 0).all(axis=1)
    answers = np.full(len(asked), -1, dtype=np.intp)
    answers[is_known] = _answer(vectors, asked[is_known, :3], first, method)
    correct = np.zeros(len(asked), dtype=bool)
    is_answered = answers >= 0
    correct[is_answered] = first[answers[is_answered]] == asked[is_answered, 3]
    is_asked = is_known | (unknown == "wrong")
    details = _summary(correct, is_asked)
    if details.n_asked == 0:
        warnings.warn(
            f"word_analogy_score is undefined: each of the {len(asked)} questions has "
            f"a word that is not among the {len(words)} known. It is set to NaN.",
            UndefinedMetricWarning,
            stacklevel=3,
        )
    if not return_details:
        return details.accuracy
    ends = np.cumsum([len(section) for section in sections.values()])[:-1]
    parts = zip(np.split(correct, ends), np.split(is_asked, ends), strict=True)
    return Bunch(
        **details,
        answers=[words[row] if row >= 0 else None for row in answers],
        sections={
            name: _summary(*part) for name, part in zip(sections, parts, strict=True)
        },
    )


@validate_params(_OPTIONS, prefer_skip_nested_validation=True)
def make_word_analogy_scorer(
    questions: dict | Sequence[tuple],
    *,
    method: Literal["3CosAdd", "3CosMul"] = "3CosAdd",
    restrict_vocabulary: int | None = 300_000,
    case_sensitive: bool = False,
    unknown: Literal["skip", "wrong"] = "skip",
):
    """Make a scorer of `word_analogy_score`, for model selection.

    Parameters
    ----------
    questions : dict of lists of tuples, or list of tuples
        The four words of each question; see `word_analogy_score`.
    method : {"3CosAdd", "3CosMul"}, default="3CosAdd"
        How an answer is scored.
    restrict_vocabulary : int or None, default=300_000
        How many of the first words are known and may be answers.
    case_sensitive : bool, default=False
        Whether words that differ in case alone are different.
    unknown : {"skip", "wrong"}, default="skip"
        What to do with a question of which a word is unknown. Use "wrong" to compare
        parameters that change the vocabulary, such as `min_count`.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X=None, y=None)`` returns the score of a fitted estimator
        that has `word_vectors_`, or of a Pipeline with such a step. X and y are
        ignored: the questions are what the vectors are tested on. If none can be
        asked, the score is NaN, with a warning; a search ranks that last.

    See Also
    --------
    word_analogy_score : The score.
    make_word_similarity_scorer : The same for similarities.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skml.metrics import make_word_analogy_scorer
    >>> from skml.text import Word2VecTransformer
    >>> scorer = make_word_analogy_scorer([("one", "two", "three", "four")])
    >>> documents = ["one two three four five six"] * 9
    >>> word2vec = Word2VecTransformer(random_state=0)
    >>> search = GridSearchCV(word2vec, {"vector_size": [2, 4]}, scoring=scorer, cv=3)
    >>> search.fit(documents).cv_results_["mean_test_score"].shape
    (2,)
    """
    questions = _check_questions(questions)
    options = {
        "method": method,
        "restrict_vocabulary": restrict_vocabulary,
        "case_sensitive": case_sensitive,
        "unknown": unknown,
    }
    what = f"{sum(map(len, questions.values()))} questions"
    return WordVectorsScorer(word_analogy_score, questions, what, options)
