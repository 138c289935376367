"""Pre-training on plain text, and what it is worth for another task.

Run it with ::

    python benchmarks/pretraining.py WIKI POLARITY [--minutes 15] [--folder FOLDER]
        [--set name=value ...] [--tune name=value ...]

WIKI is a text file packed with xz, a paragraph a line, of the letters a to z alone;
POLARITY is the zip of sentence polarity, of which other characters are left out. A BERT
is pre-trained from scratch for so many minutes of a CPU; its loss on a validation set
is compared with the entropy of single tokens. FOLDER keeps it: when it has a model,
this part is left out. Then it is fine-tuned on more and more sentences, and so is the
same network with random weights; the sentences that are left are for testing.
`--choose` tests on 2 000 that are never learned from, to choose settings by. One
thread.
"""

import argparse
import re
import tempfile
from pathlib import Path
from time import process_time

import numpy as np
import torch
from _arguments import setting
from _bert_data import read_paragraphs, read_polarity, split
from _machine import describe
from scipy.stats import entropy
from transformers import AutoConfig, BertForPreTraining

from skml import BertClassifier, BertPretrainer
from skml.neural._bert_corpus import encode_sentences, read_sentences
from skml.neural._torch import _loop


def unigram_entropy(model, documents):
    """The entropy of tokens, in nats: the loss of the best constant prediction."""
    sentences = read_sentences(documents, "pretraining")
    tokenizer = model._fitted.reader.tokenizer
    tokens = encode_sentences(sentences, tokenizer, "pretraining").tokens
    frequencies = np.bincount(np.concatenate(tokens))
    return entropy(frequencies)


def write_random(folder, target, seed):
    """The same network and tokenizer, with random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = BertForPreTraining(AutoConfig.from_pretrained(folder))
    network.save_pretrained(target)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        Path(target, name).write_bytes(Path(folder, name).read_bytes())


def pretrain(arguments, folder):
    """Pre-train a model, save it, and print how well it predicts masked tokens."""
    documents = read_paragraphs(arguments.wiki, arguments.n_joined)
    documents, held_out = documents[:-500], documents[-500:]
    # What limits the fit is the time of this process, whatever else the machine does.
    _loop.monotonic = process_time
    start = process_time()
    model = BertPretrainer(
        max_iter=1000,
        max_train_time=60 * arguments.minutes,
        random_state=0,
        verbose=1,
        **dict(arguments.set),
    ).fit(documents)
    print(f"{(process_time() - start) / 60:.1f} minutes of CPU, {model.n_iter_} epochs")
    model.save_pretrained(folder)
    print(
        f"masked loss **{-model.score(held_out):.3f}** on the validation set; entropy "
        f"of tokens {unigram_entropy(model, documents):.3f}"
    )


def compare(arguments, folder):
    """Fine-tune the model, and random weights; print the accuracies of both."""
    X, y = read_polarity(arguments.polarity)
    X = np.array([re.sub("[^a-z]+", " ", text.lower()) for text in X], dtype=object)
    most, few = split(len(X), 0.2)
    others, rest = most[:2000], np.append(few, most[2000:])
    print("| sentences | pre-trained | random | gain (standard error) |")
    print("|---:|---:|---:|---:|")
    for size in arguments.sizes:
        scores = np.zeros((arguments.n_seeds, 2))
        for seed in range(arguments.n_seeds):
            order = np.random.default_rng(seed).permutation(rest)
            learned, tested = order[:size], order[max(arguments.sizes) :]
            tested = others if arguments.choose else tested
            other = tempfile.mkdtemp()
            write_random(folder, other, seed)
            for column, source in enumerate((folder, other)):
                tuned = BertClassifier(
                    source, random_state=seed, **dict(arguments.tune)
                ).fit(X[learned], y[learned])
                scores[seed, column] = tuned.score(X[tested], y[tested])
        gains = scores[:, 0] - scores[:, 1]
        error = gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else np.nan
        one, two = scores.mean(axis=0)
        gain = f"{gains.mean():+.4f} ({error:.4f})"
        print(f"| {size} | **{one:.4f}** | {two:.4f} | {gain} |", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("wiki")
    parser.add_argument("polarity")
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--n-seeds", type=int, default=5)
    parser.add_argument("--n-joined", type=int, default=8, help="paragraphs a document")
    parser.add_argument("--sizes", nargs="*", type=int, default=[100, 300, 1000, 3000])
    parser.add_argument("--folder", help="where the model is kept")
    parser.add_argument("--choose", action="store_true", help="spare what is to test")
    for name in ("--set", "--tune"):
        parser.add_argument(
            name, nargs="*", default=[], type=setting, metavar="NAME=VALUE"
        )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(describe("torch", "transformers"))
    folder = Path(arguments.folder or tempfile.mkdtemp())
    if not (folder / "config.json").exists():
        pretrain(arguments, folder)
    compare(arguments, folder)


if __name__ == "__main__":
    main()
