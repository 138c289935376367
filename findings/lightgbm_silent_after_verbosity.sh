#!/usr/bin/env bash
# LightGBM's verbosity=-1 of one training silences all later ones of the process.
#
# Expected: `verbosity` is a parameter of the training that it is passed to; a later
# training without it warns as before, as the documented default is 1.
# Seen: after one training with verbosity=-1, for example by a library that uses LightGBM
# inside, trainings without the parameter print no warning any more, even of unknown
# parameters, until a call names a verbosity again.
#
# Exits with 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet lightgbm==4.6.0 numpy==2.3.5 scipy==1.16.3
cat > "$folder/train.py" <<'PYTHON'
import sys

import lightgbm
import numpy as np

X = np.random.default_rng(0).normal(size=(100, 2))


def train(**parameters):
    lightgbm.train(parameters, lightgbm.Dataset(X, X[:, 0]), 1)


if sys.argv[1] == "after":
    train(verbosity=-1)
train(no_such_parameter=1)
PYTHON
"$folder/venv/bin/python" -c 'import lightgbm; print("lightgbm", lightgbm.__version__)'
alone=$("$folder/venv/bin/python" "$folder/train.py" alone 2>&1 | grep -c no_such || true)
after=$("$folder/venv/bin/python" "$folder/train.py" after 2>&1 | grep -c no_such || true)
echo "expected: as many warnings after a training with verbosity=-1 as without one"
echo "seen:     $alone without, $after after it"
[ "$alone" -gt 0 ] && [ "$after" -eq 0 ]
