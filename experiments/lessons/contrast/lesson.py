# %% [markdown] lang="en"
# # 6. Contrast: learning which two belong together
#
# CLIP (arXiv 2103.00020) learned pictures and captions together: two networks, one space, and the
# only lesson is *which caption belongs to which picture*. No labels, no words for what is alike.
# Science is full of such pairs, measurement and parameters, structure and composition. Once both
# sides live in one space, one can be looked up by the other: **retrieval**.
#
# This lesson trains the workbench's `ContrastTask` twice: on light curves with their parameters,
# and on crystal structures, stripped of their elements, with their compositions.
#
# **Predict before you run:** shown only where the atoms are, but not which, how often is the right
# composition among the first five of a hundred?

# %% [markdown] lang="zh"
# # 6. 对比学习：哪两个属于一对
#
# CLIP（arXiv 2103.00020）把图片和说明文字放在一起学习：两个网络，一个空间，
# 唯一要学的是*哪段说明属于哪张图片*。没有标签，也不规定什么算相似。
# 科学中到处是这样的配对：测量与参数，结构与成分。两边一旦处在同一个空间，
# 就可以用一边去查另一边：**检索**。
#
# 本课两次训练工作台的 `ContrastTask`：一次用光变曲线及其参数，
# 一次用去掉了元素的晶体结构及其成分。
#
# **先预测，再运行：** 只看到原子在哪里而不知是什么原子，正确的成分有多大机会排在一百个中的前五？

# %%
from functools import partial

import numpy as np
import torch
from torch import nn

from science.core.contrast import ContrastTask, Pairs, Towers, ranks
from science.core.schedule import WarmupCosine
from science.core.seeds import rng
from science.core.teach.learn import fit, seeded
from science.core.teach.stage import figure, pick, say, table
from science.crystals.composition_energy import descriptors
from science.crystals.ionic import compositions
from science.crystals.nets.screen import Screen
from science.crystals.tabulate import prototypes
from science.transits.nets.series import SeriesTransformer
from science.transits.synth_series import PARAMETERS, simulate_series

SIZE = 16  # of the space that both sides share


def tower(inputs: int) -> nn.Module:
    """From a vector of numbers to the shared space."""
    return nn.Sequential(nn.Linear(inputs, 64), nn.SiLU(), nn.Linear(64, SIZE))


def learn(net: Towers, left, right, steps: int) -> None:
    task = ContrastTask(
        net, optimizer=partial(torch.optim.AdamW, lr=3e-3), schedule=WarmupCosine(0.1)
    )
    fit(task, lambda i: Pairs(left[i], right[i]), len(left), steps, 64)


def standard(values: np.ndarray, known: slice) -> torch.Tensor:
    """In standard deviations of the training rows: the test rows are not looked at."""
    mean, spread = values[known].mean(0), values[known].std(0)
    return torch.tensor((values - mean) / np.where(spread > 0, spread, 1), dtype=torch.float32)


# %% [markdown] lang="en"
# ## Light curves and their parameters
#
# One tower reads the light curve, the other its period, phase, depth and duration. After training,
# every new light curve looks for its own parameters among a hundred.

# %% [markdown] lang="zh"
# ## 光变曲线与它的参数
#
# 一个塔读光变曲线，另一个塔读它的周期、相位、深度和持续时间。
# 训练之后，每条新的光变曲线在一百组参数中寻找自己的那一组。

# %%
count, new = pick(800, 6000), 100
stars = simulate_series(count + new, seed=0)
learn_rows, test_rows = slice(0, count), slice(count, count + new)
flux, parameters = torch.tensor(stars.flux), standard(stars.parameters, learn_rows)
sky = seeded(
    lambda: Towers(SeriesTransformer(SIZE, width=24, layers=2), tower(len(PARAMETERS))), 0, "sky"
)
learn(sky, flux[learn_rows], parameters[learn_rows], pick(110, 2500))
with torch.no_grad():
    likeness = sky(Pairs(flux[test_rows], parameters[test_rows]))
sky_ranks = ranks(likeness)


def top(places: np.ndarray, first: int) -> str:
    return f"{(places <= first).mean():.0%}"


# %% [markdown] lang="en"
# ## Structures and compositions
#
# A structure becomes its distances: how many neighbours an atom has in each shell, whatever they
# are. A composition becomes averages of element properties. Formulas are never shared by training
# and test, which `prototypes` deals by formula. What can be learned is chemistry: large ions need
# room, and some stoichiometries have few ways to pack.

# %% [markdown] lang="zh"
# ## 结构与成分
#
# 结构化为距离：一个原子在每个壳层有多少近邻，不管近邻是什么元素。
# 成分化为元素性质的平均。训练集与测试集绝不共有化学式，`prototypes` 就是按化学式划分的。
# 能学到的是化学：大离子需要空间，有些化学计量只有少数几种堆积方式。

# %%
crystals = prototypes(substitutions=pick(500, len(list(compositions()))), minerals=False)
order = np.argsort(crystals.split != "train", kind="stable")  # training rows first
crystals = crystals.take(order)
seen = int((crystals.split == "train").sum())
held = slice(seen, min(seen + 100, len(crystals)))
inputs = {name: torch.tensor(array) for name, array in crystals.inputs.items()}
mask = inputs["species"] > 0
with torch.no_grad():
    shells = Screen(cutoff=6.0).surroundings(inputs["frac"], inputs["cell"], mask)
    shells = shells.sum(2)  # over neighbours, of every site
    number = mask.sum(1, keepdim=True)
    mean = shells.sum(1) / number
    spread = ((shells - mean[:, None]) * mask[..., None]).square().sum(1).div(number).sqrt()
geometry = torch.cat([mean, spread, number.float()], 1).numpy()
structure = standard(geometry, slice(0, seen))
composition = standard(descriptors(crystals), slice(0, seen))
solid = seeded(lambda: Towers(tower(structure.shape[1]), tower(composition.shape[1])), 0, "solid")
learn(solid, structure[:seen], composition[:seen], pick(300, 1500))
with torch.no_grad():
    fits = solid(Pairs(structure[held], composition[held]))
solid_ranks = ranks(fits)
blind = 1 + rng(0, "chance").permutation(len(solid_ranks))

table(
    {
        ("looked up", "检索"): [
            ("light curve -> parameters", "光变曲线 -> 参数"),
            ("structure -> composition", "结构 -> 成分"),
            ("a random order", "随机排列"),
        ],
        ("among", "候选数"): [len(sky_ranks), len(solid_ranks), len(blind)],
        ("first", "第一名"): [top(r, 1) for r in (sky_ranks, solid_ranks, blind)],
        ("in the first five", "前五名"): [top(r, 5) for r in (sky_ranks, solid_ranks, blind)],
        ("median place", "名次中位数"): [
            f"{np.median(r):.0f}" for r in (sky_ranks, solid_ranks, blind)
        ],
    },
    "How often the twin is found, on pairs that were not in training.",
    "在训练中没有的配对上，配对的另一方被找到的比例。",
)
five = float((solid_ranks <= 5).mean())
say(
    f"Shown only where the atoms are, the network has the right composition among the first five "
    f"in {five:.0%} of {len(solid_ranks)} cases; chance would in {5 / len(solid_ranks):.0%}.",
    f"只看到原子在哪里，网络在 {len(solid_ranks)} 例中的 {five:.0%} 把正确的成分排进前五；"
    f"凭运气是 {5 / len(solid_ranks):.0%}。",
)

# %% [markdown] lang="en"
# ## Look at the mistakes
#
# A wrong answer need not be a bad one. The parameters that a light curve is mistaken for should at
# least be near: which of the four has the network read, and which not?

# %% [markdown] lang="zh"
# ## 看看错误
#
# 答错未必就差。光变曲线错认的参数至少应当接近：四个参数中，网络读懂了哪些，没读懂哪些？

# %%
chosen = likeness.argmax(1).numpy()
truth = parameters[test_rows].numpy()
with np.errstate(invalid="ignore"):  # one pick for all has no correlation, and says nothing
    kept = {name: float(np.nan_to_num(np.corrcoef(truth[:, k], truth[chosen, k])[0, 1]))
            for k, name in enumerate(PARAMETERS)}  # fmt: skip
names = {"log_period": ("period", "周期"), "phase": ("phase", "相位")}
names |= {"depth": ("depth", "深度"), "duration": ("duration", "持续时间")}
best, worst = max(kept, key=kept.get), min(kept, key=kept.get)
say(
    f"Read best: the {names[best][0]} (correlation {kept[best]:.2f} between the true value and "
    f"that of the parameters picked first); read worst: the {names[worst][0]} "
    f"({kept[worst]:.2f}).",
    f"读得最好的是{names[best][1]}（真实值与第一名的值之间的相关系数 {kept[best]:.2f}）；"
    f"读得最差的是{names[worst][1]}（{kept[worst]:.2f}）。",
)


@figure(
    "Similarity of new light curves (rows) and parameters (columns), both ordered by depth.",
    "新光变曲线（行）与参数（列）的相似度，都按深度排列。",
    height=4.0,
)
def alike(axes, t):
    by_depth = np.argsort(stars.depth[test_rows])
    ordered = likeness.numpy()[np.ix_(by_depth, by_depth)]
    shown = axes.imshow(ordered, cmap="cividis", aspect="auto")
    axes.figure.colorbar(shown, ax=axes, label=t("similarity", "相似度"))
    axes.grid(visible=False)
    axes.set(xlabel=t("parameters", "参数"), ylabel=t("light curve", "光变曲线"))


# %% [markdown] lang="en"
# ## Exercises
#
# `fifth lesson start contrast`, then `fifth lesson check contrast answer.py`.
#
# 1. `contrast_loss`: the symmetric contrastive loss of two sets of embeddings.
# 2. `found_in`: the share of twins among the first k. What of ties?

# %% [markdown] lang="zh"
# ## 练习
#
# `fifth lesson start contrast`，然后 `fifth lesson check contrast answer.py`。
#
# 1. `contrast_loss`：两组嵌入的对称对比损失。
# 2. `found_in`：配对的另一方排在前 k 名的比例。并列怎么办？
