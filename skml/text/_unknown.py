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
    n_tokens,
    n_known,
    terms,
    *,
    why,
    remedy=_HOW_DOCUMENTS_DIFFER,
    most=0.9,
    become="become zeros",
):
    """Warn if such a fraction of the documents with tokens have none that is known.

    `n_tokens` is how many tokens each document has, and `n_known` how many of them are
    known. `terms`, some of the tokens, and the reason may be functions that return
    them. `become` says what happens to such a document. A single document is no reason
    to warn.
    """
    n_filled = np.count_nonzero(n_tokens)
    n_lost = n_filled - np.count_nonzero(n_known[n_tokens > 0])
    if n_filled > 1 and n_lost >= most * n_filled:
        which = "most" if n_lost < n_filled else "all"
        if estimator.analyzer == "word" and estimator.tokenizer is None:
            remedy += segmentation_advice(terms() if callable(terms) else terms)
        warn_user(
            f"{type(estimator).__name__}: {which} documents have no known word and "
            f"{become}: {why() if callable(why) else why}. {remedy}"
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

    Text that is the term alone becomes it, if any text does. Returns whether there are
    such terms, of which `is_found` marks those that occur.
    """
    lost = [
        (terms[i], becomes)
        for i in np.flatnonzero(~is_found)
        if terms[i] not in (becomes := analyze(terms[i]))
    ]
    # Ready tokens are not analysed: then, some such terms are found, as a rule.
    if not lost or any(
        terms[i] not in analyze(terms[i]) for i in np.flatnonzero(is_found)
    ):
        return False
    first, becomes = lost[0]
    becomes = " and ".join(map(repr, becomes)) or "nothing"
    warn_user(
        f"{caller}: {len(lost)} of {len(terms)} terms of vocabulary are never found in "
        f"text, as its analysis makes something else of them: {first!r:.60} "
        f"becomes {becomes:.60}. Spell the terms as they are after the analysis, or "
        "change lowercase, strip_accents, stop_words, token_pattern or ngram_range."
    )
    return True
