# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""Documents as ids: how often each occurs, and other ids in their place."""

from libc.stdint cimport int32_t, int64_t


def add_counts(const int32_t[::1] ids, int64_t[::1] counts):
    """Count how often each id occurs; ids are trusted to have a place in the counts."""
    cdef int64_t i
    with nogil:
        for i in range(ids.shape[0]):
            counts[ids[i]] += 1


def rename(
    int32_t[::1] ids,
    const int64_t[::1] offsets,
    const int32_t[::1] new_id,
    int64_t[::1] new_offsets,
    int64_t start,
    int64_t stop,
    int64_t document,
    int64_t n_kept,
):
    """Rename ids from `start` on and before `stop`; leave out what becomes negative.

    Parameters
    ----------
    ids : ndarray of shape (n_tokens,), dtype int32
        The ids. The new ones are written behind the first `n_kept`.
    offsets : ndarray of shape (n_documents + 1,), dtype int64
        Where each document begins, and the last one ends.
    new_id : ndarray of shape (n_ids,), dtype int32
        What becomes of each id.
    new_offsets : ndarray of shape (n_documents + 1,), dtype int64
        Overwritten where documents end before `stop`.
    start, stop : int
        Which ids.
    document : int
        The first document that does not end before `start`.
    n_kept : int
        How many ids were kept so far.

    Returns
    -------
    document, n_kept : int
        The same for a call that begins at `stop`.
    """
    cdef int64_t i, n_documents = offsets.shape[0] - 1
    cdef int32_t renamed
    with nogil:
        for i in range(start, stop):
            while offsets[document + 1] <= i:
                document += 1
                new_offsets[document] = n_kept
            # Written in any case and counted if kept: a branch would be mispredicted.
            renamed = new_id[ids[i]]
            ids[n_kept] = renamed
            n_kept += renamed >= 0
        if stop == ids.shape[0]:
            while document < n_documents:
                document += 1
                new_offsets[document] = n_kept
    return document, n_kept
