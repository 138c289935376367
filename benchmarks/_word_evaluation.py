"""How good word vectors are: analogies and similarities judged by people.

Pure functions of the words, the most frequent first, and their vectors.
"""

import numpy as np
from scipy.stats import spearmanr

_BATCH = 256


def read_questions(path):
    """Read analogy questions: tuples of the section and four lower-case words."""
    questions, section = [], ""
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            words = line.lower().split()
            if words and words[0] == ":":
                section = words[1]
            elif len(words) == 4:
                questions.append((section, *words))
            elif words:
                raise ValueError(
                    f"{path}, line {number}: expected four words or ': section', got "
                    f"{line.strip()!r:.60}."
                )
    return questions


def read_pairs(path):
    """Read word pairs: tuples of two lower-case words and a score."""
    pairs = []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(filter(str.strip, lines), start=1):
            try:
                first, second, score = line.lower().strip().split("\t")
                pairs.append((first, second, float(score)))
            except ValueError as error:
                raise ValueError(
                    f"{path}, line {number}: expected two words and a number between "
                    f"tabs, got {line.strip()!r:.60}."
                ) from error
    return pairs


def row_of_each_word(words):
    """Where each word is, in lower case; the most frequent spelling counts."""
    rows = {}
    for row, word in enumerate(words):
        rows.setdefault(word.lower(), row)
    return rows


def unit_rows(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def answer_analogies(unit, questions):
    """Answer "a is to b as c is to ?" by 3CosAdd (Mikolov et al. 2013).

    Parameters
    ----------
    unit : ndarray of shape (n_words, size)
        Vectors of length one.
    questions : ndarray of shape (n_questions, 3)
        The rows of a, b and c.

    Returns
    -------
    answers : ndarray of shape (n_questions,)
        The row that is closest to b - a + c, those of a, b and c apart.
    """
    answers = np.empty(len(questions), dtype=np.intp)
    for start in range(0, len(questions), _BATCH):
        asked = questions[start : start + _BATCH]
        a, b, c = asked.T
        cosines = (unit[b] - unit[a] + unit[c]) @ unit.T
        np.put_along_axis(cosines, asked, -np.inf, axis=1)
        answers[start : start + _BATCH] = cosines.argmax(axis=1)
    return answers


def score_analogies(words, vectors, questions, n_top):
    """Share of right answers among the questions whose words are all known.

    Parameters
    ----------
    words : list of str
        The most frequent first.
    vectors : ndarray of shape (n_words, size)
        Their vectors.
    questions : list of tuple
        As `read_questions` gives them.
    n_top : int
        Only so many words, the most frequent, are known and may be answers.

    Returns
    -------
    scores : dict
        ``analogies``, ``semantic``, ``syntactic``, in percent; ``coverage``, the share
        of questions that could be asked, in percent.
    """
    rows = row_of_each_word(words[:n_top])
    known = [question for question in questions if rows.keys() >= set(question[1:])]
    ids = np.array([[rows[word] for word in q[1:]] for q in known], dtype=np.intp)
    ids = ids.reshape(-1, 4)
    right = answer_analogies(unit_rows(vectors[:n_top]), ids[:, :3]) == ids[:, 3]
    syntactic = np.array([q[0].startswith("gram") for q in known], dtype=bool)
    return {
        "analogies": _percent(right),
        "semantic": _percent(right[~syntactic]),
        "syntactic": _percent(right[syntactic]),
        "coverage": 100 * len(known) / len(questions),
    }


def _percent(right):
    return 100 * float(right.mean()) if len(right) else float("nan")


def score_similarities(words, vectors, pairs):
    """Spearman correlation of cosines with the scores of known pairs, in percent.

    Parameters
    ----------
    words : list of str
        The most frequent first.
    vectors : ndarray of shape (n_words, size)
        Their vectors.
    pairs : list of tuple
        As `read_pairs` gives them.

    Returns
    -------
    correlation : float
        NaN if fewer than three pairs are known.
    coverage : float
        The share of pairs that are known, in percent.
    """
    rows = row_of_each_word(words)
    known = [pair for pair in pairs if pair[0] in rows and pair[1] in rows]
    coverage = 100 * len(known) / len(pairs)
    if len(known) < 3:
        return float("nan"), coverage
    first, second, scores = zip(*known, strict=True)
    cosines = np.einsum(
        "ij,ij->i",
        unit_rows(vectors[[rows[word] for word in first]]),
        unit_rows(vectors[[rows[word] for word in second]]),
    )
    return 100 * float(spearmanr(cosines, scores).statistic), coverage
