"""The quickstart from the command line, as a user types it, and the baselines' columns."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

import science
from science.core import config
from science.transits.scalars import KEPLER_FAMILIES, TESS_FAMILIES

QUICKSTART = "transits/quickstart"
TINY = (
    "data.options.count=120",
    "trainer.max_epochs=2",
    "protocol.members=2",
    "evaluation.resamples=5",
    "baselines.astronet=null",
    "baselines.boosted-trees=null",
)
REPEATED = ("metrics.json", "predictions.csv", "history.csv", "weights/member0.safetensors")
CONFIGS = {n: config.load(n) for n in config.experiments() if n.startswith("transits/")}


@pytest.mark.parametrize("name", CONFIGS)
def test_the_signal_to_noise_baseline_is_the_signal_to_noise(name):
    node = (CONFIGS[name].get("baselines") or {}).get("signal-to-noise")
    if node:
        tess = "tess" in CONFIGS[name]["data"]["card"]
        column = (TESS_FAMILIES if tess else KEPLER_FAMILIES)[node["input"]][node["column"]]
        assert column == ("SN" if tess else "tce_model_snr")


def quickstart(out):
    """The tiny quickstart in a process of its own, as a user types it."""
    command = [sys.executable, "-m", "science", "run", QUICKSTART, *TINY, "--out", str(out)]
    env = os.environ | {"PYTHONPATH": str(Path(science.__file__).parent.parent)}
    return subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finished(out):
    said, complaints = quickstart(out).communicate(timeout=200)
    assert said.splitlines()[-1:] == [f"run: {out}"], complaints
    return {name: (out / name).read_bytes() for name in REPEATED}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp("quickstart") / "run"
    return out, finished(out)


def test_the_quickstart_writes_a_run(whole):
    out, _ = whole
    for name in (*REPEATED, "report.html", "manifest.json", "config.yaml"):
        assert (out / name).stat().st_size > 0, name
    assert list(pd.read_csv(out / "predictions.csv"))[:3] == ["id", "label", "score"]
    rows = json.loads((out / "metrics.json").read_text())["rows"]
    assert [row["model"] for row in rows] == ["this run", "signal-to-noise"]
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["experiment"] == {"name": QUICKSTART, "overrides": list(TINY)}
    page = (out / "report.html").read_text()
    assert "planets among simulated dips" in page
    assert "src=" not in page.replace('src="data:', "")


def test_a_killed_quickstart_ends_with_the_same_bytes(whole, tmp_path):
    """In other processes, the first one killed while it trains the second network."""
    out = tmp_path / "killed"
    process = quickstart(out)
    deadline = time.monotonic() + 200
    while not (out / "checkpoints/member1").is_dir() and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert (out / "weights/member0.safetensors").is_file()
    assert not (out / "metrics.json").exists()
    assert finished(out) == whole[1]
