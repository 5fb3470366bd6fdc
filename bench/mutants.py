"""Mutation testing of consent/ and verify/ over a random sample.

    make mutate SAMPLE=400 SEED=1 [ONLY="consent.merkle* consent.log.*"]

In: mutmut's mutants (`[tool.mutmut]` in pyproject.toml says which), a size and a seed. Out: killed, survived, no tests
and timeout by module, with an interval, and the names of those that lived; the same in mutants/sample-<seed>.jsonl.

Drawn is uniformly and without putting back, so that seed, size and code name the sample; mutants run in the order in
which they were drawn. Ctrl-C ends it with the figure of those that ran, a smaller sample; the same call goes on. A
mutant is tried with the tests that reach its function, up to BUDGET seconds of them; one that needs more is counted as
survived, which can only make the figure worse. How tests run is told in `bench.forks`.
"""

import argparse
import fnmatch
import json
import os
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from math import sqrt
from pathlib import Path

OUTCOMES = ("killed", "timeout", "survived", "no tests")
KILLED = ("killed", "timeout")  # a test that would never end is seen by whoever waits for it
BUDGET = 120.0
CONTROLS = 4  # mutants that change nothing, tried after the others: no test may fail


@dataclass(frozen=True)
class Verdict:
    mutant: str
    outcome: str
    test: str | None  # the one that failed, or ran when time was over
    seconds: float


def draw(names: Sequence[str], size: int, seed: int) -> list[str]:
    """A sample without putting back, in random order; all of them when there are no more than `size`."""
    ordered = sorted(names)
    return random.Random(seed).sample(ordered, min(size, len(ordered)))  # noqa: S311 - must be repeatable


def interval(killed: int, run: int) -> tuple[float, float]:
    """Wilson's, 95 %: where the share in the whole lies, chance alone considered."""
    if run == 0:
        return 0.0, 1.0
    z, share = 1.959964, killed / run
    middle = (share + z * z / (2 * run)) / (1 + z * z / run)
    half = z / (1 + z * z / run) * sqrt(share * (1 - share) / run + z * z / (4 * run * run))
    return max(0.0, middle - half), min(1.0, middle + half)


def within(tests: Sequence[str], seconds: dict[str, float], budget: float) -> list[str]:
    """As many from the front as the budget pays, and always the first."""
    taken: list[str] = []
    for test in tests:
        if taken and budget < seconds[test]:
            continue
        budget -= seconds[test]
        taken.append(test)
    return taken


def module_of(mutant: str) -> str:
    return mutant.rpartition(".")[0]


def report(verdicts: Sequence[Verdict]) -> str:
    """A table by module, the rooms, the whole; then whoever lived."""
    lines = [f"{'':32}{'run':>5}" + "".join(f"{o:>10}" for o in OUTCOMES) + "   killed   (Wilson, 95 %)"]
    modules = sorted({module_of(v.mutant) for v in verdicts})
    rooms = sorted({m.partition(".")[0] for m in modules})
    groups = [(m, [v for v in verdicts if module_of(v.mutant) == m]) for m in modules]
    groups += [(f"{r}/", [v for v in verdicts if v.mutant.startswith(f"{r}.")]) for r in rooms]
    for name, own in [*groups, ("all", list(verdicts))]:
        counts = Counter(v.outcome for v in own)
        killed = sum(counts[o] for o in KILLED)
        low, high = interval(killed, len(own))
        cells = "".join(f"{counts[o]:>10}" for o in OUTCOMES)
        lines.append(f"{name:32}{len(own):>5}{cells}   {killed / len(own):6.1%}   {low:.1%} to {high:.1%}")
    lived = [v for v in verdicts if v.outcome != "killed"]
    return "\n".join([*lines, "", *(f"{v.outcome}: {v.mutant}" for v in lived)])


def mutate() -> list[str]:
    """The mutated copy under mutants/, which Python imports from now on; the names of all mutants.

    mutmut makes anew what is older than its source (minutes for all); everything else is copied anew.
    """
    import mutmut.__main__ as tool
    from mutmut.configuration import config
    from mutmut.utils import file_utils

    Path("mutants").mkdir(exist_ok=True)
    for other in config().also_copy:
        shutil.rmtree("mutants" / other, ignore_errors=True)
    with tool.CatchOutput():
        file_utils.copy_src_dir()
        file_utils.copy_also_copy_files()
        file_utils.setup_source_paths()
        tool.create_mutants(os.cpu_count() or 1)
    metas = [Path("mutants") / f"{source}.meta" for source in file_utils.walk_mutatable_files()]
    return [name for meta in metas for name in json.loads(meta.read_text())["exit_code_by_key"]]


def run(sample: Sequence[str], kept: Path) -> list[Verdict]:
    """The mutants of the sample, in the mutated copy, with one PostgreSQL server for all.

    Verdicts are kept in a file, and read from there as long as code and tests are the same.
    """
    import pytest
    from mutmut.configuration import config
    from mutmut.utils.format_utils import mangled_name_from_mutant_name

    from bench.forks import Reach, Session, digest
    from hanbeon.postgres import cluster

    verdicts: list[Verdict] = []
    code = digest(p for p in Path().rglob("*.py") if p.parts[0] != "bench")
    lines = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    known = {line["mutant"]: Verdict(**line) for line in lines[1:]} if lines[:1] == [code] else {}
    if not known:
        kept.write_text(json.dumps(code) + "\n")

    def tests_of(mutant: str, reach: Reach) -> list[str]:
        return within(reach.tests(mangled_name_from_mutant_name(mutant)), reach.seconds, BUDGET)

    def verdict(session: Session, reach: Reach, mutant: str) -> Verdict:
        tests, began = tests_of(mutant, reach), time.perf_counter()
        outcome, test = session.first_failure(mutant, tests, reach) if tests else ("no tests", None)
        found = Verdict(mutant, outcome, test, round(time.perf_counter() - began, 1))
        with kept.open("a") as file:
            file.write(json.dumps(asdict(found)) + "\n")
        return found

    def work(session: Session) -> None:
        print(f"{len(session.items)} tests, each once without a mutant:", flush=True)
        reach = session.reach()
        with suppress(KeyboardInterrupt):
            for at, mutant in enumerate(sample, 1):
                one = known.get(mutant) or verdict(session, reach, mutant)
                verdicts.append(one)
                print(f"  {at}/{len(sample)} {one.outcome:9} {one.seconds:6.1f} s  {mutant}", flush=True)
        for mutant in sample[:CONTROLS]:
            unchanged = mangled_name_from_mutant_name(mutant) + "__mutmut_0"
            outcome, test = session.first_failure(unchanged, tests_of(mutant, reach), reach)
            if outcome != "survived":
                raise SystemExit(f"{test} fails without a mutant too, so what it killed does not count.")

    chosen = config().pytest_add_cli_args_test_selection
    quiet = ["-s", "-p", "no:terminal", "-p", "no:cacheprovider", "-p", "no:timeout", "-p", "no:xdist"]
    os.environ["PYTHONPATH"] = os.getcwd()  # what a test starts imports the mutated copy too
    shutil.rmtree("shared", ignore_errors=True)
    with cluster(Path("shared/postgres"), is_durable=False) as dsn:
        os.environ |= {"HANBEON_TEST_POSTGRES": dsn, "HANBEON_TEST_LAKE": str(Path("shared/lake").absolute())}
        pytest.main(["--rootdir=.", "-o", "addopts=--strict-markers", *quiet, *chosen], plugins=[Session(work)])
    return verdicts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[], help="patterns of mutants to draw from")
    asked = parser.parse_args()
    names = mutate()
    drawn_from = [n for n in names if not asked.only or any(fnmatch.fnmatch(n, p) for p in asked.only)]
    sample = draw(drawn_from, asked.sample, asked.seed)
    print(f"{len(sample)} of {len(drawn_from)} mutants ({len(names)} in both rooms), seed {asked.seed}.", flush=True)
    os.chdir("mutants")
    verdicts = run(sample, Path(f"sample-{asked.seed}.jsonl"))
    if not verdicts:
        sys.exit("No mutant ran, so there is no figure.")
    if len(verdicts) < len(sample):
        print(f"Ended early: these are the first {len(verdicts)} that were drawn.")
    print(report(verdicts))


if __name__ == "__main__":
    main()
