"""The matrices of a text classifier while they are trained, and its epochs."""

from functools import partial
from itertools import pairwise

import numpy as np
from joblib import effective_n_jobs

from skml.text._fasttext_kernel import Classifier
from skml.text._word2vec_tables import NO_TREE
from skml.text._word2vec_training import aligned_zeros, run_in_threads


class FastTextTraining:
    """Both matrices of a model to start from, and the kernel that trains them."""

    def __init__(self, model, features, targets, *, n_jobs):
        self.model, self.features, self.targets = model, features, targets
        size = model.vector_size
        self._inputs = aligned_zeros(len(model.input_vectors), size)
        self._outputs = aligned_zeros(len(model.output_vectors), size)
        self.input_rows[...] = model.input_vectors
        self.output_rows[...] = model.output_vectors
        has_tree = model.loss == "hierarchical-softmax"
        tree = model.tree if has_tree else NO_TREE
        self.n_workers = min(effective_n_jobs(n_jobs), max(1, targets.n_documents))
        self._weights = targets.weights.astype(np.float32)
        self._classifier = Classifier(
            self._inputs,
            self._outputs,
            vector_size=size,
            path_offsets=tree.offsets,
            path_steps=tree.steps,
            has_tree=has_tree,
            is_logistic=model.loss == "one-vs-rest",
            n_workers=self.n_workers,
        )

    @property
    def inputs(self):
        """The vectors of words and buckets, padded."""
        return self._inputs

    @property
    def input_rows(self):
        return self._inputs[:, : self.model.vector_size]

    @property
    def output_rows(self):
        return self._outputs[:, : self.model.vector_size]

    def run_epoch(self, order, rate, last_rate):
        """Train on documents in this order, a slice of them for each worker.

        The learning rate falls in each slice. Returns the mean loss of a document.
        """
        bounds = np.linspace(0, len(order), self.n_workers + 1).astype(np.int64)
        totals = np.zeros((self.n_workers, 2))
        stop_flag = np.zeros(1, dtype=np.int32)
        tasks = [
            partial(
                self._classifier.train,
                self.features,
                order[start:stop],
                self.targets.offsets,
                self.targets.labels,
                self._weights,
                rate=rate,
                rate_decay=(rate - last_rate) / max(1, stop - start),
                totals=totals[worker],
                stop_flag=stop_flag,
            )
            for worker, (start, stop) in enumerate(pairwise(bounds.tolist()))
        ]
        run_in_threads(tasks, stop_flag, self.targets.labels)
        loss, weight = totals.sum(axis=0)
        return float(loss / weight) if weight else 0.0

    def is_finite(self):
        """Whether all vectors are."""
        return all(np.isfinite(m).all() for m in (self._inputs, self._outputs))

    def vectors(self):
        """The trained vectors, in memory of their own."""
        return {
            "input_vectors": np.array(self.input_rows, order="C"),
            "output_vectors": np.array(self.output_rows, order="C"),
        }
