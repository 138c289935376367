"""
A map of words from docstrings
==============================

:class:`~skml.text.Word2VecTransformer` learns word vectors from the docstrings of
NumPy, SciPy and scikit-learn, without labels.
:class:`~skml.plotting.WordVectorsDisplay` projects them to two dimensions: words that
are used alike are close to each other.
"""

# %%
# Word vectors
# ------------
# The corpus has about six thousand documents and 1.4 million words.
from skml.datasets import load_docstrings
from skml.text import Word2VecTransformer

corpus = load_docstrings()
word2vec = Word2VecTransformer(
    learning_rate=0.05, min_count=20, token_pattern="[a-z_]{3,}", random_state=0
)
word2vec.fit(corpus.data)
vectors = word2vec.word_vectors_
print(vectors)

# %%
# Words around a topic
# --------------------
# ``most_similar`` returns the words whose vectors have the largest cosine similarity to
# that of a word, in all dimensions. Each topic is a word and the nine most similar
# words.
import matplotlib.pyplot as plt

from skml.plotting import WordVectorsDisplay

topics = {
    seed: [seed, *(word for word, _ in vectors.most_similar(seed, topn=9))]
    for seed in ["eigenvalues", "interpolation", "optimizer", "histogram", "dtype"]
}
for seed, words in topics.items():
    print(f"{seed:>12}: {', '.join(words[1:])}")

# %%
# The map is the projection to the first two principal components. Labels that would
# overlap others are left out.
fig, ax = plt.subplots(figsize=(9, 6), layout="constrained")
WordVectorsDisplay.from_estimator(word2vec, topics, ax=ax)
ax.set_title("Word vectors of docstrings, by topic")
plt.show()

# %%
# Another projection
# ------------------
# Principal components keep large distances, and may put different topics on top of each
# other. :class:`~sklearn.manifold.TSNE` keeps neighbours together instead; distances
# between groups have no meaning. Any transformer that returns two columns will do.
from sklearn.manifold import TSNE

tsne = TSNE(perplexity=8, metric="cosine", init="pca", random_state=0)
fig, ax = plt.subplots(figsize=(9, 6), layout="constrained")
WordVectorsDisplay.from_estimator(word2vec, topics, projection=tsne, ax=ax)
ax.set_title("The same words by t-SNE")
plt.show()

# %%
# When not to use it
# ------------------
# A map shows a few words in two of many dimensions: take it as an illustration, not as
# a measure of quality. See :func:`~skml.metrics.word_similarity_score`.
