"""Answers, for one Python version, how the rewriter identifies the code of some files; see ``interpreters.ask``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.harness.rewriting import identities

if __name__ == "__main__":
    print(json.dumps({path: identities(Path(path).read_bytes()) for path in json.load(sys.stdin)}))
