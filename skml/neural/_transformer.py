"""The transformer that reads one sequence and writes another."""

from numbers import Integral
from typing import Literal

from skml._codec import register
from skml._compat.sklearn import Interval, StrOptions
from skml._typing import FilePath, RandomState
from skml.neural._base_translator import BaseTranslator
from skml.neural._fitted_translator import EncoderDecoderNetwork


@register
class TransformerNetwork(EncoderDecoderNetwork):
    """A transformer of encoder and decoder."""

    module_class = "TransformerEncoderDecoder"


class TransformerTranslator(BaseTranslator):
    r"""Turn sequences into sequences, by attention alone.

    In the layers of the encoder each position of the source attends to all others. In
    those of the decoder each position attends to those before it, and to the outputs of
    the encoder [1]_. Attention has several heads, each with its own features:

    .. math:: \mathrm{softmax}\left(\frac{Q_h K_h^\top}{\sqrt{d}} + M\right) V_h

    Here M masks padding and, in the decoder, later positions. See the
    :ref:`user guide <neural>`.

    Parameters
    ----------
    model_size : int, default=256
        Number of features of embeddings and layers; even, and a multiple of `n_heads`.
    n_layers : int, default=3
        Number of layers of the encoder and of the decoder.
    n_heads : int, default=4
        Number of attention heads.
    feed_forward_size : int, default=1024
        Number of hidden units of the feed-forward network in each layer.
    positions : {"sinusoidal", "learned"}, default="sinusoidal"
        Positional encoding that is added to the embeddings.
    norm_first : bool, default=True
        Whether layer normalisation comes before attention and feed-forward network
        [2]_, which makes training more stable; else after the sums.
    activation : {"relu", "gelu"}, default="relu"
        Activation function of the feed-forward networks.
    tokenizer : {"bpe", "word", "char"}, default="bpe"
        How text is split: into subword tokens by byte-pair encoding [3]_, into words
        and punctuation marks, or into characters. Lists of tokens are taken as they
        are.
    vocabulary_size : int or None, default=8000
        Maximum number of tokens of each side, including four special tokens; byte-pair
        encoding also needs 256 for bytes. Of words, characters and given tokens the
        most frequent are kept. None keeps all.
    max_length : int, default=100
        Maximum number of tokens of a sequence. `fit` drops pairs with more on either
        side, `predict` truncates sources, both with a warning. No translation is
        longer.
    max_length_ratio : float or "auto", default="auto"
        Maximum number of tokens of a translation for each token of its source,
        including the end of the source; ten more are always allowed. Translations that
        have not ended there are truncated, with a warning. "auto" is the largest ratio
        of the pairs in `fit`, and at least 2.
    dropout : float, default=0.1
        Dropout probability in training.
    tie_embeddings : bool, default=True
        Whether the embeddings of target tokens and the output layer share their
        weights.
    label_smoothing : float, default=0.1
        Label smoothing factor: the probability that the training loss spreads evenly
        over all tokens.
    batch_size : int, default=2048
        Maximum number of tokens in a batch: sources, targets and padding together.
    learning_rate : float, default=0.001
        Peak learning rate of AdamW.
    lr_schedule : {"constant", "cosine", "linear", "inverse-sqrt"}, default="cosine"
        How the learning rate decays after the warm-up: not at all; to zero along half a
        cosine or along a line, over `max_iter` epochs or `max_train_time`; with the
        inverse square root of the number of steps.
    warmup_steps : int, default=400
        Number of steps in which the learning rate rises from zero; at most half of all
        steps.
    weight_decay : float, default=0.01
        Weight decay of matrices; biases and normalisation weights do not decay.
    max_grad_norm : float, default=1.0
        Gradients are clipped to this norm.
    max_iter : int, default=20
        Maximum number of epochs.
    max_train_time : float or None, default=None
        Number of seconds after which training ends. None means no limit.
    early_stopping : bool or "auto", default="auto"
        Whether a validation set is split off, training stops when its loss does not
        improve any more, and the weights of the best epoch are kept. If "auto", early
        stopping is enabled if there are more than 10000 samples.
    validation_fraction : float, default=0.05
        Fraction of the pairs in the validation set.
    n_iter_no_change : int, default=3
        Number of epochs without improvement after which training stops.
    tol : float, default=0.0
        Minimum decrease of the validation loss that is an improvement.
    n_averaged_checkpoints : int, default=1
        Number of last epochs of which the weights are averaged.
    checkpoint : str, path-like or None, default=None
        File that is written after each epoch. If it exists, `fit` continues from it;
        the data and the parameters must be the same, and `random_state` an integer.
        None keeps no file.
    beam_size : int, default=5
        Number of hypotheses that beam search follows; 1 is greedy search.
    length_penalty : float, default=1.0
        Hypotheses are compared by their log-likelihood divided by their length to this
        power. 0 prefers short ones.
    bleu_tokenize : {"13a", "intl", "zh", "char", "none"}, default="13a"
        How `score` splits text: the `tokenize` of :func:`skml.metrics.bleu_score`,
        under another name beside the `tokenizer` of the network.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        Precision of matrix products in training. "auto" is bfloat16 if the processor is
        faster with it and supports it for this network. Predictions use float32.
    device : str, default="auto"
        Device of PyTorch, such as "cpu" or "cuda". "auto" is a GPU if there is one.
    warm_start : bool, default=False
        Whether `fit` continues from the weights and vocabularies of the previous fit.
    n_jobs : int, default=None
        Number of threads. None means 1 unless in a :obj:`joblib.parallel_backend`
        context; -1 means all processors.
    random_state : int, RandomState instance or None, default=None
        Controls the initialisation of weights, the validation set, the order of batches
        and dropout.
    verbose : int, default=0
        Print a line after each `verbose`-th epoch: losses, samples per second, and the
        time elapsed and left; 0 prints nothing.

    Attributes
    ----------
    network_ : TransformerEncoderDecoder
        The network, a module of PyTorch.
    source_vocabulary_ : object
        The tokens of sources and their ids; its `encode` and `decode` turn documents
        into ids and back.
    target_vocabulary_ : object
        The tokens of targets and their ids.
    max_length_ratio_ : float
        The largest number of target tokens for each source token in `fit`; at least 2.
    n_iter_ : int
        Number of epochs of the last training.
    loss_curve_ : ndarray of shape (n_iterations,)
        Mean training loss of a token in each epoch.
    validation_loss_curve_ : ndarray of shape (n_iterations,)
        Mean loss of a token of the validation set in each epoch, without label
        smoothing; empty without a validation set.

    See Also
    --------
    Seq2SeqTranslator : The same by recurrent networks.
    skml.neural.modules.TransformerEncoderDecoder : The network.
    skml.metrics.bleu_score : The score.

    References
    ----------
    .. [1] A. Vaswani et al., "Attention Is All You Need", NIPS 2017.
    .. [2] R. Xiong et al., "On Layer Normalization in the Transformer Architecture",
       ICML 2020.
    .. [3] R. Sennrich, B. Haddow, A. Birch, "Neural Machine Translation of Rare Words
       with Subword Units", ACL 2016.

    Examples
    --------
    A few pairs, to overfit. The targets are Chinese, as lists of characters:

    >>> from skml import TransformerTranslator
    >>> english = ["the cat sleeps.", "the dog sleeps.", "the dog likes a cake."]
    >>> chinese = [list("猫睡觉。"), list("狗睡觉。"), list("狗喜欢蛋糕。")]
    >>> model = TransformerTranslator(
    ...     model_size=32, n_layers=1, n_heads=2, feed_forward_size=64,
    ...     tokenizer="word", dropout=0.0, label_smoothing=0.0,
    ...     learning_rate=0.01, warmup_steps=10, max_iter=80, random_state=0,
    ... )
    >>> model.fit(english, chinese).predict(["the dog sleeps."])[0]
    ['狗', '睡', '觉', '。']

    The three likeliest translations, best first:

    >>> model.predict(["the dog sleeps."], n_best=3).shape
    (1, 3)
    """

    _network_class = TransformerNetwork
    _parameter_constraints = {
        **BaseTranslator._parameter_constraints,
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "model_size": [Interval(Integral, 1, None, closed="left")],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
        "feed_forward_size": [Interval(Integral, 1, None, closed="left")],
        "positions": [StrOptions({"sinusoidal", "learned"})],
        "norm_first": ["boolean"],
        "activation": [StrOptions({"relu", "gelu"})],
    }

    def __init__(
        self,
        model_size: int = 256,
        *,
        n_layers: int = 3,
        n_heads: int = 4,
        feed_forward_size: int = 1024,
        positions: Literal["sinusoidal", "learned"] = "sinusoidal",
        norm_first: bool = True,
        activation: Literal["relu", "gelu"] = "relu",
        tokenizer: Literal["bpe", "word", "char"] = "bpe",
        vocabulary_size: int | None = 8000,
        max_length: int = 100,
        max_length_ratio: float | Literal["auto"] = "auto",
        dropout: float = 0.1,
        tie_embeddings: bool = True,
        label_smoothing: float = 0.1,
        batch_size: int = 2048,
        learning_rate: float = 0.001,
        lr_schedule: Literal["constant", "cosine", "linear", "inverse-sqrt"] = "cosine",
        warmup_steps: int = 400,
        weight_decay: float = 0.01,
        max_grad_norm: float = 1.0,
        max_iter: int = 20,
        max_train_time: float | None = None,
        early_stopping: bool | Literal["auto"] = "auto",
        validation_fraction: float = 0.05,
        n_iter_no_change: int = 3,
        tol: float = 0.0,
        n_averaged_checkpoints: int = 1,
        checkpoint: FilePath | None = None,
        beam_size: int = 5,
        length_penalty: float = 1.0,
        bleu_tokenize: Literal["13a", "intl", "zh", "char", "none"] = "13a",
        precision: Literal["auto", "float32", "bfloat16"] = "auto",
        device: str = "auto",
        warm_start: bool = False,
        n_jobs: int | None = None,
        random_state: RandomState = None,
        verbose: int = 0,
    ):
        self.model_size = model_size
        self.n_layers = n_layers
        self.n_heads = n_heads
        self.feed_forward_size = feed_forward_size
        self.positions = positions
        self.norm_first = norm_first
        self.activation = activation
        self.tokenizer = tokenizer
        self.vocabulary_size = vocabulary_size
        self.max_length = max_length
        self.max_length_ratio = max_length_ratio
        self.dropout = dropout
        self.tie_embeddings = tie_embeddings
        self.label_smoothing = label_smoothing
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
        self.beam_size = beam_size
        self.length_penalty = length_penalty
        self.bleu_tokenize = bleu_tokenize
        self.precision = precision
        self.device = device
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def _check_parameters(self):
        super()._check_parameters()
        if self.model_size % self.n_heads or self.model_size % 2:
            raise ValueError(
                f"{type(self).__name__}: model_size={self.model_size} is odd, or "
                f"n_heads={self.n_heads} does not divide it; each head gets an equal "
                "part of the features."
            )
