"""Answers from contexts, by a fine-tuned model of the BERT family.

Half of this file is the documentation of one class, its parameters and methods.
"""

from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Literal, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skml._codec import stored
from skml._compat.sklearn import Interval, _fit_context, with_callbacks
from skml._fitting import warn_user
from skml._typing import ArrayLike, FilePath, MatrixLike, RandomState
from skml.neural._bert_answers import (
    NOWHERE,
    Answer,
    AnswerTargets,
    best_of_pair,
    best_of_window,
    cut_contexts,
    cut_questions,
    find_answer,
    list_answers,
)
from skml.neural._bert_fitted import TunedBert
from skml.neural._bert_tuner import BaseBertTuner
from skml.neural._network_estimator import check_count


@stored
class AnsweringBert(TunedBert):
    """Networks whose outputs are the logits of the start and the end of an answer."""

    head = "question-answering"

    def check(self):
        super().check()
        self.check_outputs(2)


class BertQuestionAnswerer(BaseBertTuner):
    r"""Find answers in contexts, by fine-tuning a model of the BERT family.

    Each pair is a question and a context, in which the answer stands. One linear layer
    turns the vector of each token into two logits: that the answer begins there, and
    that it ends there; all weights are trained together [1]_. The answer is the part of
    the context for which the sum of both is largest. Whether there is an answer at all
    can be learned, too [2]_.

    Parameters
    ----------
    model : str, path-like or fitted estimator, default=None
        The model to begin with: a folder as transformers writes it, the name of a
        model on a hub, which is downloaded, or a fitted :class:`BertPretrainer`, within
        a search in a :class:`~sklearn.frozen.FrozenEstimator`. None is refused by
        `fit`.
    max_length : int, default=None
        The largest number of tokens of a window, special ones included. None takes as
        many as the model can. A longer context is read in several windows, each behind
        the question.
    window_overlap : int, default=None
        The number of tokens of the context that two windows share; at most half of
        those that a window holds beside the longest question. None is a quarter of
        `max_length`, or that half if it is less.
    max_question_length : int, default=64
        Questions with more tokens are cut off, with a warning.
    max_answer_length : int, default=30
        The largest number of tokens of an answer that is predicted. In Chinese, each
        character is a token.
    no_answer_threshold : float, default=None
        By how much "no answer" must be better than the best answer to be predicted, in
        logits. None always predicts an answer, even if pairs without one were learned
        from; 0 is usual then. It may be set after `fit`; see `answer_scores`.
    freeze : {"none", "embeddings", "all"} or int, default="none"
        Which weights are frozen: none; the embeddings; all but the head; or, as an
        integer, the embeddings and so many of the lowest layers.
    dropout : float, default=None
        Dropout probability in training. None keeps the model's own.
    batch_size : int, default=32
        The number of windows of a step.
    learning_rate : float, default=5e-5
        The highest learning rate of AdamW.
    head_learning_rate : float, default=None
        The highest learning rate of the head. None takes `learning_rate`.
    layer_decay : float, default=1.0
        The factor of the learning rate from each layer to that below it.
    lr_schedule : {"constant", "cosine", "linear", "inverse-sqrt"}, default="linear"
        The schedule of the learning rate after the warm-up.
    warmup_steps : int or float, default=0.1
        The number of steps in which the learning rate rises from zero, or, as a float,
        their fraction of all steps.
    weight_decay : float, default=0.01
        The weight decay of AdamW; not of biases and norms.
    max_grad_norm : float, default=1.0
        Gradients with a larger norm are clipped to it.
    max_iter : int, default=3
        The number of epochs.
    max_train_time : float, default=None
        The seconds after which training stops. None is no limit.
    early_stopping : bool or "auto", default=False
        Whether a fraction of the pairs is set aside as validation set, training stops
        when its loss no longer improves, and the best weights are kept. If "auto",
        early stopping is enabled if there are more than 10000 samples.
    validation_fraction : float, default=0.1
        The fraction that is set aside as validation set.
    n_iter_no_change : int, default=1
        The number of epochs without an improvement by more than `tol` after which
        training stops.
    tol : float, default=0.0
        The tolerance of an improvement.
    n_averaged_checkpoints : int, default=1
        The number of last epochs whose weights are averaged.
    checkpoint : str or path-like, default=None
        A file that is written after each epoch, and from which an interrupted fit
        continues.
    n_estimators : int, default=1
        The number of networks in the ensemble, trained with different seeds; their
        logits are averaged.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        The type of products in training. "auto" is bfloat16 where that is faster.
    device : str, default="auto"
        Where the network computes: "cpu", "cuda", ...; "auto" is a GPU if there is
        one.
    n_jobs : int, default=None
        The number of threads. None is one, unless in a `joblib.parallel_config`.
    random_state : int, RandomState instance or None, default=None
        Determines the initialisation of the head, the shuffling of windows, and
        dropout.
    verbose : int, default=0
        Print a line after each `verbose`-th epoch: losses, samples per second, and the
        time elapsed and left; 0 prints nothing.

    Attributes
    ----------
    estimators_ : list of PreTrainedModel
        The networks of the ensemble, of the library transformers.
    newly_initialized_ : list of str
        The names of the weights that the model did not have: those of the head.
    n_iter_ : int
        The number of epochs of the first network.
    loss_curve_, validation_loss_curve_ : ndarray of shape (n_iterations,)
        The mean loss of each epoch of the first network, and its loss on the validation
        set.

    See Also
    --------
    BertClassifier : Classes of texts, or of pairs of texts.
    BertTokenClassifier : A class for each token.
    skml.metrics.answer_f1_score : The score of answers.
    skml.metrics.answer_exact_match_score : The fraction of answers that are right.

    Notes
    -----
    A window that has not all of the answer learns that there is none: that
    it begins and ends at the first token, [CLS]. The loss of a window is the mean of
    two cross entropies, over its tokens, and the windows of a pair share its weight. Of
    the sums at [CLS] in the windows of a pair the smallest one counts: no window must
    have an answer [2]_.

    A predicted answer is as it is written in the context, without blanks around. It has
    the combining marks of its last letter, even if the tokenizer drops them.

    References
    ----------
    .. [1] J. Devlin, M.-W. Chang, K. Lee, K. Toutanova, "BERT: Pre-training of Deep
       Bidirectional Transformers for Language Understanding", NAACL 2019.
    .. [2] P. Rajpurkar, R. Jia, P. Liang, "Know What You Don't Know: Unanswerable
       Questions for SQuAD", ACL 2018.

    Examples
    --------
    A small model, pre-trained on the spot; mostly you will name the folder of one:

    >>> from skml import BertPretrainer, BertQuestionAnswerer
    >>> pairs = [
    ...     ("Who sleeps?", "The cat sleeps on the mat."),
    ...     ("Where does it sleep?", "The cat sleeps on the mat."),
    ...     ("Who barks?", "A dog barks in the garden."),
    ...     ("Where does it bark?", "A dog barks in the garden."),
    ... ]
    >>> answers = ["The cat", "on the mat", ("A dog", 0), "in the garden"]
    >>> small = BertPretrainer(
    ...     vocabulary_size=80, hidden_size=16, n_layers=1, n_heads=2, max_iter=1,
    ...     random_state=0,
    ... ).fit([text for pair in pairs for text in pair])
    >>> model = BertQuestionAnswerer(
    ...     small, learning_rate=0.01, max_iter=60, random_state=0
    ... )
    >>> model.fit(pairs, answers).predict(pairs[:2])
    array(['The cat', 'on the mat'], dtype=object)
    """

    _fitted_class = AnsweringBert
    _kinds_taken = ("pairs",)
    _parameter_constraints = {
        **BaseBertTuner._parameter_constraints,
        "max_question_length": [Interval(Integral, 1, None, closed="left")],
        "max_answer_length": [Interval(Integral, 1, None, closed="left")],
        "no_answer_threshold": [Interval(Real, None, None, closed="neither"), None],
    }

    def __init__(
        self,
        model: FilePath | BaseEstimator | None = None,
        *,
        max_length: int | None = None,
        window_overlap: int | None = None,
        max_question_length: int = 64,
        max_answer_length: int = 30,
        no_answer_threshold: float | None = None,
        freeze: Literal["none", "embeddings", "all"] | int = "none",
        dropout: float | None = None,
        batch_size: int = 32,
        learning_rate: float = 5e-5,
        head_learning_rate: float | None = None,
        layer_decay: float = 1.0,
        lr_schedule: Literal["constant", "cosine", "linear", "inverse-sqrt"] = "linear",
        warmup_steps: float = 0.1,
        weight_decay: float = 0.01,
        max_grad_norm: float = 1.0,
        max_iter: int = 3,
        max_train_time: float | None = None,
        early_stopping: bool | Literal["auto"] = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 1,
        tol: float = 0.0,
        n_averaged_checkpoints: int = 1,
        checkpoint: FilePath | None = None,
        n_estimators: int = 1,
        precision: Literal["auto", "float32", "bfloat16"] = "auto",
        device: str = "auto",
        n_jobs: int | None = None,
        random_state: RandomState = None,
        verbose: int = 0,
    ):
        self.model = model
        self.max_length = max_length
        self.window_overlap = window_overlap
        self.max_question_length = max_question_length
        self.max_answer_length = max_answer_length
        self.no_answer_threshold = no_answer_threshold
        self.freeze = freeze
        self.dropout = dropout
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.head_learning_rate = head_learning_rate
        self.layer_decay = layer_decay
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
        self.n_estimators = n_estimators
        self.precision = precision
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Sequence[tuple[str, str]] | MatrixLike,
        y: Sequence,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Fine-tune the model.

        Parameters
        ----------
        X : list of tuple of two str, or table of two columns
            The questions and their contexts: tuples, or the rows of an array or data
            frame.
        y : list of str, tuple, dict, list or None
            The answer to each question: a text, of which the first occurrence in the
            context is meant; a tuple ``(text, start)``, with the position of its first
            character; a dict as in SQuAD, with one or several texts and positions as
            ``"text"`` and ``"answer_start"``; or a list of texts. Of several, the first
            is learned. None, or another missing value, "" and an empty list say that
            the context has no answer.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights. A pair of weight 0 is left out.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X and y differ in length, X has no pairs, an answer is not in its context
            or not at its position, the model cannot be read or takes fewer tokens than
            `max_length`, or a window has no room for the longest question and answer.
        TypeError
            If X is no collection of pairs, or y of answers.
        ImportError
            If PyTorch or transformers is not installed.
        """
        return self._fit(X, y, sample_weight)

    def _drop_weightless(self, documents, y, sample_weight):
        if y is not None:  # with positions, for messages
            y = list(enumerate(list_answers(y, type(self).__name__)))
        return super()._drop_weightless(documents, y, sample_weight)

    def _read_targets(self, y, documents, weights):
        name = type(self).__name__
        spans = [
            find_answer(answer, context, f"{name}: document {position}")
            for (position, answer), (_, context) in zip(y, documents, strict=True)
        ]
        spans = np.array(spans, dtype=np.int64)
        return AnswerTargets(spans, self.max_answer_length, name)

    def _overlap(self, reader):
        """How many tokens two windows share; all windows have room."""
        name, longest = type(self).__name__, self.max_question_length
        n_special = reader.tokenizer.backend.num_special_tokens_to_add(True)
        room = reader.max_length - n_special - longest
        if room < self.max_answer_length:
            raise ValueError(
                f"{name}: a window of {reader.max_length} tokens, {n_special} of which "
                "are special, has no room for a question of max_question_length="
                f"{longest!r} and an answer of max_answer_length="
                f"{self.max_answer_length!r}. Lower these, or raise max_length if the "
                "model takes more."
            )
        if self.window_overlap is None:
            return min(reader.max_length // 4, room // 2)
        if self.window_overlap > room // 2:
            raise ValueError(
                f"{name}: window_overlap={self.window_overlap!r} is more than half of "
                f"the {room} tokens of the context that a window of "
                f"{reader.max_length} holds beside a question of max_question_length="
                f"{longest!r}. Lower it."
            )
        return self.window_overlap

    def _cut(self, reader, documents):
        overlap, longest = self._overlap(reader), self.max_question_length
        documents, n_cut = cut_questions(reader.tokenizer, documents, longest)
        if n_cut:
            warn_user(
                f"{type(self).__name__}: {n_cut} question(s) have more tokens than "
                f"max_question_length={longest!r} and were truncated. Increase it."
            )
        return cut_contexts(
            reader.tokenizer, documents, max_length=reader.max_length, overlap=overlap
        )

    # After training

    def _logits(self, windows):
        """Yield positions of windows, and the mean logits of start and end there."""
        from skml.neural._torch._windows import run_windows

        padding = self._fitted.reader.padding
        runs = [
            run_windows(self._on_device(network), windows, padding, _start_and_end)
            for network in self.estimators_
        ]
        for found in zip(*runs, strict=True):  # all go over the same windows
            yield found[0][0], np.mean([logits for _, logits in found], axis=0)

    def _search(self, X, n_best):
        """The best answers of each pair, the best first, and the score of none."""
        from skml.neural._torch._device import limit_torch_threads

        check_is_fitted(self)
        documents, windows = self._windows(X)
        of_windows = [None] * len(windows)
        no_answer = np.full(len(documents), np.inf, dtype=np.float32)
        with limit_torch_threads(self.n_jobs):
            for rows, logits in self._logits(windows):
                for row, (start, end) in zip(rows, logits, strict=True):
                    document, n = windows.documents[row], len(windows.ids[row])
                    of_windows[row] = best_of_window(
                        start[:n],
                        end[:n],
                        windows.details["spans"][row],
                        documents[document][1],
                        self.max_answer_length,
                        n_best,
                    )
                    no_answer[document] = min(no_answer[document], start[0] + end[0])
        of_pairs = [[] for _ in documents]
        for document, answers in zip(windows.documents, of_windows, strict=True):
            of_pairs[document] += answers
        return [best_of_pair(a, n_best) for a in of_pairs], no_answer.tolist()

    def _answers(self, X, n_best=1):
        """The best answers of each pair, "" being one of them if it may."""
        ranked = []
        for found, no_answer in zip(*self._search(X, n_best), strict=True):
            if self.no_answer_threshold is not None:
                score = no_answer - self.no_answer_threshold
                found = [*found, Answer("", *NOWHERE, score)]
                found = sorted(found, key=lambda answer: -answer.score)[:n_best]
            ranked.append(found or [Answer("", *NOWHERE, no_answer)])
        return ranked

    def predict(
        self, X: Sequence[tuple[str, str]] | MatrixLike, *, n_best: int | None = None
    ) -> np.ndarray:
        """Find answers to questions.

        Parameters
        ----------
        X : list of tuple of two str, or table of two columns
            The questions and their contexts.
        n_best : int, default=None
            How many different answers to each question are returned. None returns the
            best one.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_best), of dtype object
            The answers, text; best first. "" stands for no answer, which is given if
            the context is empty or `no_answer_threshold` allows it, and then has its
            rank among the others. With `n_best`, None stands where no more were found.
        """
        check_count("n_best", n_best)
        ranked = self._answers(X, n_best or 1)
        table = np.full((len(ranked), n_best or 1), None, dtype=object)
        for row, answers in zip(table, ranked, strict=True):
            row[: len(answers)] = [answer.text for answer in answers]
        return table[:, 0] if n_best is None else table

    def predict_spans(self, X: Sequence[tuple[str, str]] | MatrixLike) -> np.ndarray:
        """Find where the answers of `predict` are in the contexts.

        Parameters
        ----------
        X : list of tuple of two str, or table of two columns
            The questions and their contexts.

        Returns
        -------
        spans : ndarray of shape (n_samples, 2), of int
            The positions of the first character, and of that behind the last one; -1
            and -1 for no answer.
        """
        spans = [answers[0][1:3] for answers in self._answers(X)]
        return np.array(spans, dtype=np.intp).reshape(-1, 2)

    def answer_scores(self, X: Sequence[tuple[str, str]] | MatrixLike) -> np.ndarray:
        """Return by how much the best answer is better than none, in logits.

        With a `no_answer_threshold`, `predict` says that there is no answer where the
        negative of this score is larger: choose it by the scores of pairs that were not
        learned from.

        Parameters
        ----------
        X : list of tuple of two str, or table of two columns
            The questions and their contexts.

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64
            The scores; minus infinity for an empty context.
        """
        return np.array(
            [
                found[0].score - no_answer if found else -np.inf
                for found, no_answer in zip(*self._search(X, 1), strict=True)
            ],
            dtype=np.float64,
        )

    def score(
        self,
        X: Sequence[tuple[str, str]] | MatrixLike,
        y: Iterable,
        sample_weight: ArrayLike | None = None,
    ) -> float:
        """F1 of the answers, as SQuAD has it: :func:`~skml.metrics.answer_f1_score`.

        Parameters
        ----------
        X : list of tuple of two str, or table of two columns
            The questions and their contexts.
        y : collection of str, list of str, dict, tuple or None
            The right answers, as that function takes them; a question may have several.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each question counts.

        Returns
        -------
        score : float
            The score, in [0, 1].
        """
        from skml.metrics import answer_f1_score

        return answer_f1_score(y, self.predict(X), sample_weight=sample_weight)


def _start_and_end(network, inputs):
    """The logits of start and end, of shape (n_windows, 2, n_tokens)."""
    import torch

    outputs = network(**inputs)
    logits = torch.stack([outputs.start_logits, outputs.end_logits], dim=1)
    return logits.float().cpu().numpy()
