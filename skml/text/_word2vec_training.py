"""The matrices of word2vec: where they start, and epochs of the kernel over them."""

from concurrent.futures import ThreadPoolExecutor, wait
from copy import copy
from functools import partial
from itertools import pairwise

import numpy as np
from joblib import effective_n_jobs

from skml.text._id_stream import mapping_of, release
from skml.text._subwords import SubwordVectors, find_hashes, mean_rows, word_parts
from skml.text._vocabulary import look_up
from skml.text._word2vec_kernel import Trainer
from skml.text._word2vec_parameters import check_same_size
from skml.text._word2vec_tables import (
    NO_TREE,
    alias_table,
    huffman_tree,
    keep_thresholds,
    noise_weights,
)
from skml.text._word_vectors import WordVectors

# Ids that lie in a file are released so often, to be a few MB of memory.
_SECONDS = 0.1
# Rows start on a cache line: 16 floats of 4 bytes.
_LINE = 16
# A large matrix starts on a huge page of 2 MiB, which NumPy asks Linux for: the first
# rows are used most, and small pages would cost more time to find them.
_HUGE_PAGE = 1 << 19
# Rows copied at a time, to hold no second matrix.
_ROWS = 4096
_NO_HASHES = np.empty(0, dtype=np.uint64)
_NO_NOISE = np.empty(0, dtype=np.uint64)


class Word2VecTraining:
    """Both matrices of a model, and the kernel that trains them.

    The inputs are the vectors of the words, and behind them those of the n-grams, whose
    hashes are `hashes`; the outputs are those that predict. All are zeros at first.
    `n_pairs` is on how many pairs of words they were trained.
    """

    def __init__(self, estimator, words):
        self.words, self.vector_size = words, estimator.vector_size
        self.lengths, self.hashes = None, _NO_HASHES
        self._parts = None, None
        self.n_pairs = 0
        if estimator.subwords is not None:
            self.lengths = tuple(map(int, estimator.subwords))
            self.hashes, *self._parts = word_parts(words, self.lengths)
            if len(self.hashes) == 0:
                raise ValueError(
                    f"{type(estimator).__name__}: subwords={estimator.subwords!r}, and "
                    f"none of the {len(words)} words, such as {words[:3]}, has an "
                    "n-gram of such a length that is not the whole word. Choose "
                    "smaller lengths, or None."
                )
        self._inputs = aligned_zeros(len(words) + len(self.hashes), self.vector_size)
        self._outputs = aligned_zeros(len(words), self.vector_size)

    @property
    def input_rows(self):
        return self._inputs[:, : self.vector_size]

    @property
    def word_rows(self):
        return self.input_rows[: len(self.words)]

    @property
    def n_parts(self):
        """Of how many rows the vector of each word is the mean; only with n-grams."""
        return np.diff(self._parts[0])

    @property
    def subword_rows(self):
        return self.input_rows[len(self.words) :]

    @property
    def output_rows(self):
        return self._outputs[:, : self.vector_size]

    def make_trainer(
        self,
        estimator,
        counts,
        n_tokens,
        random_state,
        *,
        fixed,
        noise=None,
        n_counted=None,
    ):
        """Prepare the kernel for so many tokens, in which words have such counts.

        `fixed` is 1 for words whose given vectors may be frozen. The weights of noise
        words, and the number of tokens counted, are given if other words have counts.
        """
        table, tree = _NO_NOISE, NO_TREE
        if estimator.loss == "hierarchical-softmax":
            tree = huffman_tree(counts)
        else:
            if noise is None:
                noise = noise_weights(counts, estimator.noise_exponent)
            table = alias_table(noise)
        n_workers = min(effective_n_jobs(estimator.n_jobs), max(1, n_tokens))
        self._trainer = Trainer(
            self._inputs,
            self._outputs,
            vector_size=self.vector_size,
            keep=keep_thresholds(counts, estimator.subsample, n_counted),
            noise=table,
            path_offsets=tree.offsets,
            path_steps=tree.steps,
            part_offsets=self._parts[0],
            parts=self._parts[1],
            n_workers=n_workers,
            skip_gram=estimator.architecture == "skip-gram",
            n_negatives=estimator.n_negatives,
            window=estimator.window,
            shrink_window=estimator.shrink_window,
            fixed=fixed if estimator.freeze_init else fixed[:0],
        )
        # Two numbers of 64 bits a worker: for sub-sampling, and for all the rest.
        seeds = random_state.randint(0, 1 << 32, size=(n_workers, 4), dtype=np.uint64)
        self._random_states = seeds[:, :2] << np.uint64(32) | seeds[:, 2:]

    def run_epoch(self, documents, rate, last_rate):
        """Train on all documents, a slice of the stream for each worker.

        The learning rate falls in each slice. Returns the mean loss of a pair.
        """
        n_workers = len(self._random_states)
        bounds = np.linspace(0, len(documents.ids), n_workers + 1).astype(np.int64)
        totals = np.zeros((n_workers, 2))
        stop_flag = np.zeros(1, dtype=np.int32)
        tasks = [
            partial(
                self._trainer.train,
                documents.ids,
                documents.offsets,
                start,
                stop,
                rate=rate,
                rate_decay=(rate - last_rate) / max(1, stop - start),
                random_state=self._random_states[worker],
                totals=totals[worker],
                stop_flag=stop_flag,
            )
            for worker, (start, stop) in enumerate(pairwise(bounds.tolist()))
        ]
        run_in_threads(tasks, stop_flag, documents.ids)
        loss, n_pairs = totals.sum(axis=0)
        self.n_pairs += int(n_pairs)
        return float(loss / n_pairs) if n_pairs else 0.0

    def copy(self):
        """The same vectors in memory of their own."""
        other = copy(self)
        other._inputs = np.array(self.input_rows, order="C")
        other._outputs = np.array(self.output_rows, order="C")
        return other

    def word_vectors(self):
        """The words and their vectors, as they are now."""
        if self.lengths is None:
            return WordVectors(self.word_rows, self.words)
        subwords = SubwordVectors(self.lengths, self.hashes, self.subword_rows)
        vectors = mean_rows(*self._parts, self.input_rows)
        return WordVectors(vectors, self.words, subwords)

    def drop_padding(self):
        """Make the vectors contiguous in their own memory; ends the training."""
        del self._trainer
        self._inputs = without_padding(self._inputs, self.vector_size)
        self._outputs = without_padding(self._outputs, self.vector_size)


def aligned_zeros(n_rows, n_columns):
    """Zeros whose rows, padded to whole cache lines, start on a cache line."""
    stride = -(-n_columns // _LINE) * _LINE
    size = n_rows * stride
    unit = _HUGE_PAGE if size > 2 * _HUGE_PAGE else _LINE
    memory = np.zeros(size + unit, dtype=np.float32)
    start = -memory.ctypes.data // memory.itemsize % unit
    return memory[start : start + size].reshape(n_rows, stride)


def without_padding(matrix, n_columns):
    """The first columns of a matrix, moved together in its own memory."""
    n_rows = len(matrix)
    moved = matrix.reshape(-1)[: n_rows * n_columns].reshape(n_rows, n_columns)
    step = max(1, (1 << 16) // n_columns)
    for start in range(0, n_rows, step):
        # A copy of a few rows at a time: source and target overlap.
        moved[start : start + step] = matrix[start : start + step, :n_columns].copy()
    return moved


def fill_randomly(rows, random_state):
    """Fill rows with uniform numbers in [-1, 1) / n_columns.

    Twice the range of the original program: CBOW solves half a percent more analogies.
    """
    n_rows, n_columns = rows.shape
    step = max(1, (1 << 14) // n_columns)
    for start in range(0, n_rows, step):
        part = rows[start : start + step]
        numbers = random_state.random_sample(part.shape)
        numbers *= 2
        numbers -= 1
        numbers /= n_columns
        part[...] = numbers


def run_in_threads(tasks, stop_flag, ids):
    """Run functions side by side; an exception, Ctrl-C too, stops them all."""
    is_mapped = mapping_of(ids) is not None
    with ThreadPoolExecutor(len(tasks)) as threads:
        futures = [threads.submit(task) for task in tasks]
        try:
            while is_mapped and wait(futures, timeout=_SECONDS).not_done:
                release(ids)
            for future in futures:
                future.result()
        except BaseException:
            stop_flag[0] = 1
            raise


def prepare(estimator, words, counts, documents, init, previous, random_state):
    """The matrices before training (random, given or learned), and the kernel."""
    training = Word2VecTraining(estimator, words)
    fill_randomly(training.input_rows, random_state)
    fixed = take_init(estimator, init, words, training.word_rows)
    if previous is not None:
        _take_previous(estimator, training, previous)
        if estimator.freeze_init:
            take_init(estimator, init, words, training.word_rows)
    n_tokens = len(documents.ids)
    training.make_trainer(estimator, counts, n_tokens, random_state, fixed=fixed)
    return training


def take_init(estimator, init, words, rows, other_words=()):
    """Start from given vectors; return which words have one, as 0 and 1.

    One word must have one, of these or of the other words of the vocabulary.
    """
    if init is None:
        return np.zeros(len(words), dtype=np.uint8)
    is_known = _copy_known(words, rows, init.vocabulary, init.vectors)
    if not is_known.any() and not any(w in init.vocabulary for w in other_words):
        raise ValueError(
            f"{type(estimator).__name__}: none of the {len(words)} words of the "
            f"vocabulary, such as {words[:3]}, is among the {len(init)} of init, "
            f"such as {init.words[:3]}."
        )
    return is_known.astype(np.uint8)


def _take_previous(estimator, training, previous):
    """Start from what was learned before."""
    words, tables = training.words, previous.tables
    word_vectors = tables.word_vectors
    check_same_size(estimator, word_vectors.vector_size)
    vocabulary, subwords = word_vectors.vocabulary, word_vectors.subwords
    # What is composed now was perhaps not before, and the reverse.
    was_composed, is_composed = subwords is not None, training.lengths is not None
    rows = tables.own_rows if was_composed and is_composed else word_vectors.vectors
    is_known = _copy_known(words, training.word_rows, vocabulary, rows)
    if is_composed and not was_composed:
        training.word_rows[is_known] *= training.n_parts[is_known, None]
    if is_composed and was_composed:
        positions = find_hashes(subwords.hashes, training.hashes)
        is_known = positions >= 0
        training.subword_rows[is_known] = subwords.vectors[positions[is_known]]
    # Those of a tree belong to its nodes, which another vocabulary rearranges.
    if estimator.loss == "negative-sampling" and previous.is_noise_trained:
        _copy_known(words, training.output_rows, vocabulary, tables.output_vectors)


def _copy_known(words, rows, vocabulary, vectors):
    """Copy the vectors of the words that have one into their rows; which these are."""
    sources = look_up(words, vocabulary)
    targets = np.flatnonzero(sources >= 0)
    for start in range(0, len(targets), _ROWS):
        part = targets[start : start + _ROWS]
        rows[part] = vectors[sources[part]]
    return sources >= 0
