"""Public data sets to fine-tune on, from their files."""

import json
import lzma
import re
import zipfile
from pathlib import Path

import numpy as np


def read_polarity(path):
    """Sentences of film reviews, and whether they praise (1) or not (0)."""
    texts, labels = [], []
    with zipfile.ZipFile(path) as files:
        for label, end in enumerate((".neg", ".pos")):
            name = next(n for n in files.namelist() if n.endswith(end))
            lines = files.read(name).decode("utf-8").splitlines()
            texts += [line.strip() for line in lines]
            labels += [label] * len(lines)
    return np.array(texts, dtype=object), np.array(labels)


def read_spam(path):
    """Short messages without those that occur twice, and "ham" or "spam"."""
    lines = dict.fromkeys(Path(path).read_text("utf-8").splitlines())
    labels, texts = zip(*(line.split("\t", 1) for line in lines), strict=True)
    return np.array(texts, dtype=object), np.array(labels)


def read_tagged(path):
    """Lists of words and lists of tags, from a file of a word and a tag a line."""
    sentences, tags = [], []
    for block in re.split(r"\n\s*\n", Path(path).read_text("utf-8")):
        pairs = [line.split("\t")[:2] for line in block.split("\n") if "\t" in line]
        if pairs:
            sentences.append([word for word, _ in pairs])
            tags.append([tag for _, tag in pairs])
    return sentences, tags


def read_questions(path):
    """Pairs of question and context, answers as in SQuAD, and articles."""
    pairs, answers, articles = [], [], []
    for number, article in enumerate(json.loads(Path(path).read_text("utf-8"))["data"]):
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                pairs.append((question["question"], paragraph["context"]))
                found = question["answers"]
                answers.append(
                    {
                        "text": [answer["text"] for answer in found],
                        "answer_start": [answer["answer_start"] for answer in found],
                    }
                )
                articles.append(number)
    return pairs, answers, np.array(articles)


def read_paragraphs(path, n_joined):
    """Documents of so many paragraphs that follow each other, as lists of them."""
    with lzma.open(path, "rt", encoding="utf-8") as file:
        lines = [line for line in file.read().splitlines() if line]
    return [lines[i : i + n_joined] for i in range(0, len(lines), n_joined)]


def split(n, test_share=0.1, seed=0):
    """Positions to learn from, and to test with."""
    order = np.random.default_rng(seed).permutation(n)
    n_test = round(test_share * n)
    return order[n_test:], order[:n_test]
