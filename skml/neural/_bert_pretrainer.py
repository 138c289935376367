"""Models of the BERT family, learned from text alone."""

import re
from copy import deepcopy
from numbers import Integral, Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skml._compat.sklearn import Interval, _fit_context, with_callbacks
from skml._fitting import all_or_nothing
from skml._random import make_random_state
from skml.neural._bert_base import (
    MODEL_CONSTRAINTS,
    TRAINING_CONSTRAINTS,
    BertMixin,
)
from skml.neural._bert_text import PieceTokenizer, read_texts
from skml.neural._network_estimator import CURVES, BaseNetworkEstimator

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
FIGURES = (
    "masked_loss",
    "masked_accuracy",
    "next_sentence_loss",
    "next_sentence_accuracy",
)
# A sentence ends at a line's end, behind full stops of Chinese and Japanese, and behind
# others if a blank follows; closing quotes and brackets belong to it.
END_OF_SENTENCE = re.compile(
    r"""(?<=[。！？!?…])(?![。！？!?…"'”’»」』）)\]])\s*"""
    r"""|(?<=[。！？]["'”’»」』）)\]])\s*"""
    r"""|(?<=[.!?…]["'”’»」』）)\]])\s+"""
    r"""|(?<=[.])\s+|\s*\n\s*"""
)


def split_sentences(text):
    """The sentences of a text.

    >>> split_sentences("It rains. Does it? “Yes!” 下雨了。真的吗？")
    ['It rains.', 'Does it?', '“Yes!”', '下雨了。', '真的吗？']
    """
    return [
        sentence for part in END_OF_SENTENCE.split(text) if (sentence := part.strip())
    ]


def learn_pieces(sentences, vocabulary_size, lowercase):
    """A vocabulary of pieces of words, by the WordPiece method.

    Returns
    -------
    vocabulary : dict of str to int
        The ids of pieces; special ones come first.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    def learn(size, first):
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(
            vocab_size=size,
            special_tokens=first,
            limit_alphabet=max(1000, vocabulary_size // 2),
            show_progress=False,
        )
        tokenizer.train_from_iterator(sentences, trainer)
        return tokenizer.get_vocab()

    # Characters within words get ids in an order that changes from call to call, and
    # ids decide which of equally frequent pieces is taken: give them ids beforehand.
    inner = (piece for piece in learn(0, list(SPECIAL)) if piece.startswith("##"))
    return learn(vocabulary_size, [*SPECIAL, *sorted(inner)])


class BertPretrainer(BertMixin, BaseNetworkEstimator):
    r"""Pre-train a BERT on documents, from random weights or from those of a model.

    Of each sequence, 15 % of the pieces are chosen; of these, 80 % are masked, 10 % are
    replaced by others and 10 % stay, and the model learns to tell what they were. Each
    sequence has two parts; in half of them the second follows the first in its
    document, else it is of another one, and the model learns to tell that, too [1]_.
    Pieces are drawn anew in each pass [2]_.

    Parameters
    ----------
    model : str, path-like or fitted estimator, default=None
        A BERT to go on from, to adapt it to other documents: a folder as transformers
        writes it, the name of a model on a hub, which is downloaded, or a fitted
        estimator. None begins with a vocabulary learned from the documents, and random
        weights.
    vocabulary_size : int, default=8000
        The number of pieces of words that are learned, special ones included. Of no
        effect with a `model`, as are the next five.
    lowercase : bool, default=True
        Whether letters are made small, and lose their accents.
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
        The share of numbers that is dropped. None is 0.1, or that of the `model`.
    max_length : int, default=128
        The largest number of pieces of a sequence, special ones included, and the
        number of positions that a new model learns; 512 at most.
    mlm_probability : float, default=0.15
        The share of pieces that are chosen.
    whole_words : bool, default=False
        Whether all pieces of a word are chosen together.
    next_sentence : bool, default=True
        Whether sequences have two parts. If not, only pieces are learned [2]_.
    batch_size : int, default=64
        The number of sequences of a step.
    learning_rate : float, default=0.001
        The highest learning rate of AdamW; for a large `model`, 5e-5 is usual.
    lr_schedule : {"constant", "cosine", "linear", "inverse-sqrt"}, default="linear"
        How the rate falls after the warm-up.
    warmup_steps : int or float, default=0.1
        The number of steps in which the rate rises from zero, or, as a float, their
        share of all.
    weight_decay : float, default=0.01
        The weight decay of AdamW; not of biases and norms.
    max_grad_norm : float, default=1.0
        Longer gradients are shortened to this norm.
    max_iter : int, default=10
        The number of passes over the documents.
    max_train_time : float, default=None
        The seconds after which training stops. None is no limit.
    early_stopping : bool or "auto", default=False
        Whether a share of the documents is held out, training stops when it gets no
        better, and the best weights are kept.
        If "auto", early stopping is enabled if there are more than 10000 samples.
    validation_fraction : float, default=0.1
        The share that is held out.
    n_iter_no_change : int, default=3
        The number of passes without a gain of more than `tol` after which it stops.
    tol : float, default=0.0
        The smallest gain.
    n_averaged_checkpoints : int, default=1
        Of how many last passes the weights are averaged.
    checkpoint : str or path-like, default=None
        A file that is written after each pass, and from which an interrupted fit goes
        on.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        The type of products in training. "auto" is bfloat16 where that is faster.
    device : str, default="auto"
        Where the network computes: "cpu", "cuda", ...; "auto" is a GPU if there is
        one.
    warm_start : bool, default=False
        Whether `fit` goes on from the network of the last one, with its vocabulary.
    n_jobs : int, default=None
        The number of threads. None is one, unless in a `joblib.parallel_config`.
    random_state : int, RandomState instance or None, default=None
        Draws weights, pairs, the pieces that are masked, and dropout.
    verbose : int, default=0
        Whether each pass is reported.

    Attributes
    ----------
    networks_ : list of one PreTrainedModel
        The network of transformers, a ``BertForPreTraining``.
    n_iter_ : int
        The number of passes.
    loss_curve_, validation_loss_curve_ : ndarray of shape (n_iter_,)
        The mean loss of each pass, and on the documents held out: the sum of those of
        pieces and of pairs.
    masked_loss_, masked_accuracy_ : float
        The mean loss of a chosen piece, in nats, and the share of them that is told
        right, by the weights that are kept, on the documents held out; without such, in
        the last pass.
    next_sentence_loss_, next_sentence_accuracy_ : float
        The same of pairs; only with `next_sentence`.
    history_ : list of dict of str to float
        The same figures of each pass, in training.

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
    >>> documents = load_docstrings(packages=("numpy",)).data[:200]
    >>> model = BertPretrainer(
    ...     vocabulary_size=1000, hidden_size=32, n_layers=1, n_heads=2, max_length=64,
    ...     max_iter=2, learning_rate=0.01, random_state=0,
    ... )
    >>> model.fit(documents).n_iter_
    2
    >>> model.history_[1]["masked_loss"] < model.history_[0]["masked_loss"]
    True
    """

    _head = "pretraining"
    _kinds_taken = ("text", "tokens", "pairs")
    _fitted_as_data = ("n_iter_", "history_")
    _fitted_as_data += tuple(f"{name}_" for name in FIGURES)
    _fitted_as_arrays = CURVES
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
        model=None,
        *,
        vocabulary_size=8000,
        lowercase=True,
        hidden_size=256,
        n_layers=4,
        n_heads=4,
        feed_forward_size=None,
        dropout=None,
        max_length=128,
        mlm_probability=0.15,
        whole_words=False,
        next_sentence=True,
        batch_size=64,
        learning_rate=0.001,
        lr_schedule="linear",
        warmup_steps=0.1,
        weight_decay=0.01,
        max_grad_norm=1.0,
        max_iter=10,
        max_train_time=None,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=3,
        tol=0.0,
        n_averaged_checkpoints=1,
        checkpoint=None,
        precision="auto",
        device="auto",
        warm_start=False,
        n_jobs=None,
        random_state=None,
        verbose=0,
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
    def fit(self, X, y=None):
        """Learn a vocabulary, unless a model brings one, and pre-train.

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
    def partial_fit(self, X, y=None):
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
        self._import_packages()
        self._check_checkpoint(continue_training)
        if self.model is None and self.hidden_size % self.n_heads:
            raise ValueError(
                f"{type(self).__name__}: hidden_size={self.hidden_size!r} is no "
                f"multiple of n_heads={self.n_heads!r}."
            )
        progress = self._begin({"X": X, "y": None}, max_iter)
        self._learn(
            X, continue_training and hasattr(self, "networks_"), max_iter, progress
        )
        progress.end()
        return self

    @all_or_nothing
    def _learn(self, X, continue_training, max_iter, progress):
        from skml.neural._torch._device import (
            drawing,
            find_device,
            limit_torch_threads,
            seeded,
        )

        documents = self._read_sentences(X)
        device = find_device(self.device, type(self).__name__)
        random_state = make_random_state(self.random_state)
        seed = random_state.randint(2**31 - 1)
        with limit_torch_threads(self.n_jobs), seeded(seed, device):
            if continue_training:  # the old one stays as it is, if this fails
                network = deepcopy(self.networks_[0])
            else:
                with drawing():
                    network = self._make_network(documents)
            sentences = self._encode(documents)
            held_out = self._hold_out(len(sentences), random_state)
            self._train(
                network.to(device),
                sentences,
                held_out,
                device,
                seed,
                max_iter,
                progress,
            )
        self.networks_ = [network]

    # What is read

    def _read_sentences(self, X):
        """Of each document, its sentences."""
        name = type(self).__name__
        documents, kind = read_texts(X, name, allow_rows=True)
        if kind == "text":
            documents = map(split_sentences, documents)
        documents = [[s for s in sentences if s.strip()] for sentences in documents]
        if not any(documents):
            raise ValueError(
                f"{name}: X is empty, or has only empty documents; there is nothing to "
                "learn from."
            )
        return documents

    def _encode(self, documents):
        """The pieces of sentences; what has none is left out."""
        from skml.neural._torch._pretraining import Sentences

        flat = [sentence for sentences in documents for sentence in sentences]
        encodings = self._tokenizer.encode(flat, special=False, fast=True)
        pieces = (np.array(e.ids, dtype=np.int32) for e in encodings)
        found = [[next(pieces) for _ in sentences] for sentences in documents]
        found = [[ids for ids in sentences if len(ids)] for sentences in found]
        found = [sentences for sentences in found if sentences]
        if not found:
            raise ValueError(
                f"{type(self).__name__}: the tokenizer finds nothing in the documents."
            )
        return Sentences(found)

    # The network

    def _make_network(self, documents):
        """A network to begin with, and its tokenizer."""
        import torch

        from skml.neural._torch._pretrained import (
            as_source,
            config_to_json,
            make_bert,
            read_network,
        )

        name = type(self).__name__
        if self.model is None:
            flat = [sentence for sentences in documents for sentence in sentences]
            vocabulary = learn_pieces(flat, self.vocabulary_size, self.lowercase)
            network, *tokenizer = make_bert(
                vocabulary,
                lowercase=self.lowercase,
                hidden_size=self.hidden_size,
                n_layers=self.n_layers,
                n_heads=self.n_heads,
                feed_forward_size=self.feed_forward_size or 4 * self.hidden_size,
                dropout=0.1 if self.dropout is None else self.dropout,
                longest=self.max_length,
                caller=name,
            )
            files, self._special, self._longest = tokenizer
            self._tokenizer = PieceTokenizer(files)
        else:
            with as_source(self.model, name) as source:
                self._load_tokenizer(source)
                network, *_ = read_network(
                    source, self.model, self._head, name, dropout=self.dropout
                )
        if not isinstance(
            getattr(network.cls, "seq_relationship", None), torch.nn.Linear
        ):
            raise ValueError(
                f"{name}: model={self.model!r:.200} is no BERT, but a "
                f"{type(network).__name__}."
            )
        missing = {"pad", "cls", "sep", "mask"} - set(self._special)
        if missing:
            raise ValueError(
                f"{name}: the tokenizer of the model has no piece for {min(missing)!r}."
            )
        self._check_max_length(network)
        self._config = config_to_json(network.config)
        return network

    def _train(self, network, sentences, held_out, device, seed, max_iter, progress):
        from skml.neural._torch._pretraining import PretrainingTask

        task = PretrainingTask(
            sentences, held_out, seed, **self._task_options(), device=device
        )
        training = self._train_network(
            network,
            task,
            lambda training: self._report(training, max_iter, progress),
            device=device,
            seed=seed,
            max_iter=max_iter,
            fingerprint=self._fingerprint(sentences.pieces),
        )
        vars(self).update(self._learned(training))

    def _task_options(self):
        tokenizer = self._tokenizer.backend
        vocabulary = tokenizer.get_vocab()
        special = {
            *SPECIAL,
            *(tokenizer.id_to_token(i) for i in self._special.values()),
        }
        ordinary = sorted(i for piece, i in vocabulary.items() if piece not in special)
        is_inner = np.zeros(max(vocabulary.values()) + 1, dtype=bool)
        is_inner[[i for piece, i in vocabulary.items() if piece.startswith("##")]] = (
            True
        )
        return {
            "longest": self._n_pieces,
            "batch_size": self.batch_size,
            "share": self.mlm_probability,
            "special": self._special,
            "ordinary": np.array(ordinary),
            "is_inner": is_inner if self.whole_words else None,
            "next_sentence": self.next_sentence,
        }

    def _report(self, training, max_iter, progress):
        """Report a pass; whether a callback wants the fit to stop."""
        line = self._line(training, max_iter)
        line += ", masked {masked_loss:.3f} ({masked_accuracy:.1%})".format(
            **training.figures[-1][0]
        )
        return progress.report(
            line, lambda: self._reconstruct(training), task_name="epoch"
        )

    def _learned(self, training):
        """Attributes; figures of one pass are those of the weights that are kept."""
        learned, held_out = training.figures[training.best_epoch]
        kept = held_out or learned
        return {
            **super()._learned(training),
            "history_": [of_pass for of_pass, _ in training.figures],
            **{f"{name}_": kept[name] for name in FIGURES if name in kept},
        }

    def _reconstruct(self, training):
        """The attributes of an estimator that stops here."""
        own = {
            name: getattr(self, name)
            for name in ("_tokenizer", "_special", "_longest", "_n_pieces")
        }
        own["_config"] = self._config
        network = self._rebuild_network(training.best)
        return {**own, **self._learned(training), "networks_": [network]}

    def score(self, X, y=None):
        """Tell the mean log-probability of pieces that are masked in documents.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The documents.
        y : None
            Ignored.

        Returns
        -------
        score : float
            In nats; greater is better. The same pieces are masked in each call.
        """
        import torch

        from skml.neural._torch._device import limit_torch_threads
        from skml.neural._torch._pretraining import PretrainingTask

        check_is_fitted(self)
        sentences = self._encode(self._read_sentences(X))
        network = self._on_device(self.networks_[0])
        everything = np.arange(len(sentences))
        with limit_torch_threads(self.n_jobs), torch.inference_mode():
            task = PretrainingTask(
                sentences, everything, 0, **self._task_options(), device=network.device
            )
            for batch in task.held_out_batches:
                task.held_out_loss(network, batch)
        return -task.held_out_figures.take()["masked_loss"]
