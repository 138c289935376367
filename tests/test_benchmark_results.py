"""Saved results of benchmarks: the page that shows them, and the README's claims."""

import json
import re
from datetime import date
from itertools import product
from pathlib import Path

import pytest
from docutils import nodes

from docs._ext.benchmark_results import find_results, make_nodes

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "benchmarks" / "results").glob("*.json"))
RESULTS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FILES}
EXAMPLE = {
    "command": "python benchmarks/example.py --save",
    "date": "2026-01-31",
    "machine": {
        "processor": "A processor",
        "cores": 2,
        "load": 0.5,
        "system": "Linux",
        "python": "3.11",
        "peer": "1.2",
    },
    "data": [
        {"name": "made.txt", "sha256": "ab" * 32},
        {"name": "got.txt", "sha256": "cd" * 32, "source": "https://example.org/got"},
    ],
    "tables": [
        {
            "title": "ten rows",
            "header": ["task", "CPU s", "x"],
            "rows": [["fit", "0.5", "**2.0** (1.9 to 2.1)"], ["load", "1.5", "3.0"]],
        }
    ],
}


def parts(kind, results=EXAMPLE):
    return [found for node in make_nodes(results) for found in node.findall(kind)]


def test_a_table_has_title_header_and_rows():
    (table,) = parts(nodes.table)
    assert table[0].astext() == "ten rows"
    texts = [[cell.astext() for cell in row] for row in table.findall(nodes.row)]
    assert texts == [
        ["task", "CPU s", "x"],
        ["fit", "0.5", "2.0 (1.9 to 2.1)"],
        ["load", "1.5", "3.0"],
    ]
    assert [bold.astext() for bold in table.findall(nodes.strong)] == ["2.0"]


def test_columns_of_numbers_are_aligned_to_the_right():
    for row in parts(nodes.row):
        is_right = ["text-end" in cell["classes"] for cell in row]
        assert is_right == [False, True, True]


def test_below_it_is_what_repeats_it():
    fields = {field[0].astext(): field[1].astext() for field in parts(nodes.field)}
    assert fields.pop("Data").splitlines() == [
        f"made.txt; sha256 {'ab' * 32}",
        "",
        f"got.txt; sha256 {'cd' * 32}",
    ]
    assert fields == {
        "Date": "2026-01-31",
        "Machine": "A processor, 2 cores, load 0.5 before, Linux",
        "Versions": "python 3.11, peer 1.2",
    }
    (link,) = parts(nodes.reference)
    assert link["refuri"] == "https://example.org/got"
    assert parts(nodes.literal_block)[0].astext() == EXAMPLE["command"]


def test_data_that_the_script_makes():
    fields = parts(nodes.field, {**EXAMPLE, "data": []})
    assert fields[-1].astext().endswith("made by the script, with a fixed seed")


def test_results_that_were_not_saved():
    message = "'bleau' is not among the saved results, which are: bert, bleu, .* --save"
    with pytest.raises(ValueError, match=message):
        find_results("bleau")


def test_all_results_are_on_the_page():
    page = (ROOT / "docs" / "benchmarks.rst").read_text(encoding="utf-8")
    shown = re.findall(r"^\.\. benchmark-results:: (\w+)$", page, re.MULTILINE)
    assert sorted(shown) == list(RESULTS)


@pytest.mark.parametrize("name", RESULTS)
def test_saved_results_can_be_repeated(name):
    results = RESULTS[name]
    assert date.fromisoformat(results["date"])
    script = re.search(r"python (benchmarks/\w+\.py) ", results["command"])
    assert (ROOT / script[1]).exists()
    assert "--save" in results["command"]
    assert not re.search(r"(^|\s)[/~]", results["command"])  # no path of one machine
    for data in results["data"]:
        assert re.fullmatch("[0-9a-f]{64}", data["sha256"])
        is_installed = data["name"].startswith(("load_docstrings()", "model."))
        assert is_installed or data["source"].startswith("https://")


PEERS = {
    "XGBoost": "XGB",
    "LightGBM": "LGBM",
    "GBDT": "HistGradientBoosting",
    "SVM": "SV",
    "LR": "LogisticRegression",
}


def test_scores_on_tables_are_as_good():
    """No estimator is a standard deviation worse than its peer."""
    tables = RESULTS["table_scores"]["tables"]
    assert len(tables) == 4
    for table in tables:
        scores = {row[0]: row[3].split(" ± ") for row in table["rows"]}
        compared = 0
        for ours, peer in product(scores, scores):
            family = re.sub("Classifier|Regressor", "", ours)
            if ours != peer and peer.startswith(PEERS.get(family, "none")):
                (mine, spread), (theirs, _) = scores[ours], scores[peer]
                assert float(mine) > float(theirs) - float(spread)
                compared += 1
        assert compared >= 4


def ratios(name, column, table=0, **which):
    """The numbers at the beginning of a column, of the rows with the given cells."""
    found = RESULTS[name]["tables"][table]
    rows = [dict(zip(found["header"], row, strict=True)) for row in found["rows"]]
    rows = [r for r in rows if all(r[k] in v for k, v in which.items())]
    numbers = [re.match(r"\**([\d.]+)", row[column])[1] for row in rows]
    return [float(number) for number in numbers]


SPEED_UP = {"column": "speed-up"}
TEXTS = ["words", "words, 1-2-grams", "characters, 3-5", "char_wb, 3-5"]
# For each claim of speed in the README's table, in their order, the ratios it sums up.
CLAIMS = {
    "TfidfVectorizer": [
        ("tfidf", {**SPEED_UP, "input": TEXTS, "task": ["fit_transform", "transform"]}),
        ("tfidf", {**SPEED_UP, "input": ["token lists"]}),
    ],
    "HashingVectorizer": [("tfidf", {**SPEED_UP, "task": ["hashing"]})],
    "Word2Vec": [("word2vec", {"column": "x CPU"})],
    "fastText": [
        ("text_classifier", {"column": "x fit"}),
        ("text_classifier", {"column": "x predict"}),
    ],
    "GridSearchCV": [("staged_search", {"column": "x CPU"})],
    "Trainer": [
        ("bert", {"column": "x CPU", "what": ["fit"]}),
        ("bert", {"column": "x CPU", "what": ["predict"]}),
    ],
    "sacrebleu": [
        ("bleu", {**SPEED_UP, "task": ["BLEU, strings, 13a", "BLEU, tokens", "chrF"]}),
        ("bleu", {**SPEED_UP, "task": ["bootstrap, 1000"]}),
    ],
    "seqeval": [("entity", {"column": "x CPU", "score": ["F1, micro"]})],
}
# How far a repeated measurement may be off: shared machines move a ratio by a tenth.
NOISE = 0.1


def claimed(peer):
    """The ranges of one row of the README, and the last digit of each number."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (row,) = (
        line for line in readme.splitlines() if re.match(rf"\| [^|]*\b{peer}\b", line)
    )
    number = r"(\d+(?:\.\d)?)"
    return re.findall(rf"{number}(?: to {number})?(?=,| times)", row.split("|")[3])


@pytest.mark.parametrize("peer", CLAIMS)
def test_claims_of_the_readme_are_what_was_measured(peer):
    ranges = claimed(peer)
    assert len(ranges) == len(CLAIMS[peer])
    for (low, high), (name, which) in zip(ranges, CLAIMS[peer], strict=True):
        measured = ratios(name, **which)
        for claim, ratio in ((low, min(measured)), (high or low, max(measured))):
            # Half a unit of the last digit is what rounding takes.
            rounding = 0.05 if "." in claim else 0.5
            assert float(claim) == pytest.approx(ratio, abs=rounding + NOISE * ratio)
