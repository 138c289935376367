"""The face of the translators: pairs of sequences in, sequences out."""

from numbers import Integral, Real
from typing import Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skml._compat.sklearn import Interval, StrOptions, _fit_context, with_callbacks
from skml._fitting import warn_user
from skml._progress import Progress
from skml._typing import Documents
from skml.neural._fitted_translator import EncoderDecoderNetwork, FittedTranslator
from skml.neural._network_estimator import BaseNetworkEstimator, check_count
from skml.neural._translation_pairs import (
    encode_sources,
    encode_targets,
    entropy_of,
    pair_with_others,
    read_pairs,
    read_side,
    with_both_ends,
)

SMALLEST_BPE = 260
# A network that reads sources has a much higher loss with wrong ones.
MOST_OF_LOSS = 0.95


class BaseTranslator(BaseNetworkEstimator):
    """Common ground of the estimators that turn sequences into sequences.

    A subclass has a parameter for each of its network's, of the same name.
    """

    _fitted_class = FittedTranslator
    _network_class = EncoderDecoderNetwork
    _decode_parameters = ()  # those that the network's `decode` takes in training

    _parameter_constraints = {
        **BaseNetworkEstimator._parameter_constraints,
        "tokenizer": [StrOptions({"bpe", "word", "char"})],
        "vocabulary_size": [Interval(Integral, 5, None, closed="left"), None],
        "max_length": [Interval(Integral, 1, None, closed="left")],
        "max_length_ratio": [
            StrOptions({"auto"}),
            Interval(Real, 0, None, closed="neither"),
        ],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "tie_embeddings": ["boolean"],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "warmup_steps": [Interval(Integral, 0, None, closed="left")],
        "beam_size": [Interval(Integral, 1, None, closed="left")],
        "length_penalty": [Interval(Real, 0, None, closed="left")],
        "bleu_tokenize": [StrOptions({"13a", "intl", "zh", "char", "none"})],
        "warm_start": ["boolean"],
    }

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Documents, y: Documents) -> Self:
        """Learn vocabularies and network from pairs.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The sources: text, or lists of tokens. A source may be empty.
        y : iterable of str, or iterable of list of str
            The targets, one for each source; none is empty.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X and y differ in length, a document is missing, a target is empty, or
            the device or the checkpoint cannot be used.
        TypeError
            If X or y is no collection of documents.
        ImportError
            If PyTorch is not installed.
        """
        loss, pairs = self._fit(X, y, self.warm_start, self.max_iter)
        self._warn_of_little_learned(loss, *pairs)
        return self

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Documents, y: Documents) -> Self:
        """Train for one epoch; the first call learns the vocabularies, too.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The sources.
        y : iterable of str, or iterable of list of str
            The targets.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        self._fit(X, y, continue_training=True, max_iter=1)
        return self

    def _fit(self, X, y, continue_training, max_iter):
        """Learn, and publish it; return the mean loss of a token, and ids of pairs."""
        self._load_packages()
        from skml.neural._torch._translator_learning import learn_translator

        self._check_parameters()
        self._check_checkpoint(continue_training)
        previous = vars(self).get("_fitted") if continue_training else None
        context = self._init_callback_context(max_subtasks=max_iter)
        progress = Progress(self, context, {"X": X, "y": y})
        fitted, loss, pairs = learn_translator(self, X, y, previous, max_iter, progress)
        self._publish(fitted)
        progress.end()
        return loss, pairs

    def _warn_of_little_learned(self, loss, sources, targets):
        """Warn if a loss is not below what is known without the sources."""
        entropy = entropy_of(targets)
        if loss >= entropy:
            known = (
                f"how frequent each token is: the loss of a token is {loss:.3g}, and "
                f"their entropy {entropy:.3g}"
            )
        else:
            loss, loss_of_others = self._losses_by_source(sources, targets)
            if not loss > MOST_OF_LOSS * loss_of_others:  # NaN if there are no others
                return
            known = (
                "what targets are like, whatever the source: the loss of a token is "
                f"{loss:.3g}, and {loss_of_others:.3g} with the sources of others"
            )
        warn_user(
            f"{type(self).__name__}: no more was learned than {known}. Raise max_iter, "
            "or lower batch_size, so that there are more steps; or change "
            "learning_rate."
        )

    def _losses_by_source(self, sources, targets):
        """The mean loss of a token of some targets: with their sources, and others."""
        from skml.neural._torch._device import limit_torch_threads

        pairs, others = pair_with_others(targets)
        if len(pairs) == 0:
            return np.nan, np.nan
        wanted = [targets[i] for i in pairs]
        n_tokens = sum(len(target) - 1 for target in wanted)
        translator = self._translator()
        with limit_torch_threads(self.n_jobs):
            return [
                -translator.log_likelihood([sources[i] for i in rows], wanted).sum()
                / n_tokens
                for rows in (pairs, others)
            ]

    def _check_parameters(self):
        """Refuse what the declared constraints cannot express."""
        name = type(self).__name__
        if self.tokenizer == "bpe" and (self.vocabulary_size or 0) < SMALLEST_BPE:
            raise ValueError(
                f"{name}: vocabulary_size={self.vocabulary_size!r}; tokenizer='bpe' "
                f"needs a number, {SMALLEST_BPE} at least: 256 bytes and 4 special "
                "tokens."
            )

    def _check_fitted(self, fitted):
        """Refuse a network of another architecture, too."""
        super()._check_fitted(fitted)
        if type(fitted.network) is not self._network_class:
            raise ValueError(f"the network is a {type(fitted.network).__name__}")

    @property
    def network_(self):
        """The network, a module of PyTorch."""
        return self._fitted.network.module

    def _translator(self):
        from skml.neural._torch._device import find_device
        from skml.neural._torch._translation import Translator

        device = find_device(self.device, type(self).__name__)
        return Translator(self.network_, self.batch_size, device)

    def predict(self, X: Documents, *, n_best: int | None = None) -> np.ndarray:
        """Translate sources.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The sources, of the kind of `fit`.
        n_best : int, default=None
            How many translations of each are returned, at most `beam_size`. None
            returns the best one.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_best), of dtype object
            The translations, text or lists of tokens as the targets of `fit`; best
            first. With `n_best`, None stands where no more were found.

        Raises
        ------
        ValueError
            If `n_best` is no integer from 1 to `beam_size`, or X has another kind of
            documents than in `fit`.
        """
        check_is_fitted(self)
        most = self.beam_size
        check_count("n_best", n_best, most, f"from 1 to beam_size={most!r}")
        found = self._search(self._read_sources(X), n_best or 1)
        if n_best is None:
            return self._decode([hypotheses[0].ids for hypotheses in found])
        table = np.full((len(found), n_best), None, dtype=object)
        for row, hypotheses in zip(table, found, strict=True):
            row[: len(hypotheses)] = self._decode([h.ids for h in hypotheses])
        return table

    def _search(self, sources, n_best=1):
        from skml.neural._torch._device import limit_torch_threads

        ratio = self.max_length_ratio
        if ratio == "auto":
            ratio = self.max_length_ratio_
        with limit_torch_threads(self.n_jobs):
            found = self._translator().translate(
                sources,
                self.max_length,
                ratio,
                beam_size=self.beam_size,
                length_penalty=self.length_penalty,
                n_best=n_best,
            )
        self._warn_of_cuts([hypotheses[0] for hypotheses in found], ratio)
        return found

    def _warn_of_cuts(self, hypotheses, ratio):
        cut = [i for i, hypothesis in enumerate(hypotheses) if hypothesis.is_cut]
        if cut:
            n = len(hypotheses[cut[0]].ids)
            is_longest = n >= self.max_length
            name = "max_length" if is_longest else "max_length_ratio"
            value = self.max_length if is_longest else float(ratio)
            warn_user(
                f"{type(self).__name__}: {len(cut)} translation(s) reached the maximum "
                f"length without an end token and were truncated; the first is that of "
                f"document {cut[0]}, after {n} token(s). Increase {name}, which is "
                f"{value:.4g}, or train for more epochs: an undertrained network often "
                "does not predict the end token."
            )

    def _decode(self, sequences):
        decoded = self.target_vocabulary_.decode(sequences)
        found = np.empty(len(decoded), dtype=object)
        found[:] = decoded
        return found

    def score(self, X: Documents, y: Documents) -> float:
        """BLEU of the translations of X, as a whole, from 0 to 1.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The sources.
        y : iterable of str, or iterable of list of str
            The references.

        Returns
        -------
        score : float
            :func:`skml.metrics.bleu_score`, of text with `bleu_tokenize`. With
            ``tokenizer="word"`` the references, too, get blanks around punctuation
            marks.
        """
        from skml.metrics import bleu_score

        check_is_fitted(self)
        kind = self._fitted.kinds[1]
        references, _ = read_side(y, "y", type(self).__name__, kind)
        options = {"tokenize": self.bleu_tokenize} if kind == "text" else {}
        references = self.target_vocabulary_.as_written(references)
        return bleu_score(references, list(self.predict(X)), **options)

    def log_likelihood(self, X: Documents, y: Documents) -> np.ndarray:
        """The logarithm of the probability of each target, given its source.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The sources.
        y : iterable of str, or iterable of list of str
            The targets.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)
            The logarithms, natural ones, of whole targets.

        Raises
        ------
        ValueError
            If X and y differ in length, or a target has more than `max_length` tokens.
        """
        from skml.neural._torch._device import limit_torch_threads

        sources, targets = self._read_pairs(X, y)
        with limit_torch_threads(self.n_jobs):
            return self._translator().log_likelihood(sources, targets)

    def attention_weights(
        self, X: Documents, y: Documents | None = None, *, return_tokens: bool = False
    ):
        """Return how much each target token attends to each source token.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The sources.
        y : iterable of str, or iterable of list of str, default=None
            The targets. None means the translations of X.
        return_tokens : bool, default=False
            Whether the tokens are returned as well.

        Returns
        -------
        weights : list of ndarray of shape (n_target_tokens, n_source_tokens)
            For each pair, the attention weights of the source tokens for each target
            token, which sum to one. The last token of both is the end.
        tokens : list of tuple of two lists of str
            The source tokens and the target tokens of each pair. Only if
            `return_tokens`.
        """
        from skml.neural._torch._device import limit_torch_threads

        check_is_fitted(self)
        if y is None:
            sources = self._read_sources(X)
            found = self._search(sources)
            targets = with_both_ends([hypotheses[0].ids for hypotheses in found])
        else:
            sources, targets = self._read_pairs(X, y)
        with limit_torch_threads(self.n_jobs):
            weights = self._translator().attention_weights(sources, targets)
        if not return_tokens:
            return weights
        tokens = [
            (
                self.source_vocabulary_.to_tokens(source),
                self.target_vocabulary_.to_tokens(target[1:]),
            )
            for source, target in zip(sources, targets, strict=True)
        ]
        return weights, tokens

    def _read_sources(self, X):
        """Ids of sources, of the kind that they had in `fit`."""
        caller = type(self).__name__
        documents, _ = read_side(X, "X", caller, self._fitted.kinds[0])
        vocabulary = self.source_vocabulary_
        return encode_sources(documents, vocabulary, self.max_length, caller)

    def _read_pairs(self, X, y):
        """Ids of sources and targets, of the kinds that they had in `fit`."""
        check_is_fitted(self)
        caller = type(self).__name__
        max_length = self.max_length
        sources, targets, _ = read_pairs(X, y, caller, self._fitted.kinds)
        targets = encode_targets(targets, self.target_vocabulary_, max_length, caller)
        sources = encode_sources(sources, self.source_vocabulary_, max_length, caller)
        return sources, targets

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags
