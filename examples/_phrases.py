"""The words of the index page in both languages; `{…}` marks the place of a number or a text."""

from __future__ import annotations

from ._words import Words

PHRASES = {
    "title": Words("Five articles, derived", "五篇文章，逐步推导"),
    "introduction": Words(
        "This page is a companion to five articles for beginners that build neural networks in "
        "Python from scratch. For each article it shows the computation graphs, derives the "
        "gradients step by step with formulas and numbers, and compares every number of the "
        "article with what a small engine for automatic differentiation computes. The engine "
        "computes all derivatives by the chain rule, and each is checked by differences; none was "
        "filled in by hand.",
        "本页与五篇“用 Python 从零搭建神经网络”的入门文章配套，可对照阅读。"
        "每一篇都画出计算图，列出公式、代入数值，一步步推导梯度，"
        "再把文中的每个数与一个小型自动微分引擎的计算结果对比。"
        "所有导数都由引擎按链式法则求出，并用差分验证，没有一个是手填的。",
    ),
    "contents": Words("Contents", "目录"),
    "article": Words("Article {number}", "第 {number} 篇"),
    "steps": Words("Step by step", "逐步演示"),
    "graph": Words("Computation graph", "计算图"),
    "graph of": Words("Computation graph: {caption}", "计算图：{caption}"),
    "tables": Words("All values, forward and backward", "前向与反向的全部数值"),
    "operations": Words("Rules used: ", "用到的法则："),
    "next operation": Words(", ", "、"),
    "plots": Words("Plots", "图表"),
    "missing": Words("{caption}: the picture is missing. ", "{caption}：缺少图片。原因："),
    "numbers": Words(
        "The numbers: {agreeing} of {all} agree with the article",
        "数值对照：{all} 个数中有 {agreeing} 个与文章一致",
    ),
    "all numbers": Words(
        "The numbers: all {article} of the article agree",
        "数值对照：原文给出的 {article} 个数全部一致",
    ),
    "by formula": Words("; checked by formulas: {count} more", "；另有 {count} 个按公式核对"),
    "own": Words("; this program's own: {count}", "；另有 {count} 个是本程序自己的"),
    "by formula and own": Words(
        "; checked by formulas: {by_formula} more; this program's own: {own}",
        "；另有 {by_formula} 个按公式核对，{own} 个是本程序自己的",
    ),
    "what": Words("number", "内容"),
    "expected": Words("expected", "应为"),
    "got": Words("engine", "引擎"),
    "ok": Words("agrees?", "一致？"),
    "agrees": Words("yes", "是"),
    "differs": Words("no", "否"),
    "notes": Words("Notes", "说明"),
    "rules": Words("The rules", "求导法则"),
    "about the rules": Words(
        "Every derivation above uses these rules: each card has an operation f and its derivative "
        "with respect to each of its operands.",
        "上面的推导都由这些法则组成：每张卡片列出一种运算 f，以及它对各个操作数的导数。",
    ),
}
