"""What the translators share: pairs of sequences in, sequences out."""

from copy import deepcopy
from itertools import chain
from numbers import Integral, Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skml._compat.sklearn import Interval, StrOptions, _fit_context, with_callbacks
from skml._fitting import all_or_nothing, warn_user
from skml._optional import import_optional
from skml._random import make_random_state
from skml.metrics import bleu_score
from skml.neural._codec import VOCABULARIES, read_documents
from skml.neural._network_estimator import (
    BaseNetworkEstimator,
    to_arrays,
    to_tensors,
)
from skml.neural._storage import load_folder, save_folder

FEWEST_PIECES = 260  # of byte-pair encoding


class BaseTranslator(BaseNetworkEstimator):
    """Common ground of the estimators that turn sequences into sequences.

    A subclass makes the network.
    """

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
    def fit(self, X, y):
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
        found = self._fit(
            X, y, continue_training=self.warm_start, max_iter=self.max_iter
        )
        self._warn_if_nothing_is_learned(*found)
        return self

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y):
        """Go over some pairs once; the first call learns the vocabularies, too.

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

    def _fit(self, X, y, *, continue_training, max_iter):
        """Learn; returns the loss of a token at the end, and the tokens' entropy."""
        self._import_packages()
        self._check_parameters()
        self._check_checkpoint(continue_training)
        progress = self._begin({"X": X, "y": y}, max_iter)
        continue_training = continue_training and hasattr(self, "network_")
        found = self._learn(X, y, continue_training, max_iter, progress)
        progress.end()
        return found

    def _check_parameters(self):
        """Refuse what the declared constraints cannot express."""
        name = type(self).__name__
        if self.tokenizer == "bpe" and (self.vocabulary_size or 0) < FEWEST_PIECES:
            raise ValueError(
                f"{name}: vocabulary_size={self.vocabulary_size!r}; tokenizer='bpe' "
                f"needs a number, {FEWEST_PIECES} at least: 256 bytes and 4 special "
                "tokens."
            )

    def _warn_if_nothing_is_learned(self, loss, entropy):
        if loss >= entropy:
            warn_user(
                f"{type(self).__name__}: no more was learned than how frequent each "
                f"token is: the loss of a token is {loss:.3g}, and their entropy "
                f"{entropy:.3g}. Raise max_iter, or lower batch_size, so that there "
                "are more steps; or change learning_rate."
            )

    @all_or_nothing
    def _learn(self, X, y, continue_training, max_iter, progress):
        from skml.neural._torch._device import (
            drawing,
            find_device,
            limit_torch_threads,
            seeded,
        )
        from skml.neural._torch._translation import ratio_of

        sources, targets = self._read_pairs(X, y, continue_training)
        if continue_training:
            self._check_unchanged()
        else:
            self._learn_vocabularies(sources, targets)
        pairs = self._encode_pairs(sources, targets)
        before = self.max_length_ratio_ if continue_training else 0.0
        self.max_length_ratio_ = max(before, ratio_of(*pairs))
        device = find_device(self.device, type(self).__name__)
        random_state = make_random_state(self.random_state)
        seed = random_state.randint(2**31 - 1)
        held_out = self._hold_out(len(pairs[0]), random_state)
        with limit_torch_threads(self.n_jobs), seeded(seed, device):
            if continue_training:  # the old one stays as it is, if this fails
                self.network_ = deepcopy(self.network_)
            else:
                self._architecture = self._describe_network(*self._sizes())
                with drawing():
                    self.network_ = self._make_network()
            self.network_.to(device)
            return self._train(pairs, held_out, device, seed, max_iter, progress)

    def _sizes(self):
        return len(self.source_vocabulary_), len(self.target_vocabulary_)

    def _check_unchanged(self):
        """Refuse to go on with parameters that would change network or vocabularies."""
        now = {**self._describe_network(*self._sizes()), **self._cutting()}
        before = {**self._architecture, **self._cut_by}
        for name, value in now.items():
            if value != before[name]:
                raise ValueError(
                    f"{type(self).__name__}: {name} is {value!r}, and was "
                    f"{before[name]!r} in the fit that this one goes on from. Set it "
                    "back, or fit anew with warm_start=False."
                )

    def _cutting(self):
        """The parameters that decide how text is cut."""
        return {"tokenizer": self.tokenizer, "vocabulary_size": self.vocabulary_size}

    # What is read

    def _read_pairs(self, X, y, continue_training):
        name = type(self).__name__
        sources, source_kind = read_documents(X, name)
        if y is None:
            raise ValueError(
                f"{name} requires y to be passed, but the target y is None."
            )
        targets, target_kind = read_documents(y, name, "y")
        self._check_pairs(sources, targets)
        if not sources:
            raise ValueError(f"{name}: X is empty; at least one pair is needed.")
        if not continue_training:
            self._kinds = source_kind, target_kind
        self._check_kind(source_kind, 0, "X")
        self._check_kind(target_kind, 1, "y")
        return sources, targets

    def _check_pairs(self, sources, targets):
        if len(sources) != len(targets):
            raise ValueError(
                f"{type(self).__name__}: X has {len(sources)} document(s), and y has "
                f"{len(targets)}; expected one target for each source."
            )

    def _read(self, X, side=0):
        """Documents after `fit`, of the same kind as then."""
        what = "Xy"[side]
        documents, kind = read_documents(X, type(self).__name__, what)
        self._check_kind(kind, side, what)
        return documents

    def _check_kind(self, kind, side, what):
        expected = self._kinds[side]
        if kind not in (None, expected):
            names = {"text": "text", "tokens": "lists of tokens"}
            raise ValueError(
                f"{type(self).__name__}: {what} has {names[kind]}; in fit it had "
                f"{names[expected]}."
            )

    def _learn_vocabularies(self, sources, targets):
        self._cut_by = self._cutting()
        for side, documents in (("source", sources), ("target", targets)):
            kind = self._kinds[side == "target"]
            name = "tokens" if kind == "tokens" else self.tokenizer
            if name == "bpe":
                caller = type(self).__name__
                import_optional("tokenizers", extra="neural", caller=caller)
            vocabulary = VOCABULARIES[name].learn(documents, self.vocabulary_size)
            setattr(self, f"{side}_vocabulary_", vocabulary)

    def _encode_pairs(self, sources, targets):
        """Ids of the pairs that are not too long."""
        from skml.neural._torch._translation import with_both_ends, with_end

        sources = self.source_vocabulary_.encode(sources)
        targets = self.target_vocabulary_.encode(targets)
        for position, ids in enumerate(targets):
            if len(ids) == 0:
                raise ValueError(
                    f"{type(self).__name__}, y: document {position} is empty; there is "
                    "nothing to learn from it. Drop the pair."
                )
        longest = np.array(
            [max(len(s), len(t)) for s, t in zip(sources, targets, strict=True)]
        )
        kept = np.flatnonzero(longest <= self.max_length)
        n_dropped = len(longest) - len(kept)
        if len(kept) == 0:
            raise ValueError(
                f"{type(self).__name__}: all pairs have more tokens than max_length="
                f"{self.max_length!r}; the first has {longest[0]}. Raise max_length."
            )
        if n_dropped:
            first = int(np.flatnonzero(longest > self.max_length)[0])
            warn_user(
                f"{type(self).__name__}: {n_dropped} pair(s) are left out, which have "
                f"more tokens than max_length={self.max_length!r}; the first is "
                f"document {first}, with {longest[first]}."
            )
        return (
            with_end([sources[i] for i in kept]),
            with_both_ends([targets[i] for i in kept]),
        )

    def _encode_sources(self, documents):
        """Ids of sources; what is too long is cut, and there is a warning."""
        from skml.neural._torch._translation import with_end

        sources = self.source_vocabulary_.encode(documents)
        too_long = [i for i, ids in enumerate(sources) if len(ids) > self.max_length]
        if too_long:
            warn_user(
                f"{type(self).__name__}: {len(too_long)} document(s) have more tokens "
                f"than max_length={self.max_length!r}, and are cut there; the first is "
                f"document {too_long[0]}, with {len(sources[too_long[0]])}."
            )
        return with_end([ids[: self.max_length] for ids in sources])

    # Training

    def _train(self, pairs, held_out, device, seed, max_iter, progress):
        from skml.neural._torch._translation import TranslationTask, entropy_of

        task = TranslationTask(
            *pairs,
            held_out,
            batch_size=self.batch_size,
            label_smoothing=self.label_smoothing,
            device=device,
            decode_options=self._decode_options(),
        )
        training = self._train_network(
            self.network_,
            task,
            lambda training: self._report(training, max_iter, progress),
            device=device,
            seed=seed,
            max_iter=max_iter,
            fingerprint=self._fingerprint(chain.from_iterable(pairs)),
        )
        vars(self).update(self._learned(training))
        return training.best_loss, entropy_of(pairs[1])

    def _decode_options(self):
        """Arguments of the network's `decode` in training."""
        return {}

    def _report(self, training, max_iter, progress):
        """Report a pass; whether a callback wants the fit to stop."""
        return progress.report(
            self._line(training, max_iter),
            lambda: self._reconstruct(training),
            task_name="epoch",
        )

    def _reconstruct(self, training):
        """The attributes of an estimator that stops here."""
        own = {
            "_kinds": self._kinds,
            "_cut_by": self._cut_by,
            "_architecture": self._architecture,
            "max_length_ratio_": self.max_length_ratio_,
            "source_vocabulary_": self.source_vocabulary_,
            "target_vocabulary_": self.target_vocabulary_,
        }
        network = self._rebuild_network(training.best)
        return {**own, **self._learned(training), "network_": network}

    # After training

    def _translator(self):
        from skml.neural._torch._device import find_device
        from skml.neural._torch._translation import Translator

        device = find_device(self.device, type(self).__name__)
        return Translator(self.network_, self.batch_size, device)

    def predict(self, X, *, n_best=None):
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
        is_count = isinstance(n_best, Integral) and not isinstance(n_best, bool)
        if n_best is not None and not (is_count and 1 <= n_best <= self.beam_size):
            raise ValueError(
                f"n_best={n_best!r}; expected None or an integer from 1 to beam_size="
                f"{self.beam_size!r}."
            )
        found = self._search(self._encode_sources(self._read(X)), n_best or 1)
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
                f"{type(self).__name__}: {len(cut)} translation(s) had not ended at "
                f"the limit of their lengths, and are cut there; the first is that of "
                f"document {cut[0]}, after {n} token(s). Raise {name}, which is "
                f"{value:.4g}, or train longer: a network that has learned little "
                "writes on and on."
            )

    def _decode(self, sequences):
        decoded = self.target_vocabulary_.decode(sequences)
        found = np.empty(len(decoded), dtype=object)
        found[:] = decoded
        return found

    def score(self, X, y):
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
        check_is_fitted(self)
        references = self._read(y, side=1)
        options = {}
        if self._kinds[1] == "text":
            options["tokenize"] = self.bleu_tokenize
            references = self.target_vocabulary_.as_written(references)
        return bleu_score(references, list(self.predict(X)), **options)

    def log_likelihood(self, X, y):
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

        sources, targets = self._given_pairs(X, y)
        with limit_torch_threads(self.n_jobs):
            return self._translator().log_likelihood(sources, targets)

    def attention_weights(self, X, y=None, *, return_tokens=False):
        """Tell which source tokens each target token looked at.

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
            Of each pair, for each target token the weights of the source tokens, which
            sum to one. The last of both is the end.
        tokens : list of tuple of two lists of str
            Of each pair, the source tokens and the target tokens; if `return_tokens`.
        """
        from skml.neural._torch._device import limit_torch_threads
        from skml.neural._torch._translation import with_both_ends

        check_is_fitted(self)
        if y is None:
            sources = self._encode_sources(self._read(X))
            found = self._search(sources)
            targets = with_both_ends([hypotheses[0].ids for hypotheses in found])
        else:
            sources, targets = self._given_pairs(X, y)
        with limit_torch_threads(self.n_jobs):
            weights = self._translator().attention_weights(sources, targets)
        if not return_tokens:
            return weights
        tokens = [
            (
                self.source_vocabulary_.pieces(source),
                self.target_vocabulary_.pieces(target[1:]),
            )
            for source, target in zip(sources, targets, strict=True)
        ]
        return weights, tokens

    def _given_pairs(self, X, y):
        from skml.neural._torch._translation import with_both_ends

        check_is_fitted(self)
        sources, targets = self._read(X), self._read(y, side=1)
        self._check_pairs(sources, targets)
        targets = self.target_vocabulary_.encode(targets)
        for position, ids in enumerate(targets):
            if len(ids) > self.max_length:
                raise ValueError(
                    f"{type(self).__name__}, y: document {position} has {len(ids)} "
                    f"tokens, more than max_length={self.max_length!r}. Cut or drop it."
                )
        return self._encode_sources(sources), with_both_ends(targets)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "network_")

    # To keep

    def __getstate__(self):
        """The network as arrays, so that a model of a GPU loads without one."""
        state = dict(super().__getstate__())
        if "network_" in state:
            state["_weights"] = to_arrays(state.pop("network_"))
        return state

    def __setstate__(self, state):
        state = dict(state)
        weights = state.pop("_weights", None)
        super().__setstate__(state)
        if weights is not None:
            import_optional("torch", extra="neural", caller=type(self).__name__)
            self.network_ = self._rebuild_network(to_tensors(weights))

    def _rebuild_network(self, weights):
        """A network with these weights, which are copied."""
        from skml.neural._torch._device import preserve_rng_state

        with preserve_rng_state():
            network = self._make_network()
        network.load_state_dict(weights)
        return network.eval()

    def save(self, path):
        """Write a fitted estimator to a folder, in files that run no code.

        Parameters
        ----------
        path : str or path-like
            The folder, which is made; an estimator that is there is replaced.

        Returns
        -------
        self : object
            The estimator.
        """
        check_is_fitted(self)
        save_folder(self, path)
        return self

    @classmethod
    def load(cls, path):
        """Read an estimator that `save` wrote.

        Parameters
        ----------
        path : str or path-like
            The folder.

        Returns
        -------
        estimator : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the folder is damaged, of another version, or of another estimator.
        """
        return load_folder(cls, path)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags
