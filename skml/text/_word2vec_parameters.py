"""Parameters of Word2VecTransformer that declared constraints cannot check."""

from skml.text._analysis import refuse_set
from skml.text._subwords import check_subwords
from skml.text._word_vectors import WordVectors


def check_parameters(estimator):
    """Refuse parameters that do not go together."""
    if estimator.learning_rate_min > estimator.learning_rate:
        raise ValueError(
            f"learning_rate_min={estimator.learning_rate_min!r} is above "
            f"learning_rate={estimator.learning_rate!r}; the learning rate falls from "
            "the second to the first."
        )
    if estimator.freeze_init and estimator.init == "random":
        raise ValueError(
            "freeze_init=True has no effect when init='random'. Give the vectors to "
            "freeze as init, or leave freeze_init at its default, False."
        )
    if estimator.subwords is not None:
        _check_subwords(estimator)
    if estimator.loss == "hierarchical-softmax":
        names = ("n_negatives", "noise_exponent")
        refuse_set(estimator, names, f"loss={estimator.loss!r}")


def _check_subwords(estimator):
    check_subwords(estimator, "Leave it at its default, None.")
    caller, subwords = type(estimator).__name__, estimator.subwords
    if estimator.init != "random":
        raise ValueError(
            f"{caller}: init={estimator.init!r:.60} holds vectors of whole words, and "
            f"subwords={subwords!r} composes them of parts. Leave one of them at its "
            "default; warm_start continues with both."
        )


def check_partial_fit(estimator):
    """Refuse what would need all documents at once."""
    for name, is_refused, reason in (
        ("weighter", estimator.weighter is not None, "a weighter is fitted"),
        ("remove_components", estimator.remove_components > 0, "components are found"),
        ("loss", estimator.loss != "negative-sampling", "the Huffman tree is built"),
    ):
        if is_refused:
            raise ValueError(
                f"{type(estimator).__name__}: partial_fit cannot continue with "
                f"{name}={getattr(estimator, name)!r}: {reason} on all documents. Use "
                "fit, or leave it at its default."
            )


def load_init(estimator):
    """The vectors to start from, before the documents are read; None if random."""
    init = estimator.init
    if init == "random":
        return None
    if not isinstance(init, WordVectors):
        init = WordVectors.load(init)
    if init.vector_size != estimator.vector_size:
        raise ValueError(
            f"{type(estimator).__name__}: the vectors of init have {init.vector_size} "
            f"dimensions and vector_size={estimator.vector_size!r}; they must agree."
        )
    return init


def check_same_size(estimator, size):
    """Refuse to continue with vectors of another size."""
    if size != estimator.vector_size:
        raise ValueError(
            f"{type(estimator).__name__}: vector_size={estimator.vector_size!r}, and "
            f"the vectors learned before have {size} dimensions. Set it back to "
            "continue, or begin anew with fit and warm_start=False."
        )
