# %% [markdown] lang="en"
# # 7. Uncertainty: does a number mean what it says?
#
# A network says "planet, four to one". If it is **calibrated**, four of five such signals are
# planets. A weather centre runs an ensemble: if it is calibrated, the truth looks like one more
# member. Both promises can be tested, and both are usually broken at first.
#
# **Predict before you run:** trees that bend to every training star: are their probabilities
# too bold or too timid?

# %% [markdown] lang="zh"
# # 7. 不确定性：一个数是否名副其实？
#
# 网络说“四比一，是行星”。如果它经过**校准**，五个这样的信号中就有四个是行星。
# 气象中心运行一个集合预报：如果它经过校准，真值看起来就像集合的又一个成员。
# 两个承诺都可以检验，而且起初通常都没有兑现。
#
# **先预测，再运行：** 迁就每一颗训练恒星的树，它给出的概率是太大胆还是太保守？

# %%
import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingClassifier

from science.core.calibration import fit_temperature
from science.core.evaluation import calibration_error
from science.core.seeds import generator, rng
from science.core.teach.stage import figure, pick, say, table
from science.transits.synth_events import simulate_events
from science.weather import metrics
from science.weather.barotropic import Barotropic
from science.weather.sphere import Sphere
from science.weather.turbulence import jets

# %% [markdown] lang="en"
# ## Probabilities of a classifier
#
# Boosted trees learn from simulated stars. A **temperature** (arXiv 1706.04599) is fitted on the
# validation stars: it divides the log-odds, which changes how bold the scores are and not their
# order. The test stars are looked at once, at the end. The calibration error is the mean distance
# between what was said and what was true, over bins of the score.

# %% [markdown] lang="zh"
# ## 分类器的概率
#
# 提升树从模拟的恒星学习。在验证恒星上拟合一个**温度**（arXiv 1706.04599）：
# 用它去除对数几率，改变的是分数有多大胆，而不是次序。测试恒星只在最后看一次。
# 校准误差是各个分数区间中，所说的与实际的之间的平均距离。

# %%
events = simulate_events(stars=pick(900, 6000), seed=0)
rows = {split: events.take(events.where(split)) for split in ("train", "val", "test")}
bold = HistGradientBoostingClassifier(max_iter=150, learning_rate=0.3, random_state=0)
bold.fit(rows["train"].inputs["own"], rows["train"].truth)
raw = {name: bold.predict_proba(of.inputs["own"])[:, 1] for name, of in rows.items()}
warm = fit_temperature(rows["val"].truth, raw["val"])
truth = rows["test"].truth
scores = {"raw": raw["test"], "calibrated": warm(raw["test"])}
even = np.ones(len(truth))
ece = {name: calibration_error(truth, score, even) for name, score in scores.items()}
right = float(((raw["test"] > 0.5) == truth).mean())
said = float(np.maximum(raw["test"], 1 - raw["test"]).mean())
say(
    f"The trees are right on {right:.0%} of the test events and claim {said:.0%} on average. "
    f"Dividing the log-odds by {warm.temperature:.2f} takes the calibration error from "
    f"{ece['raw']:.3f} to **{ece['calibrated']:.3f}**.",
    f"树在测试事件上的正确率是 {right:.0%}，平均却声称 {said:.0%}。"
    f"把对数几率除以 {warm.temperature:.2f}，校准误差就从 {ece['raw']:.3f} 变为 "
    f"**{ece['calibrated']:.3f}**。",
)


@figure(
    "Said against true, in five bins; the diagonal keeps its promise.",
    "所说的与实际的，分五个区间；对角线表示兑现承诺。",
    height=3.6,
)
def reliability(axes, t):
    axes.plot([0, 1], [0, 1], ":", color="grey")
    names = {"raw": t("raw", "原始"), "calibrated": t("calibrated", "校准后")}
    for (name, score), mark in zip(scores.items(), ("o-", "s--"), strict=True):
        place = np.minimum((5 * score).astype(int), 4)
        full = [b for b in range(5) if (place == b).sum() > 5]
        x = [score[place == b].mean() for b in full]
        axes.plot(x, [truth[place == b].mean() for b in full], mark, label=names[name])
    axes.set(xlabel=t("probability said", "所说的概率"), ylabel=t("share true", "实际的比例"))
    axes.legend()


# %% [markdown] lang="en"
# ## The promise holds where it was made
#
# Another survey finds fewer planets among its events. Nothing else changes, and yet the
# calibration breaks, because the validation set answered another question.

# %% [markdown] lang="zh"
# ## 承诺只在许下它的地方有效
#
# 另一个巡天的事件中行星较少。别的什么都没变，校准却失效了，因为验证集回答的是另一个问题。

# %%
kept = ~truth | (rng(0, "fewer").random(len(truth)) < 0.25)
moved = calibration_error(truth[kept], scores["calibrated"][kept], even[kept])
say(
    f"With planets making up {truth[kept].mean():.0%} of the events in place of "
    f"{truth.mean():.0%}, the error of the calibrated scores is {moved:.3f}.",
    f"行星在事件中的比例由 {truth.mean():.0%} 变为 {truth[kept].mean():.0%} 时，"
    f"校准后的分数的校准误差是 {moved:.3f}。",
)

# %% [markdown] lang="en"
# ## An ensemble of forecasts
#
# The barotropic model of the first numerical forecast. The analysis that a forecast starts from is
# wrong by some amount, and the ensemble starts from perturbed analyses. How large should the
# perturbations be? As large as the analysis is wrong. Smaller ones make an ensemble that is sure of
# itself and wrong; its rank histogram is a U, since the truth falls outside.

# %% [markdown] lang="zh"
# ## 集合预报
#
# 这里用的是首次数值预报的正压模式。预报从分析场出发，而分析场有某种大小的误差；
# 集合则从受到扰动的分析场出发。扰动应当多大？与分析场的误差一样大。
# 更小的扰动得到一个自信而错误的集合；它的秩直方图呈 U 形，因为真值落在外面。

# %%
sphere = Sphere(16, 32)
model = Barotropic(sphere, damping=6.0, relaxation=8.0, rest=jets(sphere))
starts, members, hours = pick(6, 30), pick(8, 16), 48
weight = (sphere.weight / sphere.weight.mean()).numpy()


def waves(count: int, size: float, name: str) -> torch.Tensor:
    """Random vorticity (count, n, m) of that size [1/s]."""
    drawn = torch.randn((count, *sphere.laplacian.shape, 2), generator=generator(0, name))
    made = torch.view_as_complex(drawn.double()) * sphere.inside
    made[..., 0] = made[..., 0].real.to(made.dtype)
    made[:, 0] = 0
    return size * made


step = 3 * 3600.0
with torch.no_grad():
    start = model.run(model.rest + waves(starts, 2e-6, "climate"), 240, step)
    analysis = start + waves(starts, 3e-7, "analysis")
    later = sphere.grid(model.run(start, hours, step)).numpy()
    results = {}
    for factor in (0.3, 1.0, 2.5):
        shaken = analysis[None] + factor * waves(members * starts, 3e-7, "members").view(
            members, starts, *analysis.shape[1:]
        )
        results[factor] = sphere.grid(model.run(shaken, hours, step)).numpy()

rows_ = []
for forecast in results.values():
    square = metrics.squared_error(forecast.mean(0), later, weight)
    ratio = metrics.spread_skill(metrics.spread(forecast, weight), square, members)
    score = float(metrics.area_mean(metrics.crps(forecast, later), weight).mean())
    shares = metrics.ranks(forecast, later, weight, rng(0, "ties"))
    rows_.append((ratio, 1e6 * score, float(shares[0] + shares[-1]), shares))
fair = 2 / (members + 1)
table(
    {
        ("perturbation / analysis error", "扰动 / 分析场误差"): [str(f) for f in results],
        ("spread / skill", "离散度 / 误差"): [f"{r[0]:.2f}" for r in rows_],
        ("CRPS [1e-6/s]", "CRPS [1e-6/s]"): [f"{r[1]:.3f}" for r in rows_],
        ("truth outside", "真值落在外面"): [f"{r[2]:.0%}" for r in rows_],
    },
    f"Vorticity after {hours} h, {starts} starts, {members} members; a fair ensemble leaves the "
    f"truth outside in {fair:.0%}.",
    f"{hours} 小时后的涡度，{starts} 个起点，{members} 个成员；理想的集合让真值落在外面的比例是 "
    f"{fair:.0%}。",
)


@figure(
    "Rank of the truth among the members, for three sizes of the perturbation.",
    "真值在各成员中的秩，三种扰动大小。",
    columns=3,
    height=2.6,
)
def histograms(axes, t):
    for panel, factor, row in zip(axes, results, rows_, strict=True):
        panel.bar(np.arange(members + 1), row[3])
        panel.axhline(1 / (members + 1), color="#d55e00", linestyle="--")
        panel.set(title=t(f"{factor} × the error", f"误差的 {factor} 倍"), xlabel=t("rank", "秩"))
    axes[0].set_ylabel(t("share", "比例"))


# %% [markdown] lang="en"
# ## Exercises
#
# `fifth lesson start calibration`, then `fifth lesson check calibration answer.py`.
#
# 1. `calibration_gap`: the expected calibration error. How much does each bin count?
# 2. `half_width`: an interval with a guaranteed coverage, from the errors on calibration samples
#    (split conformal prediction). Which quantile is it, if the samples are few?

# %% [markdown] lang="zh"
# ## 练习
#
# `fifth lesson start calibration`，然后 `fifth lesson check calibration answer.py`。
#
# 1. `calibration_gap`：期望校准误差。每个区间占多大分量？
# 2. `half_width`：由校准样本上的误差得到有保证覆盖率的区间
#    （分裂保形预测）。样本很少时，应取哪个分位数？
