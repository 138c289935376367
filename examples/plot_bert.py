"""
A BERT of one's own: pre-trained, fine-tuned, and looked into
=============================================================

A small BERT learns from the docstrings of installed packages by guessing what was
masked in them. Then it is fine-tuned to tell which package a docstring is of, beside
the same network with random weights, and beside TF-IDF.
"""

# %%
# Learning from text alone
# ------------------------
# The first lines of docstrings are short texts. To guess masked pieces of words better
# than by their frequencies, the network must look at those around them.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skml import BertClassifier, BertPretrainer, BertTransformer, load_docstrings

docs = load_docstrings(packages=("numpy", "scipy", "sklearn"))
order = np.random.default_rng(0).permutation(len(docs.data))
texts = np.array([docs.data[i][:100] for i in order], dtype=object)
packages = docs.target[order]

pretrainer = BertPretrainer(
    vocabulary_size=1500,
    hidden_size=64,
    n_layers=2,
    n_heads=2,
    max_length=48,
    batch_size=32,
    dropout=0.0,
    learning_rate=0.003,
    next_sentence=False,
    mlm_probability=0.25,
    max_iter=4,
    random_state=0,
)
pretrainer.fit(texts)

# %%
# The loss of one who only knows how frequent each piece is, is the entropy of pieces.
transformer = BertTransformer(pretrainer).fit(texts)
_, pieces = transformer.token_vectors(texts[:2000], return_tokens=True)
_, counts = np.unique(np.concatenate([p[1:-1] for p in pieces]), return_counts=True)
shares = counts / counts.sum()
entropy = -(shares * np.log(shares)).sum()

losses = [figures["masked_loss"] for figures in pretrainer.history_]
fig, ax = plt.subplots(layout="constrained")
ax.plot(range(1, len(losses) + 1), losses, marker="o", label="masked pieces")
ax.axhline(entropy, color="grey", linestyle="--", label="frequencies alone")
ax.set(xlabel="pass", ylabel="mean loss in nats", title="Pre-training")
ax.legend()

# %%
# Fine-tuning with few examples
# -----------------------------
# Sixty labelled docstrings, and a thousand to test with, whose text, but not whose
# package, was seen before. "Random" is the same network after a pass at a rate of
# nearly zero: it has a vocabulary, and has learned nothing. What was read helps, but a
# network that has read so little is no better than to name the most frequent package
# always, and TF-IDF is better. Models that have read billions of words are another
# matter.
random = BertPretrainer(**pretrainer.get_params())
random.set_params(learning_rate=1e-12, max_iter=1).fit(texts)

learned, tested = slice(0, 60), slice(-1000, None)
options = {"learning_rate": 1e-3, "max_iter": 15, "long_text": "window"}
candidates = {
    "pre-trained": BertClassifier(pretrainer, **options, random_state=0),
    "random": BertClassifier(random, **options, random_state=0),
    "TF-IDF": make_pipeline(TfidfVectorizer(), LogisticRegression(C=10)),
}
for name, model in candidates.items():
    model.fit(texts[learned], packages[learned])
    print(f"{name:13} {model.score(texts[tested], packages[tested]):.3f}")
_, counts = np.unique(packages[tested], return_counts=True)
print(f"most frequent {counts.max() / counts.sum():.3f}")

# %%
# Where it looks
# --------------
# The weights of the last layer, mean over the heads: each row tells where the piece at
# its left looked at.
weights, tokens = transformer.attention_weights(
    ["return the sum of the array"], return_tokens=True
)
fig, ax = plt.subplots(layout="constrained")
image = ax.imshow(weights[0][-1].mean(axis=0), cmap="Blues", vmin=0)
places = range(len(tokens[0]))
ax.set_xticks(places, tokens[0], rotation=45, ha="right")
ax.set_yticks(places, tokens[0])
ax.set(xlabel="looked at", ylabel="piece", title="Attention in the last layer")
fig.colorbar(image, ax=ax, label="weight")
plt.show()
