"""Two processes of Lightning's own strategy learn what one does: same samples, same weights."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

_SCRIPT = '''
import functools, json, sys
from pathlib import Path

import lightning
import numpy as np
import torch
from lightning.pytorch.strategies import DDPStrategy

from science.core.forecast import ForecastTask
from science.core.recipe import keep
from science.weather.boundary import Boundary
from science.weather.grid import Grid
from science.weather.nets.emulator import Emulator
from science.weather.nets.vit import SphereViT
from science.weather.series import Series
from science.weather.windows import WindowFold, Windows


class Diary(ForecastTask):
    """Writes down which samples it saw."""

    def training_step(self, batch, index):
        self.seen.append(batch.index.tolist())
        return super().training_step(batch, index)


def main(folder, devices):
    torch.set_num_threads(1)
    time = np.arange("2001-01-01", "2001-04-01", 24, dtype="datetime64[h]")
    states = np.random.default_rng(0).normal(size=(len(time), 2, 8, 16)).astype("f4")
    run = np.zeros(len(time), np.int64)
    boundary = Boundary(Grid.gaussian(8, 16))
    series = Series(states, time.astype("datetime64[s]"), run, ("z500", "t850"), boundary)
    windows = Windows.of(series, (0, 24), ["2001-02"], ["2001-03"])
    fold = WindowFold(windows, windows.where("train"), windows.where("val"), 8, 0, 0)
    torch.manual_seed(0)
    small = functools.partial(SphereViT, width=16, layers=1, heads=2, fine=8)
    net = Emulator(series.channels, boundary.fields, (8, 16), small, leads=[24])
    net.adapt(fold.training_table.inputs)
    task = Diary(net, leads=[24], optimizer=functools.partial(torch.optim.SGD, lr=0.1))
    task.seen = []
    strategy = DDPStrategy(process_group_backend="gloo") if devices > 1 else "auto"
    trainer = lightning.Trainer(
        accelerator="cpu", devices=devices, strategy=strategy, max_steps=6, max_epochs=-1,
        logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, use_distributed_sampler=False, limit_val_batches=0,
    )
    trainer.fit(task, datamodule=fold)
    name = f"{devices}-{trainer.global_rank}"
    (folder / f"{name}.json").write_text(json.dumps(task.seen))
    keep(net, folder / f"{name}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
'''


def trained(folder: Path, devices: int) -> None:
    script = folder / "learn.py"
    script.write_text(_SCRIPT)
    command = [sys.executable, str(script), str(folder), str(devices)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]


def test_two_gloo_processes_learn_from_the_samples_of_one(tmp_path):
    trained(tmp_path, 1)
    trained(tmp_path, 2)
    whole, first, second = (
        json.loads((tmp_path / f"{name}.json").read_text()) for name in ("1-0", "2-0", "2-1")
    )
    assert len(whole) == 6
    assert all(len(a) == len(b) == 4 for a, b in zip(first, second, strict=True))
    assert [sorted(a + b) for a, b in zip(first, second, strict=True)] == list(map(sorted, whole))
    one, zero, other = (
        load_file(tmp_path / f"{name}.safetensors") for name in ("1-0", "2-0", "2-1")
    )
    for name, weight in one.items():
        assert torch.equal(zero[name], other[name])
        torch.testing.assert_close(zero[name], weight, rtol=1e-3, atol=1e-5)
