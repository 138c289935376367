"""Sets of labelled documents, made of files of text; blanks stand between tokens."""

import argparse
import json
import sys
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
from _arguments import existing_file, existing_folder, positive
from _pairs import read_pairs
from _results import describe_file, docstring_lines

from skml.datasets import load_docstrings

# The files of each set, in the folder that holds them all.
_FILES = {
    "sms_spam": ("sms_spam/sms.tsv",),
    "sentence_polarity": ("sentence_polarity/sentence_polarity.zip",),
    "poets": ("chinese_poetry/*.json",),
    "languages": ("cmn_eng_tatoeba/cmn.txt", "fra_eng_tatoeba/fra-eng_2017.zip"),
}


def read_sms(folder):
    """Messages, and whether they are spam."""
    text = Path(folder, *_FILES["sms_spam"]).read_text("utf-8")
    lines = [line.split("\t", 1) for line in text.splitlines()]
    return [text for _, text in lines], [label for label, _ in lines]


def read_polarity(folder):
    """Sentences of reviews, in favour or against."""
    X, y = [], []
    with zipfile.ZipFile(Path(folder, *_FILES["sentence_polarity"])) as f:
        for label in ("pos", "neg"):
            name = next(n for n in f.namelist() if n.endswith(f".{label}"))
            sentences = f.read(name).decode("utf-8").splitlines()
            X += sentences
            y += [label] * len(sentences)
    return X, y


def read_poets(folder):
    """Chinese poems by characters, and who wrote them: poets of at least 20."""
    poems = []
    for path in sorted(Path(folder).glob(*_FILES["poets"])):
        poems += json.loads(path.read_text("utf-8"))
    texts = ["".join(poem.get("paragraphs", ())) for poem in poems]
    pairs = [
        (" ".join("".join(text.split())), "_".join(poem["author"].split()))
        for text, poem in zip(texts, poems, strict=True)
        if text.strip()
    ]
    counts = Counter(poet for _, poet in pairs)
    pairs = [(text, poet) for text, poet in pairs if counts[poet] >= 20]
    return [text for text, _ in pairs], [poet for _, poet in pairs]


def read_languages(folder):
    """Sentences of Tatoeba, and their language; Chinese by characters."""
    chinese_file, french_file = (Path(folder, file) for file in _FILES["languages"])
    english, chinese = read_pairs(chinese_file)
    _, french = read_pairs(french_file)
    sentences = {
        "eng": english,
        "cmn": [" ".join("".join(s.split())) for s in chinese],
        "fra": french[::5],
    }
    pairs = dict.fromkeys(
        (" ".join(text.split()), language)
        for language, texts in sentences.items()
        for text in texts
    )
    return [text for text, _ in pairs], [language for _, language in pairs]


def read_docstrings(folder):
    """Docstrings of installed packages, and the package: those with at least 50."""
    bunch = load_docstrings()
    names = [bunch.target_names[i] for i in bunch.target]
    counts = Counter(names)
    pairs = [
        (" ".join(text.split()), name)
        for text, name in zip(bunch.data, names, strict=True)
        if counts[name] >= 50
    ]
    return [text for text, _ in pairs], [name for _, name in pairs]


SETS = {
    "sms_spam": read_sms,
    "sentence_polarity": read_polarity,
    "poets": read_poets,
    "languages": read_languages,
    "docstrings": read_docstrings,
}


def describe_sets(names, folder):
    """Describe the data of some sets, for `save`."""
    patterns = [pattern for name in names for pattern in _FILES.get(name, ())]
    paths = [path for p in patterns for path in sorted(Path(folder).glob(p))]
    data = [describe_file(path, folder) for path in paths]
    return [*data, docstring_lines()[1]] if "docstrings" in names else data


def split(X, y, seed=0, fraction=0.2):
    """Documents and labels to learn from, and to test with; none is on both sides."""
    texts, of_document = np.unique(np.array(X, dtype=object), return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(texts))
    is_test = np.zeros(len(texts), dtype=bool)
    is_test[order[: round(fraction * len(texts))]] = True
    test = is_test[of_document]
    X, y = np.array(X, dtype=object), np.array(y, dtype=object)
    return X[~test].tolist(), y[~test].tolist(), X[test].tolist(), y[test].tolist()


def parser_beside_fasttext(doc):
    """A parser of the arguments that every comparison on the sets has: `parse_sets`."""
    parser = argparse.ArgumentParser(
        description=doc.partition("\n")[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("folder", nargs="?", type=existing_folder, help="the sets of documents")
    add("--peer", type=existing_file, required=True, help="Python with fasttext")
    add("--sets", nargs="+", choices=SETS, help="without FOLDER only docstrings")
    add("--size", type=positive, default=100)
    return parser


def parse_sets(parser):
    """The arguments, with all sets as the default, or all that need no folder."""
    arguments = parser.parse_args()
    possible = list(SETS) if arguments.folder else ["docstrings"]
    arguments.sets = arguments.sets or possible
    missing = [name for name in arguments.sets if name not in possible]
    if missing:
        sys.exit(f"{', '.join(missing)}: name the folder with the files, as FOLDER")
    return arguments
