"""Word vectors of the same corpus and parameters by this package and by gensim."""

from typing import NamedTuple

import numpy as np
from _machine import Spent, add, now, since
from gensim.models import word2vec as gensim_word2vec
from sklearn.feature_extraction.text import CountVectorizer

from skml import Word2VecTransformer

MODES = {
    "skip-gram-negatives": ("skip-gram", "negative-sampling"),
    "skip-gram-hierarchical": ("skip-gram", "hierarchical-softmax"),
    "cbow-negatives": ("cbow", "negative-sampling"),
    "cbow-hierarchical": ("cbow", "hierarchical-softmax"),
}


class Setting(NamedTuple):
    """What both train alike; all else is fixed below."""

    mode: str
    size: int
    epochs: int = 5
    n_jobs: int = 1
    seed: int = 0


class Trained(NamedTuple):
    """Vectors and what they cost: the epochs alone, and all from token lists on."""

    words: list
    vectors: np.ndarray
    training: Spent
    whole: Spent

    def vectors_of(self, words):
        """Put the vectors into the order of `words`."""
        row = {word: i for i, word in enumerate(self.words)}
        if len(row) != len(words):
            raise AssertionError(f"{len(row)} words are not the {len(words)} expected")
        return self.vectors[[row[word] for word in words]]


class EpochTimer:
    """Callback that adds up what the epochs take; scikit-learn 1.9 or newer."""

    def __init__(self):
        self.spent = Spent(0.0, 0.0, 0.0)

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        if context.task_name == "epoch":
            self._start = now()

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch":
            self.spent = add(self.spent, since(self._start))


def make_skml(setting):
    architecture, loss = MODES[setting.mode]
    return Word2VecTransformer(
        setting.size,
        architecture=architecture,
        loss=loss,
        window=5,
        subsample=1e-3,
        min_count=5,
        max_iter=setting.epochs,
        learning_rate=0.025,
        learning_rate_min=1e-4,
        n_jobs=setting.n_jobs,
        random_state=setting.seed,
    )


def train_skml(documents, setting):
    timer = EpochTimer()
    model = make_skml(setting).set_callbacks(timer)
    start = now()
    model.fit(documents)
    whole = since(start)
    return Trained(list(model.vocabulary_), model.vectors_, timer.spent, whole)


def make_gensim(setting):
    architecture, loss = MODES[setting.mode]
    hierarchical = loss == "hierarchical-softmax"
    return gensim_word2vec.Word2Vec(
        vector_size=setting.size,
        sg=int(architecture == "skip-gram"),
        hs=int(hierarchical),
        negative=0 if hierarchical else 5,
        cbow_mean=1,
        window=5,
        sample=1e-3,
        min_count=5,
        alpha=0.025,
        min_alpha=1e-4,
        workers=setting.n_jobs,
        seed=setting.seed,
    )


def train_gensim(documents, setting, start=None):
    start = now() if start is None else start
    model = make_gensim(setting)
    model.build_vocab(documents)
    prepared = now()
    model.train(documents, total_examples=len(documents), epochs=setting.epochs)
    training, whole = since(prepared), since(start)
    return Trained(model.wv.index_to_key, model.wv.vectors, training, whole)


def train_gensim_on_text(texts, setting):
    """Fed by scikit-learn's analysis of text, with the defaults, as here."""
    start = now()
    analyze = CountVectorizer().build_analyzer()
    return train_gensim([analyze(text) for text in texts], setting, start)


TRAIN = {"skml": train_skml, "gensim": train_gensim}
TRAIN_ON_TEXT = {"skml": train_skml, "gensim": train_gensim_on_text}


def tokens_gensim_skips(documents):
    """How many tokens lie beyond the length at which gensim cuts a document."""
    longest = gensim_word2vec.MAX_WORDS_IN_BATCH
    return sum(max(0, len(document) - longest) for document in documents)
