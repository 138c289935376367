"""
Pre-training and fine-tuning a small BERT
=========================================

A small BERT is pre-trained on the docstrings of installed packages by masked language
modelling (MLM). It is then fine-tuned to classify the package of a docstring from sixty
labelled examples, and compared with the same network with random weights and with
TF-IDF features.

With so little pre-training text TF-IDF is more accurate, and a pre-trained model from
elsewhere is the better choice: see :ref:`bert_models`. The code is the same for both.
"""

# %%
# Pre-training on unlabelled text
# -------------------------------
# The texts are the first 100 characters of each docstring. To predict masked tokens
# better than by their frequencies, the network has to attend to the tokens around them.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skml import BertClassifier, BertPretrainer, BertTransformer, load_docstrings
from skml.plotting import AttentionDisplay, LearningHistoryDisplay

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
# The baseline is the entropy of the unigram distribution: the loss of a model that
# predicts each token with its frequency and ignores the context.
transformer = BertTransformer(pretrainer).fit(texts)
_, tokens = transformer.token_vectors(texts[:2000], return_tokens=True)
_, counts = np.unique(np.concatenate([t[1:-1] for t in tokens]), return_counts=True)
frequencies = counts / counts.sum()
entropy = -(frequencies * np.log(frequencies)).sum()

ax = LearningHistoryDisplay.from_estimator(pretrainer).ax_
ax.axhline(entropy, color="grey", linestyle="--", label="unigram entropy")
ax.set(ylabel="Cross-entropy per token (nats)", title="Masked language modelling")
ax.legend()
plt.show()

# %%
# Fine-tuning with few examples
# -----------------------------
# The training set has sixty labelled docstrings and the test set a thousand.
# Pre-training has seen the texts of both, but no labels. "Random weights" is the same
# network and vocabulary, trained for one epoch with a learning rate of nearly zero.
# Pre-training improves the accuracy, but a network that has read so little text is no
# better than the most frequent class, and TF-IDF is more accurate than both. This does
# not hold for models that were pre-trained on billions of words.
random = BertPretrainer(**pretrainer.get_params())
random.set_params(learning_rate=1e-12, max_iter=1).fit(texts)

learned, tested = slice(0, 60), slice(-1000, None)
options = {"learning_rate": 1e-3, "max_iter": 15, "long_text": "window"}
candidates = {
    "pre-trained": BertClassifier(pretrainer, **options, random_state=0),
    "random weights": BertClassifier(random, **options, random_state=0),
    "TF-IDF": make_pipeline(TfidfVectorizer(), LogisticRegression(C=10)),
}
for name, model in candidates.items():
    model.fit(texts[learned], packages[learned])
    print(f"{name:14} {model.score(texts[tested], packages[tested]):.3f}")
_, counts = np.unique(packages[tested], return_counts=True)
print(f"most frequent  {counts.max() / counts.sum():.3f}")

# %%
# Attention weights
# -----------------
# The attention weights of the last layer, averaged over the heads. Each row shows the
# tokens that one token attends to, and sums to one.
text = "return the sum of the array"
display = AttentionDisplay.from_estimator(transformer, [text])
display.ax_.set_title("Attention weights of the last layer")
plt.show()
