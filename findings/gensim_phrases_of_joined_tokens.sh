#!/usr/bin/env bash
# gensim's Phrases counts a token that holds the delimiter as if it were the phrase.
#
# Expected: with tokens "new_york" (one word, as texts of identifiers, user names or
# phrases that were joined before have them), the pair "new", "york" is counted where
# these two words stand beside each other; twice here, below min_count=5.
# Seen: words and pairs share one dictionary of str, so that all twenty tokens "new_york"
# count for the pair, and it becomes a phrase. Without them it is none.
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
from gensim.models.phrases import Phrases

pairs = [["new", "york"], ["a", "new", "york"], ["new", "a"], ["a", "york"]]
tokens = [["new_york", "a"]] * 20
options = {"min_count": 5, "threshold": 1.0}
without = Phrases(pairs, **options).export_phrases()
found = Phrases(pairs + tokens, **options).export_phrases()
print(f"gensim {gensim.__version__}")
print("expected: no phrase 'new_york' from 2 pairs of words, min_count=5")
print(f"seen:     {found}; without the tokens {without}")
sys.exit("new_york" not in found or bool(without))
PYTHON
