# %% [markdown] lang="en"
# # 1. The Transformer, from attention up
#
# A light curve is a sequence, and to judge it one has to compare moments that lie far apart. A
# planet's dips are all alike. An eclipsing binary, taken for a planet at half of its period, has
# every second dip shallower. Vetters call the comparison the odd-even test.
#
# Until 2017 sequences were read by **recurrence**: one moment after the other, everything squeezed
# through one state. **Attention** lets every moment look at every other at once. This lesson builds
# attention in four lines, measures what it changes, and then lets both kinds read light curves.
#
# **Predict before you run:** with equal parameters and equal training, which of the two tells
# planets from binaries better on short light curves?

# %% [markdown] lang="zh"
# # 1. 从注意力开始理解 Transformer
#
# 光变曲线是一个序列，要判断它，就得比较相隔很远的时刻。行星的凹陷彼此相同；
# 而被当作行星（周期取了一半）的食双星，每隔一次凹陷就浅一些。审核者把这种比较叫做奇偶检验。
#
# 2017 年以前，序列是用**循环**读取的：一个时刻接一个时刻，一切都挤过同一个状态。
# **注意力**让每个时刻同时看到所有其他时刻。本课用四行代码写出注意力，测量它改变了什么，
# 然后让两类网络都来读光变曲线。
#
# **先预测，再运行：** 参数量相同、训练相同，在短的光变曲线上，谁更能分辨行星与双星？

# %%
from functools import partial

import torch
from torch import nn

from science.core.nn.attention import Attention
from science.core.nn.encoder import Encoder
from science.core.nn.positions import Rotary
from science.core.schedule import WarmupCosine
from science.core.seeds import generator
from science.core.supervised import Labelled, SupervisedTask
from science.core.teach.learn import fit, seeded, size_of
from science.core.teach.stage import figure, pick, say, table
from science.transits.nets.series import SeriesTransformer
from science.transits.synth_series import simulate_series

# %% [markdown] lang="en"
# ## Attention in four lines
#
# Every place asks a question (query *q*), offers a key *k* and holds a value *v*. How well a
# question fits a key decides how much of the value is taken:
#
# ```text
# attention(q, k, v) = softmax(q k^T / sqrt(d)) v
# ```
#
# Without the root of the size *d* the logits would grow with it and the softmax would pick one
# place only, so that nothing could be learned.

# %% [markdown] lang="zh"
# ## 四行代码写出注意力
#
# 每个位置提出一个问题（查询 *q*），给出一个键 *k*，并持有一个值 *v*。
# 查询与键有多契合，决定了取走多少值：
#
# ```text
# attention(q, k, v) = softmax(q k^T / sqrt(d)) v
# ```
#
# 若没有维数 *d* 的平方根，logits 会随之变大，softmax 就只会挑中一个位置，什么也学不到。


# %%
def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    logits = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
    return logits.softmax(-1) @ value


width, heads, places = 32, 4, 64
module = seeded(lambda: Attention(width, heads), 0, "attention")
x = torch.randn(2, places, width, generator=generator(0, "input"))
with torch.no_grad():
    parts = [module.split(layer(x)) for layer in (module.query, module.key, module.value)]
    gap = float((module.join(attend(*parts)) - module(x)).abs().max())
say(
    f"Our four lines and the module that the workbench trains with differ by at most {gap:.1e}.",
    f"我们的四行代码与工作台训练时所用的模块最多相差 {gap:.1e}。",
)

# %% [markdown] lang="en"
# ## Order is not given
#
# Attention reads a *set*: shuffle the places and the answers are shuffled likewise. Order has to be
# put in. `Rotary` turns queries and keys by angles that grow with the place, so that their product
# knows the *difference* of two places and nothing else.

# %% [markdown] lang="zh"
# ## 顺序不是天生的
#
# 注意力读的是一个*集合*：打乱位置，答案也同样被打乱。顺序必须放进去。
# `Rotary` 把查询和键转过随位置增长的角度，于是它们的乘积只知道两个位置之*差*。

# %%
shuffle = torch.randperm(places, generator=generator(0, "shuffle"))
turn = Rotary(width // heads)
with torch.no_grad():
    set_like = float((module(x[:, shuffle]) - module(x)[:, shuffle]).abs().max())
    placed = float(
        (module(x[:, shuffle], rotary=turn) - module(x, rotary=turn)[:, shuffle]).abs().max()
    )
    query, key = parts[0], parts[1]
    here, later = (torch.arange(places)[:, None] + shift for shift in (0, 1000))
    moved = turn(query, later) @ turn(key, later).mT - turn(query, here) @ turn(key, here).mT
    drift = float(moved.abs().max())
say(
    f"Shuffled without places the answers agree to {set_like:.0e}; with places they change by up "
    f"to {placed:.2f}. Moving everything by 1000 places changes the logits by {drift:.0e} only.",
    f"不带位置时，打乱后答案相符到 {set_like:.0e}；带位置时最多改变 {placed:.2f}。"
    f"把一切平移 1000 个位置，logits 只改变 {drift:.0e}。",
)

# %% [markdown] lang="en"
# ## Why it replaced recurrence
#
# Three reasons, all of which can be counted:
#
# - **Path.** From the first moment to the last, recurrence takes as many steps as there are moments
#   between them, attention takes one. What a signal must cross, a gradient must cross back.
# - **Waiting.** Recurrence cannot begin with a moment before it is done with the one before.
#   Attention computes all places together, which is what parallel hardware is good at.
# - **Price.** Attention pays with the square of the length.

# %% [markdown] lang="zh"
# ## 它为什么取代了循环
#
# 三个理由，都可以数出来：
#
# - **路径。** 从第一个时刻到最后一个，循环要走的步数等于其间的时刻数，注意力只走一步。
#   信号要穿过的路，梯度也得原路返回。
# - **等待。** 循环在处理完前一个时刻之前不能开始下一个。注意力同时计算所有位置，
#   这正是并行硬件所擅长的。
# - **代价。** 注意力的花费随长度的平方增长。


# %%
class Recurrent(nn.Module):
    """A GRU that reads the same patches, with about as many parameters."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.embed = nn.Linear(2, size)
        self.read = nn.GRU(size, size, 2, batch_first=True)
        self.head = nn.Linear(2 * size, 1)

    def forward(self, flux: torch.Tensor) -> torch.Tensor:
        read, _ = self.read(self.embed(flux.unflatten(-1, (-1, 2)) / 4))
        return self.head(torch.cat([read.mean(1), read.amax(1)], -1)).squeeze(-1)


# The plain sum of an answer will not do: a LayerNorm keeps it at 0, whatever comes in.
probe = torch.randn(width, generator=generator(0, "probe"))


def reach(read) -> torch.Tensor:
    """Size of the last answer's gradient by each place it may come from."""
    seen = x.clone().requires_grad_()
    (read(seen)[:, -1] @ probe).sum().backward()
    return seen.grad.norm(dim=-1).mean(0).flip(0)


gru = seeded(lambda: nn.GRU(width, width, 2, batch_first=True), 0, "gru")
encoder = seeded(lambda: Encoder(width, heads, 2), 0, "encoder")
reaches = {"gru": reach(lambda z: gru(z)[0]), "attention": reach(encoder)}
far = {name: float(r[-8:].mean() / r[1:9].mean()) for name, r in reaches.items()}
say(
    f"Of the gradient that reaches the nearest moments, the farthest (of {places}) get "
    f"{far['gru']:.0e} under recurrence and {far['attention']:.2f} under attention, "
    "before any training.",
    f"与最近的时刻得到的梯度相比，最远的时刻（共 {places} 个）在循环下只得到 {far['gru']:.0e}，"
    f"在注意力下得到 {far['attention']:.2f}，这还是在训练之前。",
)


@figure(
    "Gradient of the last answer by how long ago the input came.",
    "最后一个答案的梯度，随输入距今多久的变化。",
)
def reached(axes, t):
    axes.semilogy(reaches["gru"], label=t("recurrence", "循环"))
    axes.semilogy(reaches["attention"], "--", label=t("attention", "注意力"))
    axes.set(xlabel=t("places ago", "多少个位置之前"), ylabel=t("gradient", "梯度"))
    axes.legend(loc="lower left")


lengths = (64, 1024, 16384)
table(
    {
        ("places", "位置数"): lengths,
        ("steps one after the other: recurrence", "先后步数：循环"): lengths,
        ("attention", "注意力"): [1] * len(lengths),
        ("million products per layer: recurrence", "每层乘法（百万）：循环"): [
            f"{6 * n * width**2 / 1e6:.1f}" for n in lengths
        ],
        ("of attention", "注意力的"): [
            f"{(4 * n * width**2 + 2 * n**2 * width) / 1e6:.1f}" for n in lengths
        ],
    },
    f"What a layer of width {width} costs.",
    f"宽度为 {width} 的一层的代价。",
)

# %% [markdown] lang="en"
# ## Both read light curves
#
# Simulated stars: the dips come from the workbench's own model of a limb-darkened star, a binary's
# second dip has a fifth to seven tenths of the first's depth, and the noise is white. Both networks
# see the same light curves in the same order. The test is of other stars.

# %% [markdown] lang="zh"
# ## 两者都来读光变曲线
#
# 模拟的恒星：凹陷来自工作台自己的临边昏暗恒星模型，双星的第二次凹陷的深度是第一次的五分之一到
# 十分之七，噪声是白噪声。两个网络以相同的顺序看到相同的光变曲线。测试用的是另外的恒星。

# %%
known, unseen = simulate_series(pick(600, 4000), seed=0), simulate_series(pick(400, 2000), seed=1)
flux, binary = torch.tensor(known.flux), torch.tensor(known.binary).float()
makers = {
    "recurrence": lambda: Recurrent(32),
    "attention": lambda: SeriesTransformer(width=24, heads=4, layers=2),
}
hits, sizes = {}, {}
for name, make in makers.items():
    net = seeded(make, 0, name)
    task = SupervisedTask(
        net,
        nn.BCEWithLogitsLoss(reduction="none"),
        optimizer=partial(torch.optim.AdamW, lr=5e-3),
        schedule=WarmupCosine(0.1),
    )
    fit(task, lambda i: Labelled(flux[i], binary[i]), len(known), pick(90, 1500), 32)
    with torch.no_grad():
        hits[name] = (net(torch.tensor(unseen.flux)) > 0).numpy() == unseen.binary
    sizes[name] = size_of(net)
right = {name: float(hit.mean()) for name, hit in hits.items()}
error = (0.25 / len(unseen)) ** 0.5

table(
    {
        ("network", "网络"): [("recurrence", "循环"), ("attention", "注意力")],
        ("parameters", "参数量"): [f"{sizes[n]:,}" for n in makers],
        ("right on new stars", "新恒星上的正确率"): [f"{right[n]:.1%}" for n in makers],
    },
    f"Planet or binary, {len(unseen)} stars that neither network saw "
    f"(standard error at most {error:.1%}; a coin reaches 50 %).",
    f"行星还是双星，{len(unseen)} 颗两个网络都没见过的恒星"
    f"（标准误差最多 {error:.1%}；抛硬币是 50 %）。",
)
ahead = right["attention"] - right["recurrence"]
apart = hits["attention"].astype(float) - hits["recurrence"]  # star by star
doubt = float(apart.std(ddof=1)) / len(unseen) ** 0.5
if abs(ahead) < 2 * doubt:
    verdict = ("too close to call", "不分上下")
else:
    verdict = (
        ("attention is ahead", "注意力领先") if ahead > 0 else ("recurrence is ahead", "循环领先")
    )
say(
    f"Here the result is: **{verdict[0]}** (attention less recurrence: {100 * ahead:+.1f} "
    f"percentage points, standard error {100 * doubt:.1f}, star by star). One training of one size "
    "settles no contest. What attention bought was the road to long sequences and large machines, "
    "and that is what the counts above show.",
    f"这里的结果是：**{verdict[1]}**（注意力减循环：{100 * ahead:+.1f} 个百分点，"
    f"逐颗恒星比较的标准误差 {100 * doubt:.1f}）。一种大小的一次训练定不了胜负。"
    "注意力换来的是通向长序列和大型机器的路，上面数出来的正是这一点。",
)

# %% [markdown] lang="en"
# ## Exercises
#
# `fifth lesson start transformer`, then `fifth lesson check transformer answer.py`.
#
# 1. `attend`: scaled dot-product attention for one head, from memory.
# 2. `attend_past`: the same, but no place may see a later one, as a forecast must not.

# %% [markdown] lang="zh"
# ## 练习
#
# `fifth lesson start transformer`，然后 `fifth lesson check transformer answer.py`。
#
# 1. `attend`：凭记忆写出单头的缩放点积注意力。
# 2. `attend_past`：同样，但任何位置都不能看到后面的位置，就像预报不能偷看未来。
