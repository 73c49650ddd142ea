# %% [markdown] lang="en"
# # 3. Diffusion and flow matching: from one dimension to a crystal
#
# To make something new is to draw from a distribution that is known by examples only. Both methods
# begin with noise and walk to the data. **Diffusion** learns which noise is in a noisy sample
# (arXiv 2006.11239), **flow matching** learns the **velocity** of the walk (arXiv 2210.02747). In
# the workbench both are `FlowTask`, and only the *field* differs.
#
# We begin with one number, where the right velocity can be written down, go on to a circle, and end
# with crystals.
#
# **Predict before you run:** the straight line from each noise to its own data point never crosses
# itself. So why are the learned paths not straight?

# %% [markdown] lang="zh"
# # 3. 扩散与流匹配：从一维到晶体
#
# 造出新东西，就是从一个只由样本得知的分布中抽样。两种方法都从噪声出发走向数据。
# **扩散**学习含噪样本里的噪声是什么（arXiv 2006.11239），
# **流匹配**学习行走的**速度**（arXiv 2210.02747）。
# 在工作台中两者都是 `FlowTask`，不同的只是*场*。
#
# 我们从一个数开始，那里正确的速度可以写出来；然后到圆上，最后到晶体。
#
# **先预测，再运行：** 每个噪声到它自己的数据点的直线不会与自身相交。
# 那么，学到的路径为什么不是直的？

# %%
from functools import partial

import numpy as np
import torch
from pymatgen.analysis.structure_matcher import StructureMatcher
from scipy.stats import wasserstein_distance
from torch import nn

from science.core.diffusion import Denoising
from science.core.fields import Euclidean, Torus
from science.core.flow import FlowTask, sample
from science.core.samples import SampleRows
from science.core.schedule import WarmupCosine
from science.core.seeds import generator
from science.core.teach.learn import fit, seeded
from science.core.teach.stage import figure, pick, say, table
from science.crystals.coupling import Transport
from science.crystals.crystals import Crystals, unpack
from science.crystals.draw import Sampler
from science.crystals.ionic import compositions
from science.crystals.nets.cspnet import CSPNet
from science.crystals.tabulate import prototypes

how = {"optimizer": partial(torch.optim.AdamW, lr=4e-3), "schedule": WarmupCosine(0.05)}
crystals = prototypes(substitutions=pick(640, len(list(compositions()))), minerals=False)

# %% [markdown] lang="en"
# ## One number
#
# The data: volume per atom of simple ionic crystals, as a logarithm, scaled to spread one. A path
# is the straight line from a noise *z* to a datum *d*. At a place *x* and time *t* many lines
# cross, and the best answer is their mean velocity. For a finite set of data it has a closed form:
#
# ```text
# v(x, t) = sum_i w_i (d_i - x) / (1 - t),   w_i ~ exp(-(x - t d_i)^2 / (2 (1 - t)^2))
# ```
#
# That answers the question above: paths bend because the *mean* of many lines is followed.

# %% [markdown] lang="zh"
# ## 一个数
#
# 数据：简单离子晶体每原子体积的对数，缩放到标准差为一。路径是从噪声 *z* 到数据 *d* 的直线。
# 在位置 *x* 与时刻 *t* 有许多直线交汇，最好的答案是它们的平均速度。对有限的数据集，它有闭式解：
#
# ```text
# v(x, t) = sum_i w_i (d_i - x) / (1 - t),   w_i ~ exp(-(x - t d_i)^2 / (2 (1 - t)^2))
# ```
#
# 这就回答了上面的问题：路径弯曲，是因为走的是许多直线的*平均*。

# %%
size = torch.tensor(crystals.size)
volume = 3 * torch.tensor(crystals.inputs["cell"][:, 5]) - size.log()
data = ((volume - volume.mean()) / volume.std())[:, None].float()


class Line(nn.Module):
    """From a number and a time to one answer; a `FlowNet` with the field ``x``."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(2, 48), nn.SiLU(), nn.Linear(48, 48), nn.SiLU(), nn.Linear(48, 1)
        )

    def encode(self, batch):
        return {"x": batch["x"]}

    def decode(self, state, batch):
        return state

    def forward(self, state, time, batch):
        return {"x": self.net(torch.cat([state["x"], time[:, None]], -1))}


lines = {}
for name, field in (("flow", Euclidean()), ("diffusion", Denoising())):
    net = seeded(Line, 0, name)
    task = FlowTask(net, {"x": field}, **how)
    fit(task, lambda i: {"x": data[i]}, len(data), pick(500, 4000), 128)
    lines[name] = (net, {"x": field})


def exact(x: torch.Tensor, time: float) -> torch.Tensor:
    """The mean velocity of all lines that cross at (x, time)."""
    weight = (-((x - time * data.T) ** 2) / (2 * (1 - time) ** 2)).softmax(-1)
    return (weight * (data.T - x)).sum(-1, keepdim=True) / (1 - time)


grid = torch.linspace(-2, 2, 41)[:, None]
learned, wanted = {}, {}
for time in (0.1, 0.5, 0.8):
    with torch.no_grad():
        learned[time] = lines["flow"][0]({"x": grid}, torch.full((41,), time), {})["x"]
    wanted[time] = exact(grid, time)
gap = float(torch.cat([learned[t] - wanted[t] for t in learned]).square().mean().sqrt())
size_v = float(torch.cat(list(wanted.values())).square().mean().sqrt())
say(
    f"Learned and exact velocity differ by {gap:.2f} in the root mean square, where the velocity "
    f"itself has {size_v:.2f}.",
    f"学到的速度与精确速度之差的均方根是 {gap:.2f}，而速度本身是 {size_v:.2f}。",
)


@figure(
    "Velocity at three times: exact (lines) and learned (dots).",
    "三个时刻的速度：精确（线）与学到的（点）。",
)
def velocities(axes, t):
    for time, mark in zip(learned, "os^", strict=True):
        (line,) = axes.plot(grid, wanted[time], label=f"t = {time}")
        axes.plot(grid[::3], learned[time][::3], mark, color=line.get_color(), markersize=4)
    axes.set(xlabel="x", ylabel=t("velocity", "速度"))
    axes.legend()


# %% [markdown] lang="en"
# ## How many steps?
#
# A walk in few steps is cheap and crude. The distance between what is drawn and the data
# (Wasserstein, in units of the spread) tells how crude. As many draws from the data themselves
# would be at the distance in the last row: nothing can be told apart below it. Mind the first steps
# of diffusion: the data are guessed from what little of them the noise has left, and an error of
# the network is divided by that little.

# %% [markdown] lang="zh"
# ## 要走多少步？
#
# 步数少的行走便宜而粗糙。抽得的样本与数据之间的距离（Wasserstein，以离散度为单位）说明有多粗糙。
# 从数据本身抽同样多个，距离是最后一行：低于它就分辨不出了。
# 注意扩散的头几步：数据要由噪声中残留的一点点来猜，网络的误差要除以那一点点。

# %%
draws = pick(1000, 5000)
truth = data[:, 0].numpy()
counts = (1, 2, 5, 20, 50)
blank = {"x": torch.zeros(draws, 1)}
far = {
    name: [
        wasserstein_distance(
            sample(net, fields, blank, n, generator=generator(0, name))["x"][:, 0], truth
        )
        for n in counts
    ]
    for name, (net, fields) in lines.items()
}
again = torch.randint(len(truth), (draws,), generator=generator(0, "again"))
floor = wasserstein_distance(truth[again], truth)
table(
    {
        ("steps", "步数"): [*(str(n) for n in counts), ("the data", "数据本身")],
        ("flow", "流"): [*(f"{d:.3f}" for d in far["flow"]), f"{floor:.3f}"],
        ("diffusion", "扩散"): [*(f"{d:.3f}" for d in far["diffusion"]), f"{floor:.3f}"],
    },
    f"Distance of {draws} draws from the data.",
    f"{draws} 次抽样与数据的距离。",
)

# %% [markdown] lang="en"
# ## A circle
#
# An atom just inside one face of the cell and one just inside the opposite face are neighbours,
# since a crystal repeats itself. The line between them must go the short way round: `Torus` instead
# of `Euclidean`.

# %% [markdown] lang="zh"
# ## 圆
#
# 紧挨晶胞一个面内侧的原子与紧挨对面内侧的原子是近邻，因为晶体自我重复。
# 它们之间的路必须走短的那一边：用 `Torus` 代替 `Euclidean`。

# %%
ends = (torch.tensor([[[0.95]]]), torch.tensor([[[0.05]]]))
real = torch.ones(1, 1, dtype=torch.bool)
ways = {
    "torus": Torus(drift_free=False).path(*ends, torch.tensor([0.5]), real),
    "flat": Euclidean(masked=True).path(*ends, torch.tensor([0.5]), real),
}
middle = {name: float(lesson.state) % 1 for name, lesson in ways.items()}
length = {name: abs(float(lesson.target)) for name, lesson in ways.items()}
say(
    f"Half way lies at {middle['torus']:.2f} on the torus, after a way of {length['torus']:.2f} in "
    f"all, and at {middle['flat']:.2f} on the flat line, whose way is {length['flat']:.2f}.",
    f"在环面上，中点位于 {middle['torus']:.2f}，全程 {length['torus']:.2f}；"
    f"在平直的线上，中点位于 {middle['flat']:.2f}，全程 {length['flat']:.2f}。",
)

# %% [markdown] lang="en"
# ## A crystal
#
# Three fields make a crystal: positions on a torus, a lattice in a flat space, and species, which
# are given here. `CSPNet` sees only differences of positions, so a moved crystal is the same one.
# Trained for a moment on salts AB (at full length on perovskites ABX3), it places the atoms of
# formulas it never saw. A structure counts as found if pymatgen's matcher takes it for the true
# one.

# %% [markdown] lang="zh"
# ## 晶体
#
# 三个场构成晶体：环面上的位置、平直空间中的晶格，以及这里已给定的元素种类。
# `CSPNet` 只看位置之差，所以整体平移的晶体是同一个晶体。
# 在盐 AB 上（完整长度时在钙钛矿 ABX3 上）训练片刻之后，它为从未见过的化学式安放原子。
# 若 pymatgen 的匹配器认为与真实结构相同，就算找到。

# %%
simple = crystals.take(np.flatnonzero(crystals.size == pick(2, 5)))
known, unseen = (
    simple.take(np.flatnonzero(simple.split == "train")),
    simple.take(np.flatnonzero(simple.split != "train")),
)
rows = SampleRows(known)
fields = {"frac": Torus(weight=10.0), "cell": Euclidean()}
csp = seeded(lambda: CSPNet(width=64, layers=3, frequencies=6, inversion=False), 0, "csp")
csp.adapt(known.inputs)
task = FlowTask(csp, fields, couple=Transport(shifts=1, invert=False), **how)
losses = fit(task, lambda i: rows.__getitems__(i.tolist()), len(known), pick(300, 4000), 64)

width = int(unseen.size.max())
atoms = unseen.inputs["species"][:, :width]
species = torch.tensor(np.sort(atoms, axis=1)[:, ::-1].copy())
places = torch.tensor(unseen.inputs["frac"][:, :width])
true = unpack(Crystals(torch.tensor(atoms), places, torch.tensor(unseen.inputs["cell"])))
matcher = StructureMatcher()


def found(made: Crystals) -> float:
    """Share of structures that the matcher takes for the true ones."""
    return float(np.mean([matcher.fit(a, b) for a, b in zip(unpack(made), true, strict=True)]))


def roominess(made: Crystals) -> float:
    """Mean distance of the two nearest atoms, in units of that in the true structure."""
    ratios = []
    for one, right in zip(unpack(made), true, strict=True):
        nearest = [np.min(s.distance_matrix + 1e3 * np.eye(len(s))) for s in (one, right)]
        ratios.append(nearest[0] / nearest[1])
    return float(np.mean(ratios))


made = Sampler(steps=20, anneal={"frac": 3.0})(csp, fields, species, generator(0, "made"))
guess = torch.rand(made.frac.shape, generator=generator(0, "guess")) * (species > 0)[..., None]
tries = {"flow": made, "random": made._replace(frac=guess)}
share = {name: found(one) for name, one in tries.items()}
room = {name: roominess(one) for name, one in tries.items()}
table(
    {
        ("atoms placed by", "安放原子的方式"): [("the flow", "流"), ("chance", "随机")],
        ("structures found", "找到的结构"): [f"{v:.0%}" for v in share.values()],
        ("nearest atoms / true", "最近原子距离 / 真实"): [f"{v:.2f}" for v in room.values()],
    },
    f"{len(true)} formulas that it never saw, one try each, the same cells.",
    f"{len(true)} 个从未见过的化学式，各试一次，晶胞相同。",
)
if share["flow"] > share["random"] + 0.1:
    verdict = ("It finds structures.", "它找得到结构。")
elif room["flow"] > room["random"] + 0.1:
    verdict = (
        "It has learned to keep atoms apart, and not yet where they belong.",
        "它学会了让原子保持距离，但还没学会它们该在哪里。",
    )
else:
    verdict = ("It has learned too little to be of use.", "它学到的还太少，没有用处。")
say(
    f"After {len(losses)} steps of training the loss has gone from {losses[:10].mean():.2f} to "
    f"{losses[-10:].mean():.2f}. {verdict[0]} `fifth crystals predict SrTiO3` does the same with "
    "released weights, which have learned for longer.",
    f"训练 {len(losses)} 步之后，损失从 {losses[:10].mean():.2f} 变为 {losses[-10:].mean():.2f}。"
    f"{verdict[1]}`fifth crystals predict SrTiO3` 用训练更久的已发布权重做同样的事。",
)

# %% [markdown] lang="en"
# ## Exercises
#
# `fifth lesson start diffusion`, then `fifth lesson check diffusion answer.py`.
#
# 1. `velocity`: the exact velocity of straight paths to a finite set of data.
# 2. `shortest`: the shortest way between two fractional coordinates.

# %% [markdown] lang="zh"
# ## 练习
#
# `fifth lesson start diffusion`，然后 `fifth lesson check diffusion answer.py`。
#
# 1. `velocity`：通往有限数据集的直线路径的精确速度。
# 2. `shortest`：两个分数坐标之间最短的路。
