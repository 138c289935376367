"""Models of the BERT family, learned from text alone."""

from copy import deepcopy
from numbers import Integral, Real
from typing import Literal, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skml._compat.sklearn import Interval, _fit_context, with_callbacks
from skml._progress import Progress
from skml._random import make_random_state
from skml._typing import Documents, FilePath, RandomState
from skml.neural._bert_base import (
    MODEL_CONSTRAINTS,
    TRAINING_CONSTRAINTS,
    BaseBert,
)
from skml.neural._bert_corpus import (
    SPECIAL,
    encode_sentences,
    learn_word_pieces,
    read_sentences,
    sort_vocabulary,
)
from skml.neural._bert_fitted import REQUIRED, BertNetwork, PretrainedBert
from skml.neural._bert_text import SubwordTokenizer
from skml.neural._network_estimator import (
    BaseNetworkEstimator,
    read_curves,
)

FIGURES = (
    "masked_loss",
    "masked_accuracy",
    "next_sentence_loss",
    "next_sentence_accuracy",
)


class BertPretrainer(BaseBert, BaseNetworkEstimator):
    r"""Pre-train a BERT on documents, from random weights or from those of a model.

    The model is trained on two tasks. Of each sequence, 15 % of the tokens are chosen;
    of these, 80 % are masked, 10 % are replaced by others and 10 % stay, and the model
    learns to predict what they were. Each sequence has two parts; in half of them the
    second follows the first in its document, else it is of another one, and the model
    learns to classify that, too [1]_. Tokens are chosen anew in each epoch [2]_.

    Parameters
    ----------
    model : str, path-like or fitted estimator, default=None
        A BERT to continue from, to adapt it to other documents: a folder as
        transformers writes it, the name of a model on a hub, which is downloaded, or
        a fitted estimator. None begins with a vocabulary learned from the documents,
        and random weights.
    vocabulary_size : int, default=8000
        The number of word pieces that are learned, special tokens included. Of no
        effect with a `model`, as are the next five.
    lowercase : bool, default=True
        Whether text is converted to lowercase, without accents.
    hidden_size : int, default=256
        The length of vectors; a multiple of `n_heads`. New weights have the standard
        deviation ``0.02 * sqrt(768 / hidden_size)``, which is BERT's at its size.
    n_layers : int, default=4
        The number of layers.
    n_heads : int, default=4
        The number of attention heads.
    feed_forward_size : int, default=None
        The number of units between the two layers of a feed-forward block. None is
        four times `hidden_size`.
    dropout : float, default=None
        Dropout probability, applied to embeddings, attention weights and outputs of
        layers. None is 0.1, or that of the `model`.
    max_length : int, default=128
        The largest number of tokens of a sequence, special ones included, and the
        number of positions that a new model learns; 512 at most.
    mlm_probability : float, default=0.15
        The fraction of tokens that are chosen for prediction.
    whole_words : bool, default=False
        Whether all tokens of a word are chosen together.
    next_sentence : bool, default=True
        Whether sequences have two parts. If not, only masked tokens are predicted [2]_.
    batch_size : int, default=64
        The number of sequences of a step.
    learning_rate : float, default=0.001
        The highest learning rate of AdamW; for a large `model`, 5e-5 is usual.
    lr_schedule : {"constant", "cosine", "linear", "inverse-sqrt"}, default="linear"
        The schedule of the learning rate after the warm-up.
    warmup_steps : int or float, default=0.1
        The number of steps in which the learning rate rises from zero, or, as a float,
        their fraction of all steps.
    weight_decay : float, default=0.01
        The weight decay of AdamW; not of biases and norms.
    max_grad_norm : float, default=1.0
        Gradients with a larger norm are clipped to it.
    max_iter : int, default=10
        The number of epochs.
    max_train_time : float, default=None
        The seconds after which training stops. None is no limit.
    early_stopping : bool or "auto", default=False
        Whether a fraction of the documents is set aside as validation set, training
        stops when its loss no longer improves, and the best weights are kept. If
        "auto", early stopping is enabled if there are more than 10000 samples.
    validation_fraction : float, default=0.1
        The fraction that is set aside as validation set.
    n_iter_no_change : int, default=3
        The number of epochs without an improvement by more than `tol` after which
        training stops.
    tol : float, default=0.0
        The tolerance of an improvement.
    n_averaged_checkpoints : int, default=1
        The number of last epochs whose weights are averaged.
    checkpoint : str or path-like, default=None
        A file that is written after each epoch, and from which an interrupted fit
        continues.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        The type of products in training. "auto" is bfloat16 where that is faster.
    device : str, default="auto"
        Where the network computes: "cpu", "cuda", ...; "auto" is a GPU if there is
        one.
    warm_start : bool, default=False
        Whether `fit` continues from the network of the last one, with its vocabulary.
    n_jobs : int, default=None
        The number of threads. None is one, unless in a `joblib.parallel_config`.
    random_state : int, RandomState instance or None, default=None
        Determines the initialisation of weights, the sampling of pairs and of masked
        tokens, and dropout.
    verbose : int, default=0
        Print a line after each `verbose`-th epoch: losses, samples per second, and the
        time elapsed and left; 0 prints nothing.

    Attributes
    ----------
    network_ : PreTrainedModel
        The network of transformers, a ``BertForPreTraining``.
    n_iter_ : int
        The number of epochs.
    loss_curve_, validation_loss_curve_ : ndarray of shape (n_iterations,)
        The mean training loss of each epoch, and the loss on the validation set. Both
        are the sum of the losses of tokens and of pairs.
    masked_loss_, masked_accuracy_ : float
        The mean loss of a chosen token, in nats, and the fraction of them that is
        predicted correctly, by the weights that are kept, on the validation set;
        without one, in the last epoch.
    next_sentence_loss_, next_sentence_accuracy_ : float
        The mean loss of a pair of sentences, in nats, and the fraction of pairs that is
        predicted correctly. Only with `next_sentence`.
    history_ : list of dict of str to float
        The training losses and accuracies of each epoch, by the names above without
        the underscore at the end.

    See Also
    --------
    BertClassifier : Classes from such a model.
    BertTransformer : Vectors from such a model.

    References
    ----------
    .. [1] J. Devlin, M.-W. Chang, K. Lee, K. Toutanova, "BERT: Pre-training of Deep
       Bidirectional Transformers for Language Understanding", NAACL 2019.
    .. [2] Y. Liu et al., "RoBERTa: A Robustly Optimized BERT Pretraining Approach",
       arXiv:1907.11692, 2019.

    Examples
    --------
    >>> from skml import BertPretrainer, load_docstrings
    >>> documents = load_docstrings(packages=("asyncio", "email")).data[:200]
    >>> model = BertPretrainer(
    ...     vocabulary_size=1000, hidden_size=32, n_layers=1, n_heads=2, max_length=64,
    ...     max_iter=2, learning_rate=0.01, random_state=0,
    ... )
    >>> model.fit(documents).n_iter_
    2
    >>> model.history_[1]["masked_loss"] < model.history_[0]["masked_loss"]
    True
    """

    _fitted_class = PretrainedBert
    _betas = (0.9, 0.999)
    _parameter_constraints = {
        **BaseNetworkEstimator._parameter_constraints,
        **MODEL_CONSTRAINTS,
        **TRAINING_CONSTRAINTS,
        "max_length": [Interval(Integral, 8, 512, closed="both")],
        "vocabulary_size": [Interval(Integral, len(SPECIAL) + 1, None, closed="left")],
        "lowercase": ["boolean"],
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
        "feed_forward_size": [Interval(Integral, 1, None, closed="left"), None],
        "mlm_probability": [Interval(Real, 0, 1, closed="neither")],
        "whole_words": ["boolean"],
        "next_sentence": ["boolean"],
        "warm_start": ["boolean"],
    }

    def __init__(
        self,
        model: FilePath | BaseEstimator | None = None,
        *,
        vocabulary_size: int = 8000,
        lowercase: bool = True,
        hidden_size: int = 256,
        n_layers: int = 4,
        n_heads: int = 4,
        feed_forward_size: int | None = None,
        dropout: float | None = None,
        max_length: int = 128,
        mlm_probability: float = 0.15,
        whole_words: bool = False,
        next_sentence: bool = True,
        batch_size: int = 64,
        learning_rate: float = 0.001,
        lr_schedule: Literal["constant", "cosine", "linear", "inverse-sqrt"] = "linear",
        warmup_steps: float = 0.1,
        weight_decay: float = 0.01,
        max_grad_norm: float = 1.0,
        max_iter: int = 10,
        max_train_time: float | None = None,
        early_stopping: bool | Literal["auto"] = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 3,
        tol: float = 0.0,
        n_averaged_checkpoints: int = 1,
        checkpoint: FilePath | None = None,
        precision: Literal["auto", "float32", "bfloat16"] = "auto",
        device: str = "auto",
        warm_start: bool = False,
        n_jobs: int | None = None,
        random_state: RandomState = None,
        verbose: int = 0,
    ):
        self.model = model
        self.vocabulary_size = vocabulary_size
        self.lowercase = lowercase
        self.hidden_size = hidden_size
        self.n_layers = n_layers
        self.n_heads = n_heads
        self.feed_forward_size = feed_forward_size
        self.dropout = dropout
        self.max_length = max_length
        self.mlm_probability = mlm_probability
        self.whole_words = whole_words
        self.next_sentence = next_sentence
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.lr_schedule = lr_schedule
        self.warmup_steps = warmup_steps
        self.weight_decay = weight_decay
        self.max_grad_norm = max_grad_norm
        self.max_iter = max_iter
        self.max_train_time = max_train_time
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.n_averaged_checkpoints = n_averaged_checkpoints
        self.checkpoint = checkpoint
        self.precision = precision
        self.device = device
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Documents, y: None = None) -> Self:
        """Learn a vocabulary, unless a model has one, and pre-train.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The documents: texts, which are split into sentences, or lists of sentences.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a document is missing, all are empty, or the model cannot be read or is
            no BERT.
        TypeError
            If X is no collection of documents.
        ImportError
            If PyTorch or transformers is not installed.
        """
        return self._fit(X, continue_training=self.warm_start, max_iter=self.max_iter)

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Documents, y: None = None) -> Self:
        """Go over some documents once; the first call learns the vocabulary, too.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The documents.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return self._fit(X, continue_training=True, max_iter=1)

    def _fit(self, X, *, continue_training, max_iter):
        self._load_packages()
        from skml.neural._torch._device import find_device, limit_torch_threads, seeded

        self._check_checkpoint(continue_training)
        if self.model is None and self.hidden_size % self.n_heads:
            raise ValueError(
                f"{type(self).__name__}: hidden_size={self.hidden_size!r} is no "
                f"multiple of n_heads={self.n_heads!r}."
            )
        context = self._init_callback_context(max_subtasks=max_iter)
        progress = Progress(self, context, {"X": X, "y": None})
        name = type(self).__name__
        documents = read_sentences(X, name)
        device = find_device(self.device, name)
        random_state = make_random_state(self.random_state)
        seed = random_state.randint(2**31 - 1)
        with limit_torch_threads(self.n_jobs), seeded(seed, device):
            if continue_training and hasattr(self, "_fitted"):
                reader, network = self._fitted.reader, deepcopy(self.network_)
            else:
                reader, network = self._make_network(documents)
            sentences = encode_sentences(documents, reader.tokenizer, name)
            held_out = self._hold_out(len(sentences), random_state)
            fitted = self._train(
                network.to(device),
                reader,
                sentences,
                held_out,
                seed,
                max_iter,
                progress,
            )
        self._publish(fitted)
        progress.end()
        return self

    # The network

    def _make_network(self, documents):
        """A reader and a network to begin with."""
        from skml.neural._torch._device import drawing
        from skml.neural._torch._pretrained import read_network
        from skml.neural._torch._sources import as_source

        name = type(self).__name__
        with drawing():
            if self.model is None:
                network, tokenizer = self._make_bert(documents)
            else:
                with as_source(self.model, name) as source:
                    tokenizer = self._read_tokenizer(source)
                    network, *_ = read_network(
                        source,
                        self.model,
                        PretrainedBert.head,
                        name,
                        dropout=self.dropout,
                    )
        self._check_bert(network, tokenizer[1])
        return self._make_reader(*tokenizer, network), network

    def _make_bert(self, documents):
        """A new network, and a tokenizer with the vocabulary of the documents."""
        from skml.neural._torch._pretrained import make_bert

        flat = [sentence for sentences in documents for sentence in sentences]
        vocabulary = learn_word_pieces(flat, self.vocabulary_size, self.lowercase)
        network, files, *others = make_bert(vocabulary, self)
        return network, (SubwordTokenizer(files), *others)

    def _check_bert(self, network, special_ids):
        import torch

        name = type(self).__name__
        head = getattr(network.cls, "seq_relationship", None)
        if not isinstance(head, torch.nn.Linear):
            raise ValueError(
                f"{name}: model={self.model!r:.200} is no BERT, but a "
                f"{type(network).__name__}."
            )
        if missing := REQUIRED - set(special_ids):
            raise ValueError(
                f"{name}: the tokenizer of the model has no token for {min(missing)!r}."
            )

    def _train(self, network, reader, sentences, held_out, seed, max_iter, progress):
        """Train a network; what was learned."""
        task = self._make_task(sentences, held_out, seed, reader, network.device)

        def report(training):
            step = self._step(training, max_iter)
            learned, _ = training.figures[-1]
            for name in ("masked_loss", "masked_accuracy"):
                step.scores[name.replace("_", " ")] = learned[name]
            return progress.report(step, lambda: now(training), task_name="epoch")

        def now(training):
            best = BertNetwork.of(network, PretrainedBert.head)
            best = BertNetwork.rebuild(best.architecture, training.best)
            return self._fitted_value(reader, best, training)

        progress.start()
        training = self._train_network(
            network,
            task,
            report,
            device=network.device,
            seed=seed,
            max_iter=max_iter,
            fingerprint=self._fingerprint(sentences.tokens),
        )
        network = BertNetwork.of(network, PretrainedBert.head)
        return self._fitted_value(reader, network, training)

    def _make_task(self, sentences, held_out, seed, reader, device):
        from skml.neural._torch._pretraining import PretrainingTask

        ordinary, is_inner = sort_vocabulary(reader)
        return PretrainingTask(
            sentences,
            held_out,
            seed,
            longest=reader.max_length,
            batch_size=self.batch_size,
            mlm_probability=self.mlm_probability,
            special=reader.special_ids,
            ordinary=ordinary,
            is_inner=is_inner if self.whole_words else None,
            next_sentence=self.next_sentence,
            device=device,
        )

    def _fitted_value(self, reader, network, training):
        """What was learned; losses are those of the weights that are kept."""
        learned, held_out = training.figures[training.best_epoch]
        kept = held_out or learned
        return PretrainedBert(
            reader=reader,
            networks=[network],
            history_=[of_epoch for of_epoch, _ in training.figures],
            **{f"{name}_": kept.get(name) for name in FIGURES},
            **read_curves(training),
        )

    @property
    def network_(self):
        """The network of transformers."""
        return self._fitted.network

    def score(self, X: Documents, y: None = None) -> float:
        """Return the mean log-probability of tokens that are masked in documents.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The documents.
        y : None
            Ignored.

        Returns
        -------
        score : float
            In nats; greater is better. The same tokens are masked in each call.
        """
        import torch

        from skml.neural._torch._device import limit_torch_threads

        check_is_fitted(self)
        reader = self._fitted.reader
        name = type(self).__name__
        documents = read_sentences(X, name)
        sentences = encode_sentences(documents, reader.tokenizer, name)
        network = self._on_device(self.network_)
        everything = np.arange(len(sentences))
        with limit_torch_threads(self.n_jobs), torch.inference_mode():
            task = self._make_task(sentences, everything, 0, reader, network.device)
            for batch in task.held_out_batches:
                task.held_out_loss(network, batch)
        return -task.held_out_figures.take()["masked_loss"]
