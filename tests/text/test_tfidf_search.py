"""Grid search over TfidfWeighter: the same in two processes, and no thread too many."""

import threading

import numpy as np
from numpy.testing import assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skml.text import TfidfWeighter

SUBJECTS = ["the cat", "the dog", "a bird", "my old horse"]
TEXT = [
    f"{who} {what}" for who in SUBJECTS for what in ("sleeps well", "does not sleep")
]
TEXT = TEXT * 3
Y = ["good" if "well" in text else "bad" for text in TEXT]
GRID = {
    "tfidfweighter__ngram_range": [(1, 1), (1, 2)],
    "tfidfweighter__scheme": ["tf-idf", "bm25", "nb"],
}


def search(scoring=None, n_jobs=2, threads=None):
    model = make_pipeline(TfidfWeighter(n_jobs=threads), LogisticRegression())
    return GridSearchCV(model, GRID, cv=3, n_jobs=n_jobs, scoring=scoring, refit=False)


def test_two_processes_find_what_one_finds():
    expected = search(n_jobs=1).fit(TEXT, Y).cv_results_["mean_test_score"]
    found = search().fit(TEXT, Y).cv_results_["mean_test_score"]
    assert_array_equal(found, expected)


def n_threads(estimator, X, y):
    """How many threads of its own a fit and a transform start, in this process."""
    started, start = [], threading.Thread.start

    def note(thread):
        started.append(thread)
        start(thread)

    threading.Thread.start = note
    try:
        estimator[0].fit_transform(TEXT * 20, Y * 20)
    finally:
        threading.Thread.start = start
    return len(started)


def test_a_worker_of_a_search_starts_no_threads():
    results = search(n_threads).fit(TEXT, Y).cv_results_
    assert_array_equal(results["mean_test_score"], 0)
    assert n_threads(make_pipeline(TfidfWeighter(n_jobs=2)), TEXT, Y) > 0


def test_a_search_tells_threads_that_are_asked_for():
    """Two in each worker are what the user says."""
    results = search(n_threads, n_jobs=2, threads=2).fit(TEXT, Y).cv_results_
    assert np.all(results["mean_test_score"] > 0)
