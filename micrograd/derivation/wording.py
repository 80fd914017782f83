"""The words of a derivation in each language; `{…}` is the place of a formula or a number."""

from __future__ import annotations

from collections.abc import Mapping

PHRASES: dict[str, dict[str, str]] = {
    "en": {
        "title": "The derivative of {output} with respect to {wrt}",
        "itself": "{output} with respect to itself has the derivative 1.",
        "no path": "{output} was not computed from {wrt}: no path leads from one to the other, and "
        "the derivative is 0.",
        "one path": "One path leads from {wrt} to {output}. The chain rule multiplies the local "
        "derivatives along it:",
        "paths": "{count} paths lead from {wrt} to {output}. Along each one the chain rule "
        "multiplies the local derivatives:",
        "path": "Path {number}: {path}",
        "sum": "Where paths meet, their contributions add up. That is why backward() adds to a "
        "gradient (+=) and does not set it:",
        "many paths": "{count} paths lead from {wrt} to {output}, too many to write down one by "
        "one. Backward instead collects, value by value, the derivative of {output} with respect "
        "to each (written with a bar), from the output back to {wrt}. Where a value is used more "
        "than once, the contributions add up:",
        "long paths": "The way from {wrt} to {output} is long. Backward goes it step by step, from "
        "the output back to {wrt}, and collects the derivative of {output} with respect to each "
        "value on it (written with a bar):",
        "blocked": "A factor that is literally 0, as in a branch that is not taken, lets nothing "
        "pass, whatever the other factors are.",
        "more than": "More than {number}",
        "conditions": "The branches that the numbers take: {conditions}.",
        "left out": "… {count} more lines …",
        "more terms": "… {count} more",
        "forward": "Forward: every value in turn",
        "backward": "Backward: the derivative of {output} with respect to every value, a bar over "
        "its name",
        "value": "value",
        "formula": "formula",
        "numbers": "with numbers",
        "result": "result",
        "adjoint": "derivative",
        "chain rule": "chain rule",
        "check": "Check by central differences, which know nothing of the chain rule: with {wrt} "
        "moved by ± {step}, the rate of change of {output} {sign} {difference}",
        "check agrees": ", which agrees with the derivative above, {gradient}.",
        "check differs": ", which does NOT agree with the derivative above, {gradient}.",
        "check kink": "; but {output} bends here, with the rate {left} before and {right} after, "
        "so the derivative above, {gradient}, is a convention or the point a very steep one.",
        "check lost": ", which says nothing: {output} is so large that the change is lost in "
        "rounding. The derivative above is {gradient}.",
        "place": "{partial} is the derivative with respect to operand {place} alone: the same "
        "value also comes in by another way.",
        "no check": "There is no check by differences: {reason}.",
        "given": "given",
        # rule cards
        "card domain": "Defined and differentiable for {domain}.",
        "card kink": "No derivative where {kink}.",
        "card note": "Convention: {note}",
        "everywhere": "all numbers",
        "nowhere": "no number, as no gradient passes",
        "curve": "The function; dashed, its derivative with respect to {operand}",
        "held": " (here {operands})",
        "if": "if",
        "otherwise": "otherwise",
    },
    "zh": {
        "title": "{output} 对 {wrt} 的导数",
        "itself": "{output} 对自身的导数是 1。",
        "no path": "计算 {output} 时没有用到 {wrt}：两者之间没有路径，导数为 0。",
        "one path": "从 {wrt} 到 {output} 只有一条路径。链式法则把沿途的局部导数相乘：",
        "paths": "从 {wrt} 到 {output} 有 {count} 条路径。沿每一条路径，链式法则把局部导数相乘：",
        "path": "路径 {number}：{path}",
        "sum": "路径汇合处，各条路径的贡献相加。"
        "所以 backward() 是把梯度累加上去（+=），而不是直接赋值：",
        "many paths": "从 {wrt} 到 {output} 共有 {count} 条路径，不逐条列出。"
        "反向传播改为从输出到 {wrt}，逐个求出 {output} 对各个变量的导数（字母上加横线表示）。"
        "一个变量被多次使用时，各处的贡献相加：",
        "long paths": "从 {wrt} 到 {output} 的路径很长。反向传播从输出一步步回到 {wrt}，"
        "逐个求出 {output} 对沿途各个变量的导数（字母上加横线表示）：",
        "blocked": "恒为 0 的因子（例如没有选中的分支）不让任何梯度通过，不论其他因子是多少。",
        "more than": "超过 {number}",
        "conditions": "分段函数在此处所取的分支：{conditions}。",
        "left out": "…… 还有 {count} 行 ……",
        "more terms": "…… 还有 {count} 项",
        "forward": "前向：依次计算每个变量",
        "backward": "反向：{output} 对每个变量的导数（字母上加横线表示）",
        "value": "变量",
        "formula": "公式",
        "numbers": "代入数值",
        "result": "结果",
        "adjoint": "导数",
        "chain rule": "链式法则",
        "check": "数值验证（中心差分，不用链式法则）：{wrt} 改变 ± {step} 时，{output} 的变化率 "
        "{sign} {difference}",
        "check agrees": "，与上面的导数 {gradient} 一致。",
        "check differs": "，与上面的导数 {gradient} 不一致！",
        "check kink": "；但 {output} 在这里有折点，左侧变化率为 {left}，右侧为 {right}，"
        "上面的导数 {gradient} 是约定的取值，或者此处极陡。",
        "check lost": "，说明不了什么：{output} 太大，变化被舍入误差淹没。"
        "上面的导数是 {gradient}。",
        "place": "{partial} 表示只对第 {place} 个操作数求导：同一个变量还从别处进入。",
        "no check": "无法用差分验证：{reason}。",
        "given": "已知",
        "card domain": "可导范围：{domain}。",
        "card kink": "不可导点：{kink}。",
        "card note": "约定：{note}",
        "everywhere": "全体实数",
        "nowhere": "无（不传梯度）",
        "curve": "实线是函数，虚线是对 {operand} 的导数",
        "held": "（这里取 {operands}）",
        "if": "若",
        "otherwise": "否则",
    },
}
LANGUAGES = tuple(PHRASES)


def phrases(lang: str) -> Mapping[str, str]:
    """The words of a language; ValueError if there are none."""
    if lang not in PHRASES:
        raise ValueError(f"lang is one of {', '.join(LANGUAGES)}, got {lang!r}")
    return PHRASES[lang]
