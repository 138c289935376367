"""Scores of word vectors, slow and plain: word by word, in Python's floats."""

import math


def dot(x, y):
    return math.fsum(float(a) * float(b) for a, b in zip(x, y, strict=True))


def cosine(x, y):
    lengths = math.sqrt(dot(x, x)) * math.sqrt(dot(y, y))
    return dot(x, y) / lengths if lengths else 0.0


def fold(word, case_sensitive):
    return word if case_sensitive else word.casefold()


def first_rows(words, case_sensitive):
    """The first row of each word."""
    rows = {}
    for row, word in enumerate(words):
        if fold(word, case_sensitive) not in rows:
            rows[fold(word, case_sensitive)] = row
    return rows


def answer(vectors, words, question, *, method, restrict_vocabulary, case_sensitive):
    """The word that answers a question; None if a word of it is unknown."""
    words = words[:restrict_vocabulary]
    rows = first_rows(words, case_sensitive)
    question = [fold(word, case_sensitive) for word in question]
    if any(word not in rows for word in question):
        return None
    a, b, c = (vectors[rows[word]] for word in question[:3])
    best, best_score = None, -math.inf
    for row, word in enumerate(words):
        if fold(word, case_sensitive) in question[:3]:
            continue
        to_a, to_b, to_c = (cosine(vectors[row], x) for x in (a, b, c))
        score = to_b - to_a + to_c
        if method == "3CosMul":
            score = (1 + to_b) / 2 * (1 + to_c) / 2 / ((1 + to_a) / 2 + 0.001)
        if score > best_score:
            best, best_score = word, score
    return best


def accuracy(vectors, words, questions, *, unknown, **options):
    """The share of right answers, and all answers."""
    answers = [answer(vectors, words, question, **options) for question in questions]
    n_right = n_asked = 0
    for found, question in zip(answers, questions, strict=True):
        if found is None and unknown == "skip":
            continue
        n_asked += 1
        if found is not None:
            n_right += fold(found, options["case_sensitive"]) == fold(
                question[3], options["case_sensitive"]
            )
    return n_right / n_asked, answers


def ranks(values):
    """Ranks from 1; equal values share the mean of theirs."""
    return [
        sum(other < value for other in values)
        + (sum(other == value for other in values) + 1) / 2
        for value in values
    ]


def pearson(x, y):
    x, y = ([v - math.fsum(values) / len(values) for v in values] for values in (x, y))
    return cosine(x, y)


def similarity_correlation(
    vectors, words, pairs, *, correlation, case_sensitive, unknown
):
    """The correlation of cosines with scores."""
    rows = first_rows(words, case_sensitive)
    cosines, scores = [], []
    for *pair, score in pairs:
        pair = [fold(word, case_sensitive) for word in pair]
        if all(word in rows for word in pair):
            cosines.append(cosine(*(vectors[rows[word]] for word in pair)))
        elif unknown == "zero":
            cosines.append(0.0)
        else:
            continue
        scores.append(score)
    if correlation == "spearman":
        cosines, scores = ranks(cosines), ranks(scores)
    return pearson(cosines, scores)
