"""Recurrent networks that read one sequence and write another."""

from numbers import Integral, Real
from typing import Literal

from skml._codec import register
from skml._compat.sklearn import Interval, StrOptions
from skml._typing import FilePath, RandomState
from skml.neural._base_translator import BaseTranslator
from skml.neural._fitted_translator import EncoderDecoderNetwork


@register
class RecurrentNetwork(EncoderDecoderNetwork):
    """A recurrent encoder and decoder."""

    module_class = "RecurrentEncoderDecoder"


class Seq2SeqTranslator(BaseTranslator):
    r"""Turn sequences into sequences, by a recurrent encoder and decoder.

    The encoder reads a source [1]_ [2]_. The decoder starts from its last state and
    writes one token after another. With attention, each token depends on a weighted
    mean of all outputs of the encoder [3]_ [4]_:

    .. math:: \alpha_{tj} = \mathrm{softmax}_j \, a(s_t, h_j), \quad
        f_t = \tanh(W [\textstyle\sum_j \alpha_{tj} h_j; s_t] + b)

    Here s are states of the decoder, h outputs of the encoder, a is the score, and
    probabilities of the next token come from f. See the :ref:`user guide <neural>`.

    Parameters
    ----------
    attention : {"additive", "dot-product"} or None, default="dot-product"
        The score: a small network, :math:`w^\top \tanh(W s + U h)`, or a product,
        :math:`s^\top M h / \sqrt{d}` with d the `hidden_size`. None is the plain
        encoder and decoder, where the last state has to hold everything.
    cell : {"gru", "lstm"}, default="gru"
        Gated recurrent unit or long short-term memory.
    n_layers : int, default=1
        Number of layers of the encoder and of the decoder.
    hidden_size : int, default=256
        Number of features of a state, in each direction.
    embedding_size : int, default=256
        Number of features of a token's embedding.
    bidirectional : bool, default=True
        Whether the encoder reads in both directions.
    teacher_forcing_ratio : float, default=1.0
        Probability that the decoder reads the right previous token in training; else it
        reads its own prediction [5]_, which is slower.
    tokenizer : {"bpe", "word", "char"}, default="bpe"
        How text is split: into subword tokens by byte-pair encoding [6]_, into words
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
    dropout : float, default=0.2
        Dropout probability in training.
    tie_embeddings : bool, default=True
        Whether the embeddings of target tokens and the output layer share their
        weights.
    label_smoothing : float, default=0.1
        Label smoothing factor: the probability that the training loss spreads evenly
        over all tokens.
    batch_size : int, default=2048
        Maximum number of tokens in a batch: sources, targets and padding together.
    learning_rate : float, default=0.004
        Peak learning rate of AdamW.
    lr_schedule : {"constant", "cosine", "linear", "inverse-sqrt"}, default="cosine"
        How the learning rate decays after the warm-up: not at all; to zero along half a
        cosine or along a line, over `max_iter` epochs or `max_train_time`; with the
        inverse square root of the number of steps.
    warmup_steps : int, default=100
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
    network_ : RecurrentEncoderDecoder
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
    TransformerTranslator : The same by attention alone.
    skml.neural.modules.RecurrentEncoderDecoder : The network.
    skml.metrics.bleu_score : The score.

    References
    ----------
    .. [1] K. Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for
       Statistical Machine Translation", EMNLP 2014.
    .. [2] I. Sutskever, O. Vinyals, Q. V. Le, "Sequence to Sequence Learning with
       Neural Networks", NIPS 2014.
    .. [3] D. Bahdanau, K. Cho, Y. Bengio, "Neural Machine Translation by Jointly
       Learning to Align and Translate", ICLR 2015.
    .. [4] M.-T. Luong, H. Pham, C. D. Manning, "Effective Approaches to Attention-based
       Neural Machine Translation", EMNLP 2015.
    .. [5] S. Bengio, O. Vinyals, N. Jaitly, N. Shazeer, "Scheduled Sampling for
       Sequence Prediction with Recurrent Neural Networks", NIPS 2015.
    .. [6] R. Sennrich, B. Haddow, A. Birch, "Neural Machine Translation of Rare Words
       with Subword Units", ACL 2016.

    Examples
    --------
    A few pairs, to overfit; more pairs need a larger network, and dropout:

    >>> from skml import Seq2SeqTranslator
    >>> english = ["the cat sleeps.", "the dog sleeps.", "a dog likes a cake."]
    >>> french = ["le chat dort.", "le chien dort.", "un chien aime un gâteau."]
    >>> model = Seq2SeqTranslator(
    ...     hidden_size=32, embedding_size=32, tokenizer="word", dropout=0.0,
    ...     label_smoothing=0.0, learning_rate=0.01, warmup_steps=10, max_iter=80,
    ...     random_state=0,
    ... )
    >>> model.fit(english, french).predict(["the dog sleeps."])
    array(['le chien dort .'], dtype=object)

    Which source words does each word of the translation attend to?

    >>> weights, tokens = model.attention_weights(
    ...     ["the dog sleeps."], return_tokens=True
    ... )
    >>> tokens[0][1]
    ['le', 'chien', 'dort', '.', '</s>']
    >>> weights[0].shape
    (5, 5)
    """

    _network_class = RecurrentNetwork
    _decode_parameters = ("teacher_forcing_ratio",)
    _parameter_constraints = {
        **BaseTranslator._parameter_constraints,
        "attention": [StrOptions({"additive", "dot-product"}), None],
        "cell": [StrOptions({"gru", "lstm"})],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "embedding_size": [Interval(Integral, 1, None, closed="left")],
        "bidirectional": ["boolean"],
        "teacher_forcing_ratio": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(
        self,
        attention: Literal["additive", "dot-product"] | None = "dot-product",
        *,
        cell: Literal["gru", "lstm"] = "gru",
        n_layers: int = 1,
        hidden_size: int = 256,
        embedding_size: int = 256,
        bidirectional: bool = True,
        teacher_forcing_ratio: float = 1.0,
        tokenizer: Literal["bpe", "word", "char"] = "bpe",
        vocabulary_size: int | None = 8000,
        max_length: int = 100,
        max_length_ratio: float | Literal["auto"] = "auto",
        dropout: float = 0.2,
        tie_embeddings: bool = True,
        label_smoothing: float = 0.1,
        batch_size: int = 2048,
        learning_rate: float = 0.004,
        lr_schedule: Literal["constant", "cosine", "linear", "inverse-sqrt"] = "cosine",
        warmup_steps: int = 100,
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
        self.attention = attention
        self.cell = cell
        self.n_layers = n_layers
        self.hidden_size = hidden_size
        self.embedding_size = embedding_size
        self.bidirectional = bidirectional
        self.teacher_forcing_ratio = teacher_forcing_ratio
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
