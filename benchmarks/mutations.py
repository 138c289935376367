"""How many single-line faults the tests find: mutation analysis, sampled and seeded.

Run it with ::

    pip install pytest-cov
    python benchmarks/mutations.py [--n-mutations 200] [--seed 0] [--folder FOLDER]

A copy of the tree is made. In it, the suite runs once, and which tests execute which
lines is recorded. Then one line at a time is changed: a comparison, an operator, a
boolean, an integer, a condition, a statement that is left out. The tests that execute
the line run, the quickest first, until one fails; of lines that run on import, those
of the same folder. A mutation that all pass has survived, and is listed; some change
nothing that a user could see. Mutations are spread over the parts in proportion to
their lines, with at least three a part. FOLDER keeps the record and the results; with
it, an interrupted analysis goes on.
"""

import argparse
import ast
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple

import numpy as np
from _arguments import positive

ROOT = Path(__file__).resolve().parent.parent
# Tests of one line run for at most so long, by the seconds that they took before.
LONGEST = 100
COMPARISONS = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",  # codespell:ignore notin
}
OPERATORS = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "/",
    ast.Div: "*",
    ast.FloorDiv: "*",
    ast.Mod: "*",
    ast.Pow: "*",
    ast.BitAnd: "|",
    ast.BitOr: "&",
    ast.MatMult: "+",
}


class Mutation(NamedTuple):
    """A change of a line: characters from `start` to `stop` become `text`."""

    file: str
    line: int
    start: int
    stop: int
    text: str

    def apply(self, source):
        lines = source.splitlines(keepends=True)
        line = lines[self.line - 1].encode()
        changed = line[: self.start] + self.text.encode() + line[self.stop :]
        lines[self.line - 1] = changed.decode()
        return "".join(lines)


def replacements(node, source):
    """What may stand in the place of a part of the syntax: the part, and its text."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        left, right = map(ast.unparse, (node.left, node.comparators[0]))
        yield node, f"({left} {COMPARISONS[type(node.ops[0])]} {right})"
    elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        if not isinstance(node.left, (ast.Constant, ast.JoinedStr)) or not isinstance(
            getattr(node.left, "value", 0), str
        ):
            left, right = ast.unparse(node.left), ast.unparse(node.right)
            yield node, f"(({left}) {OPERATORS[type(node.op)]} ({right}))"
    elif isinstance(node, ast.BoolOp) and len(node.values) == 2:
        left, right = map(ast.unparse, node.values)
        other = "or" if isinstance(node.op, ast.And) else "and"
        yield node, f"(({left}) {other} ({right}))"
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield node, f"({ast.unparse(node.operand)})"
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield node, str(not node.value)
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield node, str(node.value + 1)
    elif isinstance(node, (ast.If, ast.IfExp)):
        yield node.test, f"(not ({ast.unparse(node.test)}))"
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield node, "pass"
    elif isinstance(node, ast.Return) and node.value is not None:
        yield node, "return None"


def looked_at(tree):
    """The syntax but for what only tells a reader: messages and declared checks."""
    if isinstance(tree, (ast.Raise, ast.JoinedStr, ast.Import, ast.ImportFrom)):
        return
    if isinstance(tree, ast.Assign) and "_parameter_constraints" in ast.dump(
        tree.targets[0]
    ):
        return
    yield tree
    for name, value in ast.iter_fields(tree):
        if name in {"annotation", "returns", "decorator_list"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from looked_at(child)


def mutations(path):
    """All mutations of a file that fit in one line."""
    source = path.read_text()
    file = path.relative_to(ROOT).as_posix()
    found = []
    for node in looked_at(ast.parse(source)):
        for part, text in replacements(node, source):
            if part.lineno == part.end_lineno:
                found.append(
                    Mutation(
                        file, part.lineno, part.col_offset, part.end_col_offset, text
                    )
                )
    return found


def part_of(file):
    """The folder of the package that a file lies in; the package itself for others."""
    parts = Path(file).parts
    return parts[1] if len(parts) > 2 else "."


def sample(n_mutations, seed):
    """Mutations spread over the parts, at most one a line, in random order."""
    by_part = {}
    for path in sorted((ROOT / "skml").rglob("*.py")):
        if path.name != "__init__.py":
            found = mutations(path)
            by_part.setdefault(part_of(found[0].file), []).extend(found) if found else 0
    rng = np.random.default_rng(seed)
    total = sum(map(len, by_part.values()))
    chosen = []
    for part in sorted(by_part):
        found = by_part[part]
        wanted = max(3, round(n_mutations * len(found) / total))
        lines = set()
        for i in rng.permutation(len(found)):
            mutation = found[i]
            if len(lines) < wanted and (mutation.file, mutation.line) not in lines:
                lines.add((mutation.file, mutation.line))
                chosen.append(mutation)
    return [chosen[i] for i in rng.permutation(len(chosen))]


def run_tests(tree, arguments, timeout=None, **environment):
    """The exit status of pytest, or None if it does not end in time."""
    python_path = os.pathsep.join([str(tree), str(tree / "benchmarks")])
    try:
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                *arguments,
            ],
            cwd=tree,
            env={
                **os.environ,
                "PYTHONPATH": python_path,
                "SCIPY_ARRAY_API": "1",
                **environment,
            },
            capture_output=True,
            timeout=timeout,
        ).returncode
    except subprocess.TimeoutExpired:
        return None


class Record:
    """Which tests execute which lines, and the seconds that each test takes."""

    def __init__(self, tree, folder):
        import coverage

        data, times = folder / "coverage", folder / "times.xml"
        if not times.exists():
            options = ("-n", "2", "--cov=skml", "--cov-context=test", "--cov-report=")
            run_tests(tree, [*options, f"--junitxml={times}"], COVERAGE_FILE=str(data))
        self._coverage = coverage.CoverageData(str(data))
        self._coverage.read()
        self._measured = {
            file[file.rindex("/skml/") + 1 :]: file
            for file in self._coverage.measured_files()
        }
        self._seconds, failed = {}, set()
        for case in ElementTree.parse(times).iter("testcase"):
            key = case.get("classname"), case.get("name")
            self._seconds[key] = self._seconds.get(key, 0.0) + float(case.get("time"))
            if case.find("failure") is not None or case.find("error") is not None:
                failed.add(key)
        self._tests = {
            context.rpartition("|")[0]
            for context in self._coverage.measured_contexts()
            if context and _key(context.rpartition("|")[0]) not in failed
        }

    def seconds(self, test):
        """What a test took, with what its fixtures took."""
        return self._seconds.get(_key(test), 1)

    def tests(self, mutation, lines):
        """Tests that execute one of the lines, quickest first, for a limited time."""
        file = self._measured.get(mutation.file)
        by_line = self._coverage.contexts_by_lineno(file) if file else {}
        contexts = {context for line in lines for context in by_line.get(line, [])}
        chosen = {context.rpartition("|")[0] for context in contexts if context}
        # Any test of a file may look at what a fixture made, and any of the folder at
        # what the import of a module made.
        places = tuple(
            test.partition("::")[0]
            for test, _, phase in (context.rpartition("|") for context in contexts)
            if phase == "setup"
        )
        if "" in contexts:
            places += (f"tests/{part_of(mutation.file)}/",)
        chosen = {
            test for test in self._tests if test in chosen or test.startswith(places)
        }
        ordered = sorted(chosen, key=lambda test: (self.seconds(test), test))
        total = itertools.accumulate(map(self.seconds, ordered))
        return [test for test, s in zip(ordered, total, strict=True) if s < LONGEST]


def _key(test):
    """The name of a test's module, and the rest of its name."""
    file, _, name = test.partition("::")
    return file.removesuffix(".py").replace("/", "."), name


def lines_of(statement_source, line):
    """The lines of the smallest statement that holds a line, but for its body."""
    statements = [
        node
        for node in ast.walk(ast.parse(statement_source))
        if isinstance(node, ast.stmt) and node.lineno <= line <= node.end_lineno
    ]
    smallest = min(statements, key=lambda node: node.end_lineno - node.lineno)
    body = getattr(smallest, "body", None)
    last = body[0].lineno - 1 if body else smallest.end_lineno
    return range(smallest.lineno, max(last, line) + 1)


def is_found(tree, mutation, record):
    """Whether a test fails, or does not end, once a line is changed."""
    path = tree / mutation.file
    source = path.read_text()
    tests = record.tests(mutation, lines_of(source, mutation.line))
    path.write_text(mutation.apply(source))
    try:
        # Most mutations fall at the first few tests.
        for some in filter(None, (tests[:20], tests[20:])):
            chosen = tree / "chosen_tests"
            chosen.write_text(
                "\n".join(t.encode("unicode_escape").decode() for t in some)
            )
            status = run_tests(
                tree,
                ["-x", "-p", "_chosen_tests", *{t.partition("::")[0] for t in some}],
                timeout=60 + 10 * sum(map(record.seconds, some)),
                CHOSEN_TESTS=str(chosen),
            )
            # 5: pytest found none of them.
            if status not in (0, 5):
                return True
        return False
    finally:
        path.write_text(source)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-mutations", type=positive, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--parts", nargs="*", help="only these folders")
    parser.add_argument("--folder", type=Path, help="of the record and the results")
    arguments = parser.parse_args()
    chosen = sample(arguments.n_mutations, arguments.seed)
    if arguments.parts:
        chosen = [m for m in chosen if part_of(m.file) in arguments.parts]
    with tempfile.TemporaryDirectory() as temporary:
        tree = Path(temporary) / "tree"
        shutil.copytree(
            ROOT,
            tree,
            ignore=shutil.ignore_patterns(".git", ".venv", "build", "_build"),
        )
        folder = arguments.folder or Path(temporary)
        folder.mkdir(exist_ok=True)
        record = Record(tree, folder)
        results = folder / f"mutations-{arguments.seed}.json"
        done = {}
        if results.exists():
            done = {tuple(key): found for key, found in json.loads(results.read_text())}
        for number, mutation in enumerate(chosen, 1):
            if mutation not in done:
                done[mutation] = is_found(tree, mutation, record)
                results.write_text(json.dumps(list(done.items())))
            state = "found" if done[mutation] else "SURVIVED"
            print(f"{number:4d} {state:9s}{mutation.file}:{mutation.line}", flush=True)
    report(chosen, done)


def report(chosen, done):
    """Print the share of each part, and the survivors."""
    parts = {}
    for mutation in chosen:
        parts.setdefault(part_of(mutation.file), []).append(done[tuple(mutation)])
    print("\n| part | mutations | found |\n|---|---|---|")
    for part, found in sorted(parts.items()):
        print(f"| {part} | {len(found)} | {np.mean(found):.0%} |")
    total = [done[tuple(mutation)] for mutation in chosen]
    print(f"| all | {len(total)} | {np.mean(total):.1%} |\n")
    for mutation in chosen:
        if not done[tuple(mutation)]:
            line = (ROOT / mutation.file).read_text().splitlines()[mutation.line - 1]
            print(
                f"{mutation.file}:{mutation.line}: {line.strip()}\n    {mutation.text}"
            )


if __name__ == "__main__":
    main()
