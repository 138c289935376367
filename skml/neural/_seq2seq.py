"""Recurrent networks that read one sequence and write another."""

from numbers import Integral, Real

from skml._compat.sklearn import Interval, StrOptions
from skml.neural._base_translator import BaseTranslator


class Seq2SeqTranslator(BaseTranslator):
    r"""Turn sequences into sequences, by a recurrent encoder and decoder.

    The encoder reads a source [1]_ [2]_. The decoder starts from its last state and
    writes one token after another. With attention, what it writes depends on a mean of
    all that the encoder found, with weights for each token that is written [3]_ [4]_:

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
        The gated recurrent unit or long short-term memory.
    n_layers : int, default=1
        The number of layers of encoder and decoder.
    hidden_size : int, default=256
        The size of a state, in each direction.
    embedding_size : int, default=256
        The number of features of a token's vector.
    bidirectional : bool, default=True
        Whether the encoder also reads backwards.
    teacher_forcing_ratio : float, default=1.0
        How often the decoder reads the right token before, in training; else it reads
        the one that it found itself [5]_, which is slower.
    tokenizer : {"bpe", "word", "char"}, default="bpe"
        How text is cut: into pieces of words by byte-pair encoding [6]_, into words
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
    dropout : float, default=0.2
        The share of numbers that a step of training does without.
    tie_embeddings : bool, default=True
        Whether a target token has the same vector when it is read and when it is
        written.
    label_smoothing : float, default=0.1
        The share of probability that the loss of training wants to be spread evenly
        over all tokens.
    batch_size : int, default=2048
        The most tokens of a batch: sources, targets and padding together.
    learning_rate : float, default=0.004
        The highest learning rate of AdamW.
    lr_schedule : {"constant", "cosine", "linear", "inverse-sqrt"}, default="cosine"
        How the rate falls after the warm-up: not at all; to zero along half a cosine
        or along a line, over `max_iter` passes or `max_train_time`; with the root of
        the number of steps.
    warmup_steps : int, default=100
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
    network_ : RecurrentEncoderDecoder
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
    A few pairs, learned by heart; more pairs want a larger network, and dropout:

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

    Which word did each word of it look at?

    >>> weights, tokens = model.attention_weights(
    ...     ["the dog sleeps."], return_tokens=True
    ... )
    >>> tokens[0][1]
    ['le', 'chien', 'dort', '.', '</s>']
    >>> weights[0].shape
    (5, 5)
    """

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
        attention="dot-product",
        *,
        cell="gru",
        n_layers=1,
        hidden_size=256,
        embedding_size=256,
        bidirectional=True,
        teacher_forcing_ratio=1.0,
        tokenizer="bpe",
        vocabulary_size=8000,
        max_length=100,
        max_length_ratio="auto",
        dropout=0.2,
        tie_embeddings=True,
        label_smoothing=0.1,
        batch_size=2048,
        learning_rate=0.004,
        lr_schedule="cosine",
        warmup_steps=100,
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

    def _describe_network(self, n_source, n_target):
        return {
            "n_source": n_source,
            "n_target": n_target,
            "embedding_size": self.embedding_size,
            "hidden_size": self.hidden_size,
            "n_layers": self.n_layers,
            "cell": self.cell,
            "bidirectional": self.bidirectional,
            "attention": self.attention,
            "dropout": self.dropout,
            "tie_embeddings": self.tie_embeddings,
        }

    def _make_network(self):
        from skml.neural.modules import RecurrentEncoderDecoder

        return RecurrentEncoderDecoder(**self._architecture)

    def _decode_options(self):
        return {"teacher_forcing_ratio": self.teacher_forcing_ratio}
