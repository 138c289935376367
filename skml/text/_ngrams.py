"""Documents to the ids of their tokens, or to counts of n-grams, batch by batch."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, pairwise
from operator import itemgetter
from threading import Lock

import numpy as np
from joblib import effective_n_jobs
from scipy import sparse

from skml.text._alphabet import Alphabet
from skml.text._id_stream import IdStream
from skml.text._ngram_kernel import NgramCounter
from skml.text._term_order import SortedTerms
from skml.text._term_tree import TermTree
from skml.text._terms import Terms
from skml.text._texts import Texts
from skml.text._tfidf_vocabulary import Vocabulary
from skml.text._threads import in_threads
from skml.text._vocabulary import EncodedDocuments, raise_bad_token, spell

# Documents at a time, and about how many characters or tokens: enough to amortise a
# call, and no memory to speak of.
BATCH, LONGEST = 1 << 12, 1 << 20
LEAST = 64  # documents that a thread takes at least
LEAST_TERMS = 1 << 12  # and terms
BATCHES = 8  # of these are counted at a time where terms are added to others
MOST = 1 << 30  # symbols of an n-gram; no document has so many


@dataclass(frozen=True)
class Analysis:
    """How documents become symbols, which are words or characters, and these n-grams.

    Attributes
    ----------
    caller : str
        The name of the estimator, for messages.
    alphabet : Alphabet
        What each character of a str becomes.
    analyze : callable
        From a str to its symbols, where each character by itself does not decide.
    of_words : bool
        Whether symbols are words.
    within_words : bool
        Whether n-grams of characters are those of one word.
    min_characters : int
        How many characters a word has at least.
    stop_words : sequence of str
        Words that are left out.
    ngram_range : tuple of (int, int)
        How many symbols an n-gram has.
    """

    caller: str
    alphabet: Alphabet
    analyze: Callable
    of_words: bool = True
    within_words: bool = False
    min_characters: int = 2
    stop_words: tuple = ()
    ngram_range: tuple = (1, 1)

    def new_terms(self):
        """Terms, of which the first are the stop words."""
        return self.begin_terms(Terms(of_words=self.of_words))

    def begin_terms(self, terms):
        """Have terms, of which there are none so far, begin with the stop words."""
        terms.add(*spell(self.stop_words), 1)
        return terms

    def counter(self, terms, *, in_order=False):
        min_n, max_n = (1, 1) if in_order else self.ngram_range
        return NgramCounter(
            self.alphabet,
            terms,
            min_n=min_n,
            max_n=max_n,
            within_words=self.within_words,
            min_characters=self.min_characters,
            n_stop_words=len(self.stop_words),
            in_order=in_order,
        )

    def count(self, counter, documents, first, last, position):
        """Count some of the documents, of which the very first has a position."""
        try:
            return counter.count(documents, first, last, self.analyze)
        except TypeError:
            at = first + counter.n_done
            raise_bad_token(documents[at], position + at, self.caller)
            raise


def encode(documents, analysis, max_bytes, n_jobs=None):
    """Give every distinct token an id, in order of first appearance.

    Parameters
    ----------
    documents : Texts, or iterable of str or of sequence of str
        The documents; a sequence holds tokens.
    analysis : Analysis
        How a str becomes tokens.
    max_bytes : float
        How many bytes of ids are held in memory; more go to a temporary file.
    n_jobs : int or None, default=None
        The number of threads, as in joblib. The result does not depend on it.

    Returns
    -------
    terms : list of str
        The distinct tokens; the position is the id.
    documents : EncodedDocuments
        The documents as ids.
    """
    terms, documents = encode_terms(documents, analysis, max_bytes, n_jobs)
    return terms.symbols()[len(analysis.stop_words) :], documents


def encode_terms(documents, analysis, max_bytes, n_jobs=None):
    """As `encode`, but the first of the terms, `Terms`, are the stop words."""
    n_jobs = effective_n_jobs(n_jobs)
    every = [analysis.new_terms() for _ in range(n_jobs)]
    counters = [analysis.counter(terms, in_order=True) for terms in every]
    # The terms of each thread as those of the first, which takes over all of them.
    renamed = [None] * n_jobs
    stream, offsets = IdStream(max_bytes), [np.zeros(1, dtype=np.int64)]
    n_stop_words, position = len(analysis.stop_words), 0
    for batch in _batches(documents, n_jobs):
        cuts = np.linspace(0, len(batch), n_jobs + 1).astype(int).tolist()
        pieces = [
            (counter, batch, a, b, position)
            for counter, (a, b) in zip(counters, pairwise(cuts), strict=True)
        ]
        counted = in_threads(lambda piece: analysis.count(*piece), pieces)
        for i, (ends, _) in enumerate(counted):
            tokens = counters[i].counts.take_tokens()
            if i > 0:
                renamed[i] = every[0].absorb(every[i], renamed[i])
                tokens = renamed[i][tokens]
            offsets.append(stream.n_ids + ends)
            stream.write(tokens - np.int32(n_stop_words))
        position += len(batch)
    return every[0], EncodedDocuments(stream.finish(), np.concatenate(offsets))


def _batches(documents, factor=1):
    """Documents that follow each other, as `Texts`."""
    most, longest = factor * BATCH, factor * LONGEST
    if isinstance(documents, list):
        documents = Texts(documents)
    if isinstance(documents, Texts) and documents.are_str:
        yield from _parts(documents, most, longest)
        return
    batch, size = [], 0
    for document in documents:
        batch.append(document)
        size += len(document) if hasattr(document, "__len__") else 1
        if len(batch) >= most or size >= longest:
            yield Texts(batch)
            batch, size = [], 0
    yield Texts(batch)


def _parts(documents, most, longest):
    """The same of str, without a loop over them."""
    ends = np.cumsum(documents.lengths())
    first = size = 0
    while first < len(documents):
        last = min(first + most, 1 + int(np.searchsorted(ends, size + longest)))
        last = min(last, len(documents))
        yield documents.part(first, last)
        first, size = last, ends[last - 1]


@dataclass
class _Worker:
    """What a thread counts: pieces of documents that follow each other."""

    terms: Terms
    counter: NgramCounter
    pieces: list = field(default_factory=list)  # number, ends of counts, symbols
    renamed: np.ndarray | None = None  # where its terms are in the tree of all

    def begin_anew(self, analysis):
        """The same memory for other terms and counts."""
        self.counter.clear()
        analysis.begin_terms(self.terms)
        return _Worker(self.terms, self.counter)

    def take_columns(self, columns):
        """Have counts say their columns; where those of each piece end now."""
        if callable(columns):
            columns = columns(self.terms)
        elif self.renamed is not None:
            columns = columns[self.renamed]
        ends = _concatenate([ends for _, ends, _ in self.pieces])
        ends = self.counter.counts.take_columns(ends, columns)
        rows, last = {}, 0
        for number, of_piece, _ in self.pieces:
            first, last = last, last + len(of_piece)
            rows[number] = ends[first : last + 1]
        return rows


@dataclass
class Counts:
    """Counts of n-grams.

    Attributes
    ----------
    tree : TermTree or None
        The terms in order, if `sort` was called. What is said of each term is said in
        this order then, and otherwise in that of `terms`.
    n_symbols : ndarray of shape (n_documents,)
        How many words or characters each document has.
    has_blanks : bool
        Whether a word has, so that two terms may be spelled alike.
    """

    workers: list
    analysis: Analysis
    first: list = field(default_factory=list)
    tree: TermTree | None = None

    def sort(self):
        """Put the terms in order, before anything is asked about them."""
        workers = in_threads(SortedTerms, [worker.terms for worker in self.workers])
        n_threads = min(len(workers), sum(len(w.ids) for w in workers) // LEAST_TERMS)
        self.tree = TermTree(workers, max(1, n_threads))
        for worker, renamed in zip(self.workers, self.tree.renamed, strict=True):
            worker.renamed = renamed

    @cached_property
    def terms(self):
        """The terms, those of the first worker and the others behind."""
        first, *others = self.workers
        for worker in others:
            if worker.terms is not first.terms:
                worker.renamed = first.terms.absorb(worker.terms)
        return first.terms

    @property
    def n_terms(self):
        return (self.tree or self.terms).n_terms

    @property
    def n_threads(self):
        """How many threads go through all terms."""
        return max(1, min(len(self.workers), self.n_terms // LEAST_TERMS))

    @cached_property
    def n_symbols(self):
        pieces = sorted(
            (piece for worker in self.workers for piece in worker.pieces),
            key=itemgetter(0),
        )
        return _concatenate([sizes for _, _, sizes in pieces])

    def sample(self):
        """Words of the first documents."""
        return encode(self.first, self.analysis, np.inf)[0]

    @property
    def has_blanks(self):
        return any(worker.counter.has_blanks for worker in self.workers)

    def spelled(self):
        """The spelling of each term, as a list of str."""
        n_terms = self.n_terms
        if self.tree is not None:
            every = np.ones(n_terms, dtype=np.uint8)
            numbers, _, sizes = self.tree.number(every)
            terms = Vocabulary(*self.tree.spell(numbers, sizes)).terms
            return [terms[i] for i in numbers.tolist()]
        if n_terms == self.terms.n_symbols:
            return self.terms.symbols()
        spelling = self.terms.spell(np.arange(n_terms, dtype=np.int32), n_terms)
        return Vocabulary(*spelling).terms

    def document_frequencies(self):
        """In how many documents each term is."""
        df = np.zeros(self.n_terms, dtype=np.int64)
        for worker in self.workers:
            worker.counter.counts.add_document_frequencies(worker.renamed, df)
        return df

    def frequencies(self):
        """How often each term is in all documents together."""
        tf = np.zeros(self.n_terms, dtype=np.int64)
        for worker in self.workers:
            worker.counter.counts.add_frequencies(worker.renamed, tf)
        return tf

    def close(self, columns):
        """A function that returns terms that take no others, and their columns."""
        if len(self.workers) == 1:
            terms, renamed = self.workers[0].terms, self.workers[0].renamed
            return lambda: (terms, columns[renamed])
        tree, analysis, n_threads = self.tree, self.analysis, self.n_threads
        stop_words = self.workers[0].renamed[: len(analysis.stop_words)]

        def merged():
            terms = Terms(of_words=analysis.of_words)
            numbers = tree.fill(terms, stop_words, n_threads)
            of_terms = np.empty(terms.n_terms, dtype=np.int32)
            of_terms[numbers] = columns
            return terms, of_terms

        return merged

    def matrix(self, columns, n_columns, dtype):
        """The counts as a CSR matrix, given the column of each term; only once.

        Or given a function from `Terms` to their columns, which is called in threads.
        The columns are in order in each row. The counts are forgotten.
        """
        rows_of = in_threads(lambda worker: worker.take_columns(columns), self.workers)
        # The pieces in their order, and where the rows of each begin.
        rows = dict(sorted(item for rows in rows_of for item in rows.items()))
        sizes = _concatenate([np.diff(of_piece) for of_piece in rows.values()])
        ends = np.zeros(len(sizes) + 1, dtype=np.int64)
        np.cumsum(sizes, out=ends[1:])
        sizes_of_pieces = [of_piece[-1] - of_piece[0] for of_piece in rows.values()]
        begins = dict(zip(rows, np.cumsum([0, *sizes_of_pieces]), strict=False))
        data = np.empty(ends[-1], dtype=dtype)
        indices = np.empty(ends[-1], dtype=np.int32)

        def write(worker):
            # From behind, so that the memory of what is written can be given back.
            counts = worker.counter.counts
            for number, _, _ in reversed(worker.pieces):
                of_piece, a = rows[number], begins[number]
                b = a + of_piece[-1] - of_piece[0]
                counts.write_rows(of_piece, n_columns, indices[a:b], data[a:b])
                counts.forget(int(of_piece[0]))

        in_threads(write, self.workers)
        # A matrix, not an array: what scikit-learn makes of it is its own choice.
        matrix = sparse.csr_matrix((data, indices, ends), (len(sizes), n_columns))
        matrix.has_sorted_indices = True
        return matrix


def _concatenate(arrays):
    return np.concatenate([np.empty(0, dtype=np.int64), *arrays])


def count_batches(documents, analysis, *, n_jobs=None, factor=BATCHES):
    """Count the n-grams of documents, batch by batch, each with terms of its own.

    The next counts take the memory of those before.
    """
    position, workers = 0, []
    for batch in _batches(documents, factor):
        if batch or not position:
            counts = count(
                batch, analysis, n_jobs=n_jobs, workers=workers, position=position
            )
            workers = counts.workers
            yield counts
        position += len(batch)


def count(documents, analysis, *, n_jobs=None, terms=None, workers=(), position=0):
    """Count the n-grams of documents.

    Parameters
    ----------
    documents : Texts, or iterable of str or of sequence of str
        The documents; a sequence holds tokens.
    analysis : Analysis
        How a str becomes symbols, and these n-grams.
    n_jobs : int or None, default=None
        The number of threads, as in joblib. The counts do not depend on it.
    terms : Terms or None, default=None
        The only terms to count.
    workers : sequence of _Worker, default=()
        Those of other counts, which are forgotten.
    position : int, default=0
        That of the first document, for messages.

    Returns
    -------
    counts : Counts
        The counts.
    """
    n_jobs = effective_n_jobs(n_jobs)
    if isinstance(documents, list):
        documents = Texts(documents)
    is_whole = isinstance(documents, Texts)
    if is_whole:
        n_jobs = max(1, min(n_jobs, len(documents)))
    workers = [worker.begin_anew(analysis) for worker in workers[:n_jobs]]
    for _ in range(n_jobs - len(workers)):
        of_worker = analysis.new_terms() if terms is None else terms
        workers.append(_Worker(of_worker, analysis.counter(of_worker)))
    counts = Counts(workers, analysis)
    # With several threads, they wait for each other at the end of each batch.
    batches = [documents] if is_whole else _batches(documents, min(8 * n_jobs, 64))
    for batch in batches:
        _count_batch(batch, position, workers, analysis)
        counts.first = counts.first or list(islice(batch, 20))
        position += len(batch)
    return counts


def _count_batch(batch, position, workers, analysis):
    """Count documents, of which the first has a position, in threads.

    A thread takes the next ones when it is done. No matter which thread fails, it is
    the first documents that fail which are reported: all before them are counted.
    """
    n = len(batch)
    size = min(BATCH, max(LEAST, -(-n // (32 * len(workers)))))
    begins, lock, failed = iter(range(0, n, size)), Lock(), {}

    def run(worker):
        while not failed:
            with lock:
                begin = next(begins, None)
            if begin is None:
                return
            piece = batch, begin, min(begin + size, n), position
            try:
                counted = analysis.count(worker.counter, *piece)
                worker.pieces.append((position + begin, *counted))
            except BaseException as error:
                failed[begin] = error

    in_threads(run, workers)
    if failed:
        raise failed[min(failed)]


def order_symbols(terms):
    """The terms that are symbols, in the order of their spelling."""
    in_order = SortedTerms(terms)
    return in_order.ids[: in_order.begins[1]].astype(np.int64)


def number_in_order(terms, is_found):
    """Number some of the terms in the order of their spelling; -1 of the others."""
    tree = TermTree([SortedTerms(terms)])
    of_nodes, nodes = np.empty(terms.n_terms, dtype=np.uint8), tree.renamed[0]
    of_nodes[nodes] = is_found
    return tree.number(of_nodes)[0][nodes]
