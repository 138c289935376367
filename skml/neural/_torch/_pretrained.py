"""Models of the library transformers: read from a folder or a hub, made, written."""

import math
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import transformers
from torch import nn
from transformers import AutoConfig, AutoTokenizer, PreTrainedConfig

from skml._compat.transformers import loading_report
from skml.neural._bert_text import TOKENIZER_FILES
from skml.neural._torch._attention import with_attention
from skml.neural._torch._first_token import skip_unread_tokens
from skml.neural._torch._padding import note_padding
from skml.neural._torch._sources import Unsuitable, explained, quietly
from skml.neural.modules import Dropout

MODELS = {
    "encoder": transformers.AutoModel,
    "pretraining": transformers.AutoModelForPreTraining,
    "sequence-classification": transformers.AutoModelForSequenceClassification,
    "token-classification": transformers.AutoModelForTokenClassification,
    "question-answering": transformers.AutoModelForQuestionAnswering,
}
HEADS = {  # the families that have them
    "sequence-classification": transformers.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
    "token-classification": transformers.MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING,
    "question-answering": transformers.MODEL_FOR_QUESTION_ANSWERING_MAPPING,
}
MOST_LAYERS = 1000  # and blocks, groups and so on, of a network that is read
MOST_LABELS = 2**20
_COUNTED = ("layer", "block", "group", "repeat", "expert")
NO_CODE = {"trust_remote_code": False}


def read_tokenizer(source, model, caller):
    """The files of a tokenizer, the ids of its special tokens, and its longest input.

    "tokenizer.json" is among the files; "pad", "cls", "sep" and "mask" are the special
    tokens, as far as there are such.
    """
    with explained(model, source, caller):
        tokenizer = AutoTokenizer.from_pretrained(source, **NO_CODE)
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if backend is None:
            raise Unsuitable("its tokenizer is none of the library tokenizers.")
        config, _ = PreTrainedConfig.get_config_dict(source)
        check_vocabulary(backend, config.get("vocab_size"))
        with TemporaryDirectory() as folder:
            tokenizer.save_pretrained(folder)
            files = {
                path.name: path.read_text(encoding="utf-8")
                for path in Path(folder).iterdir()
                if path.name in TOKENIZER_FILES
            }
    names = ("pad", "cls", "sep", "mask")
    special = {name: getattr(tokenizer, f"{name}_token_id") for name in names}
    special = {name: i for name, i in special.items() if i is not None}
    return files, special, int(tokenizer.model_max_length)


def check_vocabulary(tokenizer, n_known):
    """A tokenizer must be of the model whose network knows so many tokens."""
    n_tokens = 1 + max(tokenizer.get_vocab().values(), default=-1)
    n_known = n_known or n_tokens  # some networks do not say
    # Without its files, a tokenizer of transformers knows special tokens alone.
    if not n_known <= 10 * n_tokens <= 10 * n_known:
        raise Unsuitable(
            f"its tokenizer has {n_tokens} tokens, and its network {n_known}. The "
            "files of its tokenizer are missing, or of another model."
        )


def read_network(source, model, head, caller, dropout=None, **changes):
    """A network, with the weights that are stored; others are initialized.

    Parameters
    ----------
    source : Path or str
        Of :func:`as_source`; messages name the parameter, `model`.
    head : str
        A key of `MODELS`.
    dropout : float, default=None
        Replaces the dropout probabilities of the configuration.
    **changes : dict
        Other changes of the configuration.

    Returns
    -------
    network : PreTrainedModel
        The network.
    new, left : list of str
        The names of the weights that were not stored, or mean something else, and of
        those that were stored and have no place, as those of another head.
    """
    with explained(model, source, caller):
        config = AutoConfig.from_pretrained(source, **NO_CODE)
        check_encoder(config)
        check_head(config, head)
        is_of_task = has_same_outputs(config, changes)
        for name, value in changes.items():
            setattr(config, name, value)
        if dropout is not None:
            for name in dropout_names(config):
                setattr(config, name, float(dropout))
        network, info = with_attention(
            MODELS[head].from_pretrained,
            source,
            config=config,
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # of another head; others are refused below
            **NO_CODE,
        )
        drawn = [] if is_of_task else initialize_head(network, head)
    missing, left = loading_report(info)
    new = sorted({*missing, *drawn})
    prefix = f"{network.base_model_prefix}."
    is_whole = network is network.base_model
    body = [
        name
        for name in new
        if (is_whole or name.startswith(prefix)) and "pooler" not in name
    ]
    if body:
        raise ValueError(
            f"{caller}: the model in {str(model)!r:.200} is damaged: it lacks "
            f"{len(body)} of its weights, or has them in other sizes than its "
            f"config.json says, such as {body[0]!r}."
        )
    return prepare(network), new, left


def check_encoder(config):
    """A model must read texts from both sides, as one does that predicts masks."""
    is_encoder = type(config) in transformers.MODEL_FOR_MASKED_LM_MAPPING
    reads_on = config.is_encoder_decoder or getattr(config, "is_decoder", False)
    if reads_on or not is_encoder:
        raise Unsuitable(
            f"a {config.model_type!r} is no encoder, as BERT, RoBERTa and others are."
        )


def check_head(config, head):
    """Of some families, transformers has no head for some tasks."""
    if head in HEADS and type(config) not in HEADS[head]:
        raise Unsuitable(
            f"transformers has no head for {head.replace('-', ' ')} on a "
            f"{config.model_type!r}. Take another family, such as BERT or RoBERTa."
        )


def has_same_outputs(config, wanted):
    """Whether the outputs of a stored head mean what the changes want of them."""
    problem, own = wanted.get("problem_type"), config.problem_type
    own = own or ("regression" if config.num_labels == 1 else None)
    if None not in (problem, own) and problem != own:
        return False
    labels, stored = wanted.get("id2label"), config.id2label or {}
    if labels is None or problem == "regression":
        return True
    stored = [str(stored[i]) for i in sorted(stored)]
    # What transformers calls outputs of which it knows the number alone.
    nameless = [f"LABEL_{i}" for i in range(len(stored))]
    stored = [str(i) for i in range(len(stored))] if stored == nameless else stored
    return list(labels.values()) == stored


def initialize_head(network, head):
    """Initialize all but the encoder anew; returns the names of these weights."""
    fresh = with_attention(MODELS[head].from_config, network.config).state_dict()
    body = set(map(id, network.base_model.parameters()))
    drawn = [n for n, p in network.named_parameters() if id(p) not in body]
    network.load_state_dict({name: fresh[name] for name in drawn}, strict=False)
    return drawn


def dropout_names(config):
    """The names of dropout probabilities in a configuration; None is another's."""
    return [
        name
        for name, value in config.to_dict().items()
        if "dropout" in name and not isinstance(value, (bool, str))
    ]


def prepare(network):
    """Let dropout be fast, nothing be computed that is not read, and no padding be."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if type(child) is nn.Dropout:
                setattr(module, name, Dropout(child.p))
    skip_unread_tokens(network)
    note_padding(network)
    return network


def write_pretrained(folder, network, tokenizer_files):
    """Write what transformers reads."""
    with quietly():
        network.save_pretrained(folder, max_shard_size="1TB")
    for name, content in tokenizer_files.items():
        (folder / name).write_text(content, encoding="utf-8")


def longest_input(network, longest_of_tokenizer):
    """The most tokens that a network takes."""
    n_positions = getattr(network.config, "max_position_embeddings", None)
    if n_positions is None:
        return longest_of_tokenizer
    # Some count positions from behind that of padding.
    embeddings = getattr(network.base_model, "embeddings", None)
    first = getattr(embeddings, "padding_idx", None)
    if first is not None and not isinstance(embeddings, nn.Embedding):
        n_positions -= first + 1
    return min(n_positions, longest_of_tokenizer)


def make_bert(vocabulary, estimator):
    """A new BERT with random weights, and what `read_tokenizer` returns."""
    size, longest = estimator.hidden_size, estimator.max_length
    dropout = 0.1 if estimator.dropout is None else estimator.dropout
    config = transformers.BertConfig(
        # BERT's .02 is that of 768 units. In narrower layers it makes what comes from
        # the neighbours too faint to be found in the first epochs.
        initializer_range=0.02 * (768 / size) ** 0.5,
        vocab_size=len(vocabulary),
        hidden_size=size,
        num_hidden_layers=estimator.n_layers,
        num_attention_heads=estimator.n_heads,
        intermediate_size=estimator.feed_forward_size or 4 * size,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        max_position_embeddings=longest,
        pad_token_id=vocabulary["[PAD]"],
    )
    with quietly():
        network = with_attention(MODELS["pretraining"].from_config, config)
        tokenizer = transformers.BertTokenizerFast(
            vocab=vocabulary,
            do_lower_case=estimator.lowercase,
            model_max_length=longest,
        )
        with TemporaryDirectory() as folder:
            tokenizer.save_pretrained(folder)
            config.save_pretrained(folder)
            read = read_tokenizer(Path(folder), None, type(estimator).__name__)
    return prepare(network), *read


def make_network(config, head):
    """A network with random weights; no code beside a configuration is run."""
    own = dict(config)
    try:
        with quietly():
            made = AutoConfig.for_model(own.pop("model_type"), **own)
            check_encoder(made)
            check_head(made, head)
            return with_attention(MODELS[head].from_config, made)
    except MemoryError:
        raise
    except Exception as error:  # of many types
        reason = " ".join(str(error).split())
        raise ValueError(f"the configuration cannot be used: {reason:.200}") from error


def check_counts(value, name=""):
    """No number of layers, blocks and the like is beyond what networks have."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key not in {"id2label", "label2id"}:  # whose keys are a user's
                check_counts(part, str(key))
    elif isinstance(value, (list, tuple)):
        for part in value:
            check_counts(part, name)
    elif isinstance(value, (int, float)):
        most = MOST_LAYERS if any(part in name for part in _COUNTED) else math.inf
        most = MOST_LABELS if name == "num_labels" else most
        if not abs(value) <= most:
            raise ValueError(f"{name!r:.60} is {value!r:.60}")
