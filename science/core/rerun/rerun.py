"""``fifth rerun``: repeat, grade, and if it is not the same to the last bit, say why."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from science import paths
from science.core.config import checked
from science.core.errors import UserError
from science.core.files import write_json
from science.core.memory import ended
from science.core.provenance import numeric
from science.core.provenance.claims import proposed
from science.core.rerun import expected
from science.core.rerun.cause import Cause, Search
from science.core.rerun.expected import Entry
from science.core.rerun.grade import MEANING, NUDGE, ORDER, Graded, More, bitwise, grade
from science.core.rerun.layers import differences
from science.core.rerun.parting import Parting, parting
from science.core.rerun.records import Recorded, read, values
from science.core.rerun.repeat import NotRestoredError, Place, forget_worktrees, repeat
from science.core.seeds import derive

PROFILES = ("here", "original", "fast", "deterministic", "portable")
CHEAP_S = 120.0  # processor seconds of a run beyond which noise is not measured unasked
_SEEDS = 2**31  # that any library takes
_DISTURBED = 3  # runs from disturbed weights


@dataclass
class Verdict:
    """What a rerun found.

    Attributes:
        target: what was repeated.
        graded: the grade and its reasons.
        parting: first step at which the two trainings part.
        layers: in which layers the manifests differ.
        cause: what trial found, if the grade is below R4.
        folder: of the rerun, with ``verdict.json`` and ``report.html``.
        cost: processor seconds then and now.
    """

    target: str
    graded: Graded
    folder: Path
    parting: Parting | None = None
    layers: dict[str, list[str]] = field(default_factory=dict)
    cause: Cause | None = None
    cost: tuple[float, float] = (0.0, 0.0)

    def passes(self, least: str) -> bool:
        """Whether the grade is ``least`` or better."""
        return ORDER.index(self.graded.grade) >= ORDER.index(least)

    def plain(self) -> dict[str, Any]:
        """As plain data for JSON."""
        test = self.graded.test
        return {
            "target": self.target,
            "grade": self.graded.grade,
            "means": MEANING[self.graded.grade],
            "reasons": self.graded.reasons,
            "files_that_differ": self.graded.differ,
            "numbers": self.graded.numbers,
            "test": None if test is None else str(test),
            "parting": None if self.parting is None else self.parting.plain(),
            "layers": self.layers,
            "cause": None if self.cause is None else self.cause.plain(),
            "cpu_s": list(self.cost),
        }


def rerun(
    target: str | Path,
    overrides: Sequence[str] = (),
    *,
    profile: str = "here",
    short: bool = False,
    out: Path | None = None,
    place: Place | None = None,
    explain: bool = True,
    noise: int | None = None,
    page: bool = True,
    tell: Callable[[str], None] = lambda _: None,
) -> Verdict:
    """Repeat a run, a bundle or an experiment with an ``expected.json``, and grade the repetition.

    Args:
        target: a run's folder, a bundle, or an experiment's name.
        overrides: changes to what the run was told to do, to see what they do to the verdict.
        profile: how arithmetic is done: as ``here``, as in the ``original``, or one by name.
        short: of an experiment, its short profile.
        out: folder of the rerun.
        place: where and how repetitions run; of use to tests.
        explain: whether to look for the cause of a grade below R4.
        noise: runs from disturbed weights that measure float noise; by default 3 if they are cheap.
        page: whether to write ``report.html``.
        tell: is told what begins, repetition by repetition.

    Raises:
        UserError: there is nothing of that name, or it cannot be read.
    """
    if profile not in PROFILES:
        raise UserError(f"no profile {profile!r}", f"known: {', '.join(PROFILES)}")
    folder = Path(out or tempfile.mkdtemp(prefix="rerun-", dir=_home())).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    place = place or Place(folder / "trials", tell=tell)
    place.scratch.mkdir(parents=True, exist_ok=True)
    original = _original(target, folder)
    if original is None and expected.parts(target):
        verdict = _suite(str(target), short, overrides, profile, folder, tell)
    elif original is None:
        verdict = _against_declared(str(target), short, overrides, profile, folder, place)
    else:
        place = replace(place, env=_environment(profile, original, place.env))
        verdict = _against_run(str(target), original, overrides, folder, place, explain, noise)
    write_json(folder / "verdict.json", verdict.plain())
    if page:
        from science.core.rerun.page import write

        write(verdict, original)
    worktree = (place.scratch / "code/.git").is_file()
    shutil.rmtree(place.scratch, ignore_errors=True)
    if worktree:
        forget_worktrees()
    return verdict


def _against_run(
    target: str,
    original: Recorded,
    overrides: Sequence[str],
    folder: Path,
    place: Place,
    explain: bool,
    noise: int | None,
) -> Verdict:
    config = _changed(original, overrides, place.scratch)
    try:
        done = repeat(original, place, "again", config)
    except NotRestoredError as problem:
        return Verdict(target, Graded("RX", [str(problem)]), folder)
    if done.status:
        return Verdict(target, Graded("RX", [ended(done.status, done.said)]), folder)
    kept = folder / "run"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(done.folder, kept)
    again = read(kept)
    entry = _entry(original)
    differ = bitwise(*(r.manifest["results"]["artifacts"] for r in (original, again)))
    shaken = measured_noise(original, place, noise, entry.noise) if differ else {}
    rows = again.manifest["results"]["metrics"]
    seeds = _other_seeds(original, place, config)
    graded = grade(original.values, again.values, rows, differ, shaken, entry, seeds)
    verdict = Verdict(
        target,
        graded,
        folder,
        parting(original.folder, again.folder),
        differences(original, again),
        cost=(original.cpu_s, again.cpu_s),
    )
    if differ and explain:
        verdict.cause = Search(original, again, list(verdict.layers), place).run()
    return verdict


def _against_declared(
    target: str,
    short: bool,
    overrides: Sequence[str],
    profile: str,
    folder: Path,
    place: Place,
) -> Verdict:
    """Run an experiment and compare it with what its ``expected.json`` declares."""
    name = expected.SHORT if short else expected.FULL
    entry = expected.read(target).get(name)
    if entry is None:
        cure = f"fifth rerun {target} --declare RUN{' --short' if short else ''}"
        raise UserError(f"{target}: nothing is declared for its {name} profile", cure)
    place = replace(place, env=numeric.environment(profile, place.env))
    config = checked(target, [*entry.overrides, *overrides])
    blank = Recorded(folder, {"data": {}}, config)
    done = repeat(blank, place, "again", config)
    if done.status:
        return Verdict(target, Graded("RX", [ended(done.status, done.said)]), folder)
    kept = folder / "run"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(done.folder, kept)
    again = read(kept)
    now = again.manifest["results"]["artifacts"]
    differ = bitwise(entry.artifacts, {n: d for n, d in now.items() if n in entry.artifacts})
    if not entry.artifacts:  # numbers as published, of a run whose files nobody declared
        differ = sorted(now)
    rows = again.manifest["results"]["metrics"]
    seeds = _other_seeds(blank, place, config)
    graded = grade(entry.metrics, values(rows), rows, differ, entry.noise, entry, seeds)
    if not entry.artifacts:
        graded.reasons[0] = "numbers are declared and no files, so that R3 is the best there is"
    layers = {}
    for layer, key, value in (
        ("code", "code", again.manifest["code"]["digest"]),
        ("instructions", "kernels", again.manifest["numeric"]["kernels"]),
        ("environment", "torch", again.manifest["packages"].get("torch", "")),
        ("threads", "threads", str(again.manifest["numeric"]["threads"])),
    ):
        was = entry.made_by.get(key, "")
        if differ and was and was != value:
            layers[layer] = [f"{key}: {was[:12]} -> {value[:12]}"]
    return Verdict(target, graded, folder, layers=layers, cost=(entry.cpu_s, again.cpu_s))


def _suite(
    target: str,
    short: bool,
    overrides: Sequence[str],
    profile: str,
    folder: Path,
    tell: Callable[[str], None],
) -> Verdict:
    """Repeat every experiment of a suite; the worst grade is that of the whole."""
    found = []
    for name in expected.parts(target):
        out = folder / name.replace("/", "-")
        found.append(rerun(name, overrides, profile=profile, short=short, out=out, tell=tell))
    worst = min(found, key=lambda one: ORDER.index(one.graded.grade))
    told = [f"{one.target}: {one.graded.grade}, {MEANING[one.graded.grade]}" for one in found]
    spent = [sum(one.cost[side] for one in found) for side in (0, 1)]
    return Verdict(target, Graded(worst.graded.grade, told), folder, cost=(spent[0], spent[1]))


def _other_seeds(original: Recorded, place: Place, config: Mapping[str, Any]) -> More:
    """What runs further seeds of a repetition, none of which the ensemble is likely to hold."""

    def more(count: int) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {}
        for which in range(count):
            seed = derive(int(config["seed"]), "rerun", which) % _SEEDS
            done = repeat(original, place, f"seed-{which}", {**config, "seed": seed})
            for name, value in _metrics(done.folder).items():
                found.setdefault(name, []).append(value)
        return found

    return more


def measured_noise(
    original: Recorded, place: Place, count: int | None, known: Mapping[str, float]
) -> dict[str, float]:
    """Largest change of each number when the first weights are disturbed by rounding's size."""
    if count is None:
        count = _DISTURBED if original.cpu_s <= CHEAP_S else 0
    found = dict(known)
    for which in range(count):
        task = {"kind": "part", "nudge": NUDGE, "which": which}
        restore = ("seed", "config", "data", "threads", "instructions")
        with contextlib.suppress(NotRestoredError):
            label = f"noise-{which}"
            done = repeat(original, place, label, original.config, restore=restore, task=task)
            for name, value in _metrics(done.folder).items():
                change = abs(value - original.values.get(name, value))
                found[name] = max(found.get(name, 0.0), change)
    return found


def _metrics(folder: Path) -> dict[str, float]:
    import json

    path = folder / "metrics.json"
    if not path.is_file():
        return {}
    rows = json.loads(path.read_text(encoding="utf-8")).get("rows", [])
    first = rows[0]["metrics"] if rows else {}
    return {
        name: float(cell["value"]) for name, cell in first.items() if cell.get("value") is not None
    }


def _original(target: str | Path, folder: Path) -> Recorded | None:
    path = Path(target)
    if path.suffix == ".zip" and path.is_file():
        from science.core.rerun.verify import unpacked

        return read(unpacked(path, folder / "original"))
    if (path / "config.yaml").is_file():
        return read(path)
    if expected.place(target) is None:
        known = "a run's folder, a bundle (run.zip), or an experiment with an expected.json"
        raise UserError(f"{target}: nothing that can be repeated", f"give {known}")
    return None


def _entry(original: Recorded) -> Entry:
    """What the run's own experiment declares, if it is one of ours; tolerances of its manifest."""
    about = original.manifest["experiment"]
    known = Entry.model_validate(
        expected.declared(about["name"], about["overrides"]) or {"claims": []}
    )
    results = original.manifest["results"]
    rows = results["metrics"]
    own = rows[0]["model"] if rows else ""
    given = {
        row["measure"]: row["tolerance"]
        for row in rows
        if row["model"] == own and row["tolerance"] is not None
    }
    claims = [claim["claim"] for claim in results["claims"]] or known.claims
    claims = claims or proposed(rows)  # what the run's own intervals bear out
    return known.model_copy(update={"tolerances": known.tolerances | given, "claims": claims})


def _changed(original: Recorded, overrides: Sequence[str], scratch: Path) -> dict[str, Any]:
    if not overrides:
        return dict(original.config)
    file = scratch / "changed" / "config.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(original.config, sort_keys=False), encoding="utf-8")
    return checked(file, overrides)


def _environment(profile: str, original: Recorded, given: Mapping[str, str]) -> dict[str, str]:
    if profile == "original":
        return numeric.restored(original.manifest["numeric"], given)
    return dict(given) if profile == "here" else numeric.environment(profile, given)


def _home() -> Path:
    folder = paths.runs() / "reruns"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
