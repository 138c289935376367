"""
TF-IDF with n-grams: the same matrix, faster
============================================

:class:`~skml.text.TfidfWeighter` takes the parameters of scikit-learn's
``TfidfVectorizer`` and returns the same matrix. We compare both, on words, pairs of
words and characters of words, with the seconds that each takes on one processor.
"""

# %%
# The documents
# -------------
from skml.datasets import load_docstrings

docs = load_docstrings(packages=("numpy", "scipy")).data
print(f"{len(docs)} documents, {sum(map(len, docs)) / 1e6:.1f} million characters")

# %%
# The comparison
# --------------
# Each setting is fitted by both; ``process_time`` counts the time of the processor,
# whatever else the machine does.
from time import process_time

from sklearn.feature_extraction.text import TfidfVectorizer

from skml.text import TfidfWeighter

settings = {
    "words": {},
    "words and pairs": {"ngram_range": (1, 2)},
    "3 to 5 characters\nof words": {"analyzer": "char_wb", "ngram_range": (3, 5)},
}


def timed(estimator):
    start = process_time()
    X = estimator.fit_transform(docs)
    return process_time() - start, X


seconds = {"TfidfVectorizer": [], "TfidfWeighter": []}
for setting, parameters in settings.items():
    theirs, expected = timed(TfidfVectorizer(**parameters))
    ours, X = timed(TfidfWeighter(**parameters))
    seconds["TfidfVectorizer"].append(theirs)
    seconds["TfidfWeighter"].append(ours)
    print(
        f"{' '.join(setting.split())}: {X.shape[1]} terms, {theirs:.2f} s and "
        f"{ours:.2f} s, {theirs / ours:.1f} times as fast; "
        f"largest difference {abs(X - expected).max():.0e}"
    )

# %%
import matplotlib.pyplot as plt
import numpy as np

figure, axes = plt.subplots(layout="constrained")
for offset, (name, values) in zip([-0.2, 0.2], seconds.items(), strict=True):
    bars = axes.barh(np.arange(len(settings)) + offset, values, height=0.4, label=name)
    axes.bar_label(bars, fmt=" %.2f s")
axes.set(title="Time of fit_transform", xlabel="Seconds of one processor")
axes.set_yticks(np.arange(len(settings)), labels=settings)
axes.invert_yaxis()
axes.margins(x=0.15)
axes.legend()
plt.show()

# %%
# When it does not help
# ---------------------
# A ``tokenizer`` or ``preprocessor`` of your own is a Python function, and is called
# for each document: then most of the time is spent there. Look-around and the like in
# a ``token_pattern`` is left to Python's ``re``. In both cases the result is the same,
# and the gain is small.
