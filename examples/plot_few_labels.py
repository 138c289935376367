"""
Text classification with few labels
===================================

Labels are expensive, and unlabelled text is not. Which package does a docstring come
from: NumPy, SciPy or scikit-learn? Word vectors are learned from thousands of documents
without a label, and the classifier from a handful with one. We compare TF-IDF, word
vectors, and both together, from 15 labels to 1 000.
"""

# %%
# The corpus
# ----------
# The docstrings of three packages that are installed anyway: about six thousand
# documents and 1.4 million words. Names of packages and import lines are removed.
import numpy as np
from sklearn.model_selection import train_test_split

from skml.datasets import load_docstrings

corpus = load_docstrings()
texts, test_texts, labels, test_labels = train_test_split(
    np.array(corpus.data, dtype=object),
    corpus.target,
    stratify=corpus.target,
    random_state=0,
)
print(f"{len(texts)} documents to learn from, {len(test_texts)} to test on")

# %%
# Features, learned without labels
# --------------------------------
# :class:`~skml.text.TfidfWeighter` counts terms, as scikit-learn's ``TfidfVectorizer``
# does. :class:`~skml.text.Word2VecTransformer` learns a vector for each word, and gives
# a document the mean of its words' vectors, weighted by TF-IDF. A
# :class:`~sklearn.pipeline.FeatureUnion` has both. All of them are fitted to every
# document, and none sees a label.
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import Normalizer

from skml.text import TfidfWeighter, Word2VecTransformer

tfidf = TfidfWeighter(sublinear_tf=True, min_df=5)
word2vec = Word2VecTransformer(
    learning_rate=0.05, weighter=TfidfWeighter(sublinear_tf=True), random_state=0
)
vectors = make_pipeline(word2vec, Normalizer())
both = FeatureUnion(
    [("tfidf", tfidf), ("vectors", vectors)], transformer_weights={"vectors": 2}
)
both.fit(texts)
print(f"{both.transform(texts[:1]).shape[1]} features for each document")

# %%
# A classifier from 30 labels
# ---------------------------
# :class:`~sklearn.frozen.FrozenEstimator` keeps the features as they are, so that
# ``fit`` learns the classifier alone.
from sklearn.frozen import FrozenEstimator
from sklearn.svm import LinearSVC

some = np.random.default_rng(0).permutation(len(texts))[:30]
for name, features in [("TF-IDF", tfidf), ("both", both)]:
    model = make_pipeline(FrozenEstimator(features), LinearSVC(random_state=0))
    accuracy = model.fit(texts[some], labels[some]).score(test_texts, test_labels)
    print(f"{name}, accuracy with 30 labels: {accuracy:.3f}")

# %%
# How many labels are they worth?
# -------------------------------
# One draw of 30 documents may be lucky. Here are ten draws, each grown from 15 labels
# to 1 000, and always the same test documents. Bands are one standard deviation wide to
# both sides.
import matplotlib.pyplot as plt
from scipy.sparse import csr_array
from sklearn.model_selection import LearningCurveDisplay

n_labels = [15, 30, 60, 125, 250, 500, 1000]
rng = np.random.default_rng(0)
test = np.arange(len(texts), len(corpus.data))
draws = [(rng.permutation(len(texts)), test) for _ in range(10)]
figure, axes = plt.subplots(layout="constrained")
print("accuracy     " + " ".join(f"{n:5d}" for n in n_labels))
for name, features, marker in [
    ("TF-IDF", tfidf, "o"),
    ("word vectors", vectors, "s"),
    ("both", both, "D"),
]:
    display = LearningCurveDisplay.from_estimator(
        LinearSVC(random_state=0),
        csr_array(features.transform(np.r_[texts, test_texts])),
        np.r_[labels, test_labels],
        train_sizes=n_labels,
        cv=draws,
        score_type="test",
        ax=axes,
        line_kw={"marker": marker},
        fill_between_kw={"alpha": 0.2},
    )
    display.lines_[0].set_label(name)
    means = display.test_scores.mean(axis=1)
    print(f"{name:12s} " + " ".join(f"{mean:5.3f}" for mean in means))
axes.set(
    title="Word vectors from unlabelled text, and a few labels",
    xlabel="Number of labelled documents",
    ylabel="Accuracy on test documents",
    xscale="log",
)
axes.set_xticks(n_labels, labels=n_labels)
axes.minorticks_off()
axes.legend()
plt.show()

# %%
# When to use it, and when not
# ----------------------------
# Up to about 60 labels, word vectors, alone or with TF-IDF, are worth at least twice
# as many. From 500 on, TF-IDF alone is better than word vectors alone, which put a
# document into 100 numbers; both together are the best, or close to it, at every size.
# If all documents have labels, take TF-IDF or :class:`~skml.text.FastTextClassifier`;
# with a pre-trained language model and a GPU, :class:`~skml.neural.BertClassifier`.

# %%
# What the vectors know
# ---------------------
# Words that are used alike lie close together, which is why a label for one document
# says something about others that share no word with it.
for word in ["eigenvalues", "kernel", "cluster", "fourier"]:
    similar = word2vec.word_vectors_.most_similar(word, topn=5)
    print(f"{word:>12}: {', '.join(other for other, _ in similar)}")
