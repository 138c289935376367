"""
Document search with BM25, TF-IDF and word vectors
==================================================

A search engine ranks documents by how well their terms match a query. Which docstring
belongs to a summary line? We hide the first paragraph of a docstring, search all
docstrings for it, and measure how high the right one is ranked by BM25, by the cosine
of TF-IDF, and by the cosine of word vectors.
"""

# %%
# Queries and documents
# ---------------------
# A query is the first paragraph of a docstring, the document is the rest. Queries of
# fewer than four words, and those that several docstrings have in common, are left out.
from collections import Counter

import numpy as np

from skml.datasets import load_docstrings

corpus = load_docstrings(packages=("scipy",))
queries, documents, names = [], [], []
for text, name in zip(corpus.data, corpus.names, strict=True):
    summary, _, rest = text.strip().partition("\n\n")
    if len(rest.split()) >= 30:
        queries.append(" ".join(summary.split()))
        documents.append(rest)
        names.append(name)
times = Counter(queries)
usable = [i for i, q in enumerate(queries) if times[q] == 1 and len(q.split()) > 3]
asked = np.random.default_rng(0).choice(usable, size=1000, replace=False)
print(
    f"{len(documents)} documents, {len(asked)} queries, such as {queries[asked[0]]!r}"
)

# %%
# Three rankings
# --------------
# All three are a product of two matrices, so that a search is one line.
#
# - BM25: the weights of the document, summed over the terms of the query. A term counts
#   less the more often it has occurred, and the longer the document is.
# - TF-IDF: the cosine of query and document.
# - Word vectors: the cosine of the means of the words' vectors, weighted by TF-IDF.
#   They also match documents that have other words than the query.
from sklearn.preprocessing import normalize

from skml.text import TfidfWeighter, Word2VecTransformer

asked_queries = [queries[i] for i in asked]

bm25 = TfidfWeighter(scheme="bm25", norm=None, stop_words="english").fit(documents)
terms = TfidfWeighter(
    use_idf=False, norm=None, binary=True, vocabulary=bm25.vocabulary_
)
scores = {"BM25": terms.fit_transform(asked_queries) @ bm25.transform(documents).T}

tfidf = TfidfWeighter(sublinear_tf=True, stop_words="english").fit(documents)
scores["TF-IDF"] = tfidf.transform(asked_queries) @ tfidf.transform(documents).T

word2vec = Word2VecTransformer(
    learning_rate=0.05, weighter=TfidfWeighter(), remove_components=1, random_state=0
).fit(documents)
vectors = normalize(word2vec.transform(documents))
scores["word vectors"] = normalize(word2vec.transform(asked_queries)) @ vectors.T


# %%
# How high is the right document ranked?
# --------------------------------------
# The mean reciprocal rank is 1 if the right document is always the first, and 1/2 if it
# is always the second.
def ranks(scores):
    """Rank of the right document of each query; ties count against it."""
    scores = scores.toarray() if hasattr(scores, "toarray") else scores
    right = scores[np.arange(len(asked)), asked]
    return (scores >= right[:, np.newaxis]).sum(axis=1)


found = {name: ranks(values) for name, values in scores.items()}
for name, rank in found.items():
    print(
        f"{name:>12}: mean reciprocal rank {(1 / rank).mean():.3f}, "
        f"first {(rank == 1).mean():.3f}, among ten {(rank <= 10).mean():.3f}"
    )

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(layout="constrained")
shown = np.arange(1, 101)
for (name, rank), style in zip(found.items(), ["-", "--", ":"], strict=True):
    recall = (rank[:, np.newaxis] <= shown).mean(axis=0)
    axes.plot(shown, recall, style, linewidth=2, label=name)
axes.set(
    title="Search for docstrings by their summary",
    xlabel="Number of results looked at",
    ylabel="Fraction of queries whose document is found",
    xscale="log",
)
axes.set_xticks([1, 2, 5, 10, 20, 50, 100], labels=[1, 2, 5, 10, 20, 50, 100])
axes.minorticks_off()
axes.legend()
plt.show()

# %%
# A search of your own
# --------------------
query = terms.transform(["solve a sparse system of linear equations"])
best = np.argsort(-(query @ bm25.transform(documents).T).toarray()[0])[:5]
print("\n".join(names[i] for i in best))

# %%
# When not to use it
# ------------------
# The matrices are held in memory, and each query is compared with every document: some
# hundred thousand documents are fine, and beyond that a search engine with an inverted
# index is the right tool. For queries in other words than the documents, embeddings
# from a pre-trained model of sentences are better than vectors from so small a corpus.
