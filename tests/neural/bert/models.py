"""Models made from scratch in a moment: two layers, 32 hidden units."""

import json
from functools import cache
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from tokenizers import BertWordPieceTokenizer, ByteLevelBPETokenizer
from transformers import BertConfig, BertForPreTraining, BertTokenizerFast

SENTENCES = [
    "the cat sleeps on the warm mat",
    "a dog and a cat play in the garden",
    "the computer learns from the data",
    "a model learns words and a computer counts words",
    "这只猫在温暖的花园里睡觉。",
    "机器学习从数据中学习。",
    "Paris is the capital of France, and has 2 million people.",
    "Anna works for Acme Corporation in Berlin; she likes it!",
]
SMALL = {
    "learning_rate": 0.005,
    "max_iter": 2,
    "precision": "float32",
    "device": "cpu",
    "random_state": 0,
}
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_FOLDERS = []


def learn_vocabulary(first):
    """The ids of pieces of the sentences; those named first come first."""
    tokenizer = BertWordPieceTokenizer(lowercase=True)
    tokenizer.train_from_iterator(
        SENTENCES, vocab_size=400, special_tokens=first, show_progress=False
    )
    return tokenizer.get_vocab()


@cache
def tiny_model(n_layers=2, longest=64, seed=0):
    """The folder of a model with random weights, as transformers writes it."""
    folder = TemporaryDirectory()
    _FOLDERS.append(folder)  # lives as long as the process
    path = Path(folder.name) / "tiny"
    # Without ids of their own, characters within words get others in each process.
    inner = {piece for piece in learn_vocabulary(SPECIAL) if piece.startswith("##")}
    vocabulary = learn_vocabulary([*SPECIAL, *sorted(p for p in inner if len(p) == 3)])
    tokenizer = BertTokenizerFast(
        vocab=vocabulary, model_max_length=longest, do_lower_case=True
    )
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=n_layers,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=longest,
        initializer_range=0.2,  # so that outputs differ clearly
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        BertForPreTraining(config).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return str(path)


class Place(PathLike):
    """A folder that looks the same in all processes, as the names of tests must."""

    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return self.path

    def __repr__(self):
        return "tiny"


def learn_byte_pairs(texts, vocabulary_size):
    """The ids of byte pairs, and which were joined, as RoBERTa takes them."""
    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(
        texts,
        vocabulary_size,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        show_progress=False,
    )
    model = json.loads(trained.to_str())["model"]
    return model["vocab"], [tuple(pair) for pair in model["merges"]]
