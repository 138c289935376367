"""fastText's files as word vectors, made byte by byte."""

import gzip
import json
import pickle
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from safetensors.numpy import load_file, save_file

from skml.text import EmbeddingTransformer, Word2VecTransformer, WordVectors
from skml.text._subwords import SubwordVectors, bucket_ngrams
from tests.oracles import fasttext_files as oracle
from tests.oracles.fasttext import hash_of
from tests.text.fasttext_vector_files import (
    CENTROIDS,
    CODES,
    LENGTHS,
    N_BUCKETS,
    NORM_CODES,
    NORMS,
    OUTPUTS,
    ROWS,
    UNSEEN,
    WORDS,
    replaced,
    sections,
    write,
)


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
