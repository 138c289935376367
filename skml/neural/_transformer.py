"""The transformer that reads one sequence and writes another."""

from numbers import Integral

from skml._compat.sklearn import Interval, StrOptions
from skml.neural._base_translator import BaseTranslator


class TransformerTranslator(BaseTranslator):
    r"""Turn sequences into sequences, by attention alone.

    The encoder has layers in which each position of the source sees all others, the
    decoder layers in which each position sees those before it, and all that the encoder
    found [1]_. Attention has several heads, each with its own part of the features:

    .. math:: \mathrm{softmax}\left(\frac{Q_h K_h^\top}{\sqrt{d}} + M\right) V_h

    Here M hides padding and, in the decoder, what is to come. See the
    :ref:`user guide <neural>`.

    Parameters
    ----------
    model_size : int, default=256
        The number of features everywhere; even, and a multiple of `n_heads`.
    n_layers : int, default=3
        The number of layers of encoder and decoder.
    n_heads : int, default=4
        The number of heads.
    feed_forward_size : int, default=1024
        The number of hidden values of the network that each layer applies at each
        position.
    positions : {"sinusoidal", "learned"}, default="sinusoidal"
        What is added to vectors of tokens to tell where they stand.
    norm_first : bool, default=True
        Whether normalisation comes before attention and network [2]_, which trains
        more surely; else behind the sums.
    activation : {"relu", "gelu"}, default="relu"
        What is applied to hidden values.
    tokenizer : {"bpe", "word", "char"}, default="bpe"
        How text is cut: into pieces of words by byte-pair encoding [3]_, into words
        and punctuation marks, or into characters. Lists of tokens are taken as they
        are.
    vocabulary_size : int or None, default=8000
        The most tokens that each side knows, four special ones included; byte-pair
        encoding needs 256 bytes besides. Of words, characters and tokens the most
        frequent are kept. None keeps all.
    max_length : int, default=100
        The most tokens of a sequence. In `fit` a pair with more on either side is left
        out, in `predict` a source is cut, both with a warning. No translation has more.
    max_length_ratio : float or "auto", default="auto"
        A translation has so many times the tokens of its source, whose end counts, and
        ten, at most; one that has not ended there is cut, with a warning. "auto" is the
        largest ratio of the pairs in `fit`, and 2 at least.
    dropout : float, default=0.1
        The share of numbers that a step of training does without.
    tie_embeddings : bool, default=True
        Whether a target token has the same vector when it is read and when it is
        written.
    label_smoothing : float, default=0.1
        The share of probability that the loss of training wants to be spread evenly
        over all tokens.
    batch_size : int, default=2048
        The most tokens of a batch: sources, targets and padding together.
    learning_rate : float, default=0.001
        The highest learning rate of AdamW.
    lr_schedule : {"constant", "cosine", "linear", "inverse-sqrt"}, default="cosine"
        How the rate falls after the warm-up: not at all; to zero along half a cosine
        or along a line, over `max_iter` passes or `max_train_time`; with the root of
        the number of steps.
    warmup_steps : int, default=400
        The number of steps in which the rate rises from zero; no more than half of all.
    weight_decay : float, default=0.01
        How fast matrices shrink; biases and normalisations do not.
    max_grad_norm : float, default=1.0
        Gradients that are longer are shortened to this.
    max_iter : int, default=20
        The number of passes over the pairs.
    max_train_time : float or None, default=None
        The number of seconds after which training ends. None means no limit.
    early_stopping : bool or "auto", default="auto"
        Whether pairs are held out, training stops when their loss does not gain any
        more, and the weights of the best pass are kept.
        If "auto", early stopping is enabled if there are more than 10000 samples.
    validation_fraction : float, default=0.05
        The share of pairs that are held out.
    n_iter_no_change : int, default=3
        Training stops after so many passes without a gain.
    tol : float, default=0.0
        What counts as a gain.
    n_averaged_checkpoints : int, default=1
        The mean of the weights of so many last passes is taken.
    checkpoint : str, path-like or None, default=None
        A file that is written after each pass. If it is there, `fit` goes on from it;
        the data and the parameters must be the same, and `random_state` an integer.
        None keeps no file.
    beam_size : int, default=5
        How many hypotheses a translation follows; 1 is greedy.
    length_penalty : float, default=1.0
        Hypotheses are compared by log-likelihoods, divided by their length to this
        power. 0 prefers short ones.
    bleu_tokenize : {"13a", "intl", "zh", "char", "none"}, default="13a"
        How `score` cuts text, as in :func:`skml.metrics.bleu_score`.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        In what products are computed in training. "auto" is bfloat16 where that is
        faster, if the network can be computed in it. Predictions are float32.
    device : str, default="auto"
        Where to compute, as "cpu" or "cuda". "auto" is a GPU if there is one.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights and vocabularies that are there.
    n_jobs : int, default=None
        The number of threads. None means 1 unless in a
        :obj:`joblib.parallel_backend` context; -1 means all processors.
    random_state : int, RandomState instance or None, default=None
        Draws weights, held-out pairs, batches and dropout.
    verbose : int, default=0
        Whether the loss of each pass is printed.

    Attributes
    ----------
    network_ : TransformerEncoderDecoder
        The network, a module of PyTorch.
    source_vocabulary_ : object
        The tokens of sources and their ids: `encode` and `decode` turn documents into
        ids and back.
    target_vocabulary_ : object
        Those of targets.
    max_length_ratio_ : float
        The most tokens of a target for one of its source in `fit`, and 2 at least.
    n_iter_ : int
        The number of passes of the last training.
    loss_curve_ : ndarray of shape (n_iter_,)
        Of each pass, the mean loss of a token in training.
    validation_loss_curve_ : ndarray of shape (n_iter_,)
        Of each pass, the mean loss of a token of held-out pairs, without label
        smoothing; empty if none were held out.

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
    A few pairs, learned by heart. The targets are Chinese, as lists of characters:

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
        model_size=256,
        *,
        n_layers=3,
        n_heads=4,
        feed_forward_size=1024,
        positions="sinusoidal",
        norm_first=True,
        activation="relu",
        tokenizer="bpe",
        vocabulary_size=8000,
        max_length=100,
        max_length_ratio="auto",
        dropout=0.1,
        tie_embeddings=True,
        label_smoothing=0.1,
        batch_size=2048,
        learning_rate=0.001,
        lr_schedule="cosine",
        warmup_steps=400,
        weight_decay=0.01,
        max_grad_norm=1.0,
        max_iter=20,
        max_train_time=None,
        early_stopping="auto",
        validation_fraction=0.05,
        n_iter_no_change=3,
        tol=0.0,
        n_averaged_checkpoints=1,
        checkpoint=None,
        beam_size=5,
        length_penalty=1.0,
        bleu_tokenize="13a",
        precision="auto",
        device="auto",
        warm_start=False,
        n_jobs=None,
        random_state=None,
        verbose=0,
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

    def _describe_network(self, n_source, n_target):
        return {
            "n_source": n_source,
            "n_target": n_target,
            "model_size": self.model_size,
            "n_layers": self.n_layers,
            "n_heads": self.n_heads,
            "feed_forward_size": self.feed_forward_size,
            "positions": self.positions,
            "max_length": 2 * (self.max_length + 2),
            "norm_first": self.norm_first,
            "activation": self.activation,
            "dropout": self.dropout,
            "tie_embeddings": self.tie_embeddings,
        }

    def _make_network(self):
        from skml.neural.modules import TransformerEncoderDecoder

        return TransformerEncoderDecoder(**self._architecture)
