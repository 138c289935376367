# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True
"""The training loop of word2vec: from a stream of word ids to steps on two matrices.

The arithmetic of a step is in `_word2vec_steps.h`. Here: sub-sampling, windows, noise
words, the order of things. No Python object is touched while it runs.

All of it is in one file of more than 500 lines, as the compiler joins the stages of a
word to one loop only within a file.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memmove, memset


cdef extern from "_word2vec_steps.h" nogil:
    ctypedef struct skml_outputs:
        int n_outputs
        int n_padded
        float **rows
        float *labels
        float *weights
    ctypedef struct skml_scratch:
        int width
        int has_twins
        float *errors
        float *gradients
        float *mean
        float **ahead
        int n_ahead
    ctypedef double (*skml_step)(
        float **, int, const skml_outputs *, float, const skml_scratch *
    ) noexcept
    ctypedef void (*skml_gather)(
        const float *, ptrdiff_t, const int32_t *, int, ptrdiff_t, float *, float *
    ) noexcept
    ctypedef void (*skml_scatter)(
        float *, ptrdiff_t, const int32_t *, int, ptrdiff_t, const float *, float *
    ) noexcept
    skml_step skml_choose_step(int, int)
    skml_gather skml_choose_compose(int)
    skml_scatter skml_choose_spread(int)
    int skml_has_wide()
    void skml_unpack(const int32_t *, const skml_outputs *)
    void skml_prefetch(const void *)
    void skml_exchange(float *, float *, float *, int64_t, float)
    int LANES "SKML_LANES"
    int error_stride "SKML_ERROR_STRIDE" (int)


# Words are read this many at a time; the learning rate, the random numbers and the
# result do not depend on it. A request to stop is seen that often.
cdef enum:
    BLOCK = 2048
    # A word passes through three stages, each so many words before the next: choose
    # its window and random numbers, find its outputs, train. The first asks for the
    # memory that the second reads; the rows are fetched while the word before trains.
    AHEAD = 2
    N_SLOTS = 8  # more than two stages, and a power of two
    N_STAMPS = 1024
    # Among several workers, each has its own copies of the most trained output rows,
    # the first ones: they would otherwise travel from processor to processor all the
    # time. Once a block, a worker brings its share of the mean to the others. Below so
    # many blocks there would be too few meetings to learn from each other.
    N_COPIED = 256
    MIN_BLOCKS = 64
    # Of a word that is the mean of several rows, at most so many are fetched ahead.
    N_FETCHED = 48
    # Words that share rows must not go on for long without learning from each other:
    # the more are in reach, the sooner a mean is composed anew, after this many words
    # divided by those in reach. A window of 15 words is left before that.
    REACH_BY_STAY = 1024


cdef struct Slot:
    # A word that is about to be trained.
    int first  # its window in the buffer, the word itself excluded
    int last
    uint64_t *randoms
    skml_outputs outputs
    int n_rows  # the rows of outputs, and behind them those fetched with them


cdef struct Word:
    # A word that survived sub-sampling.
    int64_t position  # in the stream
    int32_t id
    int32_t n_before  # words of the same document before it
    int32_t n_after  # and after it, or the window if there are more


cdef struct Buffer:
    Word *words
    int filled
    int32_t n_in_document  # so far, of the document that is being read
    # Which window (by the last bits of its number) a word (by the last bits of its id)
    # was seen in: a cheap test for words that stand twice. It may raise a false alarm.
    uint8_t input_stamps[N_STAMPS]
    uint8_t output_stamps[N_STAMPS]
    uint8_t n_input_windows
    uint8_t n_output_windows


cdef struct Means:
    # The vectors of words that are means of several rows, while the words are in reach
    # of a window. They are trained in place of the rows; when a word leaves, its rows
    # learn what changed.
    int stay  # words after which a mean is composed anew
    int64_t mask  # there is room for mask + 1, a power of two
    float *vectors
    float *at_entry  # as they were when their words entered
    int64_t n_moved  # words that the buffer has lost at its front, so far
    int first  # in the buffer: the first word that has a vector here,
    int last  # and the first that has none yet


cdef struct Copies:
    # A worker's own copies of the first output rows, and what they were at the last
    # exchange with the other workers.
    int n_rows
    int64_t n_floats
    float *rows
    float *at_exchange


cdef struct Workspace:
    # What a worker needs by itself.
    int margin  # words before and after one that are in memory: the window
    int capacity  # of the buffer, in words
    Buffer buffer
    Means means
    Copies copies
    skml_scratch scratch
    Slot slots[N_SLOTS]
    float **inputs  # the rows of a window
    float *copied_inputs  # of those that are fixed, what is trained in their place


cdef inline void *take(size_t n, size_t size, bint *ok) noexcept nogil:
    """Zeros, for n items; where there is no memory, `ok` becomes False."""
    cdef void *memory = calloc(n if n else 1, size)
    ok[0] = ok[0] and memory != NULL
    return memory


cdef void release(Workspace *work) noexcept nogil:
    """Free all that `Trainer.allocate` took, some of which may be NULL."""
    cdef int i
    free(work.copies.rows)
    free(work.copies.at_exchange)
    free(work.means.vectors)
    free(work.means.at_entry)
    free(work.buffer.words)
    free(work.inputs)
    free(work.copied_inputs)
    free(work.scratch.errors)
    free(work.scratch.gradients)
    free(work.scratch.mean)
    for i in range(N_SLOTS):
        free(work.slots[i].randoms)
        free(work.slots[i].outputs.rows)
        free(work.slots[i].outputs.labels)
        free(work.slots[i].outputs.weights)


cdef int64_t find_document(const int64_t[::1] offsets, int64_t start) noexcept nogil:
    """The document that holds a token, by bisection."""
    cdef int64_t low = 0, high = offsets.shape[0] - 1, middle
    while low < high:
        middle = (low + high) // 2
        if offsets[middle + 1] <= start:
            low = middle + 1
        else:
            high = middle
    return low


cdef void forget_front(Workspace *work, int n) noexcept nogil:
    """Let the buffer lose words at its front."""
    cdef Buffer *buffer = &work.buffer
    buffer.filled -= n
    memmove(buffer.words, buffer.words + n, buffer.filled * sizeof(Word))
    work.means.n_moved += n
    work.means.first -= n
    work.means.last -= n


def has_wide_instructions():
    """Whether this processor runs the AVX2 variant of the steps."""
    return bool(skml_has_wide())


cdef inline uint64_t draw(uint64_t *state) noexcept nogil:
    """Next number of SplitMix64 (Steele, Lea & Flood 2014)."""
    cdef uint64_t z
    state[0] += <uint64_t>0x9E3779B97F4A7C15
    z = state[0]
    z = (z ^ (z >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    z = (z ^ (z >> 27)) * <uint64_t>0x94D049BB133111EB
    return z ^ (z >> 31)


cdef inline uint32_t below(uint64_t random, uint64_t n) noexcept nogil:
    """An integer in [0, n) from the upper half of a random number."""
    return <uint32_t>(((random >> 32) * n) >> 32)


cdef inline void set_number(skml_outputs *outputs, int n) noexcept nogil:
    """Set the number of outputs; what pads the last vector does not count."""
    cdef int i
    outputs.n_outputs = n
    outputs.n_padded = (n + LANES - 1) // LANES * LANES
    for i in range(n, outputs.n_padded):
        outputs.weights[i] = 0


cdef class Trainer:
    """Both matrices and all that stays the same from epoch to epoch.

    Parameters
    ----------
    inputs, outputs : float32 memoryviews of shape (n_words, stride)
        The vectors that are trained, in place, padded with zeros to a multiple of 8.
    vector_size : int
        Length of the vectors without the padding.
    keep : uint32 memoryview of shape (n_words,)
        A word survives sub-sampling if a random 32-bit number is not above this.
    noise : uint64 memoryview of shape (n_words,) or (0,)
        Alias table: upper half the threshold, lower half the alias. Empty for
        hierarchical softmax.
    path_offsets, path_steps : memoryviews, int64, int32
        The Huffman tree: word w takes ``path_steps[path_offsets[w]:path_offsets[w+1]]``;
        a step is twice a row of outputs, plus its label. Seven more items follow.
    n_inputs_together : int, default=0
        How many words of a window are trained in one skip-gram step; 0 means all.
    fixed : uint8 memoryview of shape (n_words,) or (0,)
        Whether the input vector of a word stays as it is; empty if none does.
    part_offsets, parts : memoryviews, int64, int32
        The input vector of word w is the mean of the rows
        ``parts[part_offsets[w]:part_offsets[w + 1]]`` of inputs, one at least. Both
        empty if it is row w.
    n_workers : int, default=1
        How many threads train at the same time.
    wide : bool, default=True
        Use the AVX2 variant of the steps if the processor has it.
    """

    cdef float[:, ::1] inputs, outputs
    cdef const uint32_t[::1] keep
    cdef const uint64_t[::1] noise
    cdef const int64_t[::1] path_offsets
    cdef const int32_t[::1] path_steps
    cdef int width, n_negatives, window, max_outputs, n_inputs_together
    cdef int n_workers
    cdef const uint8_t[::1] fixed
    cdef const int64_t[::1] part_offsets
    cdef const int32_t[::1] parts
    cdef bint has_fixed, has_parts
    cdef bint shrink_window, skip_gram, tree
    cdef skml_step step
    cdef skml_gather compose
    cdef skml_scatter spread

    def __init__(
        self,
        float[:, ::1] inputs,
        float[:, ::1] outputs,
        *,
        int vector_size,
        const uint32_t[::1] keep,
        const uint64_t[::1] noise,
        const int64_t[::1] path_offsets,
        const int32_t[::1] path_steps,
        bint skip_gram,
        int n_negatives,
        int window,
        bint shrink_window,
        const uint8_t[::1] fixed=b"",
        const int64_t[::1] part_offsets=None,
        const int32_t[::1] parts=None,
        int n_inputs_together=0,
        int n_workers=1,
        bint wide=True,
    ):
        cdef int longest = 1
        cdef Py_ssize_t word
        self.inputs, self.outputs, self.keep = inputs, outputs, keep
        self.noise = noise
        self.path_offsets, self.path_steps = path_offsets, path_steps
        self.skip_gram, self.n_negatives = skip_gram, n_negatives
        self.window, self.shrink_window = window, shrink_window
        self.tree = noise.shape[0] == 0
        self.n_inputs_together = n_inputs_together
        self.n_workers = n_workers
        self.fixed, self.has_fixed = fixed, fixed.shape[0] > 0
        self.part_offsets, self.parts = part_offsets, parts
        self.has_parts = part_offsets is not None
        self.width = (vector_size + LANES - 1) // LANES * LANES
        if inputs.shape[1] < self.width or outputs.shape[1] < self.width:
            raise ValueError(f"rows must be padded to {self.width} floats")
        if path_steps.shape[0] < path_offsets[path_offsets.shape[0] - 1] + LANES - 1:
            raise ValueError(f"{LANES - 1} items must follow the last step")
        for word in range(path_offsets.shape[0] - 1):
            longest = max(longest, <int>(path_offsets[word + 1] - path_offsets[word]))
        self.max_outputs = longest if self.tree else n_negatives + 1
        wide = wide and skml_has_wide()
        self.step = skml_choose_step(skip_gram, wide)
        self.compose = skml_choose_compose(wide)
        self.spread = skml_choose_spread(wide)

    def train(
        self,
        const int32_t[::1] ids,  # IN
        const int64_t[::1] offsets,  # IN
        int64_t start,
        int64_t stop,
        *,
        float rate,
        float rate_decay,
        uint64_t[::1] random_state,  # IN OUT: [sub-sampling, windows and noise]
        double[::1] totals,  # OUT: sum of losses, number of pairs
        const int32_t[::1] stop_flag,  # IN: set by another thread
    ):
        """Train once on the tokens ``ids[start:stop]``.

        Token i is trained with the learning rate ``rate - rate_decay * (i - start)``.
        """
        with nogil:
            if not self._train(
                ids, offsets, start, stop, rate, rate_decay,
                &random_state[0], &totals[0], &stop_flag[0],
            ):
                with gil:
                    raise MemoryError("no memory for the buffers of one worker")

    cdef bint _train(
        self, const int32_t[::1] ids, const int64_t[::1] offsets,
        int64_t start, int64_t stop, float rate, float rate_decay,
        uint64_t *random_state, double *totals, const int32_t *stop_flag,
    ) noexcept nogil:
        # On this thread's own stack: the caller's may share a cache line with others.
        cdef uint64_t *states = [random_state[0], random_state[1]]
        cdef double *sums = [0, 0]
        cdef int64_t position = start, document = find_document(offsets, start)
        cdef Workspace work
        cdef int first = 0, last, n_passed
        cdef bint ok = self.allocate(&work, stop - start)
        while ok and position < stop and not stop_flag[0]:
            # The words already trained that are still in a window go to the front.
            n_passed = max(0, first - work.margin)
            first -= n_passed
            forget_front(&work, n_passed)
            self.fill(
                &work.buffer, work.capacity, ids, offsets, &position, stop, &document,
                states,
            )
            last = work.buffer.filled
            if position < stop:
                last -= work.margin
            self.train_words(
                &work, first, last, start, rate, rate_decay, states + 1, sums, stop_flag
            )
            first = max(first, last)
            if work.copies.n_rows:
                self.exchange(&work.copies)
        if ok and self.has_parts:
            self.spread_means(
                &work.means, &work.buffer, work.buffer.filled + work.margin
            )
        random_state[0], random_state[1] = states[0], states[1]
        totals[0] += sums[0]
        totals[1] += sums[1]
        release(&work)
        return ok

    cdef bint allocate(self, Workspace *work, int64_t n_tokens) noexcept nogil:
        """Take the memory of a worker; return whether there was enough."""
        cdef size_t n_inputs = 2 * <size_t>self.window
        cdef size_t n_means = 1, n_padded = self.max_outputs + LANES - 1
        cdef bint ok = True
        cdef Slot *slot
        cdef int i
        n_padded = n_padded // LANES * LANES
        memset(work, 0, sizeof(Workspace))
        work.margin = self.window
        work.capacity = 2 * BLOCK + 2 * work.margin
        work.buffer.words = <Word *>take(work.capacity, sizeof(Word), &ok)
        work.inputs = <float **>take(n_inputs, sizeof(float *), &ok)
        work.copied_inputs = <float *>take(
            n_inputs * self.width if self.has_fixed else 1, sizeof(float), &ok
        )
        work.means.stay = max(1, REACH_BY_STAY // (2 * work.margin + 1))
        work.means.mask = 1
        while work.means.mask <= 2 * work.margin:
            work.means.mask = 2 * work.means.mask + 1
        if self.has_parts:
            n_means = <size_t>(work.means.mask + 1) * self.width
        work.means.vectors = <float *>take(n_means, sizeof(float), &ok)
        work.means.at_entry = <float *>take(n_means, sizeof(float), &ok)
        work.scratch.width = self.width
        work.scratch.errors = <float *>take(
            n_inputs * error_stride(<int>n_padded), sizeof(float), &ok
        )
        work.scratch.gradients = <float *>take(
            n_inputs * self.width, sizeof(float), &ok
        )
        work.scratch.mean = <float *>take(self.width, sizeof(float), &ok)
        for i in range(N_SLOTS):
            slot = &work.slots[i]
            slot.randoms = <uint64_t *>take(n_padded, sizeof(uint64_t), &ok)
            slot.outputs.rows = <float **>take(
                n_padded + N_FETCHED, sizeof(float *), &ok
            )
            slot.outputs.labels = <float *>take(n_padded, sizeof(float), &ok)
            slot.outputs.weights = <float *>take(n_padded, sizeof(float), &ok)
        if self.n_workers > 1 and n_tokens >= MIN_BLOCKS * BLOCK:
            self.copy_outputs(&work.copies, &ok)
        return ok

    cdef void copy_outputs(self, Copies *copies, bint *ok) noexcept nogil:
        """Give a worker its copies of the first output rows."""
        copies.n_rows = min(N_COPIED, <int>self.outputs.shape[0])
        copies.n_floats = <int64_t>copies.n_rows * self.outputs.shape[1]
        copies.rows = <float *>take(copies.n_floats, sizeof(float), ok)
        copies.at_exchange = <float *>take(copies.n_floats, sizeof(float), ok)
        if ok[0] and copies.n_rows:
            memcpy(copies.rows, &self.outputs[0, 0], copies.n_floats * sizeof(float))
            memcpy(copies.at_exchange, copies.rows, copies.n_floats * sizeof(float))

    cdef void exchange(self, Copies *copies) noexcept nogil:
        """Bring a worker's share of the mean to the others, and theirs to it."""
        skml_exchange(
            &self.outputs[0, 0], copies.rows, copies.at_exchange, copies.n_floats,
            <float>1.0 / self.n_workers,
        )

    cdef void train_words(
        self, Workspace *work, int first, int last, int64_t start, float rate,
        float rate_decay, uint64_t *random_state, double *sums,
        const int32_t *stop_flag,
    ) noexcept nogil:
        """Train the words of the buffer from `first` on and before `last`."""
        cdef Buffer *buffer = &work.buffer
        cdef Slot *next_slot
        cdef int t, trained
        for t in range(first, last + 2 * AHEAD):
            if stop_flag[0]:
                break
            if t < last:
                self.choose_window(&work.slots[t % N_SLOTS], buffer, t, random_state)
            if first <= t - AHEAD < last:
                self.find_outputs(
                    &work.slots[(t - AHEAD) % N_SLOTS], buffer, &work.copies, t - AHEAD
                )
            trained = t - 2 * AHEAD
            if first <= trained:
                next_slot = &work.slots[(trained + 1) % N_SLOTS]
                work.scratch.ahead = next_slot.outputs.rows
                work.scratch.n_ahead = next_slot.n_rows
                if self.has_parts:
                    self.compose_means(&work.means, buffer, trained)
                self.train_word(
                    &work.slots[trained % N_SLOTS], buffer, trained, work.inputs,
                    work.copied_inputs, &work.means, &work.scratch, sums,
                    rate - rate_decay * (buffer.words[trained].position - start),
                )
                if self.has_parts:
                    self.spread_means(&work.means, buffer, trained)

    cdef inline void fill(
        self, Buffer *buffer, int capacity, const int32_t[::1] ids,
        const int64_t[::1] offsets, int64_t *position, int64_t stop,
        int64_t *document, uint64_t *random_state,
    ) noexcept nogil:
        """Read words into the buffer, and where their documents begin and end."""
        cdef Word *word
        cdef int64_t i = position[0]
        cdef uint64_t state = random_state[0]  # in a register
        cdef bint is_kept
        while buffer.filled < capacity and i < stop:
            while offsets[document[0] + 1] <= i:
                document[0] += 1
                self.end_document(buffer)
            # Written in any case and counted if kept: a branch would be mispredicted.
            word = &buffer.words[buffer.filled]
            word.position = i
            word.id = ids[i]
            word.n_before = buffer.n_in_document
            word.n_after = self.window
            is_kept = <uint32_t>(draw(&state) >> 32) <= self.keep[word.id]
            if self.tree:
                skml_prefetch(&self.path_offsets[word.id])
            if self.has_parts:
                skml_prefetch(&self.part_offsets[word.id])
            buffer.filled += is_kept
            buffer.n_in_document += is_kept
            i += 1
        if i == stop:
            self.end_document(buffer)
        position[0], random_state[0] = i, state

    cdef inline void end_document(self, Buffer *buffer) noexcept nogil:
        """Let the last words of a document know how many come after them."""
        cdef int i
        for i in range(min(buffer.n_in_document, self.window)):
            buffer.words[buffer.filled - 1 - i].n_after = i
        buffer.n_in_document = 0

    cdef inline void choose_window(
        self, Slot *slot, const Buffer *buffer, int t, uint64_t *random_state
    ) noexcept nogil:
        cdef const Word *word = &buffer.words[t]
        cdef int newest = t + self.window
        cdef int reach = self.window, i
        cdef int64_t start, last
        cdef uint64_t state = random_state[0]  # in a register
        if self.shrink_window:
            reach -= below(draw(&state), self.window)
            random_state[0] = state
        slot.first = t - min(reach, word.n_before)
        slot.last = t + min(reach, word.n_after)
        if self.has_parts and newest < buffer.filled:
            skml_prefetch(&self.parts[self.part_offsets[buffer.words[newest].id]])
        if slot.first == slot.last:
            return
        if self.tree:
            start = self.path_offsets[word.id]
            last = self.path_offsets[word.id + 1] - 1
            skml_prefetch(&self.path_steps[start])
            skml_prefetch(&self.path_steps[last])
            return
        for i in range(self.n_negatives):
            slot.randoms[i] = draw(&state)
            skml_prefetch(&self.noise[below(slot.randoms[i], self.noise.shape[0])])
        random_state[0] = state

    cdef inline float *output_row(self, const Copies *copies, int32_t i) noexcept nogil:
        cdef float *rows = copies.rows if i < copies.n_rows else &self.outputs[0, 0]
        return rows + i * self.outputs.shape[1]

    cdef inline void find_outputs(
        self, Slot *slot, Buffer *buffer, const Copies *copies, int t
    ) noexcept nogil:
        cdef int newest = t + self.window
        if slot.first == slot.last:
            slot.outputs.n_outputs = 0
        elif self.tree:
            self.walk_tree(&slot.outputs, copies, buffer.words[t].id)
        else:
            self.find_noise(slot, buffer, copies, buffer.words[t].id)
        slot.n_rows = slot.outputs.n_outputs
        if newest < buffer.filled:
            # The word that can enter a window now; the others were there before.
            self.append_input(slot, buffer.words[newest].id)

    cdef inline void append_input(self, Slot *slot, int32_t word) noexcept nogil:
        """Let what makes up the input vector of a word be fetched with the outputs."""
        cdef int64_t part, start, stop
        if not self.has_parts:
            slot.outputs.rows[slot.n_rows] = &self.inputs[word, 0]
            slot.n_rows += 1
            return
        start = self.part_offsets[word]
        stop = min(self.part_offsets[word + 1], start + N_FETCHED)
        for part in range(start, stop):
            slot.outputs.rows[slot.n_rows] = &self.inputs[self.parts[part], 0]
            slot.n_rows += 1

    cdef inline void compose_means(
        self, Means *means, const Buffer *buffer, int t
    ) noexcept nogil:
        """Make the vectors of the words that come in reach of the window of word t."""
        cdef int i = t + self.window - means.stay
        while i >= means.first:
            if i < means.last:
                self.spread_mean(means, buffer, i)
                self.compose_mean(means, buffer, i)
            i -= means.stay
        while means.last < min(t + self.window + 1, buffer.filled):
            self.compose_mean(means, buffer, means.last)
            means.last += 1

    cdef inline void spread_means(
        self, Means *means, const Buffer *buffer, int t
    ) noexcept nogil:
        """Let the rows of the words learn that are out of reach after word t."""
        while means.first < min(t + 1 - self.window, means.last):
            self.spread_mean(means, buffer, means.first)
            means.first += 1

    cdef inline void compose_mean(
        self, Means *means, const Buffer *buffer, int i
    ) noexcept nogil:
        cdef int32_t word = buffer.words[i].id
        cdef int64_t start = self.part_offsets[word]
        cdef int64_t place = ((means.n_moved + i) & means.mask) * self.width
        self.compose(
            &self.inputs[0, 0], self.inputs.shape[1], &self.parts[start],
            <int>(self.part_offsets[word + 1] - start), self.width,
            means.vectors + place, means.at_entry + place,
        )

    cdef inline void spread_mean(
        self, Means *means, const Buffer *buffer, int i
    ) noexcept nogil:
        cdef int32_t word = buffer.words[i].id
        cdef int64_t start = self.part_offsets[word]
        cdef int64_t place = ((means.n_moved + i) & means.mask) * self.width
        self.spread(
            &self.inputs[0, 0], self.inputs.shape[1], &self.parts[start],
            <int>(self.part_offsets[word + 1] - start), self.width,
            means.vectors + place, means.at_entry + place,
        )

    cdef inline void find_noise(
        self, Slot *slot, Buffer *buffer, const Copies *copies, int32_t word
    ) noexcept nogil:
        """The word itself, then noise words, each once and weighted by its number.

        Noise that hits the word does not count, as in the original program.
        """
        cdef skml_outputs *outputs = &slot.outputs
        cdef float *row
        cdef uint8_t *stamp
        cdef uint64_t entry
        cdef uint32_t noise
        cdef int i, j, n = 1
        buffer.n_output_windows += 1
        buffer.output_stamps[word & (N_STAMPS - 1)] = buffer.n_output_windows
        outputs.rows[0] = self.output_row(copies, word)
        outputs.labels[0] = outputs.weights[0] = 1
        for i in range(self.n_negatives):
            noise = below(slot.randoms[i], self.noise.shape[0])
            entry = self.noise[noise]
            if <uint32_t>slot.randoms[i] > <uint32_t>(entry >> 32):
                noise = <uint32_t>entry
            row = self.output_row(copies, <int32_t>noise)
            stamp = &buffer.output_stamps[noise & (N_STAMPS - 1)]
            j = 0
            if stamp[0] == buffer.n_output_windows:
                while j < n and outputs.rows[j] != row:
                    j += 1
            else:
                stamp[0] = buffer.n_output_windows
                j = n
            if j == n:
                outputs.rows[n] = row
                outputs.weights[n] = 1
                n += 1
            elif j > 0:
                outputs.weights[j] += 1
        set_number(outputs, n)

    cdef inline void walk_tree(
        self, skml_outputs *outputs, const Copies *copies, int32_t word
    ) noexcept nogil:
        """The nodes on the way to the word, and which way it turns at each."""
        cdef int64_t start = self.path_offsets[word]
        cdef const int32_t *steps = &self.path_steps[start]
        cdef int i, n = <int>(self.path_offsets[word + 1] - start)
        for i in range(n):
            outputs.rows[i] = self.output_row(copies, steps[i] >> 1)
        set_number(outputs, n)
        skml_unpack(steps, outputs)

    cdef inline int gather_means(
        self, const Slot *slot, const Means *means, int t, float **inputs
    ) noexcept nogil:
        """The means of the words in the window; no two words share one."""
        cdef int n_inputs = 0, i
        for i in range(slot.first, slot.last + 1):
            if i != t:
                inputs[n_inputs] = means.vectors + self.width * (
                    (means.n_moved + i) & means.mask
                )
                n_inputs += 1
        return n_inputs

    cdef inline int gather_rows(
        self, const Slot *slot, Buffer *buffer, int t, float **inputs,
        float *copied_inputs, skml_scratch *scratch,
    ) noexcept nogil:
        """The rows of the words in the window, and whether one may stand twice."""
        cdef int n_inputs = 0, i
        cdef int32_t word
        cdef float *copy
        cdef uint8_t *stamp
        for i in range(slot.first, slot.last + 1):
            if i == t:
                continue
            word = buffer.words[i].id
            inputs[n_inputs] = &self.inputs[word, 0]
            if self.has_fixed and self.fixed[word]:
                # A copy is trained in its place, and forgotten.
                copy = copied_inputs + <int64_t>n_inputs * self.width
                memcpy(copy, inputs[n_inputs], self.width * sizeof(float))
                inputs[n_inputs] = copy
            n_inputs += 1
            if self.skip_gram:
                stamp = &buffer.input_stamps[word & (N_STAMPS - 1)]
                scratch.has_twins |= stamp[0] == buffer.n_input_windows
                stamp[0] = buffer.n_input_windows
        return n_inputs

    cdef inline void train_word(
        self, const Slot *slot, Buffer *buffer, int t, float **inputs,
        float *copied_inputs, const Means *means, skml_scratch *scratch,
        double *totals, float rate,
    ) noexcept nogil:
        cdef int n_inputs, i, n
        if slot.first == slot.last:
            return
        buffer.n_input_windows += 1
        scratch.has_twins = 0
        if self.has_parts:
            n_inputs = self.gather_means(slot, means, t, inputs)
        else:
            n_inputs = self.gather_rows(
                slot, buffer, t, inputs, copied_inputs, scratch
            )
        totals[1] += n_inputs if self.skip_gram else 1
        i = 0
        while i < n_inputs:
            n = n_inputs - i
            if self.n_inputs_together:
                n = min(n, self.n_inputs_together)
            totals[0] += self.step(inputs + i, n, &slot.outputs, rate, scratch)
            i += n
