"""fastText's files as word vectors: made byte by byte here, and damaged."""

import gzip
import json
import pickle
import re
import struct
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from safetensors.numpy import load_file, save_file

from skml.text import EmbeddingTransformer, Word2VecTransformer, WordVectors
from skml.text._subwords import SubwordVectors, bucket_ngrams
from tests.oracles import fasttext_files as oracle
from tests.oracles.fasttext import hash_of

WORDS = ["</s>", "the", "诗人", "naïve", "x", "😀😀"]
UNSEEN = ["these", "诗", "naïveté", "y", "", "</s>x", "a" * 1500, "<<>>", "ÿ\u0100"]
LENGTHS, N_BUCKETS = (2, 4), 37
RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(len(WORDS) + N_BUCKETS, 3)).astype(np.float32)
OUTPUTS = RNG.normal(size=(len(WORDS), 3)).astype(np.float32)
CODES = RNG.integers(0, 256, size=(len(ROWS), 2)).astype(np.uint8)
CENTROIDS = [RNG.normal(size=(256, n)).astype(np.float32) for n in (2, 1)]
NORM_CODES = RNG.integers(0, 256, size=len(ROWS)).astype(np.uint8)
NORMS = RNG.uniform(1, 2, size=256).astype(np.float32)
SKIP_GRAM = {"lengths": LENGTHS, "n_buckets": N_BUCKETS}


def sections(rows=ROWS, outputs=OUTPUTS, words=WORDS, labels=(), **parameters):
    return oracle.file_sections(
        rows, outputs, words, labels, **{**SKIP_GRAM, **parameters}
    )


def write(path, parts=None):
    parts = sections() if parts is None else parts
    path.write_bytes(parts if isinstance(parts, bytes) else b"".join(parts.values()))
    return path


def expected_vectors(words, rows=ROWS, lengths=LENGTHS):
    return np.array(
        [oracle.word_vector(word, rows, WORDS, *lengths, N_BUCKETS) for word in words]
    )


def learned(**parameters):
    parameters = {"min_count": 1, "max_iter": 1, "subsample": 0, **parameters}
    model = Word2VecTransformer(3, random_state=0, **parameters)
    return model.fit([["the", "诗人", "new"]] * 5)


# Hashes


def test_hashes_are_those_of_the_program():
    """Known answers: a published one, and those of fasttext-wheel 0.9.2."""
    assert hash_of("foobar") == 0xBF9CF968
    known = {
        "诗人": [849271, 195374, 92530, 122895, 886755, 616251, 245956, 880763],
        "aé": [3467, 314198, 141294, 990745, 200220, 670731, 40708, 984040],
        "zz": [564252, 774126, 251049, 985099, 427975, 989584, 985099, 553306],
        "": [438921],
        "</s>": [],
    }
    words = [word.encode() for word in known]
    buckets, offsets = bucket_ngrams(words, (1, 4), 1000003)
    assert buckets.dtype == np.uint64
    for i, (word, expected) in enumerate(known.items()):
        assert buckets[offsets[i] : offsets[i + 1]].tolist() == expected
        assert oracle.buckets(word, 1, 4, 1000003) == expected


@pytest.mark.parametrize("lengths", [(1, 1), (1, 3), (3, 6), (2, 2), (5, 40)])
def test_buckets(lengths):
    words = WORDS + UNSEEN
    buckets, offsets = bucket_ngrams([w.encode() for w in words], lengths, 2**31 - 1)
    for i, word in enumerate(words):
        found = buckets[offsets[i] : offsets[i + 1]].tolist()
        assert found == oracle.buckets(word, *lengths, 2**31 - 1)


def test_buckets_of_bytes_that_are_no_characters():
    """Bytes that continue a character belong to the one before, however many."""
    words = [b"a\x80\x80\x80\x80\x80\x80b", b"\xff\xfe", b"\xe8\xaf", b"\x80"]
    found, offsets = bucket_ngrams(words, (2, 2), 1 << 30)
    assert np.diff(offsets).tolist() == [3, 3, 2, 1]
    state = 2166136261
    for byte in words[0][:7]:
        signed = byte - 256 if byte > 127 else byte
        state = (state ^ (signed % 2**32)) * 16777619 % 2**32
    state = (state ^ ord("b")) * 16777619 % 2**32
    assert found[1] == state % (1 << 30)


def test_no_words():
    buckets, offsets = bucket_ngrams([], (3, 6), 10)
    assert (len(buckets), offsets.tolist()) == (0, [0])


# Reading


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize("format", ["auto", "fasttext-bin"])
def test_words_and_unseen_words(tmp_path, compress, format):
    path = write(tmp_path / "v", compress(b"".join(sections().values())))
    found = WordVectors.load(path, format=format)
    assert found.words == WORDS
    assert found.vectors.dtype == found.subwords.vectors.dtype == np.float32
    assert_allclose(found.vectors, expected_vectors(WORDS), rtol=1e-5, atol=1e-6)
    assert_array_equal(found.subwords.vectors, ROWS[len(WORDS) :])
    known = [word for word in UNSEEN if oracle.buckets(word, *LENGTHS, N_BUCKETS)]
    assert known == UNSEEN
    assert_allclose(found[UNSEEN], expected_vectors(UNSEEN), rtol=1e-5, atol=1e-6)
    assert_array_equal(found["</s>"], ROWS[0])


def test_a_word_without_ngrams(tmp_path):
    found = WordVectors.load(write(tmp_path / "v", sections(lengths=(3, 4))))
    assert "" not in found
    with pytest.raises(KeyError, match="'' is not in the vocabulary of 6 words"):
        found[""]


@pytest.mark.parametrize("lengths", [(0, 0), (3, 0), (4, 3), (2, -1)])
def test_without_ngrams(tmp_path, lengths):
    """Word n-grams of a classifier have buckets; no word is composed of them."""
    path = write(tmp_path / "v", sections(lengths=lengths))
    found = WordVectors.load(path)
    assert_array_equal(found.vectors, ROWS[: len(WORDS)])
    assert found.subwords is None
    assert "these" not in found
    path = write(tmp_path / "w", sections(ROWS[: len(WORDS)], n_buckets=0))
    assert WordVectors.load(path) == found


def test_shortest_ngrams_of_no_character(tmp_path):
    one, other = (
        WordVectors.load(write(tmp_path / "v", sections(lengths=lengths)))
        for lengths in ((0, 2), (1, 2))
    )
    assert one == other


def test_classifiers(tmp_path):
    """Their words have vectors, too; in version 11 they have no character n-grams."""
    labels = ["__label__a", "__label__b"]
    parts = sections(outputs=OUTPUTS[:2], labels=labels, kind="supervised")
    found = WordVectors.load(write(tmp_path / "v", parts))
    assert found == WordVectors.load(write(tmp_path / "w"))
    old = sections(outputs=OUTPUTS[:2], labels=labels, kind="supervised", version=11)
    found = WordVectors.load(write(tmp_path / "v", old))
    assert found.subwords is None
    old = WordVectors.load(write(tmp_path / "v", sections(version=11)))
    assert old == WordVectors.load(tmp_path / "w")


@pytest.mark.parametrize("with_norms", [False, True])
@pytest.mark.parametrize("output_is_quantised", [False, True])
def test_quantised(tmp_path, with_norms, output_is_quantised):
    norms = (NORM_CODES, NORMS) if with_norms else ()
    data, rows = oracle.quantised(CODES, CENTROIDS, *norms)
    outputs = OUTPUTS
    if output_is_quantised:
        outputs, _ = oracle.quantised(CODES[: len(WORDS)], CENTROIDS)
    found = WordVectors.load(write(tmp_path / "v.ftz", sections(data, outputs)))
    expected = expected_vectors(WORDS + UNSEEN, rows)
    assert_allclose(found[WORDS + UNSEEN], expected, rtol=1e-5, atol=1e-6)


def test_mark_of_the_output_of_a_dense_model(tmp_path):
    """Only that of a quantised model can be quantised, whatever its mark says."""
    parts = sections()
    parts["output matrix"] = b"\1" + parts["output matrix"][1:]
    found = WordVectors.load(write(tmp_path / "v", parts))
    assert found == WordVectors.load(write(tmp_path / "w"))


def test_pruned(tmp_path):
    """Some buckets are left, whose rows are in another order."""
    kept = [(30, 1), (5, 0), (12, 3), (7, 2)]
    data, rows = oracle.quantised(CODES[: len(WORDS) + 4], CENTROIDS)
    parts = sections(data, OUTPUTS, kept=kept)
    found = WordVectors.load(write(tmp_path / "v.ftz", parts))
    assert found.subwords.hashes.tolist() == [5, 7, 12, 30]
    row_of = {bucket: len(WORDS) + row for bucket, row in kept}
    for word in WORDS + UNSEEN:
        own = [WORDS.index(word)] if word in WORDS else []
        buckets = oracle.buckets(word, *LENGTHS, N_BUCKETS)
        own += [row_of[bucket] for bucket in buckets if bucket in row_of]
        if own:
            assert_allclose(found[word], rows[own].mean(axis=0), rtol=1e-5, atol=1e-6)
        else:
            assert word not in found
    limited = WordVectors.load(tmp_path / "v.ftz", limit=2)
    assert limited.words == WORDS[:2]
    assert limited.subwords == found.subwords
    assert_array_equal(limited.vectors, found.vectors[:2])
    none_left = sections(oracle.quantised(CODES[: len(WORDS)], CENTROIDS)[0], kept=[])
    assert WordVectors.load(write(tmp_path / "w", none_left)).subwords is None


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_limit(tmp_path, compress):
    path = write(tmp_path / "v", compress(b"".join(sections().values())))
    found, whole = WordVectors.load(path, limit=3), WordVectors.load(path)
    assert found.words == WORDS[:3]
    assert_array_equal(found.vectors, whole.vectors[:3])
    assert found.subwords == whole.subwords
    # Left out of the vocabulary, a word is its n-grams alone.
    alone = expected_vectors(["naïve"], ROWS)[0] * 12 - ROWS[3]
    n_ngrams = len(oracle.buckets("naïve", *LENGTHS, N_BUCKETS))
    alone = (expected_vectors(["naïve"])[0] * (n_ngrams + 1) - ROWS[3]) / n_ngrams
    assert_allclose(found["naïve"], alone, rtol=1e-4, atol=1e-5)
    assert WordVectors.load(path, limit=99) == whole


def test_large_files_are_read_in_parts(tmp_path):
    """Larger than what is in memory at a time, and the words of one batch."""
    words = [f"wörd{i}" for i in range(15_000)]
    rows = np.random.default_rng(0).normal(size=(len(words) + 50, 40))
    rows = rows.astype(np.float32)
    parts = sections(rows, rows[: len(words)], words, n_buckets=50, vector_size=40)
    data = b"".join(parts.values())
    found = WordVectors.load(write(tmp_path / "v", data))
    assert found.words == words
    for row in [0, 9_000, 9_362, 9_363, 14_999]:
        numbers = oracle.buckets(words[row], *LENGTHS, 50)
        own = [row, *(len(words) + number for number in numbers)]
        assert_allclose(found.vectors[row], rows[own].mean(axis=0), atol=1e-5)
    assert WordVectors.load(write(tmp_path / "w", gzip.compress(data, 1))) == found
    assert WordVectors.load(tmp_path / "w", limit=9).words == words[:9]


def test_memory_is_that_of_the_vectors(tmp_path):
    words = [f"w{i}" for i in range(2000)]
    rows = np.ones((50_000, 40), np.float32)
    parts = sections(rows, rows[:2000], words, n_buckets=48_000, vector_size=40)
    path = write(tmp_path / "v", parts)
    tracemalloc.start()
    WordVectors.load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * rows.nbytes + 4e6


# Options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoding": "latin-1"}, "encoding='iso8859-1' has no effect, as its n-grams"),
        ({"on_bad_rows": "skip"}, "on_bad_rows='skip' has no effect: leave it out"),
        ({"format": "word2vec-binary"}, 'of fastText; pass format="fasttext-bin"'),
        ({"format": "word2vec-text"}, 'of fastText; pass format="fasttext-bin"'),
        ({"mmap": True}, "nothing else can be mapped into memory"),
    ],
)
def test_options_without_effect(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        WordVectors.load(write(tmp_path / "v"), **options)


def test_another_file_is_no_model_of_fasttext(tmp_path):
    (tmp_path / "v").write_bytes(b"2 2\na 1 2\nb 3 4\n")
    with pytest.raises(ValueError, match=r"header, byte offset 0: .* got b'2 2\\n'"):
        WordVectors.load(tmp_path / "v", format="fasttext-bin")


def replaced(old, new):
    """A file in which bytes of the entries are others, as many."""
    parts = sections()
    assert parts["dictionary, entry"].count(old) == 1
    parts["dictionary, entry"] = parts["dictionary, entry"].replace(old, new)
    return parts


def test_words_that_are_no_utf_8(tmp_path):
    path = write(tmp_path / "v", replaced("naïve".encode(), b"na\xe8\xafve"))
    with pytest.raises(ValueError, match=r"word 3, b'na.*', is not in UTF-8; pass"):
        WordVectors.load(path)
    found = WordVectors.load(path, decode_error="replace")
    assert found.words[3] == "na\ufffdve"
    buckets, _ = bucket_ngrams([b"na\xe8\xafve"], LENGTHS, N_BUCKETS)
    own = [3, *(buckets.astype(int) + len(WORDS))]
    assert_allclose(found.vectors[3], ROWS[own].mean(axis=0), rtol=1e-5, atol=1e-6)
    path = write(tmp_path / "v", replaced("诗人".encode(), b"\xff" * 6))
    with pytest.raises(ValueError, match=r"nothing of word 2, b'.*', is in UTF-8"):
        WordVectors.load(path, decode_error="ignore")


def test_words_that_stand_twice(tmp_path):
    parts = replaced("诗人".encode(), b"naive!")
    parts["dictionary, entry"] = parts["dictionary, entry"].replace(
        "naïve".encode(), b"naive!"
    )
    path = write(tmp_path / "v", parts)
    with pytest.raises(ValueError, match="word 3, 'naive!', is word 2 again; pass dup"):
        WordVectors.load(path)
    found = WordVectors.load(path, duplicates="first")
    assert found.words == ["</s>", "the", "naive!", "x", "😀😀"]
    rest = expected_vectors(["x", "😀😀"])
    assert_allclose(found.vectors[3:], rest, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (2, "v: vectors must be finite; row 2, column 1 is nan"),
        (20, "v: of n-grams, the vectors must be finite; row 14, column 1 is inf"),
    ],
)
def test_numbers_that_are_not_finite(tmp_path, row, message):
    rows = ROWS.copy()
    rows[row, 1] = np.nan if row < 6 else np.inf
    # Far from the n-grams of any word.
    path = write(tmp_path / "v", sections(rows, lengths=(40, 41)))
    with pytest.raises(ValueError, match=message):
        WordVectors.load(path)


# What the vectors are used for


def test_documents_have_vectors_of_unseen_words(tmp_path):
    """By the path, or loaded; each unseen word is composed of its n-grams."""
    path = write(tmp_path / "v")
    loaded = WordVectors.load(path)
    documents = ["the these 诗人", "naïveté yy yy", "<<>>"]
    parts = [["the", "these", "诗人"], ["naïveté", "yy", "yy"], []]
    for vectors in (path, str(path), loaded):
        found = EmbeddingTransformer(vectors).fit(documents[:1]).transform(documents)
        for vector, words in zip(found, parts, strict=True):
            expected = expected_vectors(words).mean(axis=0) if words else 0
            assert_allclose(vector, expected, rtol=1e-5, atol=1e-6)


def test_similar_words(tmp_path):
    loaded = WordVectors.load(write(tmp_path / "v"))
    unit = expected_vectors([*WORDS, "these"])
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    cosines = unit[:-1] @ unit[-1]
    order = np.argsort(-cosines)
    found = loaded.most_similar("these", topn=6)
    assert [word for word, _ in found] == [WORDS[row] for row in order]
    assert_allclose([score for _, score in found], cosines[order], atol=1e-6)


def test_word_vectors_to_start_from(tmp_path):
    loaded = WordVectors.load(write(tmp_path / "v"))
    model = learned(init=loaded, freeze_init=True)
    assert_array_equal(model.word_vectors_["诗人"], loaded["诗人"])
    assert model.word_vectors_.subwords is None


# Saving


def test_ngrams_are_pickled_and_saved(tmp_path):
    loaded = WordVectors.load(write(tmp_path / "v"))
    loaded.save(tmp_path / "folder")
    for again in (
        pickle.loads(pickle.dumps(loaded)),
        WordVectors.load(tmp_path / "folder"),
        WordVectors.load(tmp_path / "folder", mmap=True),
    ):
        assert again == loaded
        assert_array_equal(again[UNSEEN], loaded[UNSEEN])
        assert again.subwords.n_buckets == N_BUCKETS
    assert not again.subwords.vectors.flags.writeable
    subwords = again.subwords
    other = SubwordVectors(LENGTHS, subwords.hashes, subwords.vectors)
    assert subwords != other


@pytest.mark.parametrize(
    ("n_buckets", "message"),
    [
        ("37", "n_buckets is '37'"),
        ({"is": "float", "value": "nan"}, "n_buckets is nan"),
        (True, "n_buckets is True"),
        (0, "n_buckets is 0"),
        (2**31, "n_buckets is 2147483648"),
        (36, "bucket 36 is none of 36"),
    ],
)
def test_a_folder_whose_buckets_are_wrong(tmp_path, n_buckets, message):
    WordVectors.load(write(tmp_path / "v")).save(tmp_path / "folder")
    where = tmp_path / "folder" / "model.json"
    state = json.loads(where.read_text())
    state["data"]["subwords"]["data"]["n_buckets"] = n_buckets
    where.write_text(json.dumps(state))
    with pytest.raises(ValueError, match=f"is damaged: .*{message}"):
        WordVectors.load(tmp_path / "folder")


def test_learned_vectors_have_no_buckets(tmp_path):
    """Training goes on with n-grams of one kind alone."""
    learned(subwords=(2, 4)).save(tmp_path / "model")
    where = tmp_path / "model" / "model.json"
    text = where.read_text()
    assert text.count('"n_buckets": null') == 1
    where.write_text(text.replace('"n_buckets": null', '"n_buckets": 2147483647'))
    arrays = load_file(where.with_name("arrays.safetensors"))
    hashes = next(a for a in arrays.values() if a.dtype == np.uint64 and a.ndim == 1)
    hashes %= 2**31 - 1
    hashes.sort()
    save_file(arrays, where.with_name("arrays.safetensors"))
    with pytest.raises(ValueError, match="n-grams in buckets were not learned here"):
        Word2VecTransformer.load(tmp_path / "model")


def test_written_byte_by_byte(tmp_path):
    loaded = WordVectors.load(write(tmp_path / "v"))
    loaded.save(tmp_path / "w.bin", format="fasttext-bin")
    expected = sections(outputs=np.zeros_like(OUTPUTS), counts=[1] * len(WORDS))
    matrix = expected.pop("input matrix")
    expected = b"".join(expected.values())
    found = (tmp_path / "w.bin").read_bytes()
    start = len(expected) - 17 - OUTPUTS.nbytes
    stop = start + len(matrix)
    assert found[:start] + found[stop:] == expected
    assert found[start : start + 17] == matrix[:17]
    rows = np.frombuffer(found[start + 17 : stop], "<f4").reshape(ROWS.shape)
    # What stays of the mean without the n-grams is rounded.
    assert_array_equal(rows[len(WORDS) :], ROWS[len(WORDS) :])
    assert_allclose(rows, ROWS, atol=1e-5)
    again = WordVectors.load(tmp_path / "w.bin")
    assert_allclose(again.vectors, loaded.vectors, atol=1e-6)
    assert again.subwords == loaded.subwords
    loaded.save(tmp_path / "w.bin.gz", format="fasttext-bin")
    assert WordVectors.load(tmp_path / "w.bin.gz") == again


def test_written_without_ngrams(tmp_path):
    words = WordVectors(ROWS, [f"wörd {i}" for i in range(len(ROWS))])
    words.save(tmp_path / "w.bin", format="fasttext-bin")
    expected = sections(
        ROWS,
        np.zeros_like(ROWS),
        words.words,
        lengths=(0, 0),
        n_buckets=0,
        counts=[1] * len(ROWS),
    )
    assert (tmp_path / "w.bin").read_bytes() == b"".join(expected.values())
    assert WordVectors.load(tmp_path / "w.bin") == words


def test_written_after_pruning(tmp_path):
    """Buckets without a row are zeros, which count: unseen words are shorter."""
    data, _ = oracle.quantised(CODES[: len(WORDS) + 4], CENTROIDS)
    parts = sections(data, kept=[(30, 1), (5, 0), (12, 3), (7, 2)])
    loaded = WordVectors.load(write(tmp_path / "v.ftz", parts))
    loaded.save(tmp_path / "w.bin", format="fasttext-bin")
    again = WordVectors.load(tmp_path / "w.bin")
    assert_allclose(again.vectors, loaded.vectors, atol=1e-5)
    assert len(again.subwords) == N_BUCKETS
    assert again.subwords.vectors.any(axis=1).sum() == 4
    composed = [word for word in UNSEEN if word in loaded]
    assert len(composed) > 3
    assert_allclose(again.similarity(composed, composed), 1, atol=1e-6)
    for word in composed:
        cosine = again[word] @ loaded[word]
        lengths = np.linalg.norm(again[word]), np.linalg.norm(loaded[word])
        assert cosine == pytest.approx(lengths[0] * lengths[1])
        assert lengths[0] <= lengths[1] * (1 + 1e-6)


def test_many_words_are_written_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr("skml.text._fasttext_vectors.CHUNK", 100)
    monkeypatch.setattr("skml.text._subwords._CHARACTERS", 5)
    loaded = WordVectors.load(write(tmp_path / "v"))
    loaded.save(tmp_path / "w.bin", format="fasttext-bin")
    monkeypatch.undo()
    again = WordVectors.load(tmp_path / "w.bin")
    assert_allclose(again.vectors, expected_vectors(WORDS), atol=1e-5)
    assert again.subwords == loaded.subwords


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["a\0b"],
            r"the word 'a\\x00b' in row 0 has '\\x00' in it, which the format f",
        ),
        (["a", ""], "the word '' in row 1 is empty"),
        (["a\ud800"], "has half of a surrogate pair"),
    ],
)
def test_words_that_cannot_be_written(tmp_path, words, message):
    vectors = WordVectors(ROWS[: len(words)], words)
    with pytest.raises(ValueError, match=message):
        vectors.save(tmp_path / "w.bin", format="fasttext-bin")
    assert not any(tmp_path.iterdir())


def test_ngrams_of_another_kind_cannot_be_written(tmp_path):
    words = learned(subwords=(2, 4)).word_vectors_
    with pytest.raises(ValueError, match="these n-grams have a row each, where fastT"):
        words.save(tmp_path / "w.bin", format="fasttext-bin")
    bare = WordVectors(words.vectors, words.words)
    bare.save(tmp_path / "w.bin", format="fasttext-bin")
    assert WordVectors.load(tmp_path / "w.bin") == bare


# Damaged files

MATRICES = {
    "dense": sections(),
    "quantised": sections(
        oracle.quantised(CODES, CENTROIDS, NORM_CODES, NORMS)[0],
        oracle.quantised(CODES[: len(WORDS)], CENTROIDS)[0],
    ),
    "pruned": sections(
        oracle.quantised(CODES[: len(WORDS) + 2], CENTROIDS)[0], kept=[(3, 1), (2, 0)]
    ),
}


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_cut_in_any_section(tmp_path, name, compress):
    """The error names the section, and a byte in it."""
    parts, before = MATRICES[name], b""
    for section, data in parts.items():
        places = {0, 1, 2, len(data) // 3, len(data) // 2, len(data) - 5, len(data) - 1}
        for place in sorted(place for place in places if 0 <= place < len(data)):
            whole = before + data[:place]
            if not whole.startswith(b"\xba\x16\x4f\x2f"):
                continue
            path = write(tmp_path / "v", compress(whole))
            with pytest.raises(ValueError, match="cut off") as caught:
                WordVectors.load(path)
            message = str(caught.value)
            at = int(message.partition("byte offset ")[2].split(":")[0].split(" ")[0])
            assert message.startswith(f"{path}, ")
            if not (section == "dictionary, entry" and compress is bytes):
                assert f", {section}" in message
                assert len(before) <= at <= len(whole)
        before += data
    path = write(tmp_path / "v", compress(before + b"\0"))
    with pytest.raises(ValueError, match=r"end, byte offset .*, got more bytes"):
        WordVectors.load(path)


def changed(section, place, layout, *numbers, base="dense", **parameters):
    """A file in which some numbers of a section are others."""
    parts = {**(sections(**parameters) if parameters else MATRICES[base])}
    data = bytearray(parts[section])
    struct.pack_into(layout, data, place, *numbers)
    parts[section] = bytes(data)
    return parts


HUGE = 2**62
SIZES, INPUT, OUTPUT = "dictionary, sizes", "input matrix", "output matrix"
# Where the codes of the quantised matrix end.
END = 22 + CODES.size
DAMAGED = {
    "version": (
        changed("header", 4, "<i", 13),
        "header, byte offset 8: the version of the format is 13; 11 and 12 are read",
    ),
    "kind": (
        changed("parameters", 28, "<i", 4),
        r"the kind of model is 4; expected 1 \(cbow\), 2 \(skip-gram\), 3 \(superv",
    ),
    "loss": (changed("parameters", 24, "<i", 0), r"the loss is 0; expected 1 \(hier"),
    "no dimension": (
        changed("parameters", 0, "<i", 0),
        "parameters, byte offset 64: vectors of 0 dimensions; expected 1 to 65536",
    ),
    "many dimensions": (
        changed("parameters", 0, "<i", 65537),
        "vectors of 65537 dimensions",
    ),
    "buckets": (changed("parameters", 32, "<i", -1), "-1 buckets of n-grams; expected"),
    "long n-grams": (
        changed("parameters", 40, "<i", 65),
        "character n-grams of up to 65 characters; expected up to 64",
    ),
    "other buckets": (
        changed("parameters", 32, "<i", 36),
        r"its shape is \(43, 3\); expected \(42, 3\), by the parameters and the",
    ),
    "huge buckets": (
        changed("parameters", 32, "<i", 2**31 - 1),
        r"input matrix, .*: its shape is \(43, 3\); expected \(2147483653, 3\)",
    ),
    "other dimensions": (
        changed("parameters", 0, "<i", 4),
        r"its shape is \(43, 3\); expected \(43, 4\)",
    ),
    "entries": (
        changed(SIZES, 0, "<i", 7),
        "sizes, byte offset 92: 7 entries, 6 words, 0 labels and 21 tokens do not bel",
    ),
    "negative": (changed(SIZES, 4, "<2i", 7, -1), "6 entries, 7 words, -1 labels"),
    "tokens": (changed(SIZES, 12, "<q", -1), "0 labels and -1 tokens do not belong"),
    "huge dictionary": (
        changed(SIZES, 0, "<2i", 2**31 - 1, 2**31 - 1),
        "sizes, byte offset 92: expected 23622320117 bytes, the file has",
    ),
    "no kept buckets": (changed(SIZES, 20, "<q", -2), "-2 buckets that pruning left"),
    "too many kept": (
        changed(SIZES, 20, "<q", 38),
        "38 buckets that pruning left; expected up to 37, or -1",
    ),
    "no word": (
        replaced(b"x\0", b"\0\0"),
        "entry 4, byte offset .*: b'' with the count .* at least one byte",
    ),
    "label among words": (
        changed("dictionary, entry", 13, "<b", 1),
        r"entry 0, byte offset 92: b'</s>' with the count 6 and the kind 1; expected a "
        r"word \(0\)",
    ),
    "word among labels": (
        changed(SIZES, 4, "<2i", 5, 1),
        r"entry 5, .* expected a label \(1\) of at least one byte",
    ),
    "count": (changed("dictionary, entry", 5, "<q", -6), "with the count -6 and"),
    "long word": (
        {
            **sections(),
            "dictionary, entry": b"a" * 3_000_000,
        },
        "entry 0, byte offset 92: a word has more than 1048576 bytes",
    ),
    "kept twice": (
        changed("dictionary, pruned buckets", 0, "<i", 2, base="pruned"),
        "pruned buckets, byte offset .*: expected 2 distinct buckets of 0 to 36",
    ),
    "no such bucket": (
        changed("dictionary, pruned buckets", 0, "<i", 37, base="pruned"),
        "expected 2 distinct buckets of 0 to 36, and a row of its own for each",
    ),
    "no such row": (
        changed("dictionary, pruned buckets", 4, "<i", 2, base="pruned"),
        "expected 2 distinct buckets",
    ),
    "one row for two": (
        changed("dictionary, pruned buckets", 4, "<i", 0, base="pruned"),
        "expected 2 distinct buckets",
    ),
    "pruned and dense": (
        sections(ROWS[: len(WORDS) + 1], kept=[(0, 0)]),
        "input matrix, byte offset .*: it is not quantised, but the dictionary is pru",
    ),
    "mark": (
        changed(INPUT, 0, "<B", 2),
        "input matrix, byte offset .*: the quantisation flag is 2; expected 0 or 1",
    ),
    "rows": (changed(INPUT, 1, "<q", HUGE), r"its shape is \(46116\d+, 3\); expected"),
    "columns": (
        changed(OUTPUT, 9, "<q", -3),
        r"output .* shape is \(6, -3\); expected",
    ),
    "output mark": (
        changed(OUTPUT, 0, "<B", 2),
        "output matrix, .* quantisation flag is 2",
    ),
    "norms flag": (
        changed(INPUT, 1, "<B", 255, base="quantised"),
        "the norms flag is 255",
    ),
    "codes": (
        changed(INPUT, 18, "<i", 87, base="quantised"),
        "87 codes for 43 rows do not belong together",
    ),
    "negative codes": (
        changed(INPUT, 18, "<i", -86, base="quantised"),
        "-86 codes for 43 rows do not belong",
    ),
    "huge codes": (
        changed(INPUT, 18, "<i", 43 * 2**24, base="quantised"),
        "input matrix, byte offset .*: expected 721420288 bytes, the file has",
    ),
    "no codes": (
        changed(INPUT, 18, "<i", 0, base="quantised"),
        "input matrix, centroids, byte offset .* vectors of .* do not belong to a mat",
    ),
    "columns of centroids": (
        changed(INPUT, END, "<i", 2, base="quantised"),
        "vectors of 2 dimensions in 2 parts of 2, the last of 1, do not belong to a "
        "matrix of 3 columns, with 2 codes",
    ),
    "parts": (
        changed(INPUT, END, "<4i", 3, 1, 3, 3, base="quantised"),
        "in 1 parts of 3, the last of 3, do not belong to .* with 2 codes in each row",
    ),
    "no size of parts": (
        changed(INPUT, END + 8, "<i", 0, base="quantised"),
        "2 parts of 0, the last",
    ),
    "last part": (
        changed(INPUT, END + 12, "<i", 2, base="quantised"),
        "2 parts of 2, the last of 2, do not",
    ),
    "norms": (
        changed(INPUT, END + 16 + 3 * 1024 + 43, "<i", 2, base="quantised"),
        "input matrix, norms, byte offset .*: vectors of 2 dimensions",
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files(tmp_path, name):
    parts, message = DAMAGED[name]
    path = write(tmp_path / "v", parts)
    with pytest.raises(ValueError, match=f"{re.escape(str(path))}, .*{message}"):
        WordVectors.load(path)


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize(
    "name", ["huge dictionary", "huge buckets", "rows", "huge codes", "long word"]
)
def test_lying_sizes_take_no_memory(tmp_path, name, compress):
    """What is compressed has no size to compare with, and is read on to its end."""
    path = write(tmp_path / "v", compress(b"".join(DAMAGED[name][0].values())))
    tracemalloc.start()
    with pytest.raises(ValueError, match=re.escape(f"{path}, ")):
        WordVectors.load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3e7


def test_many_rows_of_few_codes(tmp_path):
    """A code of a byte may not stand for a vector of megabytes."""
    centroids = [np.zeros((256, 3000), np.float32)]
    data, _ = oracle.quantised(np.zeros((1, 1), np.uint8), centroids)
    n_rows = 600_000
    data = bytearray(data)
    struct.pack_into("<qqi", data, 2, n_rows, 3000, n_rows)
    data[22:23] = bytes(n_rows)
    words = ["</s>"]
    parts = sections(
        bytes(data), np.zeros((1, 3000)), words, n_buckets=n_rows - 1, vector_size=3000
    )
    message = "its vectors take more than 256 times the memory of its codes; quantise"
    with pytest.raises(ValueError, match=message):
        WordVectors.load(write(tmp_path / "v", parts))
