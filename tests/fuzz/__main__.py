"""Runs random programs: `python -m tests.fuzz --seeds 0:500 --size 40 --mode native|rewritten|plain|torture|exchanged`.

native: each program runs twice, without complaints and with the same outcome; `--against PYTHON` runs the same seeds
with another interpreter and compares. rewritten: each program runs natively, and rewritten without a runtime; plain: in
the variant that it has then. torture: natively, and with its state saved, dropped and restored at every step; exchanged: the same
of a module that was imported before there was a runtime; segments: the same in segments. moved, pinned: the program is edited
while it runs, see `edits`; changed: so that it does something else from there on, see `changes`. `--kind turns` and
`--kind steps` are programs of many tasks. Failing seeds are printed; `--keep FOLDER` writes
their programs there, `--print SEED` shows one, `--stats` prints how often each construct occurs. The exit status is 1
when a seed fails, or a construct is missing from the statistics.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from .concurrency import KINDS
from .grammar import generate
from .judges import JUDGES, REFUSED, judge_native, natively
from .statistics import CONSTRUCTS, POSITIONS, count, table


def judge_file(path: Path, mode: str) -> int:
    """For `tests.fuzz.shrink`: status 1 when the program in `path` fails, 2 when it is no fair test of the mode."""
    text = path.read_text()
    unfair = judge_native(text) if mode != "native" else ""
    if unfair:
        print(unfair)
        return 2
    complaint = JUDGES[mode]()(text)
    print(complaint or "as natively")
    return 1 if complaint else 0


def digests(options: argparse.Namespace) -> Iterator[str]:
    """One line for a seed: the seed and hashes of the text and of the native outcome."""
    for seed in options.seeds:
        text = generate(seed, options.size, options.without, options.kind)
        outcome = natively(text, options.kind)
        seen = repr((outcome.result, outcome.effects, outcome.complaints))
        yield f"{seed} {hashed(text)} {hashed(seen)}"


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def compare(options: argparse.Namespace, python: str) -> list[int]:
    """The seeds whose text or native outcome is different under the interpreter `python`."""
    command = [python, "-m", "tests.fuzz", "--digests", "--seeds", f"{options.seeds.start}:{options.seeds.stop}"]
    command += ["--size", str(options.size), "--kind", options.kind, "--without", *options.without]
    theirs = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    ours = list(digests(options))
    if len(theirs) != len(ours):
        raise SystemExit(f"{python} gave {len(theirs)} digests for {len(ours)} seeds")
    return [seed for seed, mine, other in zip(options.seeds, ours, theirs, strict=True) if mine != other]


def run(options: argparse.Namespace) -> list[int]:
    judge = JUDGES[options.mode]()
    failed = []
    for seed in options.seeds:
        text = generate(seed, options.size, options.without, options.kind)
        complaint = judge(text)
        if complaint:
            failed.append(seed)
            print(f"seed {seed}: {complaint[:600]}", flush=True)
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                (options.keep / f"seed{seed}.py").write_text(text)
    done = f"{len(failed)} failed, {len(REFUSED)} refused"
    print(f"{len(options.seeds)} programs of size {options.size}, kind {options.kind}, mode {options.mode}: {done}")
    for python in options.against:
        other = compare(options, python)
        print(f"against {python}: {len(other)} of {len(options.seeds)} differ {other[:20] if other else ''}")
        failed += other
    return failed


def statistics(options: argparse.Namespace) -> list[str]:
    """Print the tables; gives the required constructs and positions that did not occur."""
    constructs: Counter[str] = Counter()
    positions: Counter[str] = Counter()
    for seed in options.seeds:
        found, places = count(generate(seed, options.size, options.without, options.kind))
        constructs += found
        positions += places
    print(table("constructs", constructs, CONSTRUCTS))
    print(table("await positions", positions, POSITIONS))
    wanted = [(constructs, name) for name in CONSTRUCTS] + [(positions, name) for name in POSITIONS]
    return [name for counts, name in wanted if not counts[name]]


def seeds(text: str) -> range:
    start, _, stop = text.partition(":")
    return range(int(start), int(stop)) if stop else range(int(start), int(start) + 1)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Run random programs.")
    parser.add_argument("--seeds", type=seeds, default=range(100), help="START:STOP or one seed")
    parser.add_argument("--size", type=int, default=40, help="statements in a program, about")
    parser.add_argument("--mode", choices=JUDGES, default="native")
    parser.add_argument("--kind", choices=("one", *KINDS), default="one", help="programs of one task, or of many")
    parser.add_argument("--without", nargs="*", default=[], metavar="RULE", help="constructs to leave out")
    parser.add_argument("--against", nargs="*", default=[], metavar="PYTHON", help="compare native outcomes with these")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="write failing programs there")
    parser.add_argument("--stats", action="store_true", help="count constructs, run nothing")
    parser.add_argument("--print", type=int, metavar="SEED", help="print one program, run nothing")
    parser.add_argument("--file", type=Path, help="judge this program; status 1 when it fails (for tests.fuzz.shrink)")
    parser.add_argument("--digests", action="store_true", help="print a line of hashes for each seed")
    options = parser.parse_args(arguments)
    if options.file:
        return judge_file(options.file, options.mode)
    if options.print is not None:
        print(generate(options.print, options.size, options.without, options.kind), end="")
        return 0
    if options.digests:
        print("\n".join(digests(options)))
        return 0
    if options.stats:
        missing = statistics(options)
        print(f"missing: {', '.join(missing) or 'none'}")
        return 1 if missing else 0
    return 1 if run(options) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
