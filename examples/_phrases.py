"""The words of the index, in each language; `{…}` is the place of a number or of a text."""

from __future__ import annotations

from ._words import Words

PHRASES = {
    "title": Words("Five articles, derived", "五篇文章，逐步推导"),
    "language": Words("English", "中文"),
    "introduction": Words(
        "Five articles for beginners build neural networks in Python from nothing; this page is "
        "to be read beside them. For each it shows the computation graphs, derives the gradients "
        "step by step with formulas and numbers, and compares every number of the article with "
        "what a small engine for automatic differentiation computes. No derivative was put in by "
        "hand: the engine applies the chain rule, and each result is checked by differences.",
        "有五篇入门文章，用 Python 从零搭建神经网络，本页可与它们对照阅读。"
        "每一篇都画出计算图，列出公式、代入数值，一步步推导梯度，"
        "再把文中的每个数与一个小型自动微分引擎的计算结果对照。"
        "这里没有一个导数是人工填入的：引擎按链式法则逐层求出，再用差分验证。",
    ),
    "contents": Words("Contents", "目录"),
    "article": Words("Article {number}", "第 {number} 篇"),
    "steps": Words("Step by step", "逐步演示"),
    "graph": Words("Computation graph", "计算图"),
    "tables": Words("All values, forward and backward", "前向与反向的全部数值"),
    "operations": Words("Rules used: ", "用到的法则："),
    "plots": Words("Plots", "图表"),
    "missing": Words("{caption}: there is no picture. ", "{caption}：没有图。原因："),
    "numbers": Words(
        "The numbers: {agreeing} of {all} agree with the article",
        "数值对照：{all} 个数中有 {agreeing} 个与文章一致",
    ),
    "all numbers": Words(
        "The numbers: all {all} agree with the article", "数值对照：{all} 个数全部与文章一致"
    ),
    "what": Words("number", "内容"),
    "expected": Words("article", "文章"),
    "got": Words("engine", "引擎"),
    "ok": Words("agrees?", "一致？"),
    "agrees": Words("yes", "是"),
    "differs": Words("no", "否"),
    "notes": Words("Notes", "说明"),
    "rules": Words("The rules", "求导法则"),
    "about the rules": Words(
        "Every derivation above is made of these rules: an operation f, and its derivative with "
        "respect to each of its operands.",
        "上面的推导都由这些法则组成：每张卡片列出一种运算 f，以及它对各个操作数的导数。",
    ),
}
