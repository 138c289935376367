"""What Word2VecTransformer learns, as data."""

import numpy as np
from sklearn.base import BaseEstimator

from skml._codec import show, stored
from skml._estimator import Fitted
from skml._random import make_random_state
from skml.text._document_vectors import check_pooling
from skml.text._word2vec_online import OnlineVectors, check_tables
from skml.text._word_vectors import WordVectors

_N_KEY = 624  # numbers that the state of a Mersenne Twister has


@stored
class RandomStateData:
    """The state of a `RandomState`, which later calls continue with."""

    key: np.ndarray
    position: int
    has_gauss: int
    gauss: float

    def check(self):
        if self.key.shape != (_N_KEY,) or self.key.dtype != np.uint32:
            raise ValueError(f"the key is {self.key.dtype} of {self.key.shape}")
        if not 0 <= self.position <= _N_KEY or self.has_gauss not in (0, 1):
            raise ValueError(f"the position is {show(self.position)}")

    @classmethod
    def of(cls, random_state):
        """Copy the state of a generator."""
        _, key, position, has_gauss, gauss = random_state.get_state()
        return cls(key=key, position=position, has_gauss=has_gauss, gauss=gauss)

    @classmethod
    def kept(cls, estimator, random_state):
        """What later calls continue with; that of a given generator is the caller's."""
        is_given = isinstance(estimator.random_state, np.random.RandomState)
        return None if random_state is None or is_given else cls.of(random_state)

    def make(self):
        """A generator that continues from here."""
        random_state = np.random.RandomState(0)
        parts = self.key, self.position, self.has_gauss, self.gauss
        random_state.set_state(("MT19937", *parts))
        return random_state


def random_state_to_use(estimator, previous):
    """A seed starts a generator, with which later calls continue."""
    given = estimator.random_state
    is_given = isinstance(given, np.random.RandomState)
    if previous is None or previous.random_state is None or is_given:
        return make_random_state(given)
    return previous.random_state.make()


@stored
class WordTables:
    """Words, their counts and their vectors, which no longer change.

    `OnlineVectors` has the same attributes, and grows. `output_vectors` are those that
    predict. With n-grams, `own_rows` is the part of each vector that is the word's own.
    `rare_counts` is how often `partial_fit` saw terms that are no words yet.
    """

    word_vectors: WordVectors
    counts: np.ndarray
    output_vectors: np.ndarray
    own_rows: np.ndarray | None
    rare_counts: dict

    def check(self):
        size = self.word_vectors.vector_size
        check_tables(
            len(self.words), size, self.counts, self.output_vectors, self.rare_counts
        )
        subwords = self.word_vectors.subwords
        if (self.own_rows is None) != (subwords is None):
            raise ValueError("own_rows and n-grams do not belong together")
        if subwords is not None and subwords.n_buckets is not None:
            raise ValueError("n-grams in buckets were not learned here")
        if self.own_rows is not None:
            WordVectors(self.own_rows, self.words)
            if self.own_rows.shape[1] != size:
                raise ValueError(f"own_rows have the shape {self.own_rows.shape}")

    @property
    def words(self):
        return self.word_vectors.words

    @property
    def vocabulary(self):
        return self.word_vectors.vocabulary

    @property
    def vector_size(self):
        return self.word_vectors.vector_size


@stored
class FittedWord2Vec(Fitted):
    """The vectors of words, and all that training continues from.

    One part may change in place: the tables, if they are `OnlineVectors`. A call of
    `partial_fit` then costs what its documents hold; a new value of a large vocabulary
    would cost more than the training. What the tables return are copies.

    Without any word there are only counts of rare words, and nothing to show.
    """

    tables: WordTables | OnlineVectors
    is_noise_trained: bool
    random_state: RandomStateData | None
    weighter_: BaseEstimator | None
    components_: np.ndarray
    pooling: str
    loss_curve_: np.ndarray
    n_tokens_: int
    n_iter_: int

    def check(self):
        check_pooling(self, self.tables.vector_size)
        losses = self.loss_curve_
        if losses.shape != (self.n_iter_,) or losses.dtype != np.float64:
            raise ValueError(f"n_iter_ is {self.n_iter_}, with {losses.shape} losses")

    @property
    def word_vectors_(self):
        return self.tables.word_vectors

    @property
    def has_words(self):
        return len(self.tables.words) > 0

    def attributes(self):
        return super().attributes() if self.has_words else {}
