# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True
"""The training loop of a text classifier that averages rows, and the means themselves.

The arithmetic of a step is in `_fasttext_steps.h`. Here: which rows a document has, and
the order of things. No Python object is touched while it runs.

All of it is in one file of more than 500 lines, as the compiler joins the steps of a
document to one loop only within a file.
"""

from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy, memset

import numpy as np


cdef extern from "_fasttext_steps.h" nogil:
    ctypedef struct skml_outputs:
        int n_outputs
        int n_padded
        float **rows
        float *labels
        float *weights
    ctypedef struct skml_scratch:
        int width
        float *errors
        float *gradients
        float *mean
    ctypedef struct skml_document:
        const int32_t *rows
        ptrdiff_t n_rows
    ctypedef struct skml_model:
        float *inputs
        ptrdiff_t stride
        skml_scratch scratch
    ctypedef double (*skml_classifier)(
        const skml_model *, const skml_document *, const skml_document *,
        const skml_outputs *, int, float,
    ) noexcept
    ctypedef void (*skml_averager)(
        const skml_model *, const skml_document *, const skml_document *, float *
    ) noexcept
    skml_classifier skml_choose_classifier(int)
    skml_averager skml_choose_averager(int)
    int skml_has_wide()
    void skml_unpack(const int32_t *, const skml_outputs *)
    void skml_exchange(float *, float *, float *, int64_t, float)
    int LANES "SKML_LANES"
    int error_stride "SKML_ERROR_STRIDE" (int)


cdef enum:
    # Among several workers, each has its own copies of the outputs, which every
    # document moves: they would otherwise travel from processor to processor all the
    # time. After so many documents, a worker adds what it changed to the others'. Of
    # what all change, the mean instead of the sum would train them too slowly.
    BLOCK = 16
    # With a tree, a document moves few outputs: of more, there are no copies.
    N_COPIED = 1024


cdef struct Corpus:
    # Documents as tokens, each of which has some rows, and as rows of their n-grams;
    # rows below zero are none.
    const int32_t *ids
    const int64_t *offsets
    const int64_t *part_offsets
    const int32_t *parts
    const int64_t *ngram_offsets
    const int32_t *ngrams
    int32_t end_row  # one more of each document, if it is not below zero
    bint has_parts  # whether a token has another number of rows than one


cdef struct Slot:
    int32_t *rows
    int64_t capacity
    skml_document document


cdef struct Workspace:
    skml_model model
    skml_outputs outputs
    float *copies
    float *at_exchange
    int64_t n_floats  # of the copies
    Slot slots[2]


cdef class Features:
    """Documents as rows of a matrix.

    Parameters
    ----------
    ids, offsets : memoryviews, int32, int64
        The tokens of document d are ``ids[offsets[d]:offsets[d + 1]]``.
    part_offsets, parts : memoryviews, int64, int32
        The rows of token t are ``parts[part_offsets[t]:part_offsets[t + 1]]``.
    ngram_offsets, ngrams : memoryviews, int64, int32
        Further rows of document d are ``ngrams[ngram_offsets[d]:ngram_offsets[d + 1]]``.
    end_row : int, default=-1
        A row of each document.

    Rows below zero are left out.
    """

    cdef readonly int64_t n_documents
    cdef object arrays
    cdef Corpus corpus

    def __init__(
        self,
        const int32_t[::1] ids,
        const int64_t[::1] offsets,
        const int64_t[::1] part_offsets,
        const int32_t[::1] parts,
        const int64_t[::1] ngram_offsets,
        const int32_t[::1] ngrams,
        int32_t end_row=-1,
    ):
        cdef int64_t n_tokens = part_offsets.shape[0] - 1
        if ngram_offsets.shape[0] != offsets.shape[0]:
            raise ValueError("n-grams are of other documents than tokens")
        self.arrays = ids, offsets, part_offsets, parts, ngram_offsets, ngrams
        self.n_documents = offsets.shape[0] - 1
        self.corpus.ids = &ids[0] if ids.shape[0] else NULL
        self.corpus.offsets = &offsets[0]
        self.corpus.part_offsets = &part_offsets[0]
        self.corpus.parts = &parts[0] if parts.shape[0] else NULL
        self.corpus.ngram_offsets = &ngram_offsets[0]
        self.corpus.ngrams = &ngrams[0] if ngrams.shape[0] else NULL
        self.corpus.end_row = end_row
        self.corpus.has_parts = parts.shape[0] != n_tokens

    def sizes(self):
        """How many rows each document has.

        Returns
        -------
        sizes : ndarray of shape (n_documents,), dtype int64
        """
        cdef int64_t i
        cdef Slot slot
        cdef bint ok = True
        sizes = np.zeros(self.n_documents, dtype=np.int64)
        cdef int64_t[::1] size = sizes
        memset(&slot, 0, sizeof(slot))
        with nogil:
            for i in range(self.n_documents):
                ok = ok and read_document(&self.corpus, i, &slot)
                size[i] = slot.document.n_rows
            free(slot.rows)
        if not ok:
            raise MemoryError("no memory for the rows of a document")
        return sizes

    def unknown_ngrams(self):
        """How many n-grams without a row each document has.

        The first row of a token is that of the word, the others of its n-grams.

        Returns
        -------
        counts : ndarray of shape (n_documents,), dtype int64
        """
        cdef int64_t i
        counts = np.zeros(self.n_documents, dtype=np.int64)
        cdef int64_t[::1] count = counts
        with nogil:
            for i in range(self.n_documents):
                count[i] = count_unknown(&self.corpus, i)
        return counts


cdef int64_t count_unknown(const Corpus *corpus, int64_t d) noexcept nogil:
    """How many n-grams without a row a document has."""
    cdef int64_t i, j, n = 0
    cdef int32_t token
    if corpus.has_parts:
        for i in range(corpus.offsets[d], corpus.offsets[d + 1]):
            token = corpus.ids[i]
            for j in range(
                corpus.part_offsets[token] + 1, corpus.part_offsets[token + 1]
            ):
                n += corpus.parts[j] < 0
    for i in range(corpus.ngram_offsets[d], corpus.ngram_offsets[d + 1]):
        n += corpus.ngrams[i] < 0
    return n


cdef bint read_document(const Corpus *corpus, int64_t d, Slot *slot) noexcept nogil:
    """Collect the rows of a document; whether there was memory for them."""
    cdef int64_t begin = corpus.offsets[d], end = corpus.offsets[d + 1]
    cdef int64_t first = corpus.ngram_offsets[d], last = corpus.ngram_offsets[d + 1]
    cdef int64_t i, j, needed = end - begin, n = 0
    cdef int32_t *rows = slot.rows
    cdef int32_t token
    if corpus.has_parts:
        needed = 0
        for i in range(begin, end):
            token = corpus.ids[i]
            needed += corpus.part_offsets[token + 1] - corpus.part_offsets[token]
    needed += last - first + 1
    if needed > slot.capacity:
        rows = <int32_t *>realloc(rows, 2 * needed * sizeof(int32_t))
        if rows == NULL:
            return False
        slot.rows, slot.capacity = rows, 2 * needed
    # Written in any case and counted if there is one: no branch to be mispredicted.
    if corpus.has_parts:
        for i in range(begin, end):
            token = corpus.ids[i]
            for j in range(corpus.part_offsets[token], corpus.part_offsets[token + 1]):
                rows[n] = corpus.parts[j]
                n += rows[n] >= 0
    else:
        for i in range(begin, end):
            rows[n] = corpus.parts[corpus.ids[i]]
            n += rows[n] >= 0
    rows[n] = corpus.end_row
    n += corpus.end_row >= 0
    for i in range(first, last):
        rows[n] = corpus.ngrams[i]
        n += rows[n] >= 0
    slot.document.rows, slot.document.n_rows = rows, n
    return True


cdef inline void *take(size_t n, size_t size, bint *ok) noexcept nogil:
    """Zeros, for n items; where there is no memory, `ok` becomes False."""
    cdef void *memory = calloc(n if n else 1, size)
    ok[0] = ok[0] and memory != NULL
    return memory


cdef void release(Workspace *work) noexcept nogil:
    """Free all that `Classifier.allocate` took, some of which may be NULL."""
    cdef int i
    free(work.model.scratch.errors)
    free(work.model.scratch.gradients)
    free(work.model.scratch.mean)
    free(work.outputs.rows)
    free(work.outputs.labels)
    free(work.outputs.weights)
    free(work.copies)
    free(work.at_exchange)
    for i in range(2):
        free(work.slots[i].rows)


cdef class Classifier:
    """Both matrices of a classifier, and how they are trained.

    Parameters
    ----------
    inputs, outputs : float32 memoryviews of shape (n_rows, stride)
        Rows of equal length, padded with zeros to a multiple of 8; trained in place.
    vector_size : int
        Length of the rows without the padding.
    path_offsets, path_steps : memoryviews, int64, int32
        The tree of a hierarchical softmax: class c takes the steps
        ``path_steps[path_offsets[c]:path_offsets[c + 1]]``; a step is twice a row of
        outputs, plus its label. Seven more items follow. Without steps, there is none.
    is_logistic : bool, default=False
        Without a tree: whether each output is a logistic regression by itself, rather
        than all together a softmax.
    n_workers : int, default=1
        How many threads train at the same time.
    wide : bool, default=True
        Use the AVX2 variant of the steps if the processor has it.
    """

    cdef float[:, ::1] inputs, outputs
    cdef const int64_t[::1] path_offsets
    cdef const int32_t[::1] path_steps
    cdef int width, n_workers, most_outputs
    cdef bint has_tree, is_logistic
    cdef skml_classifier step


    def __init__(
        self,
        float[:, ::1] inputs,
        float[:, ::1] outputs,
        *,
        int vector_size,
        const int64_t[::1] path_offsets,
        const int32_t[::1] path_steps,
        bint has_tree=False,
        bint is_logistic=False,
        int n_workers=1,
        bint wide=True,
    ):
        cdef Py_ssize_t i
        self.inputs, self.outputs = inputs, outputs
        self.path_offsets, self.path_steps = path_offsets, path_steps
        self.has_tree, self.is_logistic = has_tree, is_logistic
        self.n_workers = n_workers
        self.width = (vector_size + LANES - 1) // LANES * LANES
        if inputs.shape[1] < self.width or outputs.shape[1] != inputs.shape[1]:
            raise ValueError(f"rows must be padded to {self.width} floats")
        if path_steps.shape[0] < path_offsets[path_offsets.shape[0] - 1] + LANES - 1:
            raise ValueError(f"{LANES - 1} items must follow the last step")
        self.most_outputs = <int>outputs.shape[0]
        if has_tree:
            self.most_outputs = 1
            for i in range(path_offsets.shape[0] - 1):
                self.most_outputs = max(
                    self.most_outputs, <int>(path_offsets[i + 1] - path_offsets[i])
                )
        wide = wide and skml_has_wide()
        self.step = skml_choose_classifier(wide)

    def train(
        self,
        Features features,  # IN
        const int64_t[::1] order,  # IN
        const int64_t[::1] label_offsets,  # IN
        const int32_t[::1] labels,  # IN
        const float[::1] weights,  # IN
        *,
        float rate,
        float rate_decay,
        double[::1] totals,  # OUT: weighted sum of losses, sum of weights
        const int32_t[::1] stop_flag,  # IN: set by another thread
    ):
        """Train once on some documents, in this order.

        Document d has the classes ``labels[label_offsets[d]:label_offsets[d + 1]]``,
        of which all but a logistic regression takes the first. The i-th one is trained
        with the learning rate ``rate - rate_decay * i`` times its weight.
        """
        with nogil:
            if not self._train(
                &features.corpus, order, label_offsets, labels, weights, rate,
                rate_decay, &totals[0], &stop_flag[0],
            ):
                with gil:
                    raise MemoryError("no memory for the buffers of one worker")

    cdef bint _train(
        self, const Corpus *corpus, const int64_t[::1] order,
        const int64_t[::1] label_offsets, const int32_t[::1] labels,
        const float[::1] weights, float rate, float rate_decay, double *totals,
        const int32_t *stop_flag,
    ) noexcept nogil:
        cdef int64_t n = order.shape[0], i, d
        cdef double loss = 0, weight = 0
        cdef Workspace work
        cdef Slot *slot
        cdef Slot *next_slot
        cdef int target
        cdef bint ok = self.allocate(&work)
        if ok and n:
            ok = read_document(corpus, order[0], &work.slots[0])
        for i in range(n):
            slot, next_slot = &work.slots[i % 2], &work.slots[(i + 1) % 2]
            next_slot.document.n_rows = 0
            if ok and i + 1 < n:
                ok = read_document(corpus, order[i + 1], next_slot)
            if not ok or stop_flag[0]:
                break
            if work.copies != NULL and i % BLOCK == BLOCK - 1:
                self.exchange(&work)
            if slot.document.n_rows == 0:
                continue
            d = order[i]
            target = self.set_targets(
                &work, &labels[label_offsets[d]], label_offsets[d + 1] - label_offsets[d]
            )
            if work.outputs.n_outputs == 0:
                continue
            loss += weights[d] * self.step(
                &work.model, &slot.document, &next_slot.document, &work.outputs, target,
                weights[d] * (rate - rate_decay * i),
            )
            weight += weights[d]
            if target < 0 and not self.has_tree:
                self.unset_targets(
                    &work, &labels[label_offsets[d]],
                    label_offsets[d + 1] - label_offsets[d],
                )
        if ok and work.copies != NULL:
            self.exchange(&work)
        totals[0] += loss
        totals[1] += weight
        release(&work)
        return ok

    cdef inline int set_targets(
        self, Workspace *work, const int32_t *labels, int64_t n
    ) noexcept nogil:
        """Let the outputs know what they should answer; the class of a softmax."""
        cdef int64_t i, start
        cdef skml_outputs *outputs = &work.outputs
        if self.has_tree:
            start = self.path_offsets[labels[0]]
            outputs.n_outputs = <int>(self.path_offsets[labels[0] + 1] - start)
            outputs.n_padded = (outputs.n_outputs + LANES - 1) // LANES * LANES
            for i in range(outputs.n_outputs):
                outputs.rows[i] = self.output_row(work, self.path_steps[start + i] >> 1)
            skml_unpack(&self.path_steps[start], outputs)
            return -1
        if not self.is_logistic:
            return labels[0]
        for i in range(n):
            outputs.labels[labels[i]] = 1
        return -1

    cdef inline void unset_targets(
        self, Workspace *work, const int32_t *labels, int64_t n
    ) noexcept nogil:
        cdef int64_t i
        for i in range(n):
            work.outputs.labels[labels[i]] = 0

    cdef inline float *output_row(self, const Workspace *work, int64_t i) noexcept nogil:
        cdef float *rows = &self.outputs[0, 0] if work.copies == NULL else work.copies
        return rows + i * self.outputs.shape[1]

    cdef bint allocate(self, Workspace *work) noexcept nogil:
        """Take the memory of a worker; return whether there was enough."""
        cdef int n = self.most_outputs, i
        cdef int n_padded = (n + LANES - 1) // LANES * LANES
        cdef skml_outputs *outputs = &work.outputs
        cdef skml_scratch *scratch = &work.model.scratch
        cdef bint ok = True
        memset(work, 0, sizeof(Workspace))
        work.model.inputs = &self.inputs[0, 0] if self.inputs.shape[0] else NULL
        work.model.stride = self.inputs.shape[1]
        scratch.width = self.width
        scratch.errors = <float *>take(error_stride(n_padded), sizeof(float), &ok)
        scratch.gradients = <float *>take(self.width, sizeof(float), &ok)
        scratch.mean = <float *>take(self.width, sizeof(float), &ok)
        outputs.rows = <float **>take(n_padded, sizeof(float *), &ok)
        outputs.labels = <float *>take(n_padded, sizeof(float), &ok)
        outputs.weights = <float *>take(n_padded, sizeof(float), &ok)
        if self.n_workers > 1 and not (
            self.has_tree and self.outputs.shape[0] > N_COPIED
        ):
            work.n_floats = self.outputs.shape[0] * self.outputs.shape[1]
            work.copies = <float *>take(work.n_floats, sizeof(float), &ok)
            work.at_exchange = <float *>take(work.n_floats, sizeof(float), &ok)
        if not ok:
            return False
        if work.n_floats:
            memcpy(work.copies, &self.outputs[0, 0], work.n_floats * sizeof(float))
            memcpy(work.at_exchange, work.copies, work.n_floats * sizeof(float))
        if not self.has_tree:
            outputs.n_outputs, outputs.n_padded = n, n_padded
            for i in range(n):
                outputs.rows[i], outputs.weights[i] = self.output_row(work, i), 1
        return True

    cdef void exchange(self, Workspace *work) noexcept nogil:
        """Bring what a worker changed to the others, and theirs to it."""
        skml_exchange(
            &self.outputs[0, 0], work.copies, work.at_exchange, work.n_floats,
            1.0,
        )


def average_rows(
    const float[:, ::1] inputs,
    Features features,
    float[:, ::1] means,  # OUT
    int64_t[::1] n_rows,  # OUT
    *,
    bint wide=True,
):
    """The mean of the rows of each document, zeros without any, and their number.

    Parameters
    ----------
    inputs : float32 memoryview of shape (n_rows, stride)
        The rows; what they are padded with is not read.
    features : Features
        The documents.
    means : float32 memoryview of shape (n_documents, vector_size)
        The result.
    n_rows : int64 memoryview of shape (n_documents,)
        The number of rows of each document.
    wide : bool, default=True
        Use the AVX2 variant of the steps if the processor has it.
    """
    cdef int64_t n = features.n_documents, i
    cdef skml_averager average = skml_choose_averager(wide and skml_has_wide())
    cdef skml_model model
    cdef Slot slots[2]
    cdef Slot *slot
    cdef Slot *next_slot
    cdef bint ok = True
    if means.shape[0] != n or n_rows.shape[0] != n or means.shape[1] > inputs.shape[1]:
        raise ValueError("the results are of another shape than documents and rows")
    memset(&model, 0, sizeof(skml_model))
    memset(slots, 0, sizeof(slots))
    model.inputs = <float *>&inputs[0, 0] if inputs.shape[0] else NULL
    model.stride, model.scratch.width = inputs.shape[1], <int>means.shape[1]
    with nogil:
        if n:
            ok = read_document(&features.corpus, 0, &slots[0])
        for i in range(n):
            slot, next_slot = &slots[i % 2], &slots[(i + 1) % 2]
            next_slot.document.n_rows = 0
            if ok and i + 1 < n:
                ok = read_document(&features.corpus, i + 1, next_slot)
            if not ok:
                break
            n_rows[i] = slot.document.n_rows
            if slot.document.n_rows:
                average(&model, &slot.document, &next_slot.document, &means[i, 0])
        free(slots[0].rows)
        free(slots[1].rows)
    if not ok:
        raise MemoryError("no memory for the rows of a document")
