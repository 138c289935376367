"""The n-grams that sentences share with their references, counted all at once."""

from itertools import pairwise

import numpy as np

# Tokens that are counted together, so that the arrays stay in the processor's cache.
_BLOCK = 1 << 15


def _sort(keys, n_keys):
    """Sort integers from 0 to n_keys - 1; also where each stood, equal ones in order.

    The place is packed into the low bits where there is room, since NumPy sorts
    numbers several times faster than it tells their order.
    """
    n_bits = len(keys).bit_length()
    if (int(n_keys) - 1).bit_length() + n_bits > 63:
        order = np.argsort(keys, kind="stable")
        return keys[order], order
    packed = keys << n_bits
    packed |= np.arange(len(keys))
    packed.sort()
    return packed >> n_bits, packed & ((1 << n_bits) - 1)


def count_matches(ids, lengths, n_references, max_order):
    """Count the n-grams of sentences that their references have too, by order.

    An n-gram counts as often as it occurs in the sentence, and at most as often as in
    that reference where it is most frequent. The ids of tokens are those of each
    sentence, and behind it of its references; `lengths` are those of all of these.
    """
    n_sentences = len(n_references)
    # Where each sentence starts: its segments, and their tokens.
    segments = np.concatenate([[0], np.cumsum(n_references + 1)])
    tokens = np.concatenate([[0], np.cumsum(lengths)])[segments]
    cuts = np.searchsorted(tokens, np.arange(_BLOCK, tokens[-1], _BLOCK))
    cuts = np.unique(np.concatenate([[0], cuts, [n_sentences]]))
    matches = np.zeros((n_sentences, max_order), dtype=np.int64)
    for start, stop in pairwise(cuts.tolist()):
        _count_block(
            ids[tokens[start] : tokens[stop]],
            lengths[segments[start] : segments[stop]],
            n_references[start:stop],
            matches[start:stop],
        )
    return matches


def _count_block(ids, lengths, n_references, matches):
    """Count the matches of some sentences, and write them into `matches`."""
    n_sentences, max_order = matches.shape
    sentence_of = np.repeat(np.arange(n_sentences), n_references + 1)
    is_prediction = np.zeros(len(lengths), dtype=bool)
    is_prediction[np.cumsum(n_references + 1) - n_references - 1] = True
    segment_at = np.repeat(np.arange(len(lengths)), lengths)
    # How many tokens there are from each to the end of its segment.
    left = np.cumsum(lengths)[segment_at] - np.arange(len(ids))
    places = np.arange(len(ids))
    n_ids = int(ids.max(initial=0)) + 1
    keys, n_keys = sentence_of[segment_at] * n_ids + ids, n_sentences * n_ids
    gram_at = np.empty(len(ids) + 1, dtype=np.int64)
    for order in range(1, max_order + 1):
        if not len(places):
            return
        keys, moved = _sort(keys, n_keys)
        places = places[moved]
        # Runs of one n-gram, and within them the parts that lie in one segment.
        segment = segment_at[places]
        is_run = np.concatenate([[True], keys[1:] != keys[:-1]])
        is_part = is_run | np.concatenate([[True], segment[1:] != segment[:-1]])
        parts = np.flatnonzero(is_part)
        counts = np.diff(parts, append=len(keys))
        of_prediction = is_prediction[segment[parts]]
        runs = np.flatnonzero(is_run[parts])
        # A sentence stands before its references, so its part is the first of a run.
        predicted = np.where(of_prediction[runs], counts[runs], 0)
        allowed = np.maximum.reduceat(np.where(of_prediction, 0, counts), runs)
        clipped = np.minimum(predicted, allowed)
        matches[:, order - 1] = np.bincount(
            sentence_of[segment[parts[runs]]], weights=clipped, minlength=n_sentences
        )
        # A longer n-gram is two that overlap. It can match only if they do.
        run = np.cumsum(is_run) - 1
        is_match = (clipped > 0)[run]
        gram_at[:] = -1
        gram_at[places[is_match]] = run[is_match]
        places = np.flatnonzero((gram_at[:-1] >= 0) & (gram_at[1:] >= 0))
        places = places[left[places] > order]
        n_grams = len(runs)
        keys = gram_at[places] * n_grams + gram_at[places + 1]
        n_keys = n_grams**2


def closest_lengths(lengths, n_references):
    """The lengths of sentences, and of those references that come closest.

    Of two that are equally close, the shorter one.
    """
    first = np.cumsum(n_references + 1) - n_references - 1
    is_reference = np.ones(len(lengths), dtype=bool)
    is_reference[first] = False
    of_sentence, of_reference = lengths[first], lengths[is_reference]
    apart = np.abs(of_reference - np.repeat(of_sentence, n_references))
    base = lengths.max() + 1
    least = np.minimum.reduceat(
        apart * base + of_reference, np.cumsum(n_references) - n_references
    )
    return of_sentence, least % base
