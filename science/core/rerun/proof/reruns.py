"""Runs that are repeated: with nothing changed, one thing changed, two things, another machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from science.core.provenance.numeric import PORTABLE
from science.core.rerun.launch import Warm
from science.core.rerun.proof.count import Trial
from science.core.rerun.proof.kills import beside
from science.core.rerun.proof.lean import KNOWN
from science.core.rerun.records import Recorded, read
from science.core.rerun.repeat import Place, must, repeat
from science.core.rerun.rerun import Verdict, rerun

ROUNDING = {"threads", "instructions"}
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
# What a processor without the newer instructions would make libraries do. Other names than those of
# the portable profile, which must win; glibc and NumPy read theirs when a process starts.
MACHINES: Mapping[str, Mapping[str, str]] = {
    "AVX2": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "DNNL_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ",
    },
    "SSE4.2": {
        "ATEN_CPU_CAPABILITY": "default",
        "DNNL_MAX_CPU_ISA": "SSE41",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX2 FMA3",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-FMA,-BMI1,-BMI2,-AVX512F,-AVX512VL",
    },
}


@dataclass(frozen=True)
class Mutation:
    """What is to be another in a repetition.

    Attributes:
        layers: what a rerun has to name.
        overrides: of the config.
        variables: of the environment.
        path: folders with other sources or packages, to import from first.
        original: the run to repeat, if its data were changed for it.
    """

    layers: tuple[str, ...]
    overrides: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    path: tuple[Path, ...] = ()
    original: Recorded | None = None


def clean(original: Recorded, place: Place, count: int) -> Iterator[Trial]:
    """Repeat with nothing changed."""
    for number in range(count):
        out = place.scratch / f"clean-{number}"
        found = rerun(original.folder, out=out, place=beside(place, out), page=False)
        fine = found.graded.grade == "R4" and not found.layers and found.cause is None
        yield Trial("clean rerun is R4", fine, str(found.graded.reasons))


def mutated(original: Recorded, place: Place, mutation: Mutation, label: str) -> Trial:
    """Repeat with a mutation and see whether grade and cause are right."""
    out = place.scratch / f"mutated-{label}"
    there = beside(place, out)
    looked = {KNOWN: ""} if "environment" in mutation.layers else {}
    there = replace(
        there,
        env={**there.env, **mutation.variables, **looked},
        path=(*mutation.path, *there.path),
        install="environment" in mutation.layers,
    )
    run = mutation.original or original
    rounding = set(mutation.layers) <= ROUNDING
    noise = None if rounding else 0  # as many disturbances as anybody's rerun makes, or none
    found = rerun(run.folder, mutation.overrides, out=out, place=there, noise=noise, page=False)
    what = "one mutation: grade and cause" if len(mutation.layers) == 1 else "two: both named"
    return Trial(what, right(found, mutation.layers), f"{label}: {told(found)}")


def right(found: Verdict, layers: Sequence[str]) -> bool:
    """Whether a verdict says what has to be said of a change in these layers.

    A change that makes no difference to a bit (threads that a small net has no use for) is R4,
    and the layer is listed as differing.
    """
    if set(found.layers) != set(layers):
        return False
    rounding = set(layers) <= ROUNDING
    if found.graded.grade == "R4":
        return rounding and found.cause is None
    graded = found.graded.grade == "R3" if rounding else found.graded.grade != "RX"
    named = found.cause is not None and set(found.cause.layers or ()) == set(layers)
    return graded and named and bool(found.cause and found.cause.sure)


def told(found: Verdict) -> str:
    """A verdict in a few words."""
    cause = found.cause.plain() if found.cause else None
    why = "; ".join(found.graded.reasons)
    return f"{found.graded.grade} ({why}), layers {sorted(found.layers)}, cause {cause}"


def emulated(
    originals: Sequence[Recorded], place: Place, threads: Sequence[int], tree: Path | None
) -> Iterator[Trial]:
    """Compute on emulated processors, with several numbers of threads, in two profiles.

    In the portable profile all must give the same bits. In the fast one the first machine's run is
    repeated on each of the others, and must be graded R3, because of instructions or threads.

    Args:
        originals: runs whose configs are computed anew.
        place: where.
        threads: numbers of them.
        tree: sources that workers share.
    """
    for profile, forced in (("portable", PORTABLE), ("fast", {})):
        first: dict[str, Recorded] = {}
        for machine, variables in MACHINES.items():
            with Warm(tree, {**variables, **forced}) as warm:
                for run in originals:
                    for count in threads:
                        env = {**place.env, **dict.fromkeys(THREADS, str(count))}
                        env |= {**variables, **forced}
                        label = f"{profile}-{machine}-{count}-{run.manifest['recipe_id'][:8]}"
                        there = replace(place, env=env, launcher=warm)
                        yield from _computed(run, there, label, profile, first)


def _computed(
    run: Recorded, place: Place, label: str, profile: str, first: dict[str, Recorded]
) -> Iterator[Trial]:
    known = first.get(run.manifest["run_id"])
    if known is None:
        done = must(repeat(run, place, label, run.config))
        first[run.manifest["run_id"]] = read(done.folder)
        said = read(done.folder).manifest["numeric"]["profile"]
        fine = (said == "portable") == (profile == "portable")
        yield Trial(f"emulated machines, {profile}", fine, f"{label}: recorded as {said}")
        return
    out = place.scratch / label
    there = beside(place, out)
    found = rerun(known.folder, out=out, place=there, explain=False, noise=2, page=False)
    grade, layers = found.graded.grade, set(found.layers)
    if profile == "portable":
        fine = grade == "R4"
    else:
        fine = grade in ("R3", "R4") and bool(layers) and layers <= {*ROUNDING, "hardware"}
    yield Trial(f"emulated machines, {profile}", fine, f"{label}: {told(found)}")


@dataclass(frozen=True)
class Surrounding:
    """Something about a machine that must not matter."""

    name: str
    variables: Mapping[str, str] = field(default_factory=dict)
    umask: int | None = None
    folder: str = "elsewhere"


SURROUNDINGS = (
    Surrounding("time zone ahead", {"TZ": "Pacific/Kiritimati"}),
    Surrounding("time zone behind", {"TZ": "America/St_Johns"}),
    Surrounding("closed umask", umask=0o077),
    Surrounding("open umask", umask=0),
    Surrounding("spaces in the path", folder="a path with spaces"),
    Surrounding("Chinese in the path", folder="实验 中文"),
)
# Read when an interpreter starts, so a process of its own begins with them.
ABROAD = {"PYTHONHASHSEED": "7", "LANG": "tr_TR.UTF-8", "LC_ALL": "C"}


def surrounded(
    original: Recorded, place: Place, abroad: Warm, surroundings: Sequence[Surrounding]
) -> Iterator[Trial]:
    """Repeat in other surroundings and compare recipe and bits.

    Args:
        original: the run.
        place: where.
        abroad: a launcher that was started with `ABROAD`.
        surroundings: to try, each on top of that.
    """
    for number, one in enumerate(surroundings):
        folder = place.scratch / f"surrounded-{number}" / one.folder
        env = {**place.env, **ABROAD, **one.variables}
        there = replace(place, scratch=folder, env=env, launcher=abroad)
        task = {} if one.umask is None else {"umask": one.umask}
        done = must(repeat(original, there, "again", original.config, task=task))
        now, was = read(done.folder).manifest, original.manifest
        fine = now["results"]["artifacts"] == was["results"]["artifacts"]
        fine = fine and now["recipe_id"] == was["recipe_id"]
        yield Trial("surroundings change neither recipe nor bits", fine, one.name)
