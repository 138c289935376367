"""Directive `benchmark-results`: tables that a benchmark saved, and how to repeat them.

It is used as ::

    .. benchmark-results:: tfidf

and reads `benchmarks/results/tfidf.json`.
"""

import json
import re
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
_MACHINE = ("processor", "cores", "load", "system")
# Bootstrap's classes: aligned to the right, in one line.
_NUMERIC = ["text-end", "text-nowrap"]
_NUMBER = re.compile(r"\**[-+\d.]|$")


class BenchmarkResults(SphinxDirective):
    """The tables of one file of results."""

    required_arguments = 1

    def run(self):
        try:
            path = find_results(*self.arguments)
        except ValueError as error:
            raise self.error(f"benchmark-results: {error}") from None
        self.env.note_dependency(str(path))
        return make_nodes(json.loads(path.read_text(encoding="utf-8")))


def find_results(name):
    """The file that a benchmark saved."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        saved = ", ".join(sorted(p.stem for p in RESULTS.glob("*.json")))
        raise ValueError(
            f"{name!r} is not among the saved results, which are: {saved}. Run the "
            "benchmark with --save."
        )
    return path


def make_nodes(results):
    """The nodes of a page for what a benchmark saved."""
    machine = results["machine"]
    versions = {name: machine[name] for name in machine if name not in _MACHINE}
    fields = {
        "Date": [_paragraph(results["date"])],
        "Machine": [_paragraph(_machine(machine))],
        "Versions": [_paragraph(", ".join(f"{k} {v}" for k, v in versions.items()))],
        "Data": _data(results["data"]),
    }
    command = results["command"]
    named = (_field(*field) for field in fields.items())
    return [
        *(_table(**table) for table in results["tables"]),
        nodes.field_list("", *named, classes=["benchmark"]),
        nodes.literal_block(command, command, language="bash"),
    ]


def _table(title, header, rows):
    columns = zip(*rows, strict=True)
    classes = [
        _NUMERIC if all(map(_NUMBER.match, column)) else [] for column in columns
    ]
    group = nodes.tgroup(cols=len(header))
    group += [nodes.colspec(colwidth=1) for _ in header]
    group += nodes.thead("", _row(header, classes))
    group += nodes.tbody("", *(_row(cells, classes) for cells in rows))
    named = ["benchmark", "colwidths-auto"]
    return nodes.table("", nodes.title("", title), group, classes=named)


def _row(cells, classes):
    entries = zip(cells, classes, strict=True)
    return nodes.row("", *(nodes.entry("", _cell(c), classes=k) for c, k in entries))


def _cell(text):
    """A paragraph; what stands between two pairs of asterisks is bold."""
    parts = enumerate(text.split("**"))
    kinds = (nodes.Text, lambda part: nodes.strong("", part))
    return nodes.paragraph("", "", *(kinds[i % 2](part) for i, part in parts if part))


def _machine(machine):
    parts = [machine["processor"], f"{machine['cores']} cores"]
    if machine["load"] is not None:
        parts.append(f"load {machine['load']} before")
    return ", ".join([*parts, machine["system"]])


def _data(data):
    """A list of the data sets, each with its hash and where to get it."""
    if not data:
        return [_paragraph("made by the script, with a fixed seed")]
    return [nodes.bullet_list("", *(nodes.list_item("", _set(**d)) for d in data))]


def _set(name, sha256, source=None):
    shown = nodes.reference("", name, refuri=source) if source else nodes.Text(name)
    return _paragraph(shown, "; sha256 ", nodes.literal("", sha256))


def _field(name, body):
    return nodes.field("", nodes.field_name("", name), nodes.field_body("", *body))


def _paragraph(*parts):
    parts = (nodes.Text(part) if isinstance(part, str) else part for part in parts)
    return nodes.paragraph("", "", *parts)


def setup(app):
    app.add_directive("benchmark-results", BenchmarkResults)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
