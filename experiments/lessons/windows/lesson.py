# %% [markdown] lang="en"
# # 2. Patches and windows: a Transformer looks at the weather
#
# An image, or a weather map, is cut into **patches**, and every patch becomes a token: that is all
# of the vision Transformer (arXiv 2010.11929). But attention pays with the square of the number of
# tokens, and a map of a quarter of a degree has more than sixty thousand patches even of side four.
# Swin (arXiv 2103.14030) lets patches look within **windows** only, and shifts the windows from
# layer to layer so that news travels. Pangu-Weather (arXiv 2211.02556) forecasts the globe so.
#
# **Predict before you run:** with windows that never move, where on the map is the forecast worst?

# %% [markdown] lang="zh"
# # 2. 图块与窗口：Transformer 看天气
#
# 把一张图像或天气图切成**图块**，每个图块成为一个词元（token）：视觉 Transformer 就是这样
# （arXiv 2010.11929）。但注意力的花费随词元数的平方增长，
# 而一张四分之一度的图，即使图块边长为四，也有六万多个图块。
# Swin（arXiv 2103.14030）只让图块在**窗口**之内互看，并且逐层移位窗口（移位窗口），使信息得以传递。
# 盘古天气（arXiv 2211.02556）就是这样预报全球的。
#
# **先预测，再运行：** 若窗口从不移动，预报在图上的哪里最差？

# %%
from functools import partial

import numpy as np
import torch

from science.core.schedule import WarmupCosine
from science.core.supervised import Labelled, SupervisedTask
from science.core.teach.learn import fit, seeded, size_of
from science.core.teach.stage import figure, pick, say, table
from science.weather import metrics
from science.weather.nets.swin import WindowViT
from science.weather.nets.vit import SphereViT
from science.weather.sphere import Sphere
from science.weather.turbulence import spun

SIZE, PATCH = (16, 32), 2
ROWS, COLUMNS = SIZE[0] // PATCH, SIZE[1] // PATCH
kinds = {
    "global": {"window": (ROWS, COLUMNS), "shifted": False},
    "fixed windows": {"window": (4, 4), "shifted": False},
    "shifted windows": {"window": (4, 4), "shifted": True},
}
words = {
    "global": ("global", "全局"),
    "fixed windows": ("fixed windows", "固定窗口"),
    "shifted windows": ("shifted windows", "移位窗口"),
}


def net_of(kind: str) -> WindowViT:
    return seeded(lambda: WindowViT(3, SIZE, PATCH, width=32, layers=2, **kinds[kind]), 0, "net")


# %% [markdown] lang="en"
# ## Who can listen to whom
#
# One patch asks; which patches can change its answer after two layers? The gradient tells, without
# any training. Longitude has no edge: the shifted windows go round the globe, and the two poles,
# which a shift would bring together, are kept apart by a mask.

# %% [markdown] lang="zh"
# ## 谁能听到谁
#
# 一个图块发问；两层之后，哪些图块能改变它的答案？梯度会告诉我们，不需要任何训练。
# 经度没有边界：移位窗口绕地球一圈；而移位会使两极相接，所以用掩码把它们隔开。

# %%
asked = (3, 1)
heard, pairs = {}, {}
for kind, how in kinds.items():
    net, x = net_of(kind), torch.randn(1, 3, *SIZE, requires_grad=True)
    net.tokens(x)[0, asked[0], asked[1]].sum().backward()
    grid = x.grad.abs().sum((0, 1)).view(ROWS, PATCH, COLUMNS, PATCH).sum((1, 3))
    heard[kind] = (grid > 0).numpy()
    places = how["window"][0] * how["window"][1]
    pairs[kind] = ROWS * COLUMNS * places
table(
    {
        ("attention", "注意力"): list(words.values()),
        ("pairs per layer", "每层的配对数"): [f"{p:,}" for p in pairs.values()],
        ("heard after two layers", "两层后能听到"): [f"{h.mean():.0%}" for h in heard.values()],
    },
    f"A map of {ROWS} by {COLUMNS} patches.",
    f"{ROWS} 乘 {COLUMNS} 个图块的图。",
)


@figure(
    "Patches that the marked one can hear after two layers.",
    "标出的图块在两层之后能听到的图块。",
    columns=3,
    height=2.2,
)
def listening(axes, t):
    for panel, (kind, map_) in zip(axes, heard.items(), strict=True):
        panel.imshow(map_, cmap="cividis", vmin=0, vmax=1)
        panel.plot(asked[1], asked[0], "s", color="#d55e00")
        panel.set_title(t(*words[kind]))
        panel.grid(visible=False)
        panel.set(xticks=[], yticks=[], xlabel=t("longitude", "经度"))
    axes[0].set_ylabel(t("latitude", "纬度"))


# %% [markdown] lang="en"
# ## Do they forecast?
#
# One layer of air on a rotating sphere, simulated by the workbench: jets that break into waves. The
# networks learn how vorticity and wind change in half a day. Runs that judge share nothing with
# those that taught but the laws of motion. The error is relative to that of persistence, which says
# that nothing changes.

# %% [markdown] lang="zh"
# ## 它们会预报吗？
#
# 工作台模拟的旋转球面上的一层空气：急流破碎成波。网络学习涡度和风在半天中怎样变化。
# 用来评判的模拟与用来训练的模拟，除运动定律外没有任何共同之处。
# 误差相对于持续性预报给出，后者认为什么都不会变。

# %%
sphere = Sphere(*SIZE)
runs, days = pick(6, 24), pick(12, 40)
states = spun(runs, days, seed=0, spin_up=pick(15, 40), sphere=sphere)
scale = states[:-2].std((0, 1, 3, 4), keepdims=True)  # the last two runs judge
states = torch.tensor(states / scale)
LATER = 2  # steps of six hours
before, change = states[:, :-LATER], states[:, LATER:] - states[:, :-LATER]
unit = change[:-2].std()
train_x, train_y = before[:-2].flatten(0, 1), (change[:-2] / unit).flatten(0, 1)
test_x, test_y = before[-2:].flatten(0, 1), (change[-2:] / unit).flatten(0, 1)
weight = (sphere.weight / sphere.weight.mean()).numpy()
zero = metrics.squared_error(0 * test_y.numpy(), test_y.numpy(), weight).mean()

errors, maps = {}, {}
for kind in kinds:
    net = net_of(kind)
    task = SupervisedTask(
        net,
        torch.nn.MSELoss(reduction="none"),
        optimizer=partial(torch.optim.AdamW, lr=4e-3),
        schedule=WarmupCosine(0.1),
    )
    fit(task, lambda i: Labelled(train_x[i], train_y[i]), len(train_x), pick(70, 1500), 16)
    with torch.no_grad():
        wrong = (net(test_x) - test_y).numpy()
    square = metrics.squared_error(wrong, 0 * wrong, weight)
    errors[kind] = float(np.sqrt(square.mean() / zero))
    by_patch = (wrong**2).mean((0, 1)).reshape(ROWS, PATCH, COLUMNS, PATCH).mean((1, 3))
    calm = (test_y.numpy() ** 2).mean((0, 1)).reshape(ROWS, PATCH, COLUMNS, PATCH).mean((1, 3))
    maps[kind] = by_patch / calm.mean(1, keepdims=True)

edge = np.isin(np.arange(COLUMNS) % 4, (0, 3))
seam = {k: float(np.sqrt(m[:, edge].mean() / m[:, ~edge].mean())) for k, m in maps.items()}
table(
    {
        ("attention", "注意力"): list(words.values()),
        ("error / persistence", "误差 / 持续性"): [f"{e:.3f}" for e in errors.values()],
        ("error at window edges / inside", "窗口边缘误差 / 内部误差"): [
            f"{s:.3f}" for s in seam.values()
        ],
    },
    f"Change over {6 * LATER} h on unseen runs; {size_of(net_of('global')):,} parameters each.",
    f"未见过的模拟上 {6 * LATER} 小时的变化；每个网络 {size_of(net_of('global')):,} 个参数。",
)
best = min(errors, key=errors.get)
say(
    f"Smallest error: {words[best][0]} ({errors[best]:.3f}). At the edges of fixed windows the "
    f"error differs from that inside by {100 * (seam['fixed windows'] - 1):+.1f} %; in the same "
    f"columns by {100 * (seam['shifted windows'] - 1):+.1f} % under shifted windows, by "
    f"{100 * (seam['global'] - 1):+.1f} % with no windows at all.",
    f"误差最小的是{words[best][1]}（{errors[best]:.3f}）。固定窗口边缘的误差与内部相差 "
    f"{100 * (seam['fixed windows'] - 1):+.1f} %；在同样的列上，移位窗口下相差 "
    f"{100 * (seam['shifted windows'] - 1):+.1f} %，没有窗口时相差 "
    f"{100 * (seam['global'] - 1):+.1f} %。",
)


@figure(
    "Error by longitude over the mean of each network; dotted lines are borders of windows.",
    "误差随经度的变化，相对于各网络自己的平均；点线是窗口的边界。",
)
def seams(axes, t):
    for (kind, map_), dash in zip(maps.items(), (":", "--", "-"), strict=True):
        column = np.sqrt(map_.mean(0))
        axes.plot(column / column.mean(), dash, marker="o", markersize=4, label=t(*words[kind]))
    for border in range(0, COLUMNS + 1, 4):
        axes.axvline(border - 0.5, color="grey", linestyle=":", linewidth=1)
    axes.set(
        xlabel=t("longitude [patches]", "经度 [图块]"), ylabel=t("error / its mean", "误差 / 平均")
    )
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))


# %% [markdown] lang="en"
# ## Symmetry is free knowledge
#
# No longitude is special. Turn the globe by one patch, and the forecast should turn along. The
# workbench's own `SphereViT`, with attention over all patches biased by the *difference* of
# longitudes, keeps this exactly; windows keep it only for turns by a whole window.

# %% [markdown] lang="zh"
# ## 对称性是白得的知识
#
# 没有哪条经度是特殊的。把地球转过一个图块，预报应当跟着转。
# 工作台自己的 `SphereViT` 对所有图块做注意力，偏置只取决于经度之*差*，因此精确保持这一点；
# 窗口只在转过整个窗口时保持。


# %%
def turned(answer, x, by: int) -> float:
    """How far the answer to a turned globe is from the turned answer, relative."""
    with torch.no_grad():
        one, other = answer(x.roll(by, -1)), answer(x).roll(by, -1)
    return float((one - other).abs().max() / other.abs().max())


whole = seeded(
    lambda: SphereViT(3, 3, 1, SIZE, torch.ones(3, 1, 1), patch=4, width=32, layers=2, heads=4,
                      fine=16), 0, "sphere",
)  # fmt: skip
torch.nn.init.normal_(whole.last.weight, generator=torch.Generator().manual_seed(0))
sample, nothing = test_x[:1], torch.zeros(1, 1)
ours = turned(lambda x: whole(x, nothing), sample, 4)
windows = {by: turned(net, sample, by) for by in (PATCH, 4 * PATCH)}
say(
    f"Turned by a patch, `SphereViT` differs by {ours:.1g}, shifted windows by "
    f"{windows[PATCH]:.2f}; turned by a whole window they differ by {windows[4 * PATCH]:.1g}.",
    f"转过一个图块，`SphereViT` 相差 {ours:.1g}，移位窗口相差 {windows[PATCH]:.2f}；"
    f"转过整个窗口，后者相差 {windows[4 * PATCH]:.1g}。",
)

# %% [markdown] lang="en"
# ## Exercises
#
# `fifth lesson start windows`, then `fifth lesson check windows answer.py`.
#
# 1. `window_of`: cut a map into windows, so that each window is together.
# 2. `shift_east`: shift a map by half a window, round the globe.

# %% [markdown] lang="zh"
# ## 练习
#
# `fifth lesson start windows`，然后 `fifth lesson check windows answer.py`。
#
# 1. `window_of`：把图切成窗口，使每个窗口在一起。
# 2. `shift_east`：把图移动半个窗口，绕地球一圈。
