"""
Named entity recognition with a small BERT
==========================================

:class:`~skml.neural.BertTokenClassifier` tags each word of a sentence. So that it runs
in seconds and offline, we take a small network with random weights, and sentences from
a grammar. A word like "Jordan" is a person or a place, and only its context decides.
"""

# %%
# Sentences with tags
# -------------------
# Tags are in the BIO scheme: ``B-`` begins an entity, ``I-`` continues it, and ``O`` is
# outside of all. Every name can be a person, a place or a company.
import numpy as np

NAMES = ["Jordan", "Paris", "Chelsea", "Austin", "Sydney", "Florence", "Ford", "Dell"]
UNSEEN = ["Victoria", "Lincoln", "Hershey", "Houston"]
PATTERNS = [
    "{PER} lives in {LOC} .",
    "{PER} works for {ORG} Inc .",
    "shares of {ORG} Inc fell in {LOC} .",
    "mister {PER} left {LOC} for {ORG} Inc .",
    "the mayor of {LOC} met {PER} .",
    "{ORG} Inc hired mister {PER} from {LOC} .",
]
rng = np.random.default_rng(0)


def sentence(names=NAMES):
    words, tags = [], []
    for part in rng.choice(PATTERNS).split():
        if part.startswith("{"):
            name = rng.choice(names, size=rng.integers(1, 3), replace=False).tolist()
            words += name
            tags += ["B-" + part[1:4]] + ["I-" + part[1:4]] * (len(name) - 1)
        else:
            words.append(part)
            tags.append("O")
    return words, tags


train_words, train_tags = zip(*[sentence() for _ in range(500)], strict=True)
unseen_words, unseen_tags = zip(*[sentence(UNSEEN) for _ in range(200)], strict=True)
test_words, test_tags = zip(*[sentence() for _ in range(200)], strict=True)
print(*zip(train_words[0], train_tags[0], strict=True))

# %%
# A small network
# ---------------
# :class:`~skml.neural.BertPretrainer` makes the vocabulary and the network. One epoch
# hardly changes its random weights: nothing is learned about names before the tags are
# seen. The learning rate is forty times that of a pre-trained model.
from skml import BertPretrainer, BertTokenClassifier

network = BertPretrainer(
    vocabulary_size=200,
    hidden_size=32,
    n_layers=2,
    n_heads=2,
    dropout=0.0,
    max_length=32,
    next_sentence=False,
    max_iter=1,
    random_state=0,
).fit([" ".join(words) for words in train_words])

tagger = BertTokenClassifier(
    network, learning_rate=2e-3, batch_size=16, max_iter=12, random_state=0
)
tagger.fit(train_words, train_tags)

# %%
# Scores of whole entities
# ------------------------
# An entity counts if its type, its beginning and its end are right. The baseline tags
# each word as it was most often tagged.
from collections import Counter, defaultdict

from skml import entity_classification_report, entity_f1_score

counts = defaultdict(Counter)
for words, tags in zip(train_words, train_tags, strict=True):
    for word, tag in zip(words, tags, strict=True):
        counts[word][tag] += 1
usual = {word: tags.most_common(1)[0][0] for word, tags in counts.items()}
baseline = [[usual[word] for word in words] for words in test_words]
predicted = tagger.predict(test_words)
print(f"most frequent tag: F1 {entity_f1_score(test_tags, baseline):.3f}")
print(f"BertTokenClassifier: F1 {entity_f1_score(test_tags, predicted):.3f}")
unseen = entity_f1_score(unseen_tags, tagger.predict(unseen_words))
print(f"the same, names that no training sentence has: F1 {unseen:.3f}")
print(entity_classification_report(test_tags, predicted))

# %%
# Probabilities of the tags
# -------------------------
# One name in three roles:
import matplotlib.pyplot as plt

words = ["mister", "Jordan", "left", "Jordan", "for", "Jordan", "Inc", "."]
probabilities = tagger.predict_proba([words])[0]
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
image = axes.imshow(probabilities.T, cmap="Blues", vmin=0, vmax=1)
axes.set_xticks(range(len(words)), labels=words, rotation=30)
axes.set_yticks(range(len(tagger.classes_)), labels=tagger.classes_)
for row, column in enumerate(probabilities.argmax(axis=1)):
    axes.text(
        row,
        column,
        f"{probabilities[row, column]:.2f}",
        ha="center",
        va="center",
        color="white",
    )
axes.set(title="Probability of each tag", xlabel="Word", ylabel="Tag")
figure.colorbar(image, shrink=0.8)
plt.show()

# %%
# When not to use it
# ------------------
# Sentences from six patterns are easy as long as the names are known. For real text,
# start from a pre-trained model,
# ``BertTokenClassifier("google-bert/bert-base-cased")``, and a GPU; with random weights
# and few sentences it only memorizes names. If entities can be listed or follow a
# pattern, a dictionary or a regular expression is simpler, and its errors are easy to
# find.
