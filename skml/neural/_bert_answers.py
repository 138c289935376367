"""Answers in contexts: as targets, as tokens of windows, and as what scores best."""

import unicodedata
from dataclasses import dataclass
from numbers import Integral
from typing import NamedTuple

import numpy as np

from skml._fitting import warn_user
from skml._validation import is_missing
from skml.neural._bert_targets import Targets
from skml.neural._bert_text import cut_into_windows

NOWHERE = (-1, -1)
_FORMS = (
    "a str, a tuple (text, start), a dict with 'text' and 'answer_start', a list of "
    "str, or None for no answer"
)


class Answer(NamedTuple):
    """A candidate."""

    text: str  # "" if there is no answer
    start: int  # where it begins in the context, in characters
    end: int  # behind its last character
    score: float


# Reading answers


def list_answers(y, caller):
    """The answers, one for each question."""
    is_one = isinstance(y, (str, bytes, bytearray, dict, set, frozenset))
    if is_one or not hasattr(y, "__iter__"):
        raise TypeError(
            f"{caller}: y is {y!r:.60} ({type(y).__name__}); expected a list with an "
            "answer for each question."
        )
    n_dimensions = 2 if hasattr(y, "columns") else getattr(y, "ndim", 1)
    if n_dimensions != 1:
        raise ValueError(
            f"{caller}: y is a {type(y).__name__} with {n_dimensions} dimension(s); "
            "expected one. Pass answers with their positions as a list of tuples."
        )
    return list(y)


def find_answer(answer, context, where):
    """Where an answer begins and ends in its context; `NOWHERE` if there is none.

    Of several answers, the first with a text is taken. Messages begin with `where`.
    """
    text, start = _text_and_start(answer, where)
    stripped = text.strip()
    if not stripped:
        return NOWHERE
    if start is None:
        start = context.find(text)
        if start < 0:
            raise ValueError(
                f"{where}: the answer {text!r:.60} is not in the context "
                f"{context!r:.60}. Pass a text as it is written there, or None for no "
                "answer."
            )
    elif start < 0 or context[start : start + len(text)] != text:
        there = context[start : start + len(text)] if start >= 0 else ""
        raise ValueError(
            f"{where}: the answer {text!r:.60} should begin at character {start} of "
            f"the context, where {there!r:.60} stands. Starts are counted in "
            "characters, from 0."
        )
    start += text.index(stripped)
    return start, start + len(stripped)


def _text_and_start(answer, where):
    """The text that is learned, and where it begins; None if that is not known."""
    if is_missing(answer):
        return "", None
    if isinstance(answer, dict):
        missing = [name for name in ("text", "answer_start") if name not in answer]
        if missing:
            raise ValueError(
                f"{where}: the dict has no {missing[0]!r}; its keys are "
                f"{list(answer)!r:.60}."
            )
        texts, starts = answer["text"], answer["answer_start"]
        if isinstance(texts, str):
            texts, starts = [texts], starts if _is_list(starts) else [starts]
        if not (_is_list(texts) and _is_list(starts) and len(texts) == len(starts)):
            raise ValueError(
                f"{where}: expected as many starts as texts; got the texts "
                f"{texts!r:.60} and the starts {starts!r:.60}."
            )
    elif isinstance(answer, tuple) and len(answer) == 2 and _is_int(answer[1]):
        texts, starts = answer[:1], answer[1:]
    else:
        texts = [answer] if isinstance(answer, str) else answer
        if not _is_list(texts):
            _refuse(answer, where, _FORMS)
        starts = [None] * len(texts)
    for text, start in zip(texts, starts, strict=True):
        if not isinstance(text, str):
            _refuse(text, where, "a str as the text of the answer")
        if not (start is None or _is_int(start)):
            _refuse(start, where, "an int as the start of the answer")
    with_text = (pair for pair in zip(texts, starts, strict=True) if pair[0].strip())
    text, start = next(with_text, ("", None))
    return str(text), start if start is None else int(start)


def _is_list(value):
    # Arrow tables hand out lists as arrays.
    is_array = hasattr(value, "dtype") and getattr(value, "ndim", 0) == 1
    return is_array or isinstance(value, (list, tuple))


def _is_int(value):
    return isinstance(value, Integral) and not isinstance(value, bool)


def _refuse(value, where, expected):
    raise TypeError(
        f"{where}: expected {expected}; got {value!r:.60} ({type(value).__name__})."
    )


def cut_questions(tokenizer, pairs, longest):
    """Pairs whose questions have at most so many tokens, and how many were cut."""
    questions = [question for question, _ in pairs]
    n_cut = 0
    for position, encoding in enumerate(tokenizer.encode(questions, special=False)):
        question = questions[position]
        n_cut += len(encoding) > longest
        while len(encoding) > longest:
            # Several tokens may be of one character, which then goes as a whole.
            offsets = give_back(np.array(encoding.offsets), question)
            end = min(offsets[longest, 0], len(question) - 1)
            question = question[:end].rstrip()
            (encoding,) = tokenizer.encode([question], special=False)
        questions[position] = question
    contexts = [context for _, context in pairs]
    return list(zip(questions, contexts, strict=True)), n_cut


# From characters to tokens, and back


def give_back(offsets, text):
    """Where tokens begin and end, with first characters that belong to no token.

    A tokenizer that puts a blank before a word may count it as a character, so that
    the word begins one too late. Marks and control characters, which others drop, stay
    left out.
    """
    starts, stops = offsets.T
    changes = np.bincount(starts, minlength=len(text) + 1)
    changes -= np.bincount(stops, minlength=len(text) + 1)
    is_covered = changes.cumsum() > 0
    is_late = (starts > 0) & ~is_covered[starts - 1]
    # Of tokens that begin together, the first may be of that character alone.
    first = np.full(len(text) + 1, len(text))
    np.minimum.at(first, starts, stops)
    is_late &= stops == first[starts]
    is_late[is_late] = [
        unicodedata.category(text[start - 1])[0] in "LNPS" for start in starts[is_late]
    ]
    return np.column_stack([starts - is_late, stops])


def cut_contexts(tokenizer, pairs, *, max_length, overlap):
    """Windows of contexts, each behind the question.

    They have the details "offsets" and "sequence_ids" of :func:`cut_into_windows`, and
    "spans": where in its context each token begins and ends, in characters; zeros for
    tokens that are not of the context.
    """
    windows, _ = cut_into_windows(
        tokenizer,
        pairs,
        "pairs",
        max_length=max_length,
        overlap=overlap,
        strategy="only_second",
        details=("offsets", "sequence_ids"),
    )
    details = windows.details
    spans = [
        np.where(texts[:, None] == 1, offsets, 0)
        for offsets, texts in zip(*details.values(), strict=True)
    ]
    details["spans"] = []
    stops = np.bincount(windows.documents).cumsum()
    for start, stop, (_, context) in zip([0, *stops], stops, pairs, strict=False):
        of_windows = give_back(np.concatenate(spans[start:stop]), context)
        borders = windows.lengths[start:stop].cumsum()[:-1]
        details["spans"] += np.split(of_windows, borders)
    return windows


def find_tokens(windows, spans):
    """The first and the last token of the answer in each window.

    Both are zero, the position of [CLS], where a window has not all of the answer.
    """
    tokens = np.zeros((len(windows), 2), dtype=np.int64)
    borders = np.zeros_like(tokens)  # in characters, of the part in the window
    for row, document in enumerate(windows.documents):
        start, end = spans[document]
        if start < 0:
            continue
        offsets = windows.details["spans"][row]
        is_part = (offsets[:, 0] < end) & (offsets[:, 1] > start)
        is_part &= offsets[:, 0] < offsets[:, 1]
        if is_part.any():
            tokens[row] = np.flatnonzero(is_part)[[0, -1]]
            borders[row] = np.clip(offsets[tokens[row], [0, 1]], start, end)
    # Characters that the tokenizer drops have no token, so that the windows themselves
    # show how far an answer goes.
    starts = np.full(len(spans), np.iinfo(np.int64).max)
    ends = np.zeros(len(spans), dtype=np.int64)
    found = tokens[:, 0] > 0
    np.minimum.at(starts, windows.documents[found], borders[found, 0])
    np.maximum.at(ends, windows.documents[found], borders[found, 1])
    is_whole = borders[:, 0] == starts[windows.documents]
    is_whole &= borders[:, 1] == ends[windows.documents]
    tokens[~is_whole] = 0
    return tokens


def widen(start, end, context):
    """A span without blanks around, and with the marks of its last letter."""
    text = context[start:end]
    start += len(text) - len(text.lstrip())
    end -= len(text) - len(text.rstrip())
    # Tokenizers that drop accents leave them out.
    while end < len(context) and unicodedata.category(context[end])[0] == "M":
        end += 1
    return start, end


@dataclass(frozen=True, eq=False)
class AnswerTargets(Targets):
    """Where the answers to questions begin and end in their contexts."""

    values: np.ndarray  # of shape (n_samples, 2), in characters; negative for none
    longest: int  # tokens of an answer that is predicted
    caller: str

    def config_changes(self):
        return {"num_labels": 2}  # a logit for the start, and one for the end

    def values_of_windows(self, windows):
        """The first and the last token of answers, and the number of tokens."""
        tokens = find_tokens(windows, self.values)
        self._warn_of_unlearned(windows, tokens)
        return np.column_stack([tokens, windows.lengths])

    def _warn_of_unlearned(self, windows, tokens):
        """Warn of answers that cannot be learned, or not be found."""
        lengths = np.zeros(len(self.values), dtype=np.int64)
        of_windows = np.where(tokens[:, 0] > 0, tokens[:, 1] - tokens[:, 0] + 1, 0)
        np.maximum.at(lengths, windows.documents, of_windows)
        if n_lost := ((self.values[:, 0] >= 0) & (lengths == 0)).sum():
            warn_user(
                f"{self.caller}: {n_lost} answer(s) are in no window as a whole, and "
                "are learned as if there were none: they are longer than what two "
                "windows share, or the tokenizer drops all their characters. Raise "
                "max_length or window_overlap, or leave them out."
            )
        if n_long := (lengths > self.longest).sum():
            warn_user(
                f"{self.caller}: {n_long} answer(s) have more tokens than "
                f"max_answer_length={self.longest!r}, up to {lengths.max()}, and will "
                "never be predicted as a whole. Raise it."
            )

    def chance_loss(self, values, weights):
        # As if all positions were alike, since none is frequent.
        return np.average(np.log(values[:, 2]), weights=weights)

    def objective(self, outputs, values, weights):
        import torch
        from torch.nn import functional

        losses = 0.0
        behind = torch.arange(outputs.start_logits.shape[1], device=values.device)
        behind = behind >= values[:, 2:]  # padding, where no answer can be
        for column, logits in enumerate((outputs.start_logits, outputs.end_logits)):
            logits = logits.float().masked_fill(behind, -torch.inf)
            losses = losses + functional.cross_entropy(
                logits, values[:, column], reduction="none"
            )
        return (losses / 2 * weights).sum(), float(weights.sum())


# The search


def best_spans(start, end, longest, n_best):
    """First and last tokens of the spans with the largest sums of logits, and these.

    The best is first; of equals, that which begins first, then the shorter one. All
    that equal the last of `n_best` are there, too. Where none may begin or end, logits
    are minus infinity.
    """
    longest = min(longest, len(start))
    padded = np.concatenate([end, np.full(longest - 1, -np.inf, dtype=end.dtype)])
    bands = np.lib.stride_tricks.sliding_window_view(padded, longest)
    sums = (start[:, None] + bands).ravel()
    if n_best < len(sums):
        least = np.partition(sums, len(sums) - n_best)[len(sums) - n_best]
    else:
        least = -np.inf
    chosen = np.flatnonzero((sums >= least) & (sums > -np.inf))
    chosen = chosen[np.argsort(-sums[chosen], kind="stable")]
    first, length = np.divmod(chosen, longest)
    return first, first + length, sums[chosen]


def best_of_window(start, end, spans, context, longest, n_best):
    """The best answers with different texts in a window, the best first."""
    spans = spans.tolist()
    # A token may be a blank, or nothing, or not of the context.
    is_open = [bool(context[a:b].strip()) for a, b in spans]
    start, end = (np.where(is_open, values, -np.inf) for values in (start, end))
    n_spans = n_best
    while True:
        found = {}
        first, last, scores = best_spans(start, end, longest, n_spans)
        for a, b, score in zip(first, last, scores.tolist(), strict=True):
            span = widen(spans[a][0], spans[b][1], context)
            text = context[slice(*span)]
            found.setdefault(text, Answer(text, *span, score))
            if len(found) == n_best:
                return list(found.values())
        if len(scores) < n_spans:
            return list(found.values())
        n_spans *= 4


def best_of_pair(answers, n_best):
    """The best answers with different texts of all windows, the best first."""
    found = {}
    for answer in answers:
        if answer.text not in found or answer.score > found[answer.text].score:
            found[answer.text] = answer
    return sorted(found.values(), key=lambda answer: -answer.score)[:n_best]
