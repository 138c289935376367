"""What translators learned: a network, two vocabularies, and what they are of."""

import math
from inspect import Parameter, signature

import numpy as np

from skml._codec import show, stored
from skml._estimator import Fitted
from skml.neural._codec import BytePairVocabulary, TokenVocabulary
from skml.neural._network_estimator import check_curves
from skml.neural._stored_network import StoredNetwork
from skml.neural._translation_pairs import KINDS

MOST_POSITIONS = 2**17  # of a network that is read
OPTIONAL = "attention"  # the one option of a network that may be None


class EncoderDecoderNetwork(StoredNetwork):
    """A network of a translator; a subclass names the class of its module."""

    module_class = None  # the name of one in `skml.neural.modules`

    @classmethod
    def make(cls, architecture):
        from skml.neural import modules

        return getattr(modules, cls.module_class)(**architecture)

    @classmethod
    def options(cls):
        """What an architecture says, by name, with the defaults of the module."""
        from skml.neural import modules

        return signature(getattr(modules, cls.module_class)).parameters

    @classmethod
    def check(cls, architecture, weights):
        """No size is larger than those of the weights, and no option is missing."""
        options = cls.options()
        if architecture.keys() != options.keys():
            wrong = min(architecture.keys() ^ options.keys(), key=str)
            raise ValueError(f"{show(wrong)} is missing in the architecture, or wrong")
        for name, values in weights.items():
            if not values.isfinite().all():
                raise ValueError(f"the weights {name:.60} are not finite")
        longest = max((n for w in weights.values() for n in w.shape), default=0)
        limits = {"n_layers": len(weights), "max_length": MOST_POSITIONS}
        for name, option in options.items():
            value = architecture[name]
            is_size = option.default is Parameter.empty or type(option.default) is int
            expected = int if is_size else type(option.default)
            is_none = value is None and name == OPTIONAL
            if type(value) is not expected and not is_none:
                raise ValueError(f"{name} is {show(value)}")
            if is_size and not 0 < value <= limits.get(name, longest):
                raise ValueError(f"{name} is {show(value)}")


@stored
class FittedTranslator(Fitted):
    """What a translator learned."""

    network: EncoderDecoderNetwork
    source_vocabulary_: TokenVocabulary | BytePairVocabulary
    target_vocabulary_: TokenVocabulary | BytePairVocabulary
    kinds: tuple  # what sources and targets were in `fit`: two keys of KINDS
    vocabulary_parameters: dict  # of which the vocabularies were learned
    max_length_ratio_: float
    n_iter_: int
    loss_curve_: np.ndarray
    validation_loss_curve_: np.ndarray

    @property
    def vocabularies(self):
        return self.source_vocabulary_, self.target_vocabulary_

    def check(self):
        check_curves(self)
        if not 2 <= self.max_length_ratio_ < math.inf:
            raise ValueError(f"max_length_ratio_ is {self.max_length_ratio_}")
        if self.kinds not in [(one, other) for one in KINDS for other in KINDS]:
            raise ValueError(f"kinds is {show(self.kinds)}")
        if self.vocabulary_parameters.keys() != {"tokenizer", "vocabulary_size"}:
            raise ValueError(f"expected a tokenizer, got {self.vocabulary_parameters}")
        sizes = [self.network.architecture[name] for name in ("n_source", "n_target")]
        for kind, vocabulary, size in zip(
            self.kinds, self.vocabularies, sizes, strict=True
        ):
            if (kind == "tokens") != (vocabulary.name == "tokens"):
                raise ValueError(f"a vocabulary of {vocabulary.name!r} is of {kind!r}")
            if len(vocabulary) != size:
                raise ValueError(
                    f"a vocabulary has {len(vocabulary)} tokens, and the network {size}"
                )
