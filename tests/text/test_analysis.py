"""Tests of documents to tokens: scikit-learn's analysis, and what it refuses."""

import pickle
import weakref
from itertools import pairwise, product

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from skml.text import (
    EmbeddingTransformer,
    TfidfWeighter,
    Word2VecTransformer,
    WordVectors,
    _ngrams,
)
from skml.text._analysis import ANALYSIS_CONSTRAINTS, TextAnalysisMixin

DEFAULTS = {name: CountVectorizer().get_params()[name] for name in ANALYSIS_CONSTRAINTS}
TEXTS = [
    "The cat, the CAT and I: it's a Café!",
    "",
    "今天天气很好，我们去公园。",
    "naïve façade  x\ty\n2024 snake_case",
]


class Analyzer(TextAnalysisMixin, BaseEstimator):
    """The smallest estimator that holds the analysis parameters."""

    def __init__(
        self,
        *,
        input="content",
        encoding="utf-8",
        decode_error="strict",
        strip_accents=None,
        lowercase=True,
        preprocessor=None,
        tokenizer=None,
        analyzer="word",
        stop_words=None,
        token_pattern=r"(?u)\b\w\w+\b",
    ):
        self.input = input
        self.encoding = encoding
        self.decode_error = decode_error
        self.strip_accents = strip_accents
        self.lowercase = lowercase
        self.preprocessor = preprocessor
        self.tokenizer = tokenizer
        self.analyzer = analyzer
        self.stop_words = stop_words
        self.token_pattern = token_pattern


def tokens_of(X, **parameters):
    terms, documents = Analyzer(**parameters)._encode(X)
    ids, offsets = documents.ids.tolist(), documents.offsets
    return [[terms[i] for i in ids[start:end]] for start, end in pairwise(offsets)]


def reverse(text):
    return text[::-1]


def test_names_and_defaults_are_scikit_learns():
    assert Analyzer().get_params() == DEFAULTS


@pytest.mark.parametrize(
    "parameters",
    [
        {"strip_accents": accents, "lowercase": lowercase, **rest}
        for accents, lowercase, rest in product(
            [None, "ascii", "unicode", reverse],
            [True, False],
            [
                {},
                {"analyzer": "char"},
                {"token_pattern": r"[a-z](\w)"},
                {"tokenizer": str.split},
                {"tokenizer": str.split, "token_pattern": None},
                {"stop_words": ["the", "cat"]},
            ],
        )
    ]
    + [{"preprocessor": reverse}, {"analyzer": str.split}, {"stop_words": "english"}],
)
@pytest.mark.filterwarnings("ignore:The parameter 'token_pattern' will not be used")
def test_text_is_analysed_as_in_scikit_learn(parameters):
    expected = map(CountVectorizer(**parameters).build_analyzer(), TEXTS)
    assert tokens_of(TEXTS, **parameters) == list(expected)


def test_chinese_by_character_and_by_segmenter():
    text = "我们去公园"
    assert tokens_of([text], analyzer="char") == [["我", "们", "去", "公", "园"]]

    def segment(sentence):
        return [word for word in ("我们", "去", "公园") if word in sentence]

    assert tokens_of([text], tokenizer=segment) == [["我们", "去", "公园"]]


def test_token_lists_stay_as_they_are():
    documents = [["The", "cat", "I", "a b", ""], [], ("É",)]
    assert tokens_of(documents) == [["The", "cat", "I", "a b", ""], [], ["É"]]
    assert documents[0] == ["The", "cat", "I", "a b", ""]


def test_text_and_token_lists_mix():
    assert tokens_of(["The cat", ["The", "cat"]]) == [["the", "cat"], ["The", "cat"]]


def test_stop_words_leave_token_lists():
    documents = [["the", "cat", "The"], ["the"]]
    assert tokens_of(documents, stop_words=["the"]) == [["cat", "The"], []]
    assert tokens_of(documents, stop_words="english") == [["cat", "The"], []]


def test_a_callable_analyzer_gets_token_lists_too():
    assert tokens_of([["a", "b"], "ab"], analyzer=reverse) == [["b", "a"], ["b", "a"]]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"strip_accents": "ascii"}, "strip_accents='ascii'"),
        ({"preprocessor": str.upper}, "preprocessor=.*upper"),
        ({"tokenizer": str.split}, "tokenizer=.*split"),
        ({"analyzer": "char"}, "analyzer='char'"),
        ({"token_pattern": r"\w"}, r"token_pattern='\\\\w'"),
    ],
)
def test_what_token_lists_cannot_honour_is_refused(parameters, message):
    message = f"Analyzer: document 1 is a list of tokens, on which {message}.* has no"
    with pytest.raises(ValueError, match=message):
        tokens_of(["a cat", ["a", "cat"]], **parameters)


@pytest.mark.parametrize("token", [3, None, ["a"], {"a": 1}, b"a", float("nan")])
@pytest.mark.parametrize("stop_words", [None, ["the"]])
def test_tokens_that_are_no_str_are_reported(token, stop_words):
    documents = [["a"], "a", ["a", token]]
    message = r"^Analyzer: token 1 of document 2 is .* be a str\.$"
    with pytest.raises(TypeError, match=message):
        tokens_of(documents, stop_words=stop_words)
    with pytest.raises(TypeError, match=message):
        tokens_of(documents, analyzer=list, stop_words=None)


def test_analyzers_may_return_iterators():
    def analyze(text):
        yield from text.split()

    assert tokens_of(["a b", ""], analyzer=analyze) == [["a", "b"], []]
    assert tokens_of(["a b", ""], tokenizer=analyze) == [["a", "b"], []]
    with pytest.raises(TypeError, match="document 1 cannot be read as a sequence"):
        tokens_of(["a", "b"], analyzer={"a": ["a"], "b": None}.get)


def test_errors_of_an_analyzer_are_its_own():
    def broken(text):
        yield "a"
        raise TypeError("inside the analyzer")

    with pytest.raises(TypeError, match="inside the analyzer"):
        tokens_of(["a"], analyzer=broken)


@pytest.mark.parametrize(
    ("choice", "unused"),
    [
        ({"analyzer": str.split}, {"strip_accents": "ascii"}),
        ({"analyzer": str.split}, {"lowercase": False}),
        ({"analyzer": str.split}, {"preprocessor": str.lower}),
        ({"analyzer": str.split}, {"tokenizer": str.split}),
        ({"analyzer": str.split}, {"stop_words": ["the"]}),
        ({"analyzer": str.split}, {"token_pattern": r"\w"}),
        ({"analyzer": "char"}, {"tokenizer": str.split}),
        ({"analyzer": "char"}, {"stop_words": "english"}),
        ({"analyzer": "char"}, {"stop_words": np.array(["the"])}),
        ({"analyzer": "char"}, {"token_pattern": r"\w"}),
        ({"tokenizer": str.split}, {"token_pattern": r"\w"}),
        ({"preprocessor": str.lower}, {"strip_accents": "ascii"}),
        ({"preprocessor": str.lower}, {"lowercase": np.False_}),
        ({"input": "content"}, {"encoding": "latin-1"}),
        ({"input": "content"}, {"decode_error": "ignore"}),
    ],
)
def test_parameters_without_effect_warn(choice, unused):
    """With the tokens that they do not change."""
    (name,) = unused
    message = f"Analyzer: The parameter '{name}' will not be used since '"
    with pytest.warns(UserWarning, match=message) as warned:
        found = tokens_of(["a The cat"], **choice, **unused)
    assert len(warned) == 1
    assert found == tokens_of(["a The cat"], **choice)


UNUSED = [
    {"analyzer": "char", "stop_words": ["a", "t"]},
    {"analyzer": "char_wb", "ngram_range": (2, 3), "stop_words": ["a"]},
    {"analyzer": "char", "tokenizer": str.split},
    {"analyzer": "char", "token_pattern": r"[a-z]"},
    {"tokenizer": str.split, "token_pattern": r"[a-z]"},
    {"analyzer": str.split, "ngram_range": (1, 2)},
    {"analyzer": str.split, "preprocessor": str.upper},
    {"analyzer": str.split, "stop_words": ["the"], "lowercase": False},
    {"preprocessor": str.upper, "strip_accents": "ascii"},
]


@pytest.mark.parametrize("parameters", UNUSED)
@pytest.mark.filterwarnings("ignore:The parameter")
def test_unused_parameters_change_nothing_as_in_scikit_learn(parameters):
    theirs = TfidfVectorizer(**parameters)
    weighter = TfidfWeighter(**parameters)
    with pytest.warns(UserWarning, match="will not be used since"):
        found = weighter.fit_transform(TEXTS)
    assert abs(found - theirs.fit_transform(TEXTS)).max() < 1e-12
    assert weighter.vocabulary_ == theirs.vocabulary_
    assert (weighter.transform(TEXTS) != found).nnz == 0  # without a warning
    if callable(weighter.analyzer):
        assert len(weighter.token_weights(TEXTS)) == len(TEXTS)


def test_defaults_never_warn():
    """A default counts as one however it was made: by np.True_, or a built string."""
    pattern = "".join(DEFAULTS["token_pattern"])
    parameters = DEFAULTS | {"lowercase": np.True_, "token_pattern": pattern}
    parameters["analyzer"] = str.split
    assert tokens_of(["a b"], **parameters) == [["a", "b"]]


@pytest.fixture
def latin_file(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes("un naïve".encode("latin-1"))
    return path


def test_files_and_their_encoding(tmp_path, latin_file):
    chinese = tmp_path / "chinese.txt"
    chinese.write_text("猫 猫咪", encoding="utf-8")
    assert tokens_of([chinese, str(chinese)], input="filename") == [["猫咪"]] * 2
    words = [["un", "naïve"]]
    assert tokens_of([latin_file], input="filename", encoding="latin-1") == words
    with latin_file.open("rb") as file:
        assert tokens_of([file], input="file", encoding="latin-1") == words
    with chinese.open(encoding="utf-8") as file:
        assert tokens_of([file], input="file") == [["猫咪"]]
    replaced = tokens_of([latin_file], input="filename", decode_error="ignore")
    assert replaced == [["un", "nave"]]


def test_bad_bytes_name_document_file_and_byte(tmp_path, latin_file):
    fine = tmp_path / "fine.txt"
    fine.write_text("fine", encoding="utf-8")
    where = r"document 1, file '.*latin\.txt', is not utf-8: byte 0xef at position 5"
    with pytest.raises(ValueError, match=where) as error:
        tokens_of([fine, latin_file], input="filename")
    assert isinstance(error.value.__cause__, UnicodeDecodeError)
    with fine.open("rb") as first, latin_file.open("rb") as second:  # noqa: SIM117
        with pytest.raises(ValueError, match=where):
            tokens_of([first, second], input="file")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        tokens_of([tmp_path / "nowhere.txt"], input="filename")


def test_an_unknown_stop_list_is_refused():
    with pytest.raises(ValueError, match="not a built-in stop list: klingon"):
        tokens_of(["a"], stop_words="klingon")


def test_inconsistent_stop_words_warn_as_in_scikit_learn():
    with pytest.warns(UserWarning, match="stop_words may be inconsistent"):
        tokens_of(["a cat"], stop_words=["The"])


def test_few_documents_are_held(monkeypatch):
    """A generator of documents is consumed in small batches."""
    monkeypatch.setattr(_ngrams, "LONGEST", 100)
    held, most = weakref.WeakSet(), 0

    class Document(str):
        pass

    def generate():
        nonlocal most
        for i in range(100):
            document = Document(f"document of number {i}")
            held.add(document)
            most = max(most, len(held))
            yield document

    assert len(tokens_of(generate())) == 100
    assert most < 20


def test_the_default_pattern_keeps_combining_marks():
    """Any other is taken literally."""
    assert tokens_of(["बिल्ली सोती है"]) == [["बिल्ली", "सोती", "है"]]
    assert tokens_of(["सोती"], token_pattern=r"\w+") == [["स", "त"]]


@pytest.mark.parametrize("choice", [{"tokenizer": str.split}, {"analyzer": str.split}])
def test_no_pattern_goes_with_a_tokenizer(choice):
    assert tokens_of(["a b"], token_pattern=None, **choice) == [["a", "b"]]


def test_no_pattern_and_no_tokenizer_are_refused():
    with pytest.raises(ValueError, match="token_pattern=None and no tokenizer"):
        tokens_of(["a b"], token_pattern=None)


@pytest.mark.parametrize(
    "estimator",
    [
        TfidfWeighter(),
        TfidfWeighter(vocabulary=["New York", "Los Angeles"]),
        EmbeddingTransformer(WordVectors(np.eye(2), ["New York", "Los Angeles"])),
        Word2VecTransformer(min_count=1, vector_size=2, subsample=0, max_iter=1),
    ],
)
def test_known_tokens_with_blanks_are_no_rows_of_a_table(estimator):
    estimator.fit([["New York", "Los Angeles"], ["New York"]])
    assert abs(estimator.transform([["New York"]])).sum() > 0
    with pytest.raises(ValueError, match="a list of one text"):
        estimator.transform([["San Francisco"]])


# The functions by name


ANALYSES = [
    {"strip_accents": "unicode", "ngram_range": (1, 2)},
    {"analyzer": "char", "ngram_range": (1, 3), "lowercase": False},
    {"analyzer": "char_wb", "ngram_range": (2, 4)},
    {"stop_words": "english", "ngram_range": (2, 2)},
    {"stop_words": np.array(["the", "cat"]), "ngram_range": (1, 2)},
    {"token_pattern": r"[a-z](\w)"},
    {"tokenizer": str.split, "token_pattern": None, "preprocessor": reverse},
    {"analyzer": str.split},
]


@pytest.mark.parametrize("parameters", ANALYSES)
def test_the_analyzer_gives_what_is_counted(parameters):
    weighter = TfidfWeighter(**parameters, norm=None, use_idf=False)
    counts = weighter.fit_transform([*TEXTS, "सोती है"])
    analyze = pickle.loads(pickle.dumps(weighter.build_analyzer()))
    names = weighter.get_feature_names_out()
    for row, text in zip(counts, [*TEXTS, "सोती है"], strict=True):
        terms = np.repeat(names[row.indices], row.data.astype(int))
        assert sorted(terms) == sorted(analyze(text))


def test_the_analyzer_takes_ready_tokens():
    weighter = TfidfWeighter(ngram_range=(1, 2), stop_words=["of"])
    analyze = weighter.build_analyzer()
    assert analyze(["The", "of", "End"]) == ["The", "End", "The End"]
    assert analyze("The of End") == ["the", "end", "the end"]


def test_the_analyzer_reads_files(latin_file):
    weighter = TfidfWeighter(input="filename", encoding="latin-1")
    assert weighter.build_analyzer()(latin_file) == ["un", "naïve"]
    assert weighter.decode(latin_file) == "un naïve"


@pytest.mark.parametrize("cls", [Analyzer, TfidfWeighter, Word2VecTransformer])
def test_functions_are_those_of_scikit_learn(cls):
    parameters = {"strip_accents": "ascii", "stop_words": ["the"]}
    ours, theirs = cls(**parameters), CountVectorizer(**parameters)
    preprocessors = ours.build_preprocessor(), theirs.build_preprocessor()
    assert len({preprocess("Die Blüte") for preprocess in preprocessors}) == 1
    for text in TEXTS:
        assert ours.build_tokenizer()(text) == theirs.build_tokenizer()(text)
    assert ours.get_stop_words() == theirs.get_stop_words() == {"the"}
    assert cls().get_stop_words() is None
    assert cls().build_tokenizer()("सोती है") == ["सोती", "है"]
    with pytest.raises(ValueError, match="token_pattern=None and no tokenizer"):
        cls(token_pattern=None).build_tokenizer()


class Stemmed(TfidfWeighter):
    """Builds an analyzer in the place of ours, as scikit-learn's guide has it."""

    def build_analyzer(self):
        analyze = super().build_analyzer()
        return lambda document: [word.rstrip("s") for word in analyze(document)]


class Reversed(TfidfWeighter):
    def build_preprocessor(self):
        preprocess = super().build_preprocessor()
        return lambda text: preprocess(text)[::-1]


class Split(TfidfWeighter):
    def build_tokenizer(self):
        find = super().build_tokenizer()
        return lambda text: [word for word in find(text) if "r" not in word]

    def get_stop_words(self):
        return {"dogs"}


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize(
    ("cls", "terms"),
    [
        (Stemmed, ["bird", "cat", "cats dog", "dog", "dogs bird"]),
        (Reversed, ["sdrib", "sdrib sgod", "sgod", "sgod stac", "stac"]),
        (Split, ["cats"]),
    ],
)
def test_a_subclass_may_build_functions_of_its_own(cls, terms, n_jobs):
    weighter = cls(ngram_range=(1, 2), n_jobs=n_jobs)
    weights = weighter.fit_transform(["Cats dogs", "DOGS birds"])
    assert weighter.get_feature_names_out().tolist() == terms
    assert (weighter.transform(["Cats dogs", "DOGS birds"]) != weights).nnz == 0
