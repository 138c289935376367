"""The text checks pass sound estimators, and each fails the fault it is there for."""

import os
import random
import re
import sys
from copy import copy
from numbers import Integral, Real

import numpy as np
import pytest
from joblib import parallel_backend
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.exceptions import EstimatorCheckFailedWarning, SkipTestWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skml._compat.sklearn import Interval, StrOptions, _fit_context
from skml._validation import check_documents
from skml.utils import estimator_checks
from skml.utils.estimator_checks import (
    check_text_estimator,
    parametrize_with_text_checks,
    text_estimator_checks_generator,
)

try:
    import cloudpickle
except ImportError:  # joblib < 1.6
    from joblib.externals import cloudpickle

# Other processes cannot import a test module by name.
cloudpickle.register_pickle_by_value(sys.modules[__name__])
THIS_PROCESS = os.getpid()
BY_PROCESSES = {"check_text_cross_validation", "check_text_grid_search"}


class _TextInput(BaseEstimator):
    """Documents to counts of the words known from fit."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags

    def _tokenize(self, X):
        sequences = []
        for position, document in enumerate(self._documents(X)):
            if isinstance(document, str):
                document = self._analyze(document)
            elif getattr(self, "analyzer", "word") != "word":
                raise ValueError(
                    f"document {position} is a list, to which "
                    f"analyzer={self.analyzer!r} cannot be applied"
                )
            self._check_tokens(document, position)
            sequences.append(list(document))
        return sequences

    def _analyze(self, document):
        words = document.lower().split()
        return "".join(words) if getattr(self, "analyzer", "") == "char" else words

    def _documents(self, X):
        return check_documents(X, caller=type(self).__name__)

    def _check_tokens(self, tokens, position):
        for i, token in enumerate(tokens):
            if not isinstance(token, str):
                raise TypeError(f"token {i} of document {position} is {token!r}")

    def _fit_vocabulary(self, X):
        sequences = self._tokenize(X)
        if not sequences:
            raise ValueError("no documents")
        vocabulary = self._order({t for tokens in sequences for t in tokens})
        self.vocabulary_ = {term: i for i, term in enumerate(vocabulary)}
        return sequences

    def _order(self, terms):
        return sorted(terms)

    def _count(self, sequences):
        counts = np.zeros((len(sequences), len(self.vocabulary_)))
        for row, tokens in zip(counts, sequences, strict=True):
            for token in tokens:
                if token in self.vocabulary_:
                    row[self.vocabulary_[token]] += 1
        return counts


class SignedCounts(TransformerMixin, _TextInput):
    """Counts of words, each with a sign drawn in fit."""

    _parameter_constraints = {
        "analyzer": [StrOptions({"word", "char"})],
        "sparse_output": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "notes": [list, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        analyzer="word",
        *,
        sparse_output=False,
        max_iter=3,
        notes=None,
        random_state=None,
    ):
        self.analyzer = analyzer
        self.sparse_output = sparse_output
        self.max_iter = max_iter
        self.notes = notes
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        self._fit_vocabulary(X)
        rng = check_random_state(self.random_state)
        self.signs_ = rng.choice([-1.0, 1.0], len(self.vocabulary_))
        self.n_iter_ = self.max_iter
        return self

    def transform(self, X):
        check_is_fitted(self)
        result = self._represent(self._count(self._tokenize(X)))
        return sparse.csr_array(result) if self.sparse_output else result

    def _represent(self, counts):
        return counts * self.signs_

    def get_feature_names_out(self, input_features=None):
        check_is_fitted(self)
        return np.array(list(self.vocabulary_), dtype=object)


class WordVotes(ClassifierMixin, _TextInput):
    """Naive Bayes over counts of words, for two classes."""

    def __init__(self, alpha=1.0):
        self.alpha = alpha

    _parameter_constraints = {"alpha": [Interval(Real, 0, None, closed="neither")]}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y):
        learned = type(self)(alpha=self.alpha)
        counts = learned._count(learned._fit_vocabulary(X))
        y = self._check_target(y, len(counts))
        classes, codes = np.unique(y, return_inverse=True)
        sums = np.stack([counts[codes == c].sum(axis=0) for c in (0, 1)]) + self.alpha
        self.vocabulary_ = learned.vocabulary_
        self.classes_ = classes
        self.log_odds_ = np.log(sums / sums.sum(axis=1, keepdims=True)).T @ [-1, 1]
        return self

    def _check_target(self, y, n_documents):
        if y is None or len(y) != n_documents:
            raise ValueError("y must have one label a document")
        return y

    def decision_function(self, X):
        check_is_fitted(self)
        return self._count(self._tokenize(X)) @ self.log_odds_

    def predict(self, X):
        decision = self.decision_function(X)
        return self.classes_[(decision > 0).astype(int)]

    def predict_proba(self, X):
        second = 1 / (1 + np.exp(-self.decision_function(X)))
        return np.column_stack([1 - second, second])


class Lengths(TransformerMixin, _TextInput):
    """How many tokens: without a state, and without a name for the column."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.array([[len(tokens)] for tokens in self._tokenize(X)]).reshape(-1, 1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


SOUND = [
    SignedCounts(notes=["kept"], sparse_output=True),
    SignedCounts("char"),
    WordVotes(),
    Lengths(),
    make_union(Lengths(), make_pipeline(SignedCounts("char"))),
    make_pipeline(
        SignedCounts(sparse_output=True), LogisticRegression(solver="liblinear")
    ),
]


@pytest.fixture
def one_process(monkeypatch):
    """Let the checks do without other processes, for which they would wait long."""
    monkeypatch.setattr(
        "skml.utils._text_checks_fit._in_child",
        lambda run, estimator, environment: run(estimator),
    )
    with parallel_backend("threading", n_jobs=1):
        yield


@parametrize_with_text_checks(SOUND)
def test_sound_estimators_pass(estimator, check, request):
    # The transformer and the classifier of one take the way through other processes.
    if estimator is not SOUND[-1]:
        request.getfixturevalue("one_process")
    check(estimator)


# Each of the following has one fault, and stands with the checks that must see it.
FAULTS = []


def fault(*checks, processes=False, **params):
    """Register a faulty class; `processes` if it only shows in another process."""

    def register(cls):
        names = {f"check_text_{check}" for check in checks}
        FAULTS.append(pytest.param(cls(**params), names, processes, id=cls.__name__))
        return cls

    return register


@fault("tags")
class DeclaresNoText(SignedCounts):
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = False
        return tags


@fault("html_repr")
class HasNoHtml(SignedCounts):
    def _repr_html_(self):
        raise AttributeError("no picture")


@fault("token_lists")
class RefusesTokens(SignedCounts):
    def _documents(self, X):
        return map(self._refuse_list, super()._documents(X))

    def _refuse_list(self, document):
        if isinstance(document, list):
            raise TypeError("document 0 is no str")
        return document


@fault("parameter_values")
class TakesAnyNotes(SignedCounts):
    _parameter_constraints = {
        **SignedCounts._parameter_constraints,
        "notes": "no_validation",
    }


@fault("fit_takes_y")
class CallsTheTargetOtherwise(SignedCounts):
    def fit(self, X, labels=None):
        return super().fit(X, labels)


@fault("bad_container")
class TakesDicts(SignedCounts):
    def _documents(self, X):
        return super()._documents(list(X.values()) if isinstance(X, dict) else X)


@fault("missing_in_series")
class DropsMissingRows(SignedCounts):
    def _documents(self, X):
        return super()._documents(X.dropna() if hasattr(X, "dropna") else X)


@fault("empty_collection")
class ReadsTheFirstDocument(SignedCounts):
    def _count(self, sequences):
        sequences[0]
        return super()._count(sequences)


@fault("fit_returns_self")
class ReturnsACopy(SignedCounts):
    def fit(self, X, y=None):
        return copy(super().fit(X, y))


@fault("fit_attributes")
class LearnsWithoutUnderscore(SignedCounts):
    def fit(self, X, y=None):
        self.done = True
        return super().fit(X, y)


@fault("parameters_untouched")
class ReplacesAParameter(SignedCounts):
    def fit(self, X, y=None):
        self.notes = self.notes or []
        return super().fit(X, y)


@fault("parameters_untouched", notes=[])
class FillsAParameter(SignedCounts):
    def transform(self, X):
        self.notes.append("transformed")
        return super().transform(X)


@fault("arguments_untouched")
class RewritesTheList(SignedCounts):
    def _documents(self, X):
        if isinstance(X, list):
            X[:] = [x.lower() if isinstance(x, str) else x for x in X]
            X[:] = [tuple(x) if isinstance(x, list) else x for x in X]
        return super()._documents(X)


@fault("global_generators")
class DrawsFromNumpy(SignedCounts):
    def fit(self, X, y=None):
        np.random.rand()  # noqa: NPY002
        return super().fit(X, y)


@fault("global_generators")
class SeedsTheStandardLibrary(SignedCounts):
    def transform(self, X):
        random.seed(0)
        return super().transform(X)


@fault("empty_document")
class HasNoAnswerForUnknownWords(WordVotes):
    def _count(self, sequences):
        counts = super()._count(sequences)
        unknown = ~counts.any(axis=1) & np.array(list(map(bool, sequences)), bool)
        counts[unknown] = np.nan
        return counts


@fault("bad_document")
class TakesNaNForEmpty(SignedCounts):
    def _documents(self, X):
        if isinstance(X, list):
            X = ["" if isinstance(x, float) and np.isnan(x) else x for x in X]
        return super()._documents(X)


@fault("bad_document", "missing_in_series")
class CountsFromOne(SignedCounts):
    def _documents(self, X):
        documents = super()._documents(X)
        try:
            yield from documents
        except (TypeError, ValueError) as error:
            message = re.sub(r"(?<=document )3", "4", str(error))
            raise type(error)(message) from None


@fault("bad_token")
class TakesNumbersForTokens(SignedCounts):
    def _check_tokens(self, tokens, position):
        numbers = (int, float)
        super()._check_tokens(
            [t for t in tokens if not isinstance(t, numbers)], position
        )


@fault("unfitted")
class FailsBeforeFit(SignedCounts):
    def transform(self, X):
        self.signs_.sum()
        return super().transform(X)


@fault("hash_seed", processes=True)
class OrdersBySet(SignedCounts):
    def _order(self, terms):
        return list(terms)


@fault("fit_idempotent")
class RemembersTheNumberOfDocuments(SignedCounts):
    def _fit_vocabulary(self, X):
        sequences = super()._fit_vocabulary(X)
        if getattr(self, "n_documents_", None) == len(sequences):
            backwards = reversed(self.vocabulary_)
            self.vocabulary_ = {term: i for i, term in enumerate(backwards)}
        self.n_documents_ = len(sequences)


@fault("refit")
class KeepsTheFirstVocabulary(SignedCounts):
    def _fit_vocabulary(self, X):
        vocabulary = getattr(self, "vocabulary_", None)
        super()._fit_vocabulary(X)
        self.vocabulary_ = vocabulary or self.vocabulary_


@fault("random_state")
class TakesOnlyNumbersForSeeds(SignedCounts):
    def fit(self, X, y=None):
        super().fit(X, y)
        seed = self.random_state if isinstance(self.random_state, int) else None
        self.signs_ = np.random.default_rng(seed).normal(size=len(self.signs_))
        return self


@fault("failed_fit")
class ForgetsBeforeItReads(SignedCounts):
    def fit(self, X, y=None):
        self.vocabulary_ = {}
        return super().fit(X, y)


@fault("subset_invariance")
class CentresTheBatch(SignedCounts):
    def _represent(self, counts):
        return counts - counts.mean(axis=0) if len(counts) else counts


@fault("subset_invariance", "order_invariance")
class NumbersTheRows(SignedCounts):
    def _represent(self, counts):
        return counts + np.arange(len(counts))[:, None]


@fault("pickle")
class KeepsALambda(SignedCounts):
    def fit(self, X, y=None):
        super().fit(X, y)
        self.split_ = lambda document: document.split()
        return self


@fault("readonly")
class WritesIntoArrays(SignedCounts):
    def _documents(self, X):
        documents = super()._documents(X)
        if isinstance(X, np.ndarray):
            X[:] = X
        return documents


@fault("containers")
class TurnsTuples(SignedCounts):
    def transform(self, X):
        return super().transform(X[::-1] if isinstance(X, tuple) else X)


@fault("generator")
class LosesTheLastOfAGenerator(SignedCounts):
    def fit(self, X, y=None):
        if hasattr(X, "__next__"):
            X = list(X)[:-1] * 2
        return super().fit(X, y)

    def transform(self, X):
        return super().transform(list(X)[:-1] if hasattr(X, "__next__") else X)


@fault("fit_transform", "pipeline")
class TakesAShortCut(SignedCounts):
    def fit_transform(self, X, y=None):
        return self.fit(X, y).transform(X) * 0


@fault("cross_validation", "grid_search", "hash_seed", processes=True)
class HangsOnTheProcess(WordVotes):
    def fit(self, X, y):
        super().fit(X, y)
        self.log_odds_ *= 1 if os.getpid() == THIS_PROCESS else -1
        return self


@fault("n_iter")
class CountsOneTooMany(SignedCounts):
    def fit(self, X, y=None):
        super().fit(X, y)
        self.n_iter_ += 1
        return self


@fault("feature_names_out")
class NamesOfFixedWidth(SignedCounts):
    def get_feature_names_out(self, input_features=None):
        return super().get_feature_names_out().astype(str)


@fault("set_output")
class GivesNoTables(SignedCounts, auto_wrap_output_keys=None):
    pass


@fault("classes")
class SwapsTheColumns(WordVotes):
    def predict_proba(self, X):
        return super().predict_proba(X)[:, ::-1]


@fault("target")
class RepeatsTheTarget(WordVotes):
    def _check_target(self, y, n_documents):
        return super()._check_target(
            y if y is None else [*y, *y][:n_documents], n_documents
        )


@pytest.mark.parametrize(("estimator", "checks", "processes"), FAULTS)
def test_every_fault_is_found_by_its_check(
    estimator, checks, processes, request, monkeypatch
):
    if not processes:
        request.getfixturevalue("one_process")
        # Half of the time would go to two checks that look at processes alone.
        some = [
            check
            for check in estimator_checks._CHECKS_OF_DETERMINISTIC
            if check.__name__ not in BY_PROCESSES
        ]
        monkeypatch.setattr(estimator_checks, "_CHECKS_OF_DETERMINISTIC", some)
    results = check_text_estimator(estimator, on_fail=None)
    failed = {r["check_name"]: r for r in results if r["status"] == "failed"}
    assert failed.keys() == checks, failed
    assert {r["status"] for r in results} == {"passed", "failed"}


def test_every_check_is_proved_by_a_fault():
    ours = {
        _check_name(check)
        for estimator in SOUND
        for _, check in text_estimator_checks_generator(estimator)
        if _check_name(check).startswith("check_text_")
    }
    proved = set().union(*(param.values[1] for param in FAULTS))
    assert proved == ours


def _check_name(check):
    return check.func.__name__


def test_failure_is_raised_with_the_message_of_the_check():
    with pytest.raises(
        AssertionError, match=r"must set tags\.input_tags\.string = True"
    ):
        check_text_estimator(DeclaresNoText())


@pytest.mark.usefixtures("one_process")
def test_failures_are_reported_to_the_callback_and_as_warnings():
    seen = []
    with pytest.warns(EstimatorCheckFailedWarning, match="check_text_tags") as warned:
        results = check_text_estimator(
            DeclaresNoText(),
            on_fail="warn",
            callback=lambda **result: seen.append(result),
        )
    assert seen == results
    assert len(warned) == 1
    (failed,) = (result for result in results if result["status"] == "failed")
    assert failed["check_name"] == "check_text_tags"
    assert isinstance(failed["exception"], AssertionError)
    assert not failed["expected_to_fail"]


@pytest.mark.usefixtures("one_process")
def test_expected_failures_are_not_raised():
    results = check_text_estimator(
        DeclaresNoText(), expected_failed_checks={"check_text_tags": "no tags yet"}
    )
    (result,) = (result for result in results if result["status"] == "xfail")
    assert result["check_name"] == "check_text_tags"
    assert result["expected_to_fail"]
    assert result["expected_to_fail_reason"] == "no tags yet"


@pytest.mark.usefixtures("one_process")
def test_checks_that_need_tables_are_skipped_without_them(monkeypatch):
    for room in ("errors", "input", "output"):
        name = f"skml.utils._text_checks_{room}.table_libraries"
        monkeypatch.setattr(name, lambda: {})
    with pytest.warns(SkipTestWarning, match="Neither pandas nor polars") as warned:
        results = check_text_estimator(SignedCounts())
    skipped = [r["check_name"] for r in results if r["status"] == "skipped"]
    assert set(skipped) == {"check_text_missing_in_series", "check_text_set_output"}
    assert len(warned) == len(skipped)
    assert {r["status"] for r in results} == {"passed", "skipped"}


def test_bad_arguments_are_refused():
    with pytest.raises(TypeError, match=r"Pass an instance: SignedCounts\(\)"):
        check_text_estimator(SignedCounts)
    with pytest.raises(ValueError, match="callback cannot be given together"):
        check_text_estimator(SignedCounts(), callback=print)
    with pytest.raises(ValueError, match="on_fail='stop'"):
        check_text_estimator(SignedCounts(), on_fail="stop")


def test_parametrize_marks_expected_failures_and_names_the_tests():
    decorator = parametrize_with_text_checks(
        [SignedCounts("char"), WordVotes()],
        expected_failed_checks=lambda estimator: (
            {"check_text_pickle": "why"} if isinstance(estimator, WordVotes) else {}
        ),
        xfail_strict=True,
    )
    names, cases = decorator.mark.args
    assert names == ("estimator", "check")
    marked = [case for case in cases if case.marks]
    assert len(marked) == 2  # text and tokens
    for case in marked:
        assert isinstance(case.values[0], WordVotes)
        assert _check_name(case.values[1]) == "check_text_pickle"
        (mark,) = case.marks
        assert mark.kwargs == {"reason": "why", "strict": True}
    make_id = decorator.mark.kwargs["ids"]
    assert make_id(marked[1].values[1]) == "check_text_pickle(kind=tokens)"
    assert make_id(cases[0].values[0]) == "SignedCounts(analyzer='char')"
    ids = [tuple(map(make_id, case.values)) for case in cases]
    assert len(set(ids)) == len(ids)


def test_a_parameter_may_exclude_tokens():
    def kinds(estimator):
        checks = text_estimator_checks_generator(estimator)
        return {check.keywords.get("kind") for _, check in checks} - {None}

    assert kinds(SignedCounts()) == {"text", "tokens"}
    assert kinds(SignedCounts("char")) == {"text"}
