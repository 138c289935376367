"""Tokenisers of BLEU: from strings, or from tokens, to numbers of tokens.

Restated from what they do: `"13a"` is the language-dependent part of the WMT script
mteval-v13a.pl, `"intl"` the international tokenisation of mteval-v14.pl, `"zh"` the
first after each Chinese character is set apart, as sacrebleu 2 has them.

What such a tokeniser makes of a word, which stands between two blanks, depends on that
word alone, except at the ends of the line. So each different word is tokenised once,
and the text becomes numbers that stand for tokens.
"""

import re
import string
import unicodedata
from collections import defaultdict
from itertools import chain, count

import numpy as np

from skml._fitting import warn_user

TOKENIZERS = ("13a", "intl", "zh", "char", "none")

# Stands for the start or the end of a line beside its first or last word: no word has
# a blank inside.
_EDGE = "\n"

# What stands alone in 13a and zh. Apostrophe, comma, hyphen and full stop need not.
_MARKS = "".join(mark for mark in string.punctuation if mark not in "',-.")
# What 13a and zh do, in order. Each rule reads what the one before it wrote, and does
# not see a character twice: the second of two commas may stay where it is.
_WESTERN_RULES = (
    (re.compile(f"([{re.escape(_MARKS)}])"), r" \1 "),
    (re.compile(r"([^0-9])([.,])"), r"\1 \2 "),
    (re.compile(r"([.,])([^0-9])"), r" \1 \2"),
    (re.compile(r"([0-9])-"), r"\1 - "),
)
_ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))

# What sacrebleu takes for Chinese. Its table writes the last two planes with too few
# digits; what Python reads there is U+2001 to U+2A6D, so that dashes, curly quotes,
# arrows and mathematical signs are set apart, and rare ideographs are not.
_CHINESE = re.compile(
    "([\u2001-\u2a6d\u2e80-\u303f\u3100-\u312f\u31a0-\u31bf\u31c0-\u31ef"
    "\u3200-\u4db5\u4e00-\u9fbb\uf900-\ufa2d\ufa30-\ufa6a\ufa70-\ufad9"
    "\ufe10-\ufe1f\ufe30-\ufe4f\uff00-\uffef])"
)


def _international_rules(text):
    """What intl does to this text, in order, by the Unicode that this Python knows."""
    # Classes of what occurs and of one more: those of all Unicode would be long.
    members = {"N": ["0"], "P": ["."], "S": ["+"]}
    for character in set(text):
        members.get(unicodedata.category(character)[0], []).append(character)
    numbers, marks, symbols = (re.escape("".join(members[kind])) for kind in "NPS")
    return (
        (re.compile(f"([^{numbers}])([{marks}])"), r"\1 \2 "),
        (re.compile(f"([{marks}])([^{numbers}])"), r" \1 \2"),
        (re.compile(f"([{symbols}])"), r" \1 "),
    )


def _apply(rules, text):
    for pattern, replacement in rules:
        text = pattern.sub(replacement, text)
    return text


def _split_all(words, rules):
    """The tokens of each of many words; blanks surround a word unless marked."""
    inside = [word for word in words if _EDGE not in word]
    # One long text is faster than many short ones. The rules do not see past a blank.
    text = _apply(rules, " " + f" {_EDGE} ".join(inside) + " ")
    tokens = iter(map(str.split, text.split(_EDGE)))
    return [_split_edge(p, rules) if _EDGE in p else next(tokens) for p in words]


def _split_edge(word, rules):
    """The tokens of a word that begins a line, or ends one."""
    left = "" if word[0] == _EDGE else " "
    right = "" if word[-1] == _EDGE else " "
    return _apply(rules, f"{left}{word.strip(_EDGE)}{right}").split()


def _split_13a(words):
    text = _EDGE.join(words)
    if "&" in text:
        for entity, character in _ENTITIES:
            text = text.replace(entity, character)
        words = text.split(_EDGE)
    return _split_all(words, _WESTERN_RULES)


def _split_intl(words):
    return _split_all(words, _international_rules("".join(words)))


def _split_zh(words):
    return _split_all(words, ((_CHINESE, r" \1 "), *_WESTERN_RULES))


def _split_char(words):
    return list(map(list, words))


def _words(line):
    return line.split()


def _words_13a(line):
    """Whole words; a hyphen at the end of a line inside the string joins two."""
    if "<skipped>" in line or "\n" in line:
        line = line.rstrip().replace("<skipped>", "").replace("-\n", "")
    return line.split()


def _words_intl(line):
    """Words, of which the last ends the line, and the first may begin it."""
    words = line.split()
    if words:
        if not line[0].isspace():
            words[0] = _EDGE + words[0]
        words[-1] += _EDGE
    return words


def _words_zh(line):
    return _words_intl(line.lstrip())


# Letters of scripts without blanks between words, how many of them a token has on
# average at most if text was cut into words, and what cuts it.
_UNSPACED = (
    (re.compile("[\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f]"), 5, ("char",)),  # kana
    (
        re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"),
        3,
        ("zh", "char"),
    ),
    # Thai, Lao, Burmese, Khmer
    (re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]"), 12, ("char",)),
)
# How each tokeniser cuts a line into words, and many different words into tokens.
_STEPS = {
    "13a": (_words_13a, _split_13a),
    "intl": (_words_intl, _split_intl),
    "zh": (_words_zh, _split_zh),
    "char": (_words, _split_char),
    "none": (_words, None),
}


def _number(sequences):
    """Number the different items of sequences in order of their first appearance.

    Returns the numbers, the lengths of the sequences, and the different items.
    """
    numbers, lengths = defaultdict(count().__next__), []

    def measured():
        for sequence in sequences:
            lengths.append(len(sequence))
            yield sequence

    items = chain.from_iterable(measured())
    ids = np.fromiter(map(numbers.__getitem__, items), dtype=np.int64)
    return ids, np.array(lengths, dtype=np.int64), list(numbers)


def _expand(ids, lengths, parts):
    """Replace each item by its parts, which are sequences themselves."""
    part_ids, part_lengths, items = _number(parts)
    per_item = part_lengths[ids]
    ends = np.concatenate([[0], np.cumsum(per_item)])
    # Where the parts of each item stand in `part_ids`, less where they will stand.
    shifts = (np.cumsum(part_lengths) - part_lengths)[ids] - ends[:-1]
    taken = part_ids[np.repeat(shifts, per_item) + np.arange(ends[-1])]
    borders = ends[np.concatenate([[0], np.cumsum(lengths)])]
    return taken, np.diff(borders), items


def number_tokens(sequences, tokenize):
    """Tokenise strings (or take lists of tokens), and number the different tokens.

    Returns the numbers of all tokens, how many each sequence has, and the tokens.
    """
    if tokenize is None:
        return _number(sequences)
    if callable(tokenize):
        return _number(map(_checked(tokenize), sequences))
    cut, split = _STEPS[tokenize]
    ids, lengths, words = _number(map(cut, sequences))
    if split is None or not words:
        return ids, lengths, words
    return _expand(ids, lengths, split(words))


def warn_of_whole_text(ids, lengths, tokens, tokenize):
    """Warn where text of a script without blanks is left whole: it matches as a whole.

    A name in such a script within other text is no reason.
    """
    text = "".join(tokens)
    if text.isascii() or not any(letters.search(text) for letters, *_ in _UNSPACED):
        return
    counts_of_letters = np.array(
        [[len(letters.findall(token)) for token in tokens] for letters, *_ in _UNSPACED]
    )
    # Letters of such scripts less all other characters: positive in text of them.
    balance = 2 * counts_of_letters.sum(axis=0) - [len(token) for token in tokens]
    sequence = np.repeat(np.arange(len(lengths)), lengths)
    is_written = np.bincount(sequence, balance[ids], len(lengths)) > 0
    counts = np.bincount(ids[is_written[sequence]], minlength=len(tokens))
    for (_, most, tokenizers), n_letters in zip(
        _UNSPACED, counts_of_letters, strict=True
    ):
        has_any = (n_letters > 0) & (counts > 0)
        if has_any.any() and np.average(n_letters, weights=counts * has_any) > most:
            longest = tokens[np.where(has_any, n_letters, 0).argmax()]
            advice = " or ".join(f"tokenize={name!r}" for name in tokenizers)
            warn_user(
                f"tokenize={tokenize!r} leaves text that has no blanks between words "
                f"whole, such as {longest!r:.60}: sentences match as a whole or not at "
                f"all. Pass {advice} (to a translator, as bleu_tokenize), or "
                "lists of tokens."
            )
            return


def _checked(tokenize):
    """The tokeniser of a user, whose result is checked."""

    def checked(line):
        tokens = tokenize(line)
        if isinstance(tokens, (str, bytes)) or not hasattr(tokens, "__iter__"):
            raise TypeError(
                f"tokenize must return a list of str; for {line!r:.60} it returned "
                f"{tokens!r:.60} ({type(tokens).__name__})."
            )
        tokens = list(tokens)
        wrong = next((token for token in tokens if not isinstance(token, str)), "")
        if wrong != "":
            raise TypeError(
                f"tokenize must return a list of str; for {line!r:.60} the list holds "
                f"{wrong!r:.60} ({type(wrong).__name__})."
            )
        return tokens

    return checked
