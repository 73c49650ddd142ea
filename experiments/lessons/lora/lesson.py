# %% [markdown] lang="en"
# # 5. LoRA, prefix, head or everything: adapting at equal budget
#
# A network was trained where data are plentiful. Now there is another instrument, with few labelled
# stars and a noise of its own. What of the network should learn?
#
# - **full** fine-tuning: everything;
# - **LoRA**: a low-rank correction `up @ down` to some weight matrices (arXiv 2106.09685);
# - **prefix**: a few more keys and values for every attention (arXiv 2101.00190);
# - **head**: nothing but the last layer.
#
# Each gets the same stars in the same order and the same number of steps. LoRA and prefix also get
# the same number of parameters.
#
# **Predict before you run:** which adapts best, and which forgets most of the old instrument?

# %% [markdown] lang="zh"
# # 5. LoRA、前缀、输出层还是全部：相同预算下的适配
#
# 一个网络在数据充足的地方训练好了。现在来了另一台仪器，带标签的恒星很少，噪声也不同。
# 网络的哪些部分应当学习？
#
# - **全部**微调：所有参数；
# - **LoRA**：对一些权重矩阵加低秩修正 `up @ down`（arXiv 2106.09685）；
# - **前缀**：给每个注意力多加几个键和值（arXiv 2101.00190）；
# - **输出层**：只有最后一层。
#
# 每种方法以相同的顺序得到相同的恒星和相同的步数。LoRA 与前缀的参数量也相同。
#
# **先预测，再运行：** 哪种适配得最好？哪种把旧仪器忘得最多？

# %%
import copy
from functools import partial

import numpy as np
import torch
from torch import nn

from science.core.nn import lora, prefix
from science.core.nn.adapters import freeze
from science.core.schedule import WarmupCosine
from science.core.supervised import Labelled, SupervisedTask
from science.core.teach.learn import fit, seeded, size_of
from science.core.teach.stage import figure, pick, say, table
from science.transits.nets.series import SeriesTransformer
from science.transits.synth_series import Series, simulate_series


def train(net: nn.Module, data: Series, steps: int, rate: float, seed: int) -> None:
    """Planet or binary, by cross-entropy."""
    flux, binary = torch.tensor(data.flux), torch.tensor(data.binary).float()
    task = SupervisedTask(
        net,
        nn.BCEWithLogitsLoss(reduction="none"),
        optimizer=partial(torch.optim.AdamW, lr=rate),
        schedule=WarmupCosine(0.1),
    )
    fit(task, lambda i: Labelled(flux[i], binary[i]), len(data), steps, 32, seed)


def right(net: nn.Module, data: Series) -> float:
    with torch.no_grad():
        return float(((net(torch.tensor(data.flux)) > 0).numpy() == data.binary).mean())


# %% [markdown] lang="en"
# ## The old instrument, and the new one
#
# The old one has white noise. The new one adds slow drifts that neighbouring points share (red
# noise), as pointing jitter does. The question, planet or binary, stays the same.

# %% [markdown] lang="zh"
# ## 旧仪器与新仪器
#
# 旧仪器只有白噪声。新仪器还有相邻点共有的缓慢漂移（红噪声），就像指向抖动造成的那样。
# 问题不变：行星还是双星。

# %%
old = partial(simulate_series, depth=(8.0, 16.0), ratio=(0.1, 0.4))
new = partial(old, red=2.5)
base = seeded(lambda: SeriesTransformer(width=24, heads=4, layers=2), 0, "base")
train(base, old(pick(500, 4000), seed=0), pick(110, 1500), 5e-3, 0)
judges = {"old": old(pick(300, 2000), seed=1), "new": new(pick(300, 2000), seed=2)}
begun = {name: right(base, data) for name, data in judges.items()}
say(
    f"Before adapting, the network is right on {begun['old']:.1%} of the old instrument's stars "
    f"and on {begun['new']:.1%} of the new one's.",
    f"适配之前，网络在旧仪器的恒星上正确率为 {begun['old']:.1%}，在新仪器上为 {begun['new']:.1%}。",
)

# %% [markdown] lang="en"
# ## Four ways to adapt
#
# `inject` freezes the network and lays the adapter on layers chosen by name; the head learns in all
# four. Nothing is chosen by the test stars: the learning rates are fixed beforehand, ten times
# larger for the few parameters of adapters than for the many of full fine-tuning.

# %% [markdown] lang="zh"
# ## 四种适配方法
#
# `inject` 冻结网络，并把适配器放到按名字选出的层上；四种方法中输出层都参与学习。
# 没有任何东西是靠测试恒星选出的：学习率事先固定，适配器参数少，学习率是全部微调的十倍。

# %%
HEAD = r"head\..*"


def full(net: nn.Module) -> float:
    return 1e-3


def low_rank(net: nn.Module) -> float:
    lora.inject(net, r"encoder\.blocks\.\d+\.attend\.(query|value)", rank=2, keep=HEAD)
    return 1e-2


def prefixed(net: nn.Module) -> float:
    prefix.inject(net, r"encoder\.blocks\.\d+\.attend", count=4, keep=HEAD)
    return 1e-2


def head(net: nn.Module) -> float:
    freeze(net, HEAD)
    return 1e-2


ways = {"full": full, "LoRA": low_rank, "prefix": prefixed, "head": head}
few = new(pick(64, 128), seed=3)
seeds = range(pick(2, 5))
learned, scores = {}, {name: {"old": [], "new": []} for name in ways}
for name, way in ways.items():
    for seed in seeds:
        net = copy.deepcopy(base)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            rate = way(net)
        learned[name] = size_of(net)
        train(net, few, pick(30, 150), rate, seed)
        for judge, data in judges.items():
            scores[name][judge].append(right(net, data))

mean = {name: {j: float(np.mean(v)) for j, v in by.items()} for name, by in scores.items()}
error = (0.25 / len(judges["new"])) ** 0.5
words = {"full": ("full", "全部"), "LoRA": "LoRA", "prefix": ("prefix", "前缀")}
words |= {"head": ("head", "输出层")}
table(
    {
        ("what learns", "学习的部分"): [words[n] for n in ways],
        ("parameters", "参数量"): [f"{learned[n]:,}" for n in ways],
        ("new instrument", "新仪器"): [f"{mean[n]['new']:.1%}" for n in ways],
        ("old instrument", "旧仪器"): [f"{mean[n]['old']:.1%}" for n in ways],
    },
    f"Right on stars never seen, {len(few)} labelled stars, mean over {len(seeds)} seeds "
    f"(standard error of one at most {error:.1%}).",
    f"未见恒星上的正确率，{len(few)} 颗带标签的恒星，{len(seeds)} 个种子的平均"
    f"（单次的标准误差最多 {error:.1%}）。",
)

# %% [markdown] lang="en"
# ## What to make of it

# %% [markdown] lang="zh"
# ## 怎样看待结果

# %%
best = max(ways, key=lambda n: mean[n]["new"])
lost = {n: begun["old"] - mean[n]["old"] for n in ways}
worst = max(ways, key=lambda n: lost[n])
share = learned["LoRA"] / learned["full"]
close = [n for n in ways if mean[best]["new"] - mean[n]["new"] < 2 * error]


def both(name: str) -> tuple[str, str]:
    return words[name] if isinstance(words[name], tuple) else (words[name], words[name])


say(
    f"Best on the new instrument: {both(best)[0]} ({mean[best]['new']:.1%}, "
    f"{100 * (mean[best]['new'] - begun['new']):+.1f} percentage points against no adapting); "
    f"within two standard errors of it, itself included: {len(close)} of {len(ways)}. LoRA changes "
    f"{share:.1%} of the parameters that full fine-tuning does. On the old instrument "
    f"{both(worst)[0]} comes off worst ({-100 * lost[worst]:+.1f} points).",
    f"新仪器上最好的是：{both(best)[1]}（{mean[best]['new']:.1%}，"
    f"比不适配 {100 * (mean[best]['new'] - begun['new']):+.1f} 个百分点）；"
    f"与它相差在两个标准误差以内的（包括它自己）：{len(ways)} 种中的 {len(close)} 种。"
    f"LoRA 改动的参数是全部微调的 {share:.1%}。在旧仪器上结果最差的是{both(worst)[1]}"
    f"（{-100 * lost[worst]:+.1f} 个百分点）。",
)
net = copy.deepcopy(base)
layers = lora.inject(net, r"encoder\.blocks\.\d+\.attend\.query", rank=2)
lora.merge(net)
lora.unmerge(net)
with torch.no_grad():
    flux = torch.tensor(few.flux)
    same = bool((net(flux) == base(flux)).all())
say(
    "And LoRA can be taken off again: with it merged and unmerged the old network's answers come "
    + ("back to the last bit." if same else "back only nearly."),
    "而且 LoRA 可以取下来：合并后再拆开，旧网络的答案"
    + ("逐位复原。" if same else "只是近似复原。"),
)


@figure(
    "New against old instrument; each point is a seed.",
    "新仪器与旧仪器上的正确率；每点是一个种子。",
)
def traded(axes, t):
    for (name, by), mark in zip(scores.items(), "osD^", strict=True):
        label = t(*both(name))
        axes.plot(by["old"], by["new"], mark, label=label)
    axes.plot(
        begun["old"],
        begun["new"],
        "x",
        markersize=9,
        color="#5b6572",
        label=t("as it was", "适配之前"),
    )
    axes.set(
        xlabel=t("right on the old instrument", "旧仪器上的正确率"),
        ylabel=t("right on the new one", "新仪器上的正确率"),
    )
    axes.legend()


# %% [markdown] lang="en"
# ## Exercises
#
# `fifth lesson start lora`, then `fifth lesson check lora answer.py`.
#
# 1. `parameters`: how many numbers does LoRA learn for one matrix?
# 2. `corrected_weight`: the weight that an adapted layer computes with.

# %% [markdown] lang="zh"
# ## 练习
#
# `fifth lesson start lora`，然后 `fifth lesson check lora answer.py`。
#
# 1. `parameters`：LoRA 为一个矩阵学习多少个数？
# 2. `corrected_weight`：适配后的层计算时所用的权重。
