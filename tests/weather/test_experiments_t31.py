"""The experiments on simulated years fit together; their data take an hour to make."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from science.core import config
from science.core.forecast import Trajectory


@pytest.mark.parametrize("name", ["weather/t31-emulator", "weather/t31-ensemble"])
def test_net_task_and_stages_take_states_of_these_channels(name):
    found = config.load(name)
    net = found["net"]
    assert net["channels"] == found["data"]["options"]["channels"]
    torch.manual_seed(0)
    made = config.build(net)
    times = torch.tensor(found["data"]["offsets"], dtype=torch.float32)
    shape = (2, len(times))
    batch = Trajectory(
        torch.randn(*shape, len(net["channels"]), *net["size"]) + 5,
        torch.randn(*shape, len(net["fields"]), *net["size"]),
        times,
    )
    loss = config.build(found["task"], net=made).step(batch).loss
    loss.backward()
    assert np.isfinite(loss.item())
    assert all(stage for stage in found["protocol"]["stages"].values())
