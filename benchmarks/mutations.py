"""How many single-line faults the tests find: mutation analysis, sampled and seeded.

Run it with ::

    python benchmarks/mutations.py [--n-mutations 200] [--seed 0] [--json FILE]

A copy of the tree is made. In it, one line at a time is changed: a comparison, an
operator, a boolean, an integer, a condition, a statement that is left out. The tests of
the part of the package that holds the line run until the first failure: first the test
files that name the module, then the others of its folder, then those that concern all
estimators. A mutation that all pass has survived, and is listed; some change nothing
that a user could see. Mutations are spread over the parts in proportion to their lines,
with at least three a part.
"""

import argparse
import ast
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from _arguments import positive

ROOT = Path(__file__).resolve().parent.parent
SHARED_TESTS = (
    "tests/test_one_for_all.py",
    "tests/test_containers.py",
    "tests/test_silence.py",
)
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


def tests_of(tree, file):
    """Test files of a module: those that name it first, then all of its folder."""
    part, name = part_of(file), Path(file).stem.strip("_")
    folder = tree / "tests" / part if part != "." else tree / "tests"
    tests = sorted(folder.rglob("test_*.py") if part != "." else folder.glob("test_*"))
    module = ".".join(Path(file).with_suffix("").parts)

    def is_close(test):
        return name in test.stem or module in test.read_text()

    close = [test for test in tests if is_close(test)]
    others = [test for test in tests if test not in close]
    shared = [tree / test for test in SHARED_TESTS if (tree / test) not in tests]
    return [group for group in (close, others, shared) if group]


def is_found(tree, mutation, timeout):
    """Whether a test fails, or does not end, once a line is changed."""
    path = tree / mutation.file
    source = path.read_text()
    path.write_text(mutation.apply(source))
    environment = {**os.environ, "PYTHONPATH": str(tree), "SCIPY_ARRAY_API": "1"}
    try:
        for tests in tests_of(tree, mutation.file):
            command = [sys.executable, "-m", "pytest", "-x", "-q", *map(str, tests)]
            try:
                run = subprocess.run(
                    [*command, "-p", "no:cacheprovider"],
                    cwd=tree,
                    env=environment,
                    capture_output=True,
                    timeout=timeout,
                )
            except subprocess.TimeoutExpired:
                return True
            if run.returncode not in (0, 5):
                return True
        return False
    finally:
        path.write_text(source)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-mutations", type=positive, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--timeout", type=positive, default=900)
    parser.add_argument("--parts", nargs="*", help="only these folders")
    parser.add_argument("--json", type=Path, help="file of results; goes on with it")
    arguments = parser.parse_args()
    done = {}
    if arguments.json and arguments.json.exists():
        done = {
            tuple(key): found for key, found in json.loads(arguments.json.read_text())
        }
    chosen = sample(arguments.n_mutations, arguments.seed)
    if arguments.parts:
        chosen = [m for m in chosen if part_of(m.file) in arguments.parts]
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(
            ROOT,
            tree,
            ignore=shutil.ignore_patterns(".git", ".venv", "build", "_build"),
        )
        for number, mutation in enumerate(chosen, 1):
            if mutation not in done:
                done[mutation] = is_found(tree, mutation, arguments.timeout)
                if arguments.json:
                    arguments.json.write_text(json.dumps(list(done.items())))
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
