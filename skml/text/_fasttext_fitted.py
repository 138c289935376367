"""What FastTextClassifier learns, as data, and what it predicts."""

from dataclasses import fields, replace
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.special import expit, log_expit, log_softmax, softmax

from skml._codec import show, stored
from skml._estimator import Fitted
from skml.text._quantized import QuantizedVectors, decoded
from skml.text._subwords import END_OF_LINE, LONGEST_NGRAM, MOST_BUCKETS
from skml.text._tfidf_vocabulary import Vocabulary
from skml.text._vocabulary import take_parts
from skml.text._word2vec_fitted import RandomStateData
from skml.text._word2vec_tables import HuffmanTree, huffman_tree

LOSSES = ("softmax", "hierarchical-softmax", "one-vs-rest")
# Up to so many buckets, a table has the row of each: 64 MiB at most.
_MOST_IN_TABLE = 1 << 24


def class_tree(class_counts, order):
    """The Huffman tree of classes, numbered as fastText numbers it.

    A step is twice the row of a node, plus 1 where the path turns right. The nodes are
    numbered from the rarest on, so that the root is the last. `order` has the classes
    from the most frequent to the rarest.
    """
    n_classes = len(class_counts)
    tree = huffman_tree(class_counts[order])
    steps = tree.steps.copy()
    n_steps = tree.offsets[-1]
    nodes, turns = steps[:n_steps] >> 1, steps[:n_steps] & 1
    steps[:n_steps] = 2 * (n_classes - 2 - nodes) + (1 - turns)
    position = np.empty(n_classes, dtype=np.int64)
    position[order] = np.arange(n_classes)
    steps[:n_steps], offsets = take_parts(steps, tree.offsets, position)
    return HuffmanTree(offsets, steps)


@stored
class FittedFastText(Fitted):
    """The vectors of words, of buckets of n-grams, and of classes.

    Attributes
    ----------
    vocabulary : Vocabulary
        The words, in the order of their rows.
    counts_ : ndarray of shape (n_words,), dtype int64
        How often each word was seen.
    input_vectors : ndarray of shape (n_words + n_rows, vector_size), dtype float32
        The vectors of the words, and behind them those of the buckets; or the same as
        `QuantizedVectors`.
    buckets : ndarray of shape (n_rows,), dtype int32
        The buckets that have a row, ascending.
    n_buckets : int
        How many buckets there are; 0 if there are no n-grams.
    is_pruned : bool
        Whether n-grams in buckets without a row are left out of the mean of a document,
        as fastText does once it took some away. Else they are zeros.
    output_vectors : ndarray of shape (n_classes, vector_size), dtype float32
        The vectors of the classes; with hierarchical softmax those of the nodes of the
        tree, as `class_tree` numbers them (the last row is unused). Or the same as
        `QuantizedVectors`.
    classes_ : ndarray of shape (n_classes,)
        The classes, or the columns of a multi-label target.
    class_counts : ndarray of shape (n_classes,), dtype int64
        How many documents each class has, from which the tree is built.
    class_ranks : ndarray of shape (n_classes,), dtype int64, or None
        The rank of each class from the most frequent to the rarest, of which the tree
        is built. None, if those that are equally frequent are in order.
    loss : str
        One of `LOSSES`.
    is_multilabel : bool
        Whether a document has any number of classes.
    word_ngrams : int
        The most words of an n-gram.
    subwords : tuple of (int, int) or None
        The lengths of n-grams of characters.
    end_of_line : bool
        Whether the token ``</s>`` ends each document. If it is in the vocabulary, its
        vector is a bias; it takes part in n-grams of words, and has none of characters.
    random_state : RandomStateData or None
        What `partial_fit` continues with.
    """

    vocabulary: Vocabulary
    counts_: np.ndarray
    input_vectors: np.ndarray | QuantizedVectors
    buckets: np.ndarray
    n_buckets: int
    is_pruned: bool = False
    output_vectors: np.ndarray | QuantizedVectors
    classes_: np.ndarray
    class_counts: np.ndarray
    class_ranks: np.ndarray | None = None
    loss: str
    is_multilabel: bool
    word_ngrams: int
    subwords: tuple | None
    end_of_line: bool
    random_state: RandomStateData | None
    loss_curve_: np.ndarray
    validation_score_: np.ndarray | None
    n_iter_: int

    def check(self):
        self._check_rows()
        n_classes = len(self.classes_)
        _check_array("classes_", self.classes_, self.classes_.dtype, (n_classes,))
        _check_array("class_counts", self.class_counts, np.int64, (n_classes,))
        shape = n_classes, self.vector_size
        _check_vectors("output_vectors", self.output_vectors, shape)
        is_dense = isinstance(self.input_vectors, np.ndarray)
        if is_dense and not isinstance(self.output_vectors, np.ndarray):
            raise ValueError("output_vectors are quantised, and input_vectors are not")
        # Of zeros, the tree would be a chain, as deep as there are classes.
        least = 1 if self.loss == "hierarchical-softmax" else 0
        if n_classes == 0 or (self.class_counts < least).any():
            raise ValueError(f"there is no class, or a class has a count below {least}")
        if self.class_ranks is not None:
            _check_array("class_ranks", self.class_ranks, np.int64, (n_classes,))
            if not np.array_equal(np.sort(self.class_ranks), np.arange(n_classes)):
                raise ValueError("class_ranks are no ranks of the classes")
            if (np.diff(self.class_counts[self.class_order]) > 0).any():
                raise ValueError("class_ranks are not from the most frequent class on")
        if self.loss not in LOSSES:
            raise ValueError(f"loss is {show(self.loss)}")
        if self.is_multilabel and self.loss != "one-vs-rest":
            raise ValueError(f"several classes a document, and the loss {self.loss}")
        for name in ("loss_curve_", "validation_score_"):
            curve = getattr(self, name)
            if curve is not None:
                _check_array(name, curve, np.float64, (self.n_iter_,))

    def _check_rows(self):
        n_words, n_rows = len(self.vocabulary), len(self.buckets)
        if len(self.input_vectors.shape) != 2 or self.vector_size == 0:
            raise ValueError(f"input_vectors are of {self.input_vectors.shape}")
        if n_words + n_rows > MOST_BUCKETS:
            raise ValueError(f"there are {n_words + n_rows} rows")
        shape = n_words + n_rows, self.vector_size
        _check_vectors("input_vectors", self.input_vectors, shape)
        _check_array("counts_", self.counts_, np.int64, (n_words,))
        buckets = self.buckets
        _check_array("buckets", buckets, np.int32, (n_rows,))
        has_ngrams = self.word_ngrams > 1 or self.subwords is not None
        least = 1 if has_ngrams else 0
        if not least <= self.n_buckets <= MOST_BUCKETS or not (
            1 <= self.word_ngrams <= MOST_BUCKETS
        ):
            raise ValueError(
                f"{show(self.n_buckets)} buckets for n-grams of up to "
                f"{show(self.word_ngrams)} words and {show(self.subwords)} characters"
            )
        if n_rows and not 0 <= buckets[0] <= buckets[-1] < self.n_buckets:
            raise ValueError(f"a bucket is none of the {self.n_buckets}")
        if (buckets[1:] <= buckets[:-1]).any():
            raise ValueError("the buckets do not ascend")
        if self.subwords is not None:
            is_pair = [*map(type, self.subwords)] == [int, int]
            shortest, longest = self.subwords if is_pair else (0, 0)
            if not 1 <= shortest <= longest <= LONGEST_NGRAM:
                raise ValueError(f"subwords are {show(self.subwords)}")

    @property
    def vector_size(self):
        return self.input_vectors.shape[1]

    @cached_property
    def class_vectors(self):
        """The output vectors, decoded if they are quantised."""
        return decoded(self.output_vectors)

    def decoded(self):
        """The same without quantisation."""
        return replace(
            self,
            input_vectors=decoded(self.input_vectors),
            output_vectors=decoded(self.output_vectors),
        )

    @cached_property
    def _rows(self):
        rows = np.full(self.n_buckets, -1, dtype=np.int32)
        first = len(self.vocabulary)
        rows[self.buckets] = np.arange(first, first + len(self.buckets))
        return rows

    def __getstate__(self):
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def end_row(self):
        """The row of the token that ends each document, or -1."""
        return find_word(self.vocabulary, END_OF_LINE) if self.end_of_line else -1

    def rows_of(self, buckets):
        """The row of each of some buckets, or -1."""
        if len(self.buckets) == self.n_buckets:
            return buckets + np.int32(len(self.vocabulary))
        if self.n_buckets <= _MOST_IN_TABLE:
            return self._rows[buckets]
        if len(self.buckets) == 0:
            return np.full(len(buckets), -1, dtype=np.int32)
        places = np.searchsorted(self.buckets, buckets)
        places = np.minimum(places, len(self.buckets) - 1)
        rows = (places + len(self.vocabulary)).astype(np.int32)
        return np.where(self.buckets[places] == buckets, rows, np.int32(-1))

    def log_proba(self, vectors):
        """The logarithms of the probabilities of classes, given vectors of documents.

        Of a multi-label target, each stands for itself.
        """
        scores = vectors @ self.class_vectors.T
        if self.loss == "softmax":
            return log_softmax(scores, axis=1)
        if self.loss == "hierarchical-softmax":
            return self._log_proba_of_leaves(scores)
        found = log_expit(scores)
        if self.is_multilabel:
            return found
        return log_softmax(found, axis=1)

    def proba(self, vectors):
        """The probabilities of classes, given vectors of documents."""
        if self.loss == "softmax":
            return softmax(vectors @ self.class_vectors.T, axis=1)
        if self.is_multilabel:
            return expit(vectors @ self.class_vectors.T)
        return np.exp(self.log_proba(vectors))

    def decision(self, vectors):
        """The scores of classes; of two, by how much that of the second is higher."""
        if self.loss == "hierarchical-softmax":
            found = self.log_proba(vectors)
        else:
            found = vectors @ self.class_vectors.T
        if len(self.classes_) == 2 and not self.is_multilabel:
            return found[:, 1] - found[:, 0]
        return found

    def _log_proba_of_leaves(self, scores):
        tree = self.tree
        n_steps, n_classes = tree.offsets[-1], len(self.classes_)
        ones = np.ones(n_steps, dtype=np.float32)
        shape = n_classes, 2 * n_classes
        paths = sparse.csr_array((ones, tree.steps[:n_steps], tree.offsets), shape)
        turns = np.empty((len(scores), 2 * n_classes), dtype=np.float32)
        turns[:, 0::2], turns[:, 1::2] = log_expit(-scores), log_expit(scores)
        return np.ascontiguousarray((paths @ turns.T).T)

    @property
    def class_order(self):
        """The classes from the most frequent to the rarest."""
        if self.class_ranks is None:
            return np.argsort(-self.class_counts, kind="stable")
        return np.argsort(self.class_ranks)

    @property
    def tree(self):
        """The paths from the root to the classes; see `class_tree`."""
        return class_tree(self.class_counts, self.class_order)


def find_word(vocabulary, word):
    """The position of a word, or -1; without a dictionary of all words."""
    spelled = np.frombuffer(word.encode(), dtype=np.uint8)
    same_size = np.flatnonzero(np.diff(vocabulary.ends) == len(spelled))
    places = vocabulary.ends[same_size][:, np.newaxis] + np.arange(len(spelled))
    is_same = (vocabulary.spelling[places] == spelled).all(axis=1)
    return int(same_size[is_same][0]) if is_same.any() else -1


def _check_vectors(name, vectors, shape):
    if isinstance(vectors, np.ndarray):
        _check_array(name, vectors, np.float32, shape)
    elif vectors.shape != shape:
        raise ValueError(f"{name} are {vectors.shape}, quantised; expected {shape}")


def _check_array(name, array, dtype, shape):
    if array.dtype != dtype or array.shape != shape or not array.flags.c_contiguous:
        raise ValueError(
            f"{name} is {array.dtype} of the shape {array.shape}; expected "
            f"{np.dtype(dtype)} of the shape {shape}, by rows"
        )
