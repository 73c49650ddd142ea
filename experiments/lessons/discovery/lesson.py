# %% [markdown] lang="en"
# # 9. The loop of discovery: hypothesis, experiment, and counting both
#
# Discovery is a loop: form a **hypothesis**, choose the experiment that would tell most, do it,
# learn, and begin again. When experiments are dear, the score of a method is the *number of
# experiments until the discovery*.
#
# Here nature is hidden behind an **oracle**: CHGNet (arXiv 2302.14231), a network that answers for
# quantum mechanics. The question: which halide perovskites ABX3 gain most energy when they form
# from their salts AX and BX2? The structures come from ionic radii, unrelaxed, so the ranking is
# that of a lecture and not of a publication. Each answer counts as one experiment.
#
# **Predict before you run:** theory says that the ions must fit (Goldschmidt's tolerance factor).
# Does asking in the order of theory beat asking at random? Does learning beat theory?

# %% [markdown] lang="zh"
# # 9. 发现的循环：假设、实验，并数清两者
#
# 发现是一个循环：提出**假设**，选择最能说明问题的实验，去做，学习，再重新开始。
# 当实验昂贵时，一种方法的得分就是*直到发现为止的实验次数*。
#
# 这里，自然藏在一位**神谕**（oracle）后面：CHGNet（arXiv 2302.14231），一个替量子力学作答的网络。
# 问题是：哪些卤化物钙钛矿 ABX3 由盐 AX 和 BX2 生成时放出的能量最多？
# 结构由离子半径给出，没有弛豫，所以这个排名是课堂上的，而不是论文里的。每个回答算一次实验。
#
# **先预测，再运行：** 理论说离子必须大小相配（Goldschmidt 容差因子）。
# 按理论的次序去问，胜过随机去问吗？学习又胜过理论吗？

# %%
import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel

from science.core.seeds import rng
from science.core.teach.stage import figure, pick, say, table
from science.crystals import ionic
from science.crystals.oracle import oracle
from science.crystals.prototypes import aflow

# %% [markdown] lang="en"
# ## The space, and the hidden truth
#
# Every halide perovskite whose radii are not absurd, and the two salts of each. Gain is the energy
# of the salts less that of the compound, per atom: above zero the compound wins. The table of
# answers is made once here and then locked; the loop below may open one line at a time.

# %% [markdown] lang="zh"
# ## 候选空间与隐藏的真值
#
# 所有半径不荒谬的卤化物钙钛矿，以及各自的两种盐。“收益”是盐的能量减去化合物的能量，按每原子计：
# 大于零则化合物胜出。答案表在这里一次做好，然后锁上；下面的循环每次只能打开一行。

# %%
types = {p.label: p.structure for p in aflow(20)}
known = list(ionic.compositions())
halides = [c for c in known if c.kind == "ABX3" and c.ions[2][1] == -1]
chosen = rng(0, "space").permutation(len(halides))[: pick(90, 400)]
space = [halides[k] for k in sorted(chosen)]
salts = {frozenset(c.ions): c for c in known if c.kind in ("AB", "AX2")}
space = [c for c in space if all(frozenset((c.ions[k], c.ions[2])) in salts for k in (0, 1))]
asked_for = list(space)
for c in space:
    asked_for += [salts[frozenset((c.ions[k], c.ions[2]))] for k in (0, 1)]
unique = list(dict.fromkeys(asked_for))
answers = oracle("chgnet").energies([ionic.build(c, types[c.prototype]) for c in unique])
energy = dict(zip(unique, answers, strict=True))


def gain(c) -> float:
    one, two = (energy[salts[frozenset((c.ions[k], c.ions[2]))]] for k in (0, 1))
    return float((2 * one + 3 * two) / 5 - energy[c])


radii = np.array([[ionic.radius(*ion) for ion in c.ions] for c in space])
tolerance = (radii[:, 0] + radii[:, 2]) / (np.sqrt(2) * (radii[:, 1] + radii[:, 2]))
truth = np.array([gain(c) for c in space])
fine = np.isfinite(truth)
space = [c for c, ok in zip(space, fine, strict=True) if ok]
truth, radii, tolerance = truth[fine], radii[fine], tolerance[fine]
formula = ["".join(ion[0] for ion in c.ions) + "3" for c in space]
TOP = 5
best = set(np.argsort(-truth)[:TOP].tolist())
say(
    f"{len(space)} candidates; {(truth > 0).sum()} of them win against their salts. What is to be "
    f"discovered: the {TOP} that win most.",
    f"{len(space)} 个候选；其中 {(truth > 0).sum()} 个胜过它们的盐。要发现的是：收益最大的 "
    f"{TOP} 个。",
)

# %% [markdown] lang="en"
# ## Four ways to choose the next experiment
#
# - **random**: the baseline that every method has to beat;
# - **theory**: those first whose tolerance factor is nearest to one;
# - **greedy**: a Gaussian process learns from the answers so far; ask where it expects most;
# - **curious**: the same process; ask where expectation plus doubt is largest, since there the
#   answer teaches most.

# %% [markdown] lang="zh"
# ## 选择下一个实验的四种方法
#
# - **随机**：每种方法都必须胜过的基线；
# - **理论**：容差因子最接近一的先问；
# - **贪心**：高斯过程从已有的答案学习；问它期望最高的地方；
# - **好奇**：同样的高斯过程；问期望与不确定度之和最大的地方，因为那里的答案教得最多。


# %%
def pauling(element: str) -> float:
    from pymatgen.core.periodic_table import Element

    return float(Element(element).X)


features = np.column_stack([radii, tolerance, [[pauling(i[0]) for i in c.ions] for c in space]])
features = (features - features.mean(0)) / features.std(0)


def learned(asked: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Expectation and doubt of a Gaussian process that saw the answers asked for."""
    kernel = RBF(2.0) + WhiteKernel(0.01)
    process = GaussianProcessRegressor(kernel, optimizer=None, normalize_y=True)
    process.fit(features[asked], truth[asked])
    mean, doubt = process.predict(features, return_std=True)
    return mean, doubt


def search(way: str, seed: int) -> list[int]:
    """The order in which candidates are asked for, until all that are to be found are."""
    first = rng(seed, "first").permutation(len(space)).tolist()
    if way == "theory":
        return np.argsort(np.abs(tolerance - 1), kind="stable").tolist()
    if way == "random":
        return first
    asked = first[:4]
    while not best <= set(asked):
        mean, doubt = learned(asked)
        value = mean + (1.5 * doubt if way == "curious" else 0)
        value[asked] = -np.inf
        asked.append(int(value.argmax()))
    return asked


def until(order: list[int], count: int) -> int:
    """Experiments until ``count`` of the best are found."""
    places = sorted(order.index(one) + 1 for one in best)
    return places[count - 1]


ways = {
    "random": ("random", "随机"),
    "theory": ("theory", "理论"),
    "greedy": ("greedy", "贪心"),
    "curious": ("curious", "好奇"),
}
seeds = range(pick(5, 20))
orders = {way: [search(way, seed) for seed in seeds] for way in ways}
needed = {way: {k: [until(o, k) for o in found] for k in (1, TOP)} for way, found in orders.items()}
table(
    {
        ("way", "方法"): list(ways.values()),
        ("until the first", "找到第一个"): [f"{np.mean(needed[w][1]):.1f}" for w in ways],
        (f"until all {TOP}", f"找全 {TOP} 个"): [f"{np.mean(needed[w][TOP]):.1f}" for w in ways],
        ("least to most", "最少到最多"): [
            f"{min(needed[w][TOP])}–{max(needed[w][TOP])}" for w in ways
        ],
    },
    f"Experiments until discovery, mean over {len(seeds)} seeds, of {len(space)} candidates.",
    f"直到发现的实验次数，{len(seeds)} 个种子的平均，共 {len(space)} 个候选。",
)
mean = {w: float(np.mean(needed[w][TOP])) for w in ways}
winner = min(ways, key=mean.get)
say(
    f"Fewest experiments: **{ways[winner][0]}** with {mean[winner]:.1f}, "
    f"{mean['random'] / mean[winner]:.1f} times fewer than at random. Theory needs "
    f"{mean['theory']:.0f} and costs nothing to learn. The best of all is "
    f"{formula[int(truth.argmax())]}, with {1000 * truth.max():.0f} meV/atom by this oracle.",
    f"实验最少的是：**{ways[winner][1]}**，{mean[winner]:.1f} 次，"
    f"随机所需是它的 {mean['random'] / mean[winner]:.1f} 倍。理论需要 {mean['theory']:.0f} 次，"
    f"而且不用学习。按这位神谕，最好的是 {formula[int(truth.argmax())]}，"
    f"{1000 * truth.max():.0f} meV/原子。",
)


@figure(
    "Found so far against experiments done, mean over the seeds.",
    "已找到的数目随实验次数的变化，各种子的平均。",
)
def race(axes, t):
    for way, dash in zip(ways, (":", "-.", "--", "-"), strict=True):
        steps = np.arange(1, len(space) + 1)
        found = [[sum(o.index(b) < n for b in best) for n in steps] for o in orders[way]]
        axes.step(steps, np.mean(found, 0), dash, where="post", label=t(*ways[way]))
    axes.set(xlabel=t("experiments", "实验次数"), ylabel=t("found", "已找到"))
    axes.legend(loc="lower right")


# %% [markdown] lang="en"
# ## Exercises
#
# `fifth lesson start discovery`, then `fifth lesson check discovery answer.py`.
#
# 1. `choose_next`: the next experiment by expectation plus doubt.
# 2. `experiments_until`: how many experiments until so many of the sought are found?

# %% [markdown] lang="zh"
# ## 练习
#
# `fifth lesson start discovery`，然后 `fifth lesson check discovery answer.py`。
#
# 1. `choose_next`：按期望与不确定度之和选下一个实验。
# 2. `experiments_until`：直到找到那么多个目标，需要多少次实验？
