#!/usr/bin/env bash
# Making the first optimizer of PyTorch imports its compiler.
#
# Expected: torch.optim.AdamW(...) makes a small object; what torch.compile needs is
# imported by torch.compile.
# Seen: the constructor imports torch._dynamo and, with it, some 800 modules, SymPy and
# parts of torch.distributed among them. Methods of optimizers are wrapped so that
# torch.compile leaves them alone, and the wrapper imports the compiler when it is
# called first, whether or not anything is compiled. It takes nearly as much CPU time
# as "import torch".
#
# Exits with 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
cd "$folder"
cat >first.py <<'PYTHON'
import sys
from time import process_time

start = process_time()
import torch

imported = process_time() - start
weights = [torch.nn.Parameter(torch.zeros(2))]
before, start = set(sys.modules), process_time()
torch.optim.AdamW(weights)
made, new = process_time() - start, set(sys.modules) - before
print(f"PyTorch {torch.__version__}")
print("expected: no module is imported by the constructor of an optimizer")
print(f"seen:     {len(new)} modules, torch._dynamo {'torch._dynamo' in new}, "
      f"sympy {'sympy' in new}; {made:.1f} s of CPU, import torch {imported:.1f} s")
sys.exit("torch._dynamo" not in new or len(new) < 300)
PYTHON
# The first run compiles the source; the second one is that of every later process.
venv/bin/python first.py >/dev/null
venv/bin/python first.py
