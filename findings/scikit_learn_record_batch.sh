#!/usr/bin/env bash
# scikit-learn knows the column names of pyarrow.Table, but not of pyarrow.RecordBatch.
#
# Expected: the same columns in another order are refused in predict, as they are in a
# table (and in a data frame of pandas or polars); a split gives what went in.
# Seen: a model fitted on a batch has no feature_names_in_; a batch with its columns in
# another order gives other predictions without a warning. train_test_split returns a
# StructArray, as RecordBatch.take does, which estimators then refuse as one-dimensional.
#
# Exits with 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet scikit-learn==1.9.1 pyarrow==26.0.1
cd "$folder"
"$folder/venv/bin/python" -W error - <<'PYTHON'
import sys

import numpy as np
import pyarrow as pa
import sklearn
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split

columns = {"a": [1.0, 2.0, 3.0, 4.0], "b": [4.0, 1.0, 3.0, 9.0]}
y = [1.0, 2.0, 3.0, 4.0]
print(f"scikit-learn {sklearn.__version__}, pyarrow {pa.__version__}")
found = {}
for make in (pa.table, pa.record_batch):
    model = LinearRegression().fit(make(columns), y)
    moved = make({"b": columns["b"], "a": columns["a"]})
    try:
        found[make] = np.round(model.predict(moved), 3)
    except ValueError as error:
        found[make] = str(error).splitlines()[0]
    print(f"{make(columns).__class__.__name__}, columns moved: {found[make]}")
part = train_test_split(pa.record_batch(columns), random_state=0)[0]
print(f"part of a batch: {type(part).__name__}")
as_seen = isinstance(found[pa.table], str) and isinstance(part, pa.StructArray)
sys.exit(not (as_seen and not np.allclose(found[pa.record_batch], y)))
PYTHON
