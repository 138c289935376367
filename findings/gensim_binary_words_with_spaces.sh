#!/usr/bin/env bash
# gensim writes a word with a space to its binary format, and reads back other vectors.
#
# Expected: KeyedVectors.save_word2vec_format(binary=True) refuses a key that the format
# cannot hold, or load_word2vec_format gives back what was saved, or raises.
# Seen: both succeed without a warning. The word ends at its first space, the rest of it
# is taken for the floats, and the next word begins with bytes of floats. Phrases that
# are joined by a space ("New York") get there. The text format raises on loading.
#
# Exits with 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet gensim==4.4.0
cd "$folder"
"$folder/venv/bin/python" -W error::UserWarning - <<'PYTHON'
import sys

import gensim
import numpy as np
from gensim.models import KeyedVectors

saved = KeyedVectors(3)
words = ["New York", "paris", "rome"]
saved.add_vectors(words, np.arange(1, 10, dtype=np.float32).reshape(3, 3))
saved.save_word2vec_format("vectors.bin", binary=True)
found = KeyedVectors.load_word2vec_format("vectors.bin", binary=True)
print(f"gensim {gensim.__version__}")
print(f"expected: {words}, {saved.vectors[0]}, or an error")
print(f"seen:     {found.index_to_key}, {found.vectors[0]}")
sys.exit(found.index_to_key == words or "New" not in found)
PYTHON
