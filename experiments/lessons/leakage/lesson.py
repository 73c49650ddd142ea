# %% [markdown] lang="en"
# # 8. Leakage: the test that knew the answers
#
# A test set is a promise: *these samples are new to the network*. Most broken promises in applied
# machine learning look alike. Samples are dealt to training and test one by one, although they
# belong together: frames of one film, scans of one patient, proteins of one family, and here
# **events of one star**.
#
# Kepler's search often finds several events on a star. The numbers that describe the star (its
# temperature, gravity and radius) are the same for all of them, so they work like a name tag.
# A network that saw one event of a star in training can look up the others.
#
# **Predict before you run:** events are dealt at random, one in ten to the test set. Of how many
# test stars are other events in training?

# %% [markdown] lang="zh"
# # 8. 数据泄漏：早已知道答案的考试
#
# 测试集是一个承诺：*这些样本对网络来说是全新的*。应用机器学习中被打破的承诺大多相似：
# 本属于一体的样本被逐个分到训练集和测试集，例如同一段影片的各帧、同一位病人的影像、
# 同一家族的蛋白质，以及这里的**同一颗恒星的事件**。
#
# 开普勒望远镜的搜索常在一颗恒星上找到多个事件。描述恒星的数（温度、表面重力、半径）
# 对这些事件完全相同，因而就像一张名牌。网络若在训练中见过某颗恒星的一个事件，
# 就能“查到”其余的事件。
#
# **先预测，再运行：** 事件逐个随机分配，十分之一进入测试集。
# 有多少颗测试恒星在训练集中还有别的事件？

# %%
import os

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from science.core.seeds import rng
from science.core.teach.stage import figure, pick, say, table
from science.transits.synth_events import simulate_events
from science.transits.tabulate import kepler_dr24

real = bool(os.environ.get("FIFTH_MIRROR"))
if real:  # the 15,736 labelled events of Kepler's data release 24
    events = kepler_dr24(context=False, scalars=["own"])
    numbers = events.inputs["own"]
    published = np.asarray(events.split)
else:  # simulated events with the same flaw
    events = simulate_events(stars=1500, seed=0)
    numbers = events.inputs["own"]
    published = np.where(rng(0, "by event").random(len(events)) < 0.1, "test", "train")
planet, star = events.truth, np.asarray(events.group)

# %% [markdown] lang="en"
# ## Find it
#
# Two lines find the flaw in any data set, if you know what the *groups* are: the groups of the test
# set, and which of them are in training as well. No network is needed.

# %% [markdown] lang="zh"
# ## 把它找出来
#
# 只要知道*组*是什么，两行代码就能在任何数据集中找出这个缺陷：测试集中有哪些组，
# 其中哪些也出现在训练集里。不需要任何网络。

# %%
tested = np.unique(star[published == "test"])
shared = np.isin(tested, star[published == "train"])
where_en = "Kepler's data release 24, AstroNet's own split" if real else "simulated events"
where_zh = "开普勒数据第 24 版，AstroNet 自己的划分" if real else "模拟事件"
share = 100 * shared.mean()
say(
    f"On {where_en}: **{share:.0f} % of the {len(tested)} test stars** also have events in "
    f"training ({shared.sum()} stars).",
    f"在{where_zh}上：**{len(tested)} 颗测试恒星中的 {share:.0f} %** 在训练集中也有事件"
    f"（{shared.sum()} 颗）。",
)

# %% [markdown] lang="en"
# ## What it is worth
#
# The same boosted trees learn twice, each time from nine tenths of the events and judged on the
# rest. First the events are dealt at random; then whole stars are. Only the second number says what
# happens on a star that nobody has seen. The deals are repeated, since one deal is an anecdote.

# %% [markdown] lang="zh"
# ## 它对分数有多大影响
#
# 同样的提升树学习两次，每次用十分之九的事件，在其余事件上评判。先按事件随机划分，
# 再按恒星整颗划分。只有第二个数说明在从未见过的恒星上会怎样。
# 划分要重复多次，因为一次划分只是个例。


# %%
def judged(held: np.ndarray, seed: int) -> float:
    """AUC of trees that learned from what is not held."""
    trees = HistGradientBoostingClassifier(max_iter=pick(30, 150), random_state=seed)
    trees.fit(numbers[~held], planet[~held])
    return float(roc_auc_score(planet[held], trees.predict_proba(numbers[held])[:, 1]))


deals = pick(3, 10)
by_event, by_star = [], []
for seed in range(deals):
    draw = rng(seed, "deal")
    by_event.append(judged(draw.random(len(star)) < 0.1, seed))
    names = np.unique(star)
    by_star.append(judged(np.isin(star, names[draw.random(len(names)) < 0.1]), seed))
scores = {"event": np.array(by_event), "star": np.array(by_star)}
error = {name: 1 - values.mean() for name, values in scores.items()}

table(
    {
        ("dealt by", "划分方式"): [("event", "按事件"), ("star", "按恒星")],
        ("mean AUC", "平均 AUC"): [f"{v.mean():.4f}" for v in scores.values()],
        ("lowest", "最低"): [f"{v.min():.4f}" for v in scores.values()],
        ("highest", "最高"): [f"{v.max():.4f}" for v in scores.values()],
    },
    f"The same trees, {deals} deals each.",
    f"同样的提升树，各划分 {deals} 次。",
)
ratio = error["star"] / error["event"]
say(
    f"What is missing to a perfect AUC is {1000 * error['event']:.1f} thousandths when events are "
    f"dealt and {1000 * error['star']:.1f} when stars are: a factor of {ratio:.2f}. "
    + (
        "The random deal flatters."
        if ratio > 1.05
        else "Here the flaw hardly flatters, which could not be known before it was measured."
    ),
    f"与完美 AUC 的差距，按事件划分是千分之 {1000 * error['event']:.1f}，"
    f"按恒星划分是千分之 {1000 * error['star']:.1f}：相差 {ratio:.2f} 倍。"
    + (
        "随机划分美化了结果。"
        if ratio > 1.05
        else "这里的缺陷几乎没有美化结果，但不测量就无从知道。"
    ),
)

# %% [markdown] lang="en"
# ## How many tags does a star wear?
#
# The more events a star has, the likelier it is that a random deal tears it apart. With a share *q*
# of the events for testing and *r* for training, a star with *k* events of which at least one is
# tested is torn apart with the chance
#
# ```text
# (1 - (1 - q)^k - (1 - r)^k + (1 - q - r)^k) / (1 - (1 - q)^k)
# ```
#
# The figure compares this with what happened.

# %% [markdown] lang="zh"
# ## 一颗恒星戴着几张名牌？
#
# 一颗恒星的事件越多，随机划分把它拆开的可能就越大。若测试事件占 *q*，训练事件占 *r*，
# 有 *k* 个事件且至少一个被测试的恒星被拆开的概率是
#
# ```text
# (1 - (1 - q)^k - (1 - r)^k + (1 - q - r)^k) / (1 - (1 - q)^k)
# ```
#
# 下图把它与实际发生的情况作比较。

# %%
q, r = float((published == "test").mean()), float((published == "train").mean())
count = dict(zip(*np.unique(star, return_counts=True), strict=True))
sizes = np.array([count[name] for name in tested])
orders = np.arange(1, 7)
seen = [shared[sizes == k].mean() if (sizes == k).any() else np.nan for k in orders]
chance = 1 - (1 - q) ** orders - (1 - r) ** orders + (1 - q - r) ** orders
chance = chance / (1 - (1 - q) ** orders)


@figure(
    "Share of test stars that are in training too, against the number of their events.",
    "测试恒星同时出现在训练集中的比例，随其事件数的变化。",
)
def torn(axes, t):
    axes.bar(orders, seen, width=0.6, label=t("found", "实际"))
    axes.plot(orders, chance, "o--", color="#d55e00", label=t("expected", "预期"))
    axes.set(xlabel=t("events of the star", "恒星的事件数"), ylabel=t("share torn", "被拆开的比例"))
    axes.set_ylim(0, 1.05)
    axes.legend(loc="upper left")


# %% [markdown] lang="en"
# ## What to take home
#
# - Name the group before you split: star, patient, family, storm, composition.
# - Report the number of groups shared by training and test. It should be zero.
# - `Samples.group` and `Samples.folds` of the workbench keep groups together, and `CrossFit` judges
#   every sample by networks that never saw its group.
#
# ## Exercises
#
# `fifth lesson start leakage` writes the file to fill in, `fifth lesson check leakage answer.py`
# judges it.
#
# 1. `shared_share`: the share of test *groups* that are in training too.
# 2. `fair_split`: deal samples so that no group is on both sides, and about a tenth is held.
# 3. `honest_auc`: train and judge, without asking for a label of the test set.

# %% [markdown] lang="zh"
# ## 带走什么
#
# - 划分之前先说清“组”是什么：恒星、病人、家族、风暴、成分。
# - 报告训练集与测试集共有的组数。它应当是零。
# - 工作台的 `Samples.group` 与 `Samples.folds` 让同组样本不分开，
#   `CrossFit` 用从未见过该组的网络评判每个样本。
#
# ## 练习
#
# `fifth lesson start leakage` 写出待填写的文件，`fifth lesson check leakage answer.py` 评判它。
#
# 1. `shared_share`：测试集的*组*中也出现在训练集里的比例。
# 2. `fair_split`：划分样本，使没有任何组同时在两边，并留出大约十分之一。
# 3. `honest_auc`：训练并评判，但不查询测试集的任何标签。
