"""What is learned about the columns of a table: kinds, categories, sentinels."""

from dataclasses import replace

import numpy as np

from skml._fitting import warn_user
from skml._table._columns import (
    TIMES,
    LabelColumn,
    as_labels,
    list_sentinels,
    observed_labels,
    rounded_labels,
)
from skml._table._containers import as_matrix, column_names, dense_column
from skml._table._date_strings import are_dates
from skml._table._feature_positions import resolve_features
from skml._table._reader import TableReader

MOST_UNIQUE, FEW_ROWS = 0.9, 100  # categories a row, and rows too few to judge by


def learn_reader(X, *, categorical_features, missing_values, dtype, caller):
    """Learn the kinds and categories of the columns of a table, and read it."""
    names, n_features = column_names(X), X.shape[1]
    declared = resolve_features(
        categorical_features, "categorical_features", n_features, names
    )
    reader = TableReader(
        caller=caller,
        dtype=np.dtype(dtype).name,
        names=names,
        is_categorical=declared,
        categories=[None] * n_features,
        kinds={},
        sentinels=list_sentinels(missing_values),
    )
    matrix = None if declared.any() else as_matrix(X)
    if matrix is not None:
        return reader, reader.read_matrix(matrix)
    known = [[] if categorical else None for categorical in declared]
    columns = [
        column if labels is None else as_labels(column)
        for column, labels in zip(reader.read_columns(X, known), known, strict=True)
    ]
    reader = replace(
        reader,
        is_categorical=np.array([isinstance(c, LabelColumn) for c in columns]),
        categories=[
            observed_labels(column) if isinstance(column, LabelColumn) else None
            for column in columns
        ],
        kinds={
            j: column.kind for j, column in enumerate(columns) if column.kind in TIMES
        },
    )
    if categorical_features is None:
        _refuse_undeclared(reader)
    values = reader.stack(columns)
    _warn_of_labels(reader, columns, declared)
    return reader, values


def drop_unused_categories(reader, values):
    """Drop the categories that no row has, from the reader and the codes of rows."""
    categories = list(reader.categories)
    for j in np.flatnonzero(reader.is_categorical):
        column = dense_column(values, j)
        seen = ~np.isnan(column)
        used, codes = np.unique(column[seen], return_inverse=True)
        if len(used) < len(categories[j]):
            categories[j] = [categories[j][int(code)] for code in used]
            column[seen] = codes
            values[:, j] = column
    return replace(reader, categories=categories), values


def _refuse_undeclared(reader):
    if not reader.is_categorical.any():
        return
    j = int(np.flatnonzero(reader.is_categorical)[0])
    raise ValueError(
        f"{reader.caller}: {reader.name_of(j)} holds strings or categories, but "
        'categorical_features=None. Pass categorical_features="from_dtype", or '
        "convert the column to numbers."
    )


def _warn_of_labels(reader, columns, declared):
    """Warn of categories from which nothing, or not enough, can be learned."""
    labelled = [(j, columns[j]) for j in np.flatnonzero(reader.is_categorical)]
    rounded = [reader.name_of(j) for j, c in labelled if rounded_labels(c.labels)]
    if rounded:
        warn_user(
            f"{reader.caller}: {', '.join(rounded):.300} holds categories that are "
            "floats of 2**53 and more, each of which may stand for several "
            "integers. Read the column as integers (in pandas with missing values: "
            "Int64), or as strings."
        )
    dates = [
        j for j, _ in labelled if not declared[j] and are_dates(reader.categories[j])
    ]
    if dates:
        warn_user(
            f"{reader.caller}: {', '.join(map(reader.name_of, dates)):.300} holds "
            f"dates as strings, such as {reader.categories[dates[0]][0]!r}, and is "
            "read as a category, which has no order. Convert it to dates: "
            "pandas.to_datetime(column, format=...), or "
            "pandas.read_csv(..., parse_dates=[...]). If it shall be a category, "
            "declare it: categorical_features=[...]."
        )
    nearly_unique = [
        reader.name_of(j) for j, c in labelled if j not in dates and is_nearly_unique(c)
    ]
    if nearly_unique:
        warn_user(
            f"{reader.caller}: {', '.join(nearly_unique):.300} holds nearly as many "
            "categories as rows, from which little can be learned. If it is text, "
            "turn it into numbers first: ColumnTransformer([('text', "
            "TfidfWeighter(), column)], remainder='passthrough'). If it names the "
            "rows, drop it."
        )


def is_nearly_unique(column):
    """Whether a column has nearly as many labels as values, and not just a few."""
    counts = np.bincount(column.codes[column.codes >= 0])
    n_values, n_labels = counts.sum(), np.count_nonzero(counts)
    return bool(n_values >= FEW_ROWS and n_labels >= MOST_UNIQUE * n_values)
