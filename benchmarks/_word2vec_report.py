"""Records of single runs to tables in Markdown, and to a file."""

import json
import sys
from pathlib import Path
from statistics import mean, median

QUALITIES = ("analogies", "semantic", "syntactic", "similarity")


class Report:
    """Keeps the records of runs; shows progress and saves as they come.

    Parameters
    ----------
    path : str or None
        The JSON file to write, rewritten after every run.
    **header
        What else goes into the file: machine, arguments, corpus.
    """

    def __init__(self, path, **header):
        self.path = path
        self.header = header
        self.records = []

    def add(self, record):
        self.records.append(record)
        shown = " ".join(_short(name, value) for name, value in record.items())
        print(f"run {len(self.records)}: {shown}", file=sys.stderr, flush=True)
        if self.path is not None:
            content = {**self.header, "records": self.records}
            Path(self.path).write_text(json.dumps(content, indent=1), encoding="utf-8")


def _short(name, value):
    if isinstance(value, dict):
        plain = {k: v for k, v in value.items() if not isinstance(v, dict)}
        return f"{name}({', '.join(_short(k, v) for k, v in plain.items())})"
    return f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"


def markdown(header, rows):
    """Format a table; every column but the first is aligned to the right."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def groups(records):
    """Yield the mode, the size and the records of each combination."""
    for key in dict.fromkeys((record["mode"], record["size"]) for record in records):
        yield *key, [r for r in records if (r["mode"], r["size"]) == key]


def values(records, what, **which):
    """Look up ``a.b`` in the records that have the given entries."""
    found = [r for r in records if all(r[k] == v for k, v in which.items())]
    for name in what.split("."):
        found = [record[name] for record in found]
    return found


def ratios(records, what, first, second):
    """The median of first / second, run by run, with the least and the greatest."""
    pairs = zip(
        values(records, what, **first), values(records, what, **second), strict=True
    )
    each = [a / b for a, b in pairs]
    return f"**{median(each):.2f}** ({min(each):.2f} to {max(each):.2f})"


_OURS, _PEER = {"library": "skml"}, {"library": "gensim"}


def speed(records, n_tokens):
    """Tokens a second, training only: the header and the rows."""
    rows = []
    for mode, size, group in groups(records):
        row = [mode, size]
        for clock in ("cpu", "wall"):
            what = f"training.{clock}"
            for which in (_OURS, _PEER):
                seconds = median(values(group, what, **which))
                row.append(f"{n_tokens / seconds / 1e3:,.0f} k")
            row.append(ratios(group, what, _PEER, _OURS))
        rows.append(row)
    per = [
        f"{name}, tokens / {second}"
        for second in ("CPU s", "wall s")
        for name in ("skml", "gensim")
    ]
    return ["mode", "size", *per[:2], "x CPU", *per[2:], "x wall"], rows


def end_to_end(records):
    """Seconds of the whole fit, vocabulary and all: the header and the rows."""
    rows = []
    for mode, size, group in groups(records):
        row = [mode, size]
        for clock in ("cpu", "wall"):
            what = f"whole.{clock}"
            for which in (_OURS, _PEER):
                row.append(f"{median(values(group, what, **which)):.2f}")
            row.append(ratios(group, what, _PEER, _OURS))
        rows.append([*row, _busy(group)])
    per = [f"{name} {c} s" for c in ("CPU", "wall") for name in ("skml", "gensim")]
    return ["mode", "size", *per[:2], "x CPU", *per[2:], "x wall", "others"], rows


def threads_table(records, n_jobs):
    """Seconds by the clock with one thread and with several."""
    one, several = {"n_jobs": 1}, {"n_jobs": n_jobs}
    rows = []
    for mode, size, group in groups(records):
        row = [mode, size]
        for part in ("training", "whole"):
            for which in (one, several):
                row.append(f"{median(values(group, f'{part}.wall', **which)):.2f}")
            row.append(ratios(group, f"{part}.wall", one, several))
        rows.append([*row, _busy(group)])
    per = [f"{part} s, n_jobs={n}" for part in ("training", "fit") for n in (1, n_jobs)]
    header = ["mode", "size", *per[:2], "speed-up", *per[2:], "speed-up", "others"]
    return markdown(header, rows)


def _busy(records):
    """The most processors that other processes kept busy during a run."""
    return f"{max(values(records, 'others')):.2f}"


def runs_table(records):
    """Quality and cost of every model."""
    rows = [
        [r["mode"], r["size"], r["seed"], r["library"]]
        + [f"{r['quality'][name]:.2f}" for name in QUALITIES]
        + [f"{r['training'][clock]:.1f}" for clock in ("cpu", "wall")]
        for r in records
    ]
    columns = ["mode", "size", "seed", "library", *QUALITIES, "CPU s", "wall s"]
    return markdown(columns, rows)


def quality_table(records):
    """Mean over seeds of both, how far apart, and how far apart the seeds are."""
    rows = []
    for mode, size, group in groups(records):
        for name in QUALITIES:
            ours, peer = (
                values(group, f"quality.{name}", **which) for which in (_OURS, _PEER)
            )
            spread = max(max(ours) - min(ours), max(peer) - min(peer))
            numbers = (mean(ours), mean(peer), mean(ours) - mean(peer), spread)
            rows.append([mode, size, name, *(f"{number:.2f}" for number in numbers)])
    header = ["mode", "size", "score", "skml", "gensim", "difference", "seed spread"]
    return markdown(header, rows)


def memory_table(records):
    """Peak above the corpus, beside what a fit has to hold."""
    rows = []
    for mode, size, group in groups(records):
        ours, peer = (values(group, "memory", **which)[0] for which in (_OURS, _PEER))
        parts = [ours[name] for name in ("tokens", "model", "dictionaries")]
        sizes = [ours["before"], ours["peak"], *parts, sum(parts)]
        shown = [f"{n_bytes / 1e6:.1f}" for n_bytes in sizes]
        ratio = f"**{ours['peak'] / sum(parts):.2f}**"
        rows.append([mode, size, *shown, ratio, f"{peer['peak'] / 1e6:.1f}"])
    header = ["mode", "size", "MB before", "peak above", "4 B a token", "model"]
    header += ["dictionaries", "sum", "peak / sum", "gensim's peak"]
    return markdown(header, rows)
