# %% [markdown] lang="en"
# # 10. Break one layer, and let the rerun name it
#
# A result is *reproducible* if somebody else can make it again. What has to be equal for that is a
# stack of layers: **code, data, seed, config, environment, threads, instructions, hardware**.
# Usually a run that does not repeat is argued about. Here it is repeated, graded, and the layers
# that differ are put back one by one until the runs agree again.
#
# The grades: R4 is the same to the last bit, R3 the same but for rounding, R2 statistically the
# same, R1 the same claims with other numbers, R0 not reproduced.
#
# **Predict before you run:** the learning rate is changed in its third digit. At which step of the
# training does the first bit of the loss differ?

# %% [markdown] lang="zh"
# # 10. 弄坏一层，让重跑说出是哪一层
#
# 一个结果*可重复*，是指别人能把它再做出来。为此必须相同的，是一摞“层”：
# **代码、数据、种子、配置、环境、线程、指令集、硬件**。
# 通常，一次重复不出来的运行只会引起争论。这里则是把它重跑、评级，
# 再把有差别的层逐个复原，直到两次运行重新一致。
#
# 等级：R4 逐位相同，R3 除舍入外相同，R2 统计上相同，R1 数不同但结论成立，R0 未能重复。
#
# **先预测，再运行：** 学习率在第三位数字上被改动。训练到第几步，损失的第一个比特才会不同？

# %%
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from science.core.callbacks.recorder import read_trace
from science.core.config import checked
from science.core.rerun.launch import Warm
from science.core.rerun.records import Recorded, read
from science.core.rerun.repeat import Place, must, repeat
from science.core.rerun.rerun import rerun
from science.core.teach.stage import figure, full, pick, say, table

EXPERIMENT = "transits/quickstart"
small = [f"data.options.count={pick(50, 300)}", f"trainer.max_epochs={pick(5, 8)}"]
small += ["protocol.members=1", "evaluation.resamples=0", "baselines=null", "figures=null"]

# %% [markdown] lang="en"
# ## A run, its repetition, and what we break
#
# The original is a small training of the vetting network on simulated stars. It is repeated once
# untouched, and then with one layer broken at a time. Nobody tells the rerun which.
#
# What rounding alone may do is measured by further runs whose first weights are disturbed in the
# last bits. The short profile leaves these out, and can therefore give no R3.

# %% [markdown] lang="zh"
# ## 一次运行、它的重复，以及我们弄坏的层
#
# 原始运行是审核网络在模拟恒星上的一次小训练。先原样重复一次，然后每次弄坏一层。
# 没有人告诉重跑工具弄坏的是哪一层。
#
# 仅由舍入能造成多大差别，由另外几次初始权重在末几位受到扰动的运行来测量。
# 短模式省去了它们，因此给不出 R3。

# %%
broken = {
    "nothing": ([], {}),
    "config": (["task.optimizer.lr=0.00301"], {}),
}
if full():
    broken["seed"] = (["seed=11"], {})
    broken["instructions"] = ([], {"ATEN_CPU_CAPABILITY": "default"})
    broken["seed+config"] = (["seed=11", "task.optimizer.lr=0.00301"], {})
words = {
    "nothing": ("nothing", "什么都没坏"),
    "config": ("config", "配置"),
    "seed": ("seed", "种子"),
    "instructions": ("instructions", "指令集"),
    "seed+config": ("seed + config", "种子 + 配置"),
}
scratch = Path(tempfile.mkdtemp(prefix="broken-"))
verdicts, losses = {}, {}
with Warm() as warm:
    place = Place(scratch, launcher=warm, install=False)
    blank = Recorded(scratch, {"data": {}}, checked(EXPERIMENT, small))
    original = read(must(repeat(blank, place, "original", blank.config)).folder)
    was = read_trace(original.folder / "trace/member0.npy")["loss"]
    for layer, (overrides, variables) in broken.items():
        out = scratch / layer
        there = replace(place, scratch=out / "trials", env={**place.env, **variables})
        verdicts[layer] = rerun(original.folder, overrides, out=out, place=there, noise=pick(0, 2))
        losses[layer] = read_trace(out / "run/trace/member0.npy")["loss"]

# %% [markdown] lang="en"
# ## What the rerun says

# %% [markdown] lang="zh"
# ## 重跑怎么说

# %%
named = {
    layer: "+".join(v.cause.layers) if v.cause and v.cause.layers else "–"
    for layer, v in verdicts.items()
}
step = {layer: "–" if v.parting is None else str(v.parting.step) for layer, v in verdicts.items()}
table(
    {
        ("broken", "弄坏的层"): [words[layer] for layer in broken],
        ("grade", "等级"): [v.graded.grade for v in verdicts.values()],
        ("first step that differs", "首个不同的步"): list(step.values()),
        ("named", "被指出的层"): [words.get(n, n) for n in named.values()],
    },
    f"A run of {len(was)} steps, repeated {len(broken)} times.",
    f"一次 {len(was)} 步的运行，重复 {len(broken)} 次。",
)
right = sum(
    named[layer] == layer or (layer == "nothing" and named[layer] == "–") for layer in broken
)
say(
    f"Named rightly: **{right} of {len(broken)}**. The changed learning rate shows in the loss "
    f"at step {step['config']}, counted from 0: the first loss comes before anything is learned.",
    f"指对的：**{len(broken)} 次中的 {right} 次**。学习率的改动在第 {step['config']} 步的损失中出现"
    "（从 0 数起）：第一个损失是在学到任何东西之前算出的。",
)

# %% [markdown] lang="en"
# ## How two trainings part
#
# A difference in the last bit does not stay there: every step hands it on and may enlarge it. How
# far it gets depends on the network and on the length of the training. That is why a tolerance on
# the *loss* proves little, and why the first step that differs is worth recording.

# %% [markdown] lang="zh"
# ## 两次训练怎样分道扬镳
#
# 最后一位上的差别不会停在那里：每一步都把它传下去，还可能放大。它走多远，取决于网络和训练的长短。
# 所以对*损失*设一个容差证明不了什么，而首个不同的步值得记录。


# %%
@figure(
    "Difference of the loss from the original's, by step.",
    "损失与原始运行之差，随步数的变化。",
)
def parted(axes, t):
    for (layer, loss), dash in zip(losses.items(), ("-", "--", "-.", ":", "-"), strict=False):
        apart = np.maximum(np.abs(loss - was[: len(loss)]), 1e-9)
        axes.semilogy(apart, dash, marker=".", label=t(*words[layer]))
    axes.set(xlabel=t("step", "步"), ylabel=t("difference (bottom: none)", "差（底部：无）"))
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))


# %% [markdown] lang="en"
# ## Exercises
#
# `fifth lesson start broken`, then `fifth lesson check broken answer.py`.
#
# 1. `same_bits`: are two arrays equal to the last bit? Mind what is not a number, and zeros.
# 2. `blame`: the smallest set of layers that makes a run repeat.
#
# Then do it with a run of your own: `fifth export RUN -o run.zip`, hand the file to a neighbour,
# who changes one thing and reruns it.

# %% [markdown] lang="zh"
# ## 练习
#
# `fifth lesson start broken`，然后 `fifth lesson check broken answer.py`。
#
# 1. `same_bits`：两个数组是否逐位相同？注意非数和零。
# 2. `blame`：使运行得以重复的最小的层集合。
#
# 然后用你自己的运行来做：`fifth export RUN -o run.zip`，把文件交给邻座，由他改动一处再重跑。
