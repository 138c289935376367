"""Warnings of documents in which nothing is known, and of words that none can hold."""

import re

import numpy as np

from skml._fitting import warn_user

# Scripts of Chinese, Japanese, Thai, Lao, Burmese and Khmer.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]"
)

_HOW_DOCUMENTS_DIFFER = (
    "Are the documents in their language, and of their form (text or lists of tokens, "
    "upper or lower case)?"
)


def warn_unknown(
    estimator,
    documents,
    n_known,
    terms,
    *,
    why,
    remedy=_HOW_DOCUMENTS_DIFFER,
    most=0.9,
):
    """Warn if such a fraction of the documents with tokens have none that is known.

    `documents` are encoded by `terms`; `n_known` is how many tokens of each are known.
    A single document is no reason to warn.
    """
    n_tokens = np.diff(documents.offsets)
    n_filled = np.count_nonzero(n_tokens)
    n_lost = n_filled - np.count_nonzero(n_known[n_tokens > 0])
    if n_filled > 1 and n_lost >= most * n_filled:
        which = "most" if n_lost < n_filled else "all"
        if estimator.analyzer == "word" and estimator.tokenizer is None:
            remedy += segmentation_advice(terms)
        warn_user(
            f"{type(estimator).__name__}: {which} documents have no known word and "
            f"become zeros: {why}. {remedy}"
        )


def segmentation_advice(terms):
    """What to do where most terms are of a script that is written without spaces."""
    sample = [terms[i] for i in range(min(len(terms), 1000))]
    if 2 * sum(_UNSPACED.match(term) is not None for term in sample) < len(sample):
        return ""
    return (
        " Chinese is written without spaces, and so are other languages: use "
        "analyzer='char', or pass a segmenter as tokenizer."
    )


def warn_unreachable(caller, analyze, terms, is_found):
    """Warn if terms of a vocabulary are what `analyze` never makes of text.

    Returns whether there are such terms, of which `is_found` marks those that occur.
    """
    absent = np.flatnonzero(~is_found)
    lines = [terms[i] for i in absent]
    if analyze("\n".join(lines)) == lines:  # as a rule, and faster than each by itself
        return False
    lost = [(i, analyze(terms[i])) for i in absent]
    lost = [(i, tokens) for i, tokens in lost if tokens != [terms[i]]]
    # Ready tokens are not analysed: then, some such terms are found, as a rule.
    if not lost or any(
        analyze(terms[i]) != [terms[i]] for i in np.flatnonzero(is_found)
    ):
        return False
    first, tokens = lost[0]
    becomes = " and ".join(map(repr, tokens)) or "nothing"
    warn_user(
        f"{caller}: {len(lost)} of {len(terms)} terms of vocabulary are never found in "
        f"text, as its analysis makes something else of them: {terms[first]!r:.60} "
        f"becomes {becomes:.60}. Spell the terms as they are after the analysis, or "
        "change lowercase, strip_accents, stop_words or token_pattern."
    )
    return True
