"""
From documents to a tuned classifier
====================================

Which package does a docstring come from: NumPy, SciPy or scikit-learn? We turn
docstrings into word vectors, word vectors into document vectors, and tune the whole
chain as one estimator. Takes less than a minute.
"""

# %%
# The corpus
# ----------
# The docstrings of the packages that are installed anyway: about six thousand documents
# and 1.4 million words. The names of the packages and the import lines are removed, so
# that the task is not trivial.
from time import perf_counter

from sklearn.model_selection import train_test_split

from skml.datasets import load_docstrings

start = perf_counter()
print("Reading the docstrings ...", flush=True)
corpus = load_docstrings()
train_text, test_text, train_target, test_target = train_test_split(
    corpus.data, corpus.target, stratify=corpus.target, random_state=0
)
print(f"{len(train_text)} documents to learn from, {len(test_text)} to test on")

# %%
# A baseline: the bag of words
# ----------------------------
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import classification_report
from sklearn.pipeline import Pipeline


def report(title, estimator):
    print(title)
    predicted = estimator.predict(test_text)
    print(
        classification_report(
            test_target, predicted, target_names=corpus.target_names, digits=3
        )
    )


baseline = Pipeline(
    [
        ("count", CountVectorizer(min_df=2)),
        ("classify", LogisticRegression(max_iter=1000)),
    ]
)
report("Bag of words", baseline.fit(train_text, train_target))

# %%
# Word vectors in a pipeline
# --------------------------
# :class:`~skml.text.Word2VecTransformer` learns a vector for every frequent word and
# gives each document the mean of its words' vectors, here weighted by TF-IDF. All of
# its parameters, and those of the weighter inside, can be tuned.
from sklearn.model_selection import GridSearchCV

from skml.text import TfidfWeighter, Word2VecTransformer

pipeline = Pipeline(
    [
        ("word2vec", Word2VecTransformer(weighter=TfidfWeighter(), random_state=0)),
        ("classify", LogisticRegression(C=100, max_iter=1000)),
    ]
)
search = GridSearchCV(
    pipeline,
    {
        "word2vec__learning_rate": [0.025, 0.1],
        "word2vec__weighter__sublinear_tf": [False, True],
    },
    cv=3,
    n_jobs=2,
    verbose=3,
)
search.fit(train_text, train_target)
print("Best parameters:", search.best_params_)
report("Word vectors", search)

# %%
# What the vectors know
# ---------------------
# Words that are used alike lie close together.
import numpy as np

word2vec = search.best_estimator_.named_steps["word2vec"]
words = np.array(list(word2vec.vocabulary_))
unit_vectors = word2vec.vectors_ / np.linalg.norm(word2vec.vectors_, axis=1)[:, None]


def nearest(word, n_words=6):
    similarity = unit_vectors @ unit_vectors[word2vec.vocabulary_[word]]
    return words[np.argsort(-similarity)[1 : n_words + 1]]


for word in ["eigenvalues", "kernel", "float64", "cluster", "fourier"]:
    print(f"{word:>12}: {', '.join(nearest(word))}")

# %%
# The same in a picture: frequent words on the plane that spreads them most.
import matplotlib.pyplot as plt
from sklearn.decomposition import PCA

n_shown = 120
first = 60  # the most frequent words are "the", "of" and the like
shown = slice(first, first + n_shown)
plane = PCA(n_components=2, random_state=0).fit_transform(unit_vectors[shown])
figure, axes = plt.subplots(figsize=(10, 8), layout="constrained")
axes.scatter(*plane.T, s=8, color="tab:orange")
for word, position in zip(words[shown], plane, strict=True):
    axes.annotate(word, position, fontsize=8)
axes.set(title="Frequent words of the docstrings", xticks=[], yticks=[])
if plt.get_backend().lower() == "agg":
    figure.savefig("quickstart.png")
    print("No screen: the picture is in quickstart.png")
plt.show()
print(f"Done in {perf_counter() - start:.0f} seconds")
