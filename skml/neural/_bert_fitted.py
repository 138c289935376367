"""What estimators of the BERT family learned: how texts are read, and networks."""

import json

import numpy as np

from skml._codec import register, stored
from skml._estimator import Fitted
from skml._optional import import_optional
from skml.neural._bert_text import KINDS, SubwordTokenizer
from skml.neural._network_estimator import check_curves
from skml.neural._stored_network import StoredNetwork

MOST_NETWORKS = 999  # of an ensemble
REQUIRED = {"pad", "cls", "sep", "mask"}  # special tokens for pre-training


@stored
class BertReader:
    """How a model reads texts, as it did in `fit`."""

    tokenizer: SubwordTokenizer
    special_ids: dict  # of str to int: "pad", "cls", "sep" and "mask", as far as known
    longest: int  # tokens that the tokenizer was made for
    max_length: int  # tokens of a window
    kind: str | None  # of documents: a key of KINDS; None takes any

    @property
    def padding(self):
        return self.special_ids.get("pad", 0)

    def check(self):
        n_tokens = self.tokenizer.backend.get_vocab_size()
        for name, i in self.special_ids.items():
            if type(i) is not int or not 0 <= i < n_tokens:
                raise ValueError(f"the id of {name!r:.60} is {i!r:.60}")
        if self.kind is not None and self.kind not in KINDS:
            raise ValueError(f"kind is {self.kind!r:.60}")
        if not 8 <= self.max_length <= self.longest:
            raise ValueError(f"max_length is {self.max_length}")


@register
class BertNetwork(StoredNetwork):
    """A network of transformers, made of its head, a key of `MODELS`, and config."""

    _extra = "bert"

    @classmethod
    def of(cls, module, head):
        """A network that was read or trained."""
        config = json.loads(module.config.to_json_string(use_diff=False))
        return cls({"head": head, "config": config}, module)

    @staticmethod
    def make(architecture):
        from skml.neural._torch._pretrained import make_network

        return make_network(architecture["config"], architecture["head"])

    @staticmethod
    def check(architecture, weights):
        from skml.neural._torch._pretrained import MODELS, check_counts

        if architecture.keys() != {"head", "config"}:
            raise ValueError("the architecture has no head and config")
        if architecture["head"] not in MODELS:
            raise ValueError(f"the head is {architecture['head']!r:.60}")
        if type(architecture["config"]) is not dict:
            raise ValueError(f"the config is {architecture['config']!r:.60}")
        check_counts(architecture["config"])

    @classmethod
    def rebuild(cls, architecture, weights):
        import_optional("transformers", extra=cls._extra, caller="A fitted network")
        from skml.neural._torch._device import preserve_rng_state
        from skml.neural._torch._pretrained import prepare

        network = super().rebuild(architecture, weights)
        with preserve_rng_state():
            prepare(network.module).eval()
        return network


@stored
class BertFitted(Fitted):
    """A model of the BERT family, and how it reads texts."""

    head = "encoder"  # of its network

    reader: BertReader
    networks: list  # of BertNetwork

    @property
    def network(self):
        """The network of transformers; of an ensemble, the first."""
        return self.networks[0].module

    def check(self):
        from skml.neural._torch._pretrained import check_vocabulary, longest_input

        if not 1 <= len(self.networks) <= MOST_NETWORKS:
            raise ValueError(f"there are {len(self.networks)} networks")
        for network in self.networks:
            if not isinstance(network, BertNetwork):
                raise ValueError(f"a network is a {type(network).__name__}")
            if network.architecture != self.networks[0].architecture:
                raise ValueError("networks have several architectures")
        head = self.networks[0].architecture["head"]
        if head != self.head:
            raise ValueError(f"networks have the head {head!r:.60}")
        tokenizer = self.reader.tokenizer.backend
        check_vocabulary(tokenizer, self.network.config.vocab_size)
        if self.reader.max_length > longest_input(self.network, self.reader.longest):
            raise ValueError(f"max_length is {self.reader.max_length}")


@stored
class TunedBert(BertFitted):
    """An ensemble that was fine-tuned; the curves are those of its first network."""

    newly_initialized_: list  # of str
    n_iter_: int
    loss_curve_: np.ndarray
    validation_loss_curve_: np.ndarray

    def check(self):
        super().check()
        check_curves(self)
        if self.reader.kind is None:
            raise ValueError("kind is None")
        if not all(type(name) is str for name in self.newly_initialized_):
            raise ValueError("newly_initialized_ holds something else than names")

    def check_outputs(self, n_outputs):
        """The networks must have so many outputs."""
        n_known = self.network.config.num_labels
        if n_known != n_outputs:
            raise ValueError(f"{n_outputs} outputs, and networks have {n_known}")


@stored
class PretrainedBert(BertFitted):
    """A BERT with the heads of both tasks, and how well it did."""

    head = "pretraining"

    n_iter_: int
    loss_curve_: np.ndarray
    validation_loss_curve_: np.ndarray
    history_: list  # of dict of str to float
    masked_loss_: float
    masked_accuracy_: float
    next_sentence_loss_: float | None
    next_sentence_accuracy_: float | None

    def check(self):
        super().check()
        check_curves(self)
        if len(self.networks) > 1:
            raise ValueError("there are several networks")
        if missing := REQUIRED - self.reader.special_ids.keys():
            raise ValueError(f"there is no token for {min(missing)!r}")
        if len(self.history_) != self.n_iter_:
            raise ValueError("history_ lacks an epoch")
        for epoch in self.history_:
            if not all(type(value) is float for value in epoch.values()):
                raise ValueError("history_ holds something else than numbers")
