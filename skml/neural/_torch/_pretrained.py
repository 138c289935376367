"""Models of the library transformers: read from a folder, a hub or memory; written."""

import json
import os
import warnings
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import transformers
from huggingface_hub.utils import (
    are_progress_bars_disabled,
    disable_progress_bars,
    enable_progress_bars,
)
from sklearn.exceptions import NotFittedError
from torch import nn
from transformers import AutoConfig, AutoTokenizer, PreTrainedConfig

from skml.neural._torch._attention import with_attention
from skml.neural._torch._first_piece import skip_unread_pieces
from skml.neural._torch._padding import note_padding
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
NO_CODE = {"trust_remote_code": False}


class ModelDropout(Dropout):
    """Fast dropout, under the names by which the library reads its share."""

    @property
    def p(self):
        return self.share


@contextmanager
def quietly():
    """Let transformers print nothing: what matters is returned or raised."""
    log = transformers.utils.logging
    before, shows_bars = log.get_verbosity(), log.is_progress_bar_enabled()
    hub_shows_bars = not are_progress_bars_disabled()
    log.set_verbosity(log.CRITICAL)
    with warnings.catch_warnings(action="ignore"):  # the environment may overrule it
        log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(before)
        with warnings.catch_warnings(action="ignore"):
            if shows_bars:
                log.enable_progress_bar()  # and those of the hub
            (enable_progress_bars if hub_shows_bars else disable_progress_bars)()


@contextmanager
def as_source(model, caller):
    """What transformers can read a model from: a folder, or the name of a hub's model.

    Parameters
    ----------
    model : str, path-like or fitted estimator
        The parameter. An estimator writes its model to a folder that is there for the
        while.
    caller : str
        The name of the estimator, for the messages.

    Raises
    ------
    ValueError
        If there is no model.
    NotFittedError
        If it is an estimator that is not fitted.
    """
    if model is None:
        raise ValueError(
            f"{caller}: model=None; pass the folder of a model, the name of one on a "
            "hub, or a fitted BertPretrainer. None suits all languages, and nothing is "
            "downloaded unasked."
        )
    if not isinstance(model, (str, os.PathLike)):
        model = getattr(model, "estimator", model)  # that of a FrozenEstimator
        if not hasattr(model, "networks_"):
            raise NotFittedError(
                f"{caller}: model is a {type(model).__name__} that is not fitted. "
                "Cross-validation and searches clone it: pass "
                "sklearn.frozen.FrozenEstimator(model), or the folder that "
                "model.save_pretrained wrote."
            )
        with TemporaryDirectory() as folder:
            model.save_pretrained(Path(folder) / "model")
            yield Path(folder) / "model"
        return
    path = Path(os.path.expanduser(model))  # which leaves unknown users alone
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise ValueError(
                f"{caller}: the folder {str(path)!r} has no config.json: it holds no "
                "model of transformers."
            )
        yield path
    elif isinstance(model, str) and _is_name_on_hub(model):
        yield model
    else:
        raise ValueError(f"{caller}: there is no folder {str(model)!r}.")


def _is_name_on_hub(name):
    """Whether it is "name" or "owner/name", and nothing that only a path can be."""
    parts = name.split("/")
    return len(parts) <= 2 and all(parts) and parts[0] not in {".", "..", "~"}


class Unsuitable(ValueError):
    """The model can be read, and is of no use."""


@contextmanager
def _explained(model, source, caller):
    """Turn what transformers raises into an error that says what to do."""
    try:
        with quietly():
            yield
    except MemoryError:
        raise
    except Unsuitable as error:
        raise ValueError(
            f"{caller}: the model {str(model)!r:.200} cannot be used: {error}"
        ) from None
    except Exception as error:  # of many types, of several libraries
        reason = " ".join(str(error).split())
        if isinstance(source, Path):
            raise ValueError(
                f"{caller}: the model in {str(model)!r:.200} cannot be read; it is "
                f"damaged, or of a kind that is not known here: {reason:.300}"
            ) from error
        raise ValueError(
            f"{caller}: model={model!r} is no folder here, and no model of that name "
            "could be had from the hub, where it may not exist, or which cannot be "
            f"reached: {reason:.300} Pass the path of a folder that holds the model."
        ) from error


def read_tokenizer(source, model, caller):
    """The files of a tokenizer, by name, and its special pieces.

    Returns
    -------
    files : dict of str to str
        "tokenizer.json" is among them.
    special : dict of str to int
        The ids of "pad", "cls", "sep" and "mask", as far as there are such.
    longest : int
        The most pieces that it was made for.
    """
    with _explained(model, source, caller):
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
                if path.suffix in {".json", ".txt", ".jinja"}
            }
    names = ("pad", "cls", "sep", "mask")
    special = {name: getattr(tokenizer, f"{name}_token_id") for name in names}
    special = {name: i for name, i in special.items() if i is not None}
    return files, special, int(tokenizer.model_max_length)


def check_vocabulary(tokenizer, n_known):
    """A tokenizer must be of the model whose network knows so many pieces."""
    n_pieces = 1 + max(tokenizer.get_vocab().values(), default=-1)
    n_known = n_known or n_pieces  # some networks do not tell
    # Without its files, a tokenizer of transformers knows special pieces alone.
    if not n_known <= 10 * n_pieces <= 10 * n_known:
        raise Unsuitable(
            f"its tokenizer has {n_pieces} pieces, and its network {n_known}. The "
            "files of its tokenizer are missing, or of another model."
        )


def read_network(source, model, head, caller, dropout=None, **changes):
    """A network, with the weights that are stored; others are drawn.

    Parameters
    ----------
    source : Path or str
        Of :func:`as_source`.
    model : object
        The parameter, for the messages.
    head : str
        A key of `MODELS`.
    caller : str
        The name of the estimator, for the messages.
    dropout : float, default=None
        Replaces the shares of dropout of the configuration.
    **changes : dict
        Other changes of the configuration.

    Returns
    -------
    network : PreTrainedModel
        The network.
    new : list of str
        The names of the weights that were not stored, or tell something else.
    left : list of str
        The names of the weights that were stored, and have no place: another head.
    """
    with _explained(model, source, caller):
        config = AutoConfig.from_pretrained(source, **NO_CODE)
        check_encoder(config)
        check_head(config, head)
        is_of_task = tells_the_same(config, changes)
        for name, value in changes.items():
            setattr(config, name, value)
        if dropout is not None:
            for name in shares_of_dropout(config):
                setattr(config, name, float(dropout))
        network, info = with_attention(
            MODELS[head].from_pretrained,
            source,
            config=config,
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # of another head; others are told below
            **NO_CODE,
        )
        drawn = [] if is_of_task else draw_head(network, head)
    mismatched = {name for name, *_ in info["mismatched_keys"]}
    new = sorted({*info["missing_keys"], *mismatched, *drawn})
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
    return prepare(network), new, sorted(info["unexpected_keys"])


def check_encoder(config):
    """A model must read texts from both sides, as one that fills in pieces does."""
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


def tells_the_same(config, wanted):
    """Whether the outputs of a stored head have the meaning that is wanted of them.

    Parameters
    ----------
    config : PreTrainedConfig
        What is stored.
    wanted : dict
        What is to be changed of it: "problem_type" and "id2label" may be among it.
    """
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


def draw_head(network, head):
    """Draw what is not of the encoder anew; returns the names of these weights."""
    fresh = with_attention(MODELS[head].from_config, network.config).state_dict()
    body = set(map(id, network.base_model.parameters()))
    drawn = [n for n, p in network.named_parameters() if id(p) not in body]
    network.load_state_dict({name: fresh[name] for name in drawn}, strict=False)
    return drawn


def shares_of_dropout(config):
    """The names of the shares of dropout in a configuration; None is another's."""
    return [
        name
        for name, value in config.to_dict().items()
        if "dropout" in name and not isinstance(value, (bool, str))
    ]


def rebuild_network(config, head, weights):
    """A network from its configuration and weights; the weights are copied."""
    config = dict(config)
    with quietly():
        config = AutoConfig.for_model(config.pop("model_type"), **config)
        network = with_attention(MODELS[head].from_config, config)
    network.load_state_dict(weights)
    return prepare(network).eval()


def prepare(network):
    """Let dropout be fast, nothing be computed that is not read, and no padding be."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if type(child) is nn.Dropout:
                setattr(module, name, ModelDropout(child.p))
    skip_unread_pieces(network)
    note_padding(network)
    return network


def write_model(folder, network, tokenizer_files):
    """Write what transformers reads."""
    with quietly():
        network.save_pretrained(folder, max_shard_size="1TB")
    for name, content in tokenizer_files.items():
        (folder / name).write_text(content, encoding="utf-8")


def config_to_json(config):
    """A configuration as data."""
    return json.loads(config.to_json_string(use_diff=False))


def longest_input(network, longest_of_tokenizer):
    """The most pieces that a network takes."""
    n_positions = getattr(network.config, "max_position_embeddings", None)
    if n_positions is None:
        return longest_of_tokenizer
    # Some count positions from behind that of padding.
    embeddings = getattr(network.base_model, "embeddings", None)
    first = getattr(embeddings, "padding_idx", None)
    if first is not None and not isinstance(embeddings, nn.Embedding):
        n_positions -= first + 1
    return min(n_positions, longest_of_tokenizer)


def find_last_layer(network):
    """The linear layer whose outputs are those of the head."""
    body = set(network.base_model.modules())
    return [
        module
        for module in network.modules()
        if isinstance(module, nn.Linear) and module not in body
    ][-1]


def find_layers(network):
    """The layers of an encoder, the lowest first."""
    for module in network.base_model.modules():
        if isinstance(module, nn.ModuleList):
            return list(module)
    raise ValueError(f"{type(network).__name__} has no list of layers.")


def trained_groups(network, *, freeze, layer_decay, head_share, new=()):
    """The parameters that learn, with their shares of the learning rate.

    Parameters
    ----------
    network : PreTrainedModel
        The network; what is frozen no longer asks for gradients.
    freeze : {"none", "embeddings", "all"} or int
        What is frozen: a number is that of the lowest layers, and the embeddings.
    layer_decay : float
        By what the rate falls from a layer to that below.
    head_share : float
        The share of the head.
    new : collection of str, default=()
        The names of parameters that are drawn anew, as those of a head are.

    Returns
    -------
    groups : list of tuple of float and list of Parameter
        The shares, and what has them.
    """
    layers, depths, depth = find_layers(network), {}, 0
    of_layers = {id(p): n for n, m in enumerate(layers, 1) for p in m.parameters()}
    for parameter in network.base_model.parameters():
        # What comes before the layers belongs to the embeddings, and then the pooler.
        depth = of_layers.get(id(parameter), depth and len(layers) + 1)
        depths[id(parameter)] = depth
    lowest = {"none": 0, "embeddings": 1, "all": len(layers) + 2}.get(freeze)
    lowest = freeze + 1 if lowest is None else lowest
    shares = {}
    for name, parameter in network.named_parameters():
        depth = depths.get(id(parameter))
        if depth is None or name in new:  # the head
            share = head_share
        elif depth < lowest:
            parameter.requires_grad_(False)
            continue
        else:
            share = layer_decay ** (len(layers) + 1 - depth)
        shares.setdefault(share, []).append(parameter)
    return list(shares.items())


def make_bert(
    vocabulary,
    *,
    lowercase,
    hidden_size,
    n_layers,
    n_heads,
    feed_forward_size,
    dropout,
    longest,
    caller,
):
    """A new BERT with random weights, and what `read_tokenizer` tells of a tokenizer.

    Parameters
    ----------
    vocabulary : dict of str to int
        The ids of pieces.
    lowercase : bool
        Whether letters are made small.
    hidden_size, n_layers, n_heads, feed_forward_size : int
        The sizes of the network.
    dropout : float
        The share of numbers that is dropped.
    longest : int
        The number of positions.
    caller : str
        The name of the estimator, for messages.

    Returns
    -------
    network : BertForPreTraining
        The network.
    files, special, longest
        Of the tokenizer.
    """
    config = transformers.BertConfig(
        # BERT's .02 is that of 768 numbers a vector. In narrower layers it makes what
        # comes from the neighbours too faint to be found in the first passes.
        initializer_range=0.02 * (768 / hidden_size) ** 0.5,
        vocab_size=len(vocabulary),
        hidden_size=hidden_size,
        num_hidden_layers=n_layers,
        num_attention_heads=n_heads,
        intermediate_size=feed_forward_size,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        max_position_embeddings=longest,
        pad_token_id=vocabulary["[PAD]"],
    )
    with quietly():
        network = with_attention(MODELS["pretraining"].from_config, config)
        tokenizer = transformers.BertTokenizerFast(
            vocab=vocabulary, do_lower_case=lowercase, model_max_length=longest
        )
        with TemporaryDirectory() as folder:
            tokenizer.save_pretrained(folder)
            config.save_pretrained(folder)
            read = read_tokenizer(Path(folder), None, caller)
    return prepare(network), *read
