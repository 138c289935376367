"""What readers see has the words of the field, not private ones."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# A private word, as a regular expression, and what to write instead.
PRIVATE = {
    r"\bholes?\b": "missing values",
    r"\b(each|every|per|more|first|last|few|many|two) pass(es)?\b": "epochs",
    r"\bmembers? of the ensemble\b": "estimators of the ensemble",
    r"\bshares? of (the |its |their )?(rows|units|tokens|words|probab)": "fraction",
    r"\bmachines? of many\b|\bexact machine\b": "support vector machine",
    r"\brungs?\b|\bladder\b": "candidate embeddings",
    r"\bwho (asks|answers)\b|\bwhat they answer\b": "queries, keys, values",
    r"\bby heart\b": "memorizes",
    r"\bby lot\b": "random",
    r"\b(of )?one's own\b": "custom, your own",
    r"\bplays? two games\b|\bgame of masks\b": "is trained on two tasks",
    r"\byes-or-no\b": "training objective",
    r"\brows held out\b": "validation set",
    r"\bthe price of a row\b": "inverse of regularization strength",
    r"\bcounts as a gain\b": "tolerance",
    r"\bmay meet in a tree\b": "may interact",
    r"\bgains most\b": "leaf-wise, best-first",
    r"\blist of names\b": "API reference",
    r"\b(is|are|was|were) told(?! apart)\b": "warns, returns, reports",
    r"\btells? (how|what|which|that|whether|all)\b": "reports, returns",
    r"\b(no|not a) stranger\b|\bas ours are\b": "known",
    r"\bpieces of (a |the )?words?\b": "subword tokens",
    r"\b(one|a) (row|vector|value|number|file|line|list|tag|score|weight) a "
    r"(document|text|word|row|class|line|column|feature|fold|token|query|key|tree|"
    r"iteration|target)\b": "per",
    r"\bdraw(n|s)? anew\b": "resampled",
    r"\bgo(es)? on (from|with|to|after)\b": "continues",
    r"\blearns? nothing by\b|\bthinned out\b": "subsampled",
    r"\bKeeping models\b|^What comes out$|\bOne vocabulary\b": "a title of the field",
    r"\brooms? (has|holds|is|are|stands)\b|\bone room's\b": "subpackage",
    r"\bNo screen: the picture\b": "nothing",
}


def docstrings(tree):
    """The lines of the docstrings of public classes and functions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not (
            node.name.startswith("_")
        ):
            if ast.get_docstring(node):
                literal = node.body[0].value
                for i, line in enumerate(literal.value.splitlines()):
                    yield literal.lineno + i, line
            if isinstance(node, ast.ClassDef):
                yield from docstrings(node)


def messages(tree):
    """The texts of errors and warnings."""
    for node in ast.walk(tree):
        called = node.func if isinstance(node, ast.Call) else None
        name = getattr(called, "attr", getattr(called, "id", ""))
        if isinstance(node, ast.Raise) or name == "warn":
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.lineno, part.value


def lines_of(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), 1)
    elif path.is_relative_to(ROOT / "examples"):
        tree = ast.parse(text)
        yield from enumerate((ast.get_docstring(tree) or "").splitlines(), 1)
        for number, line in enumerate(text.splitlines(), 1):
            if line.startswith("#") or '"' in line:
                yield number, line
    else:
        tree = ast.parse(text)
        yield from docstrings(tree)
        yield from messages(tree)


def private_words(path):
    return sorted(
        {
            f"{path.relative_to(ROOT)}:{number}: {match[0]!r}; write: {instead}"
            for number, line in lines_of(path)
            for pattern, instead in PRIVATE.items()
            for match in re.finditer(pattern, line, re.IGNORECASE)
        }
    )


@pytest.mark.parametrize(
    ("folder", "pattern"),
    [
        ("skml", "**/*.py"),
        ("examples", "*.py"),
        (".", "*.md"),
        ("docs", "*.rst"),
        ("docs/user_guide", "*.rst"),
    ],
)
def test_public_text_has_the_words_of_the_field(folder, pattern):
    paths = sorted((ROOT / folder).glob(pattern))
    assert paths
    assert [found for path in paths for found in private_words(path)] == []


def test_private_words_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    page = tmp_path / "page.rst"
    page.write_text("Tables with holes\n=================\nA model of your own.\n")
    assert private_words(page) == ["page.rst:1: 'holes'; write: missing values"]
    module = tmp_path / "module.py"
    module.write_text(
        'def f(x):\n    """Returns\n\n    One value a row.\n    """\n'
        '    raise ValueError("by lot")\n\ndef _g():\n    """One value a row."""\n'
    )
    assert private_words(module) == [
        "module.py:4: 'One value a row'; write: per",
        "module.py:6: 'by lot'; write: random",
    ]
