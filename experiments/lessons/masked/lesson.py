# %% [markdown] lang="en"
# # 4. Learning without labels: masked light curves, masked residues
#
# Labels are dear and data are cheap. **Self-supervised** learning makes its own questions: hide
# some of the input, and ask what it was. To answer, a network has to learn how the parts belong
# together, and that is what a later task with few labels can use. The recipe is BERT's
# (arXiv 1810.04805), and the workbench's `MaskedTask` knows no alphabet.
#
# This lesson hides points of light curves, then residues of proteins.
#
# **Predict before you run:** to fill in a hidden residue of a protein, which other residues does
# one have to look at?

# %% [markdown] lang="zh"
# # 4. 没有标签的学习：遮住光变曲线，遮住残基
#
# 标签昂贵，数据便宜。**自监督**学习自己出题：遮住输入的一部分，问它原来是什么。
# 要回答，网络就必须学会各部分如何相互联系，而这正是后来标签很少的任务所能利用的。
# 配方来自 BERT（arXiv 1810.04805），工作台的 `MaskedTask` 不认识任何字母表。
#
# 本课先遮住光变曲线的点，再遮住蛋白质的残基。
#
# **先预测，再运行：** 要填出蛋白质中一个被遮住的残基，需要看哪些别的残基？

# %%
from functools import partial

import numpy as np
import torch
from torch import nn

from science.core.masked import MaskedTask, Tokens
from science.core.schedule import WarmupCosine
from science.core.supervised import Labelled, SupervisedTask
from science.core.teach.learn import fit, seeded
from science.core.teach.stage import figure, pick, say, table
from science.proteins import synth
from science.proteins.contacts import separated
from science.proteins.lattice import distances_of
from science.proteins.mi import mutual_information
from science.proteins.pseudolikelihood import pseudolikelihood
from science.transits.nets.series import LEVELS, MaskedSeries, SeriesTransformer, quantised
from science.transits.synth_series import simulate_series

adamw = partial(torch.optim.AdamW, lr=5e-3)

# %% [markdown] lang="en"
# ## Masked light curves
#
# The flux of every point is rounded to one of a few levels. Of every light curve a part is hidden,
# and the network says which level each hidden point had. White noise cannot be guessed by anybody,
# so the perplexity (the number of levels that the network still hesitates between) has a floor well
# above one. The guess to beat knows how often each level occurs, and nothing else.

# %% [markdown] lang="zh"
# ## 遮住光变曲线
#
# 每个点的流量被舍入到几个级别之一。每条光变曲线遮住一部分，由网络说出每个被遮住的点是哪一级。
# 白噪声谁也猜不出，所以困惑度（网络仍在其间犹豫的级别数）的下限远高于一。
# 要胜过的猜法只知道每个级别出现得多频繁，别的一概不知。

# %%
stars = partial(simulate_series, depth=(8.0, 16.0), ratio=(0.1, 0.4))
unlabelled = stars(pick(400, 6000), seed=0)
levels = quantised(torch.tensor(unlabelled.flux))
real = torch.ones_like(levels, dtype=torch.bool)
trunk = seeded(lambda: SeriesTransformer(width=24, layers=2), 0, "trunk")
often = torch.bincount(levels.flatten(), minlength=LEVELS) + 1.0
masked = seeded(lambda: MaskedSeries(trunk, often=often), 0, "masked")
task = MaskedTask(masked, LEVELS, LEVELS, optimizer=adamw, schedule=WarmupCosine(0.1))
losses = fit(task, lambda i: Tokens(levels[i], real[i]), len(levels), pick(60, 2000), 32)

held = quantised(torch.tensor(stars(100, seed=5).flux))
share = np.bincount(held.flatten().numpy(), minlength=LEVELS) / held.numel()
by_count = float(np.exp(-(share[share > 0] * np.log(share[share > 0])).sum()))
with torch.no_grad(), torch.random.fork_rng(devices=[]):
    torch.manual_seed(0)
    learned = float(task.step(Tokens(held, torch.ones_like(held, dtype=torch.bool))).loss.exp())
say(
    f"On new stars the network hesitates between {learned:.2f} levels, the counts between "
    f"{by_count:.2f}, and someone who knows nothing between {LEVELS}.",
    f"在新的恒星上，网络在 {learned:.2f} 个级别间犹豫，只看频数要在 {by_count:.2f} 个间犹豫，"
    f"一无所知者则在 {LEVELS} 个间犹豫。",
)

# %% [markdown] lang="en"
# ## What it is worth when labels are few
#
# Now a handful of labelled stars, planet or binary. The same network learns twice: from the weights
# that pre-training left, and from new ones. Everything else is equal.

# %% [markdown] lang="zh"
# ## 标签很少时它值多少
#
# 现在有少量带标签的恒星：行星还是双星。同一个网络学习两次：一次从预训练留下的权重开始，
# 一次从新的权重开始。其余完全相同。

# %%
few, test = stars(60, seed=1), stars(pick(300, 2000), seed=2)
flux, binary = torch.tensor(few.flux), torch.tensor(few.binary).float()


def taught(state: dict, seed: int) -> float:
    """Share of new stars that are told apart."""
    net = seeded(lambda: SeriesTransformer(width=24, layers=2), seed, "fine")
    net.load_state_dict({**net.state_dict(), **state})
    loss = nn.BCEWithLogitsLoss(reduction="none")
    teach = SupervisedTask(net, loss, optimizer=partial(torch.optim.AdamW, lr=2e-3))
    fit(teach, lambda i: Labelled(flux[i], binary[i]), len(few), pick(30, 200), 30, seed)
    with torch.no_grad():
        return float(((net(torch.tensor(test.flux)) > 0).numpy() == test.binary).mean())


known = {k: v.clone() for k, v in trunk.state_dict().items() if not k.startswith("head")}
seeds = range(pick(2, 5))
warm, cold = ([taught(state, seed) for seed in seeds] for state in (known, {}))
gain = float(np.mean(warm) - np.mean(cold))
spread = float(np.std(np.array(warm) - np.array(cold), ddof=1) / len(seeds) ** 0.5)
table(
    {
        ("begins with", "起点"): [("pre-training", "预训练"), ("new weights", "新的权重")],
        ("right on new stars", "新恒星上的正确率"): [f"{np.mean(w):.1%}" for w in (warm, cold)],
    },
    f"{len(few)} labelled stars, mean over {len(seeds)} seeds; a coin reaches 50 %.",
    f"{len(few)} 颗带标签的恒星，{len(seeds)} 个种子的平均；抛硬币是 50 %。",
)
clear = abs(gain) > 2 * max(spread, (0.5 / len(test)) ** 0.5)
say(
    f"The difference is {100 * gain:+.1f} percentage points, with a standard error of "
    f"{100 * spread:.1f}: "
    + ("a clear one." if clear else "nothing to build on at this length of training."),
    f"差别是 {100 * gain:+.1f} 个百分点，标准误差 {100 * spread:.1f}："
    + ("是明显的差别。" if clear else "在这样短的训练下还不足为凭。"),
)

# %% [markdown] lang="en"
# ## Masked residues
#
# A family of proteins is drawn from a model whose truth is known: chains on a lattice that are
# stable in one fold. The simplest network for masked residues is linear: the logits of a residue
# are a sum over all others. Statisticians call its training **pseudolikelihood**, and it is how
# contacts were predicted before networks. How strongly its couplings are held down is chosen on
# sequences set aside for that. Nobody tells it the structure.

# %% [markdown] lang="zh"
# ## 遮住残基
#
# 一个蛋白质家族由真值已知的模型抽样得到：在格点上只在一种折叠中稳定的链。
# 用于被遮残基的最简单网络是线性的：一个残基的 logits 是对所有其他残基求和。
# 统计学家把它的训练叫做**伪似然**，在神经网络之前，接触就是这样预测的。
# 把耦合压低到什么程度（正则化强度），在专门留出的序列上选择。没有人告诉它结构。

# %%
box = pick((3, 3, 3), (4, 4, 4))
family = synth.make(box, depth=pick(1500, 1200), drift=None, gaps=0.0, seed=0)
fresh = family.model.sample(200, seed=9)
shown = family.model.sample(100, seed=8)  # chooses how strongly couplings are held down


def perplexity(logits: np.ndarray, tokens: np.ndarray) -> float:
    """Letters that one hesitates between, of (n, L, letters) logits for the sequences."""
    chance = torch.tensor(logits).log_softmax(-1)
    index = torch.tensor(tokens.astype(np.int64))[..., None]
    return float(chance.gather(-1, index).mean().neg().exp())


def others(fields: np.ndarray, couplings: np.ndarray, tokens: np.ndarray) -> float:
    """Perplexity of every residue, told from all others of its sequence."""
    logits = fields[None] + np.einsum("ijab,njb->nia", couplings, np.eye(20)[tokens])
    return perplexity(logits, tokens)


def linear(ridge: float, tokens: np.ndarray) -> float:
    """Perplexity of the linear model that is held down so strongly."""
    made = models[ridge]
    fields, couplings = made.fields.numpy(), made.couplings.numpy()
    return others(fields[:, :20], couplings[:, :, :20, :20], tokens)


models = {
    ridge: pseudolikelihood(family.tokens, ridge_couplings=ridge, steps=pick(16, 40))
    for ridge in pick((1.0, 3.0), (0.3, 1.0, 3.0, 10.0))
}
best = min(models, key=lambda ridge: linear(ridge, shown))
model = models[best]


counted = np.stack([np.bincount(c, minlength=21)[:20] + 0.5 for c in family.tokens.T])
length = family.tokens.shape[1]
found = {
    "uniform": 20.0,
    "columns": perplexity(np.broadcast_to(np.log(counted), (len(fresh), length, 20)).copy(), fresh),
    "learned": linear(best, fresh),
    "truth": others(family.model.fields, family.model.couplings, fresh),
}
table(
    {
        ("who guesses", "谁来猜"): [
            ("nobody: all letters alike", "无人：所有字母一样"),
            ("each column's own counts", "各列自己的频数"),
            ("masked residues, learned", "学会填被遮残基的模型"),
            ("the model that made them", "造出它们的模型"),
        ],
        ("perplexity", "困惑度"): [f"{value:.2f}" for value in found.values()],
    },
    f"Letters that one hesitates between, on {len(fresh)} new sequences.",
    f"在 {len(fresh)} 条新序列上，在多少个字母间犹豫。",
)

# %% [markdown] lang="en"
# ## What it had to learn
#
# To fill the gaps, the model had to find out which residues hold each other. The size of its
# couplings, as a map, should look like the map of contacts. Precision is the share of true contacts
# among as many best pairs as there are contacts, of all pairs at least six residues apart.

# %% [markdown] lang="zh"
# ## 它必须学会什么
#
# 要填空，模型就得弄清哪些残基相互牵制。它的耦合强度画成图，应当像接触图。
# 精度是：在相隔至少六个残基的各对中，取与接触数一样多的最强对，其中真正接触的比例。

# %%
distance = distances_of(family.shape, box)
i, j = separated(length)
touching = distance[i, j] < 8
scores = {
    "learned": model.score.numpy(),
    "information": mutual_information(family.tokens).score.numpy(),
}
strongest = {name: np.argsort(-s[i, j])[: touching.sum()] for name, s in scores.items()}
precision = {name: float(touching[chosen].mean()) for name, chosen in strongest.items()}
say(
    f"Precision of the couplings: **{precision['learned']:.0%}** of {touching.sum()} pairs; of "
    f"mutual information, which looks at one pair at a time: {precision['information']:.0%}; by "
    f"chance: {touching.mean():.0%}. It was never shown a contact.",
    f"耦合的精度：{touching.sum()} 对中的 **{precision['learned']:.0%}**；每次只看一对的互信息："
    f"{precision['information']:.0%}；凭运气：{touching.mean():.0%}。它从未见过任何接触。",
)


@figure(
    "Below the diagonal the true contacts, above it what filling gaps has taught.",
    "对角线以下是真实的接触，以上是填空所教会的。",
    height=4.2,
)
def contacts(axes, t):
    strong = np.triu(scores["learned"], 3)
    strong = np.clip(strong / np.sort(strong.ravel())[-length], 0, 1)
    # Rows go up, so the upper triangle of a matrix lies below the diagonal: hence the transpose.
    axes.imshow((strong + np.tril(distance < 8, -3)).T, cmap="cividis", origin="lower")
    axes.grid(visible=False)
    axes.set(xlabel=t("residue", "残基"), ylabel=t("residue", "残基"))


# %% [markdown] lang="en"
# ## Exercises
#
# `fifth lesson start masked`, then `fifth lesson check masked answer.py`.
#
# 1. `masked_loss`: the loss of masked tokens. Which places count?
# 2. `corrected`: take out of a map what rows and columns explain (the average product correction).

# %% [markdown] lang="zh"
# ## 练习
#
# `fifth lesson start masked`，然后 `fifth lesson check masked answer.py`。
#
# 1. `masked_loss`：被遮词元（token）的损失。哪些位置算数？
# 2. `corrected`：从图中去掉行与列所能解释的部分（平均乘积校正）。
