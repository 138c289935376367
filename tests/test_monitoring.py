"""Watching a fit: the lines that `verbose` prints, and scikit-learn's callbacks."""

import re

import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skml import Word2VecTransformer
from skml._progress import ProgressLines, Step, show_time
from tests.callbacks import needs_callbacks
from tests.catalogue import case, estimators

# Those that learn in one step, or by a solver of scikit-learn.
WITHOUT_ITERATIONS = {
    "BertTransformer",
    "EmbeddingTransformer",
    "LRClassifier",
    "PhraseTransformer",
    "SVMClassifier",
    "SVMRegressor",
    "TfidfWeighter",
}
ITERATIVE = sorted(set(estimators()) - WITHOUT_ITERATIONS)
# One of each family that classifies.
CLASSIFIERS = [
    "AttentionPoolingClassifier",
    "BertClassifier",
    "FastTextClassifier",
    "LightGBMClassifier",
]
NUMBER = r"(-?\d+\.\d{4}|-?\d\.\d{3}e[+-]\d\d)"
LINE = re.compile(
    r"\[(?P<name>\w+)\] ([\w /]+, )*(epoch|iteration|step) (?P<number>\d+)/\d+: "
    rf"([\w -]+( \([\w .]+\))? {NUMBER}, )+"
    r"[\d,]+ (rows|samples|tokens)/s, elapsed \d+\.\d s(, left \d+\.\d s)?"
)


def with_iterations(case, n, **parameters):
    """A case with so many iterations."""
    name = "max_iter" if hasattr(case.estimator, "max_iter") else "n_estimators"
    case.estimator.set_params(**{name: n}, **parameters)
    return case


# So few epochs teach too little, which is warned of.
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", ITERATIVE)
def test_verbose_prints_lines_of_one_format(name, capsys):
    with_iterations(case(name), 3, verbose=1).fit()
    lines = capsys.readouterr().out.splitlines()
    matches = [LINE.fullmatch(line) for line in lines if "/s, elapsed" in line]
    assert len(matches) >= 2
    assert all(matches), lines
    assert {match["name"] for match in matches} == {name}


def test_verbose_is_after_how_many_iterations_a_line_is_printed(capsys):
    with_iterations(case("XGBoostClassifier"), 7, verbose=3).fit()
    lines = capsys.readouterr().out.splitlines()
    assert [LINE.fullmatch(line)["number"] for line in lines] == ["3", "6", "7"]


def monitored(estimator):
    """An estimator whose accuracy scikit-learn's callback records."""
    from sklearn.callback import ScoringMonitor

    monitor = ScoringMonitor(scoring="accuracy")
    return estimator.set_callbacks(monitor), monitor


def recorded(monitor):
    """The scores of each fit of the last run."""
    fits = {}
    for row in monitor.get_logs().data:
        fits.setdefault(row["parent_task_id_path"], []).append(row["accuracy"])
    return list(fits.values())


@needs_callbacks
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_scores_are_monitored_alone_and_in_a_pipeline(name):
    small = with_iterations(case(name), 2)
    model, monitor = monitored(small.estimator)
    small.fit()
    alone = recorded(monitor)
    assert len(alone) == 1
    assert alone[0][-1] == model.score(small.X, small.y)
    pipeline = make_pipeline(FunctionTransformer(), model)
    pipeline.fit(small.X, small.y)
    assert recorded(monitor) == alone


@needs_callbacks
def test_scores_are_monitored_in_a_search_by_two_processes():
    small = case("FastTextClassifier")
    model, monitor = monitored(small.estimator)
    pipeline = make_pipeline(FunctionTransformer(), model)
    grid = {"fasttextclassifier__max_iter": [1, 2]}
    GridSearchCV(pipeline, grid, cv=2, n_jobs=2, error_score="raise").fit(
        small.X, small.y
    )
    # Two folds of both candidates, and the final fit.
    n_scores = sorted(map(len, recorded(monitor)))
    assert n_scores in ([1, 1, 1, 2, 2], [1, 1, 2, 2, 2])


def test_speed_and_time_left_are_those_of_the_clock(monkeypatch, capsys):
    clock = iter([0.0, 1.0, 3.0, 7.0])
    monkeypatch.setattr("skml._progress.perf_counter", lambda: next(clock))
    # The fit begins at 0, training at 1 second.
    lines = ProgressLines(Word2VecTransformer(verbose=1))
    for number in (1, 2):
        lines.show(Step("epoch", number, 4, {"loss": 0.5}, 100, "tokens"))
    assert capsys.readouterr().out.splitlines() == [
        "[Word2VecTransformer] epoch 1/4: loss 0.5000, 50 tokens/s, elapsed 3.0 s, "
        "left 6.0 s",
        "[Word2VecTransformer] epoch 2/4: loss 0.5000, 25 tokens/s, elapsed 7.0 s, "
        "left 6.0 s",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (59.97, "1 min 00 s"), (100, "1 min 40 s"), (7500, "2 h 05 min")],
)
def test_durations_are_in_units_that_suit_them(seconds, text):
    assert show_time(seconds) == text
