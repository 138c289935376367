"""Matrices and threads of word2vec: what surrounds the kernel."""

from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from itertools import pairwise

import numpy as np

from skml.text._id_stream import mapping_of, release
from skml.text._subwords import SubwordVectors, mean_rows, word_parts
from skml.text._word2vec_kernel import Trainer
from skml.text._word2vec_tables import (
    alias_table,
    huffman_tree,
    keep_thresholds,
)
from skml.text._word_vectors import WordVectors

# Ids that lie in a file are released so often, to be a few MB of memory.
_SECONDS = 0.1
# Rows start on a cache line: 16 floats of 4 bytes.
_LINE = 16
_NO_HASHES = np.empty(0, dtype=np.uint64)
_NO_NOISE = np.empty(0, dtype=np.uint64)


class Word2VecTraining:
    """Both matrices of a model, and the kernel that trains them.

    Parameters
    ----------
    words : list of str
        The words, one for each row of both matrices.
    vector_size : int
        Number of columns.
    lengths : tuple of (int, int) or None
        The lengths of n-grams, which have further rows in the inputs.

    Attributes
    ----------
    hashes : ndarray of shape (n_subwords,), dtype uint64
        The n-grams of the words.
    input_rows : ndarray of shape (n_words + n_subwords, vector_size), dtype float32
        The vectors of the words, and behind them those of the n-grams; zeros at first.
    output_rows : ndarray of shape (n_words, vector_size), dtype float32
        The vectors that predict; zeros at first.
    n_pairs : int
        On how many pairs of words they were trained.
    """

    def __init__(self, words, vector_size, lengths):
        self.words, self.vector_size, self.lengths = words, vector_size, lengths
        self.hashes, self._parts = _NO_HASHES, (None, None)
        self.n_pairs = 0
        if lengths is not None:
            self.hashes, *self._parts = word_parts(words, lengths)
        self._inputs = _aligned_zeros(len(words) + len(self.hashes), vector_size)
        self._outputs = _aligned_zeros(len(words), vector_size)

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
        counts,
        random_state,
        *,
        noise,
        n_counted,
        n_workers,
        subsample,
        **parameters,
    ):
        """Prepare the tables for a corpus with these counts, and the kernel.

        Given is the weight of each word as a noise word, or None for a tree; and how
        many tokens were counted, if other words have counts, too. The other parameters
        are those of `Trainer`.
        """
        if noise is None:
            table, tree = _NO_NOISE, huffman_tree(counts)
        else:
            table, tree = alias_table(noise), huffman_tree(counts[:1])
        self._trainer = Trainer(
            self._inputs,
            self._outputs,
            vector_size=self.vector_size,
            keep=keep_thresholds(counts, subsample, n_counted),
            noise=table,
            path_offsets=tree.offsets,
            path_steps=tree.steps,
            part_offsets=self._parts[0],
            parts=self._parts[1],
            n_workers=n_workers,
            **parameters,
        )
        # Two numbers of 64 bits a worker: for sub-sampling, and for all the rest.
        seeds = random_state.randint(0, 1 << 32, size=(n_workers, 4), dtype=np.uint64)
        self._random_states = seeds[:, :2] << np.uint64(32) | seeds[:, 2:]

    def run_epoch(self, documents, rate, last_rate):
        """Train on all documents, a slice of the stream for each worker.

        Parameters
        ----------
        documents : EncodedDocuments
            The corpus.
        rate, last_rate : float
            The learning rate at the beginning and at the end of each slice.

        Returns
        -------
        loss : float
            The mean loss of a pair; 0 if there was none.
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
        _run_in_threads(tasks, stop_flag, documents.ids)
        loss, n_pairs = totals.sum(axis=0)
        self.n_pairs += int(n_pairs)
        return float(loss / n_pairs) if n_pairs else 0.0

    def copy(self):
        """The same vectors in memory of their own, without a kernel."""
        copy = object.__new__(Word2VecTraining)
        copy.words, copy.vector_size = self.words, self.vector_size
        copy.lengths, copy.hashes = self.lengths, self.hashes
        copy._parts = self._parts
        copy._inputs = np.array(self.input_rows, order="C")
        copy._outputs = np.array(self.output_rows, order="C")
        return copy

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
        self._inputs = _without_padding(self._inputs, self.vector_size)
        self._outputs = _without_padding(self._outputs, self.vector_size)


def _aligned_zeros(n_rows, n_columns):
    """Zeros whose rows, padded to whole cache lines, start on a cache line."""
    stride = -(-n_columns // _LINE) * _LINE
    memory = np.zeros(n_rows * stride + _LINE, dtype=np.float32)
    start = -memory.ctypes.data // memory.itemsize % _LINE
    return memory[start : start + n_rows * stride].reshape(n_rows, stride)


def _without_padding(matrix, n_columns):
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
    step = max(1, (1 << 16) // n_columns)
    for start in range(0, n_rows, step):
        part = rows[start : start + step]
        part[...] = (2 * random_state.random_sample(part.shape) - 1) / n_columns


def _run_in_threads(tasks, stop_flag, ids):
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
