"""What hostile input costs: the time for n and 4 n characters, which is to be four times as long.

python -m bench.hostile [--characters 1000000] [NAME …]
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import tempfile
import time

from inspect_agent.lang.compile import compile_folder
from tests.lang.hostile import SHAPES, Shape


def seconds(shape: Shape, characters: int) -> float:
    """CPU seconds until all problems are known."""
    folder = tempfile.mkdtemp(prefix="inspect-bench-")
    try:
        path = os.path.join(folder, shape.file)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(shape.make(characters))
        os.chmod(path, 0o600)
        begun = time.process_time()
        compile_folder(folder)
        return time.process_time() - begun
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=re.split(r"\n", __doc__ or "")[0])
    parser.add_argument("--characters", type=int, default=900_000)
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    n = options.characters
    compile_folder(os.devnull)  # builds the grammar
    print(f"{'':32} {n // 4:>10,} {n:>10,}  ratio")
    for name in options.names or SHAPES:
        quarter, whole = seconds(SHAPES[name], n // 4), seconds(SHAPES[name], n)
        print(f"{name:32} {quarter:8.2f} s {whole:8.2f} s {whole / quarter:6.1f}", flush=True)


if __name__ == "__main__":
    main()
