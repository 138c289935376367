"""Small models of families that are otherwise than BERT, with random weights."""

from functools import cache
from tempfile import TemporaryDirectory

import torch
import transformers
from transformers import AutoTokenizer

from tests.neural.bert.models import tiny_model

SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 130,
    "initializer_range": 0.2,
}
FUNNEL = {"d_model": 16, "n_head": 2, "d_head": 8, "d_inner": 32}
FUNNEL |= {"block_sizes": [1, 1, 1], "block_repeats": [1, 1, 1]}
CONFIGS = {
    "BigBird": {"block_size": 4, "num_random_blocks": 1},  # sparse from 29 pieces on
    "ConvBert": {"embedding_size": 16},
    "FNet": {},
    "Funnel": FUNNEL,
    "Nystromformer": {},
    "Yoso": {},
    "Longformer": {"attention_window": 8},
    "Roberta": {},
}
_FOLDERS = []


@cache
def model_of(family):
    """The folder of a small model of a family, with random weights."""
    folder = TemporaryDirectory()
    _FOLDERS.append(folder)
    tokenizer = AutoTokenizer.from_pretrained(tiny_model(longest=128))
    tokenizer.save_pretrained(folder.name)
    options = (SIZES if family != "Funnel" else {}) | CONFIGS[family]
    config = getattr(transformers, f"{family}Config")(
        vocab_size=len(tokenizer), pad_token_id=tokenizer.pad_token_id, **options
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        getattr(transformers, f"{family}Model")(config).save_pretrained(folder.name)
    return folder.name
