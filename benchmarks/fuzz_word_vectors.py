"""Throw damaged files of word vectors at `WordVectors.load`, for as long as you like.

Run it with ::

    python -m benchmarks.fuzz_word_vectors --minutes 10 [--seed 0] [--memory 4]

Valid files of every format, plain and compressed, are damaged at random: bits flipped,
cut, pieces taken out, put in, doubled, headers that lie, and damage below a compression
that is whole. Each is loaded with random options. Only two things may happen: a
`WordVectors` that is one, or a plain ValueError that names the file. Nothing else may:
no other exception, no warning but of skipped rows, no crash, no load of more than 30
seconds, no memory above ten times the file (decompressed, if that is more) and three
megabytes for buffers.

All runs in one process, whose address space is limited (Linux and macOS). An input that
behaves in another way is kept in a new folder, which is printed, and ends the run with
status 1. It prints how many inputs there were, what came of them, and the most memory.
"""

import argparse
import bz2
import gzip
import json
import lzma
import random
import re
import resource
import shutil
import signal
import struct
import sys
import tempfile
import time
import tracemalloc
import warnings
import zlib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from skml.text import WordVectors
from tests.oracles.fasttext_files import file_sections, quantised

_SECONDS = 30
_BUFFERS = 3 << 20
_TIMES = 10
# Small files are the most likely to be damaged where it matters.
_SHAPES = [(1, 1), (2, 1), (3, 2), (7, 3), (20, 5), (40, 5), (300, 20), (5000, 10)]
_TOKENS = [
    *(bytes([byte]) for byte in b"\0\t\n\r \"'+,-.059[]\\e{}\x7f\x80\xc3\xff"),
    *(b"nan", b"-inf", b"1e999", b"1e-999", b"0x1p3", b"1_0", b"\xe8\xaf", b"\r\n"),
    *(
        b"\n\n",
        b"  ",
        b"99999999999999999999",
        b"0." + b"0" * 30 + b"1",
        b"[[[[",
        b'""',
    ),
    *(b'"\\ud800"', b"null", b"\x1f\x8b", b"BZh91AY&SY", b"\xfd7zXZ\0", b"\x93NUMPY"),
    b"123456789.123456789123456789",
]
_NUMBERS = [b"0", b"1", b"2", b"-1", b"5", b"65536", b"65537", b"3000000000", b"1" * 40]
_INTEGERS = [-1, 0, 1, 2, 3, 11, 13, 64, 65, 255, 256, 65_537, 1 << 30, (1 << 31) - 1]
_XZ = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 16}]
_COMPRESS = {
    "": lambda data: data,
    ".gz": lambda data: gzip.compress(data, mtime=0),
    ".bz2": lambda data: bz2.compress(data, 1),
    ".xz": lambda data: lzma.compress(data, filters=_XZ),
}


class Outcome(NamedTuple):
    """What came of a load; `wrong` says why that must not be, or is empty."""

    kind: str
    wrong: str
    peak: int
    size: int
    seconds: float


class TooSlow(BaseException):
    """A load that would not end; nothing catches this."""


def make_seeds(folder, shapes=_SHAPES):
    """Valid files.

    Returns
    -------
    seeds : list of dict
        The bytes of each file; the name is "" for a file that is no folder.
    """
    random_words = ["the", "诗", "😀", "a\xa0b", "naïve", "-1", "."]
    seeds = []
    for n_words, size in shapes:
        words = (random_words + [f"word{i}" for i in range(n_words)])[:n_words]
        numbers = np.random.default_rng(size).standard_normal((n_words, size))
        vectors = WordVectors(numbers.astype(np.float32), words)
        for format in ("word2vec-text", "word2vec-binary", "glove"):
            vectors.save(folder / "seed", format=format)
            seeds.append({"": (folder / "seed").read_bytes()})
        # As others write: blanks in words, long numbers, blanks and returns at the end.
        lines = [
            " ".join([f"{word} {word}", *map(repr, row)]) + " \r\n"
            for word, row in zip(words, numbers.tolist(), strict=True)
        ]
        seeds.append({"": "".join(lines).encode()})
        seeds.append({"": f"\ufeff{n_words} {size}\n{''.join(lines)}".encode()})
        vectors.save(folder / "folder")
        files = (folder / "folder").iterdir()
        seeds.append({file.name: file.read_bytes() for file in files})
        for data in fasttext_models(words, numbers):
            seeds.append({"": data})
    return seeds


def fasttext_models(words, numbers):
    """Models of fastText: dense, of a classifier, quantised, pruned."""
    n_words, size = numbers.shape
    generator = np.random.default_rng(n_words)
    ngrams = {"vector_size": size, "n_buckets": 50, "lengths": (1, 4)}
    rows = np.vstack([numbers, generator.standard_normal((50, size))])
    yield b"".join(file_sections(numbers, numbers, words, vector_size=size).values())
    yield b"".join(file_sections(rows, numbers, words, **ngrams).values())
    labels = ["__label__诗", "__label__b"]
    parameters = {**ngrams, "kind": "supervised", "loss": "softmax"}
    outputs = generator.standard_normal((2, size))
    parts = file_sections(rows, outputs, words, labels, **parameters)
    yield b"".join(parts.values())
    centroids = [
        generator.standard_normal((256, min(2, size - start))).astype(np.float32)
        for start in range(0, size, 2)
    ]
    codes = generator.integers(0, 256, (len(rows), len(centroids))).astype(np.uint8)
    norm_codes, norms = codes[:, 0].copy(), centroids[0][:, 0]
    data, _ = quantised(codes, centroids, norm_codes, norms)
    yield b"".join(file_sections(data, outputs, words, labels, **parameters).values())
    kept = [(int(bucket), row) for row, bucket in enumerate(generator.permutation(9))]
    data, _ = quantised(codes[: n_words + 9], centroids)
    parts = file_sections(data, outputs, words, labels, kept=kept, **parameters)
    yield b"".join(parts.values())


def damage(data, generator):
    """Change some bytes at random, once or a few times."""
    data = bytearray(data)
    for _ in range(generator.choice([1, 1, 1, 2, 3, 8])):
        start = generator.randrange(len(data) + 1)
        if generator.random() < 0.3:  # where headers and first rows are
            start = generator.randrange(min(len(data), 100) + 1)
        length = generator.choice([1, 1, 2, 4, 7, 30, 200])
        stop = start + length
        match generator.randrange(10):
            case 0 if start < len(data):
                data[start] ^= 1 << generator.randrange(8)
            case 1:
                del data[start:]
            case 2:
                del data[start:stop]
            case 3:
                data[start:start] = generator.randbytes(length)
            case 4:
                data[start:start] = generator.choice(_TOKENS) * generator.choice(
                    [1, 1, 9]
                )
            case 5:
                data[start:start] = data[start:stop] * generator.choice([1, 1, 2, 50])
            case 6:
                data[start:stop] = generator.choice(_TOKENS)
            case 7:
                data[:0] = data[start:stop]
            case 8:
                data = lie(data, generator)
            case 9 if stop + 8 < len(data):
                layout = generator.choice(["<i", "<q"])
                struct.pack_into(layout, data, start, generator.choice(_INTEGERS))
    return bytes(data)


def lie(data, generator):
    """Change a number near the start: in a header, mostly."""
    places = list(re.finditer(rb"\d+", data[:150]))
    if places:
        start, stop = generator.choice(places).span()
        number = generator.choice([*_NUMBERS, b"%d" % (int(data[start:stop]) + 1)])
        data[start:stop] = number
    return data


def make_input(seeds, generator):
    """A file or folder that is damaged, as a rule: its bytes by name, its ending."""
    files = dict(generator.choice(seeds))
    name = generator.choice(sorted(files))
    if name:
        files[name] = damage(files[name], generator)
        if generator.random() < 0.02:
            del files[name]
        return files, ""
    ending = generator.choice(["", "", "", *_COMPRESS])
    if ending and generator.random() < 0.5:
        return {"": damage(_COMPRESS[ending](files[""]), generator)}, ending
    return {"": _COMPRESS[ending](damage(files[""], generator))}, ending


def make_options(generator, is_folder):
    """Options for `WordVectors.load`, those by default half of the time."""
    if generator.random() < 0.5:
        return {}
    formats = ["word2vec-text", "word2vec-binary", "glove", "fasttext-bin", "folder"]
    options = {
        "format": generator.choice(["auto", "auto", *formats]),
        "decode_error": generator.choice(["strict", "ignore", "replace"]),
        "duplicates": generator.choice(["raise", "first"]),
        "on_bad_rows": generator.choice(["error", "skip"]),
        "limit": generator.choice([None, None, 1, 7, 4097]),
    }
    if is_folder:
        options = {name: options[name] for name in ("format", "limit")}
        options["mmap"] = generator.random() < 0.5
    else:
        options["encoding"] = generator.choice(
            ["utf-8", "utf-8", "latin-1", "gb18030", "cp1252"]
        )
    return options


def write_input(path, files):
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    if "" in files:
        path.write_bytes(files[""])
        return
    path.mkdir()
    for name, data in files.items():
        (path / name).write_bytes(data)


def unpacked_size(data, ending):
    """How many bytes there are in compressed data, as far as they can be read."""
    new = {
        ".gz": lambda: zlib.decompressobj(31),
        ".bz2": bz2.BZ2Decompressor,
        ".xz": lzma.LZMADecompressor,
    }[ending]
    size = 0
    while data:
        stream = new()
        try:
            for start in range(0, len(data), 64):
                size += len(stream.decompress(data[start : start + 64]))
                if stream.eof:
                    break
        except (zlib.error, OSError, lzma.LZMAError):
            break
        data = stream.unused_data + data[start + 64 :]
    return size


def load(path, files, ending, options):
    """Load an input; say what came of it."""
    size = sum(map(len, files.values()))
    # Started once: whenever it stops or forgets, it keeps some memory for itself.
    tracemalloc.start()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    start = time.perf_counter()
    wrong = ""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*: skipped ")
            words = WordVectors.load(path, **options)
        kind = "WordVectors"
        wrong = why_invalid(words)
    except ValueError as error:
        kind = type(error).__name__
        if type(error) is not ValueError:
            wrong = f"not a plain ValueError: {error!r}"
        elif str(path) not in str(error):
            wrong = f"does not name the file: {error}"
    except (Exception, TooSlow) as error:
        kind, wrong = type(error).__name__, repr(error)
    seconds = time.perf_counter() - start
    peak = tracemalloc.get_traced_memory()[1] - before
    if peak > _TIMES * size + _BUFFERS and ending:
        size = max(size, unpacked_size(files[""], ending))
    if peak > _TIMES * size + _BUFFERS:
        wrong = wrong or f"{peak} bytes of memory for {size} in the file"
    return Outcome(kind, wrong, peak, size, seconds)


def why_invalid(words):
    vectors = words.vectors
    n_words, size = vectors.shape
    if vectors.dtype != np.float32 or n_words != len(words.words) or size == 0:
        return f"vectors of {vectors.dtype} and the shape {vectors.shape}"
    if not np.isfinite(vectors).all():
        return "vectors are not finite"
    if len(set(words.words)) != len(words.words):
        return "words stand twice"
    "".join(words.words).encode()
    if words.subwords is not None and not np.isfinite(words["诗人ab"]).all():
        return "a word is composed of numbers that are not finite"
    return ""


def fuzz(path, seeds, seed, inputs):
    """Load so many damaged inputs, or as many as an iterator gives; yield outcomes."""
    generator = random.Random(seed)
    for _ in inputs:
        files, ending = make_input(seeds, generator)
        options = make_options(generator, is_folder="" not in files)
        write_input(path, files)
        yield files, options, load(path, files, ending, options)


def until(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        yield


def alarm(*_):
    raise TooSlow(f"more than {_SECONDS} s")


def keep(files, options, outcome, number):
    """Save an input that misbehaved."""
    folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{number}-"))
    write_input(folder / "input", files)
    (folder / "report.json").write_text(json.dumps([options, outcome]))
    print(f"{folder}: {outcome.wrong:.300}", flush=True)


def report(outcomes, kinds, worst, slowest, resident):
    print(
        f"{outcomes} inputs: " + ", ".join(f"{n} {kind}" for kind, n in kinds.items())
    )
    above = {size: peak for size, peak in worst.items() if peak > _BUFFERS}
    ratio = max(((peak - _BUFFERS) / size for size, peak in above.items()), default=0)
    print(f"Most memory of a load: {max(worst.values()) / 1e6:.1f} MB;")
    print(f"at most {ratio:.1f} times the size of the file above 3 MiB of buffers.")
    print(
        f"Slowest load: {slowest:.2f} s. Resident: {resident:.0f} MB more at the end."
    )


def resident_megabytes():
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--memory", type=float, default=4, help="limit in GiB")
    arguments = parser.parse_args()
    warnings.simplefilter("error")
    limit = int(arguments.memory * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    signal.signal(signal.SIGALRM, alarm)
    kinds, worst, slowest, n_wrong = Counter(), {}, 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seeds = make_seeds(folder)
        before = resident_megabytes()
        inputs = until(60 * arguments.minutes)
        runs = fuzz(folder / "input", seeds, arguments.seed, inputs)
        while True:
            signal.alarm(_SECONDS)
            try:
                files, options, outcome = next(runs)
            except StopIteration:
                break
            kinds[outcome.kind] += 1
            worst[outcome.size] = max(worst.get(outcome.size, 0), outcome.peak)
            slowest = max(slowest, outcome.seconds)
            if outcome.wrong:
                n_wrong += 1
                keep(files, options, outcome, sum(kinds.values()))
        signal.alarm(0)
    total = sum(kinds.values())
    report(total, kinds, worst, slowest, resident_megabytes() - before)
    sys.exit(1 if n_wrong else 0)


if __name__ == "__main__":
    main()
