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
        "check": "A check that knows nothing of the chain rule: with {wrt} moved by ± {step}, "
        "{output} changes at the rate {difference}; the derivative above is {gradient}.",
        "no check": "There is no check by differences: {reason}.",
        "given": "given",
        # rule cards
        "card domain": "Domain: {domain}.",
        "card kink": "Kink: {kink}.",
        "card note": "Convention: {note}",
        "everywhere": "all numbers",
        "nowhere": "nowhere, as no gradient passes",
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
        "many paths": "从 {wrt} 到 {output} 有 {count} 条路径，无法逐条写出。"
        "反向传播改为从输出到 {wrt}，逐个收集 {output} 对每个值的导数（记作字母上加横线）。"
        "一个值被多次使用时，各处的贡献相加：",
        "more than": "超过 {number}",
        "conditions": "这些数值所走的分支：{conditions}。",
        "left out": "…… 还有 {count} 行 ……",
        "more terms": "…… 还有 {count} 项",
        "forward": "前向：依次计算每个值",
        "backward": "反向：{output} 对每个值的导数，记作字母上加横线",
        "value": "变量",
        "formula": "公式",
        "numbers": "代入数值",
        "result": "结果",
        "adjoint": "导数",
        "chain rule": "链式法则",
        "check": "不用链式法则的验证：把 {wrt} 改变 ± {step}，{output} 的变化率是 {difference}；"
        "上面求得的导数是 {gradient}。",
        "no check": "无法用差分验证：{reason}。",
        "given": "已知",
        "card domain": "定义域：{domain}。",
        "card kink": "折点：{kink}。",
        "card note": "约定：{note}",
        "everywhere": "全体实数",
        "nowhere": "无，因为没有梯度通过",
        "curve": "实线是函数，虚线是对 {operand} 的导数",
        "held": "（这里取 {operands}）",
        "if": "若",
        "otherwise": "其他情形",
    },
}
LANGUAGES = tuple(PHRASES)


def phrases(lang: str) -> Mapping[str, str]:
    """The words of a language; ValueError if there are none."""
    if lang not in PHRASES:
        raise ValueError(f"lang is one of {', '.join(LANGUAGES)}, got {lang!r}")
    return PHRASES[lang]
