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
# The first lines of docstrings are short texts. To predict masked tokens better
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
# The loss of the best constant prediction is the entropy of the tokens.
transformer = BertTransformer(pretrainer).fit(texts)
_, tokens = transformer.token_vectors(texts[:2000], return_tokens=True)
_, counts = np.unique(np.concatenate([t[1:-1] for t in tokens]), return_counts=True)
frequencies = counts / counts.sum()
entropy = -(frequencies * np.log(frequencies)).sum()

losses = [figures["masked_loss"] for figures in pretrainer.history_]
fig, ax = plt.subplots(layout="constrained")
ax.plot(range(1, len(losses) + 1), losses, marker="o", label="masked tokens")
ax.axhline(entropy, color="grey", linestyle="--", label="frequencies alone")
ax.set(xlabel="epoch", ylabel="mean loss in nats", title="Pre-training")
ax.legend()

# %%
# Fine-tuning with few examples
# -----------------------------
# Sixty labelled docstrings, and a thousand to test with, whose text, but not whose
# package, was seen before. "Random" is the same network after an epoch at a rate of
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
# Attention weights
# -----------------
# The weights of the last layer, mean over the heads: each row has the tokens that the
# token at its left attends to.
weights, tokens = transformer.attention_weights(
    ["return the sum of the array"], return_tokens=True
)
fig, ax = plt.subplots(layout="constrained")
image = ax.imshow(weights[0][-1].mean(axis=0), cmap="Blues", vmin=0)
positions = range(len(tokens[0]))
ax.set_xticks(positions, tokens[0], rotation=45, ha="right")
ax.set_yticks(positions, tokens[0])
ax.set(xlabel="attended to", ylabel="token", title="Attention in the last layer")
fig.colorbar(image, ax=ax, label="weight")
plt.show()
