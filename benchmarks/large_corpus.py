"""Train from a file larger than what memory is allowed, and time its tokenising.

Two claims. The process that trains from FILE, a document a line, stays below a few
hundred MB plus the model, whatever the size of the file: the greatest amount of memory
that was resident at any time is printed. And lines become ids several times as fast in
C as by way of Python lists, with the same result: both run in turn on the first lines.
Run it with ::

    python benchmarks/large_corpus.py FILE [--max-memory MB] [--epochs N] [--jobs N]
        [--n-lines N] [--repeats N]
"""

import argparse
import tempfile
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import numpy as np

from skml.text import LineDocuments, Word2VecTransformer

_MB = 2**20


def resident(name):
    """A field of this process's status, in MB; Linux only."""
    with open("/proc/self/status", encoding="ascii") as lines:
        fields = dict(line.split(":", 1) for line in lines)
    return int(fields[name].split()[0]) / 1024


def train(path, max_memory, n_epochs, n_jobs):
    """Fit in this process; return what it took."""
    before = resident("VmHWM")
    model = Word2VecTransformer(
        max_memory=max_memory, max_iter=n_epochs, n_jobs=n_jobs, random_state=0
    )
    start = perf_counter()
    model.fit(LineDocuments(path))
    seconds = perf_counter() - start
    n_words, size = model.vectors_.shape
    padded = -(-size // 16) * 16
    return {
        "before": before,
        "peak": resident("VmHWM"),
        "model": 2 * n_words * padded * 4 / _MB,
        "tokens": model.n_tokens_,
        "seconds": seconds,
    }


def print_memory(path, found):
    print(f"{path.stat().st_size / _MB:.0f} MB of text, {found['tokens']:,} tokens")
    print(f"resident before the fit    {found['before']:6.0f} MB")
    print(f"at most, until its end     {found['peak']:6.0f} MB")
    print(f"of which the model         {found['model']:6.0f} MB")
    print(f"without the model          {found['peak'] - found['model']:6.0f} MB")
    print(f"seconds                    {found['seconds']:6.1f}")


def time_tokenising(path, n_lines, n_repeats):
    """Print CPU seconds of C and of Python, in turn, on the first lines."""
    with tempfile.TemporaryDirectory() as folder, open(path, "rb") as file:
        part = Path(folder) / "part.txt"
        part.write_bytes(b"".join(islice(file, n_lines)))
        documents, ratios = LineDocuments(part), []
        for _ in range(n_repeats):
            in_c, seconds = encode(documents)
            in_python, python_seconds = encode(iter(documents))
            if not all(map(np.array_equal, in_c, in_python)):
                raise AssertionError("C and Python differ")
            ratios.append(python_seconds / seconds)
            n_tokens = len(in_c[0])
            print(
                f"{n_tokens:,} tokens: C {n_tokens / seconds:,.0f} a second, Python "
                f"{n_tokens / python_seconds:,.0f}; x {ratios[-1]:.1f}"
            )
    print(f"median x {median(ratios):.1f} ({min(ratios):.1f}-{max(ratios):.1f})")


def encode(documents):
    """The ids of documents, where these end, and CPU seconds."""
    start = process_time()
    _, encoded = Word2VecTransformer()._encode(documents)
    return (encoded.ids, encoded.offsets), process_time() - start


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, help="text in UTF-8, a document a line")
    parser.add_argument("--max-memory", type=float, default=64, help="MB of ids")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--n-lines", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        found = process.submit(
            train, options.file, options.max_memory, options.epochs, options.jobs
        ).result()
    print_memory(options.file, found)
    time_tokenising(options.file, options.n_lines, options.repeats)


if __name__ == "__main__":
    main()
