"""
Text and numeric columns in one pipeline
========================================

Many tables have a column of text beside numbers: a description and a price, a message
and a date. A :class:`~sklearn.compose.ColumnTransformer` gives each column to its own
transformer. We predict the package of a docstring from its summary, from numbers that
describe its layout, and from both.
"""

# %%
# A table with text, numbers and missing values
# ---------------------------------------------
# ``summary`` is the first paragraph; the other columns are counts. Half of the
# docstrings have no examples, and the number of their lines is missing.
import pandas as pd

from skml.datasets import load_docstrings

corpus = load_docstrings()


def describe(text):
    """The columns of one docstring."""
    summary, _, rest = text.strip().partition("\n\n")
    lines = rest.splitlines()
    example_lines = sum(line.lstrip().startswith(">>>") for line in lines)
    return {
        "summary": " ".join(summary.split()),
        "n_lines": len(lines),
        "line_length": max(map(len, lines), default=None),
        "n_sections": rest.count("---\n"),
        "n_example_lines": example_lines or None,
        "n_references": rest.count(".. ["),
        "n_backticks": rest.count("`"),
        "n_formulas": rest.count(":math:"),
        "n_versions": rest.count("versionadded"),
    }


X = pd.DataFrame([describe(text) for text in corpus.data])
y = pd.Series(corpus.target_names)[corpus.target].to_numpy()
numbers = [column for column in X if column != "summary"]
print(X.head().to_string(max_colwidth=40))
print(X.isna().mean()[lambda fraction: fraction > 0].round(2).to_string())

# %%
# The pipeline
# ------------
# The text column is selected by a string, ``"summary"``, so that
# :class:`~skml.text.TfidfWeighter` gets one document per row; a list of columns would
# select a table. Numbers are passed through: :class:`~skml.tabular.LightGBMClassifier`
# and :class:`~skml.tabular.LRClassifier` take missing values as they are.
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline

from skml import LightGBMClassifier, LRClassifier, TfidfWeighter

text = (TfidfWeighter(min_df=20), "summary")
tables = {
    "summary": make_column_transformer(text),
    "numbers": make_column_transformer(("passthrough", numbers)),
    "both": make_column_transformer(text, ("passthrough", numbers)),
}
boosting = LightGBMClassifier(
    n_estimators=40, learning_rate=0.2, max_leaf_nodes=15, random_state=0
)
models = {
    "LightGBM": boosting,
    "logistic regression": LRClassifier(C=0.1),
}

# %%
# What each column is worth
# -------------------------
# Folds are blocks of the source files, so that docstrings of one module, which resemble
# each other, are not on both sides.
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score

modules = [name.rpartition(".")[0] for name in corpus.names]
folds = list(StratifiedGroupKFold(n_splits=3).split(X, y, groups=modules))
accuracies = {}
for name, model in models.items():
    accuracies[name] = {
        columns: cross_val_score(make_pipeline(table, model), X, y, cv=folds).mean()
        for columns, table in tables.items()
    }
results = pd.DataFrame(accuracies)
most_frequent = pd.Series(y).value_counts(normalize=True).max()
print(results.round(3).to_string())
print(f"most frequent class: {most_frequent:.3f}")

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(layout="constrained")
results.T.plot.bar(ax=axes, rot=0, color=["tab:gray", "tab:orange", "tab:blue"])
for bars in axes.containers:
    axes.bar_label(bars, fmt="%.3f", padding=2)
axes.axhline(most_frequent, color="black", linestyle=":", label="most frequent class")
axes.set(title="Package of a docstring", ylabel="Accuracy (3 folds)", ylim=(0.4, 0.9))
axes.legend(title="Columns", ncols=2)
plt.show()

# %%
# When not to use it
# ------------------
# Boosting reads TF-IDF term by term: with long texts and tens of thousands of terms, a
# linear model is faster and usually as accurate. Logistic regression adds up what text
# and numbers say, and misses interactions of both.
