"""The words of the index page in both languages; `{…}` marks the place of a number or a text."""

from __future__ import annotations

from ._words import Words

PHRASES = {
    "title": Words("{count} articles, derived", "{count}篇文章，逐步推导"),
    "counts": Words("No One Two Three Four Five", "零 一 两 三 四 五"),
    "introduction": Words(
        "This page is a companion to articles for beginners that build neural networks in "
        "Python from scratch. It follows each article from its first paragraph to its last: the "
        "definitions, the formulas, the figures and the numbers. A small engine for automatic "
        "differentiation computes all derivatives by the chain rule, and each is checked by "
        "differences; none was filled in by hand. Every number says where it comes from: from the "
        "article, from a formula of the article, or from this program.",
        "本页与“用 Python 从零搭建神经网络”的入门文章配套，可对照阅读。"
        "每一篇都从头到尾跟着原文走：定义、公式、插图和数值。"
        "所有导数都由一个小型自动微分引擎按链式法则求出，并用差分验证，没有一个是手填的。"
        "每个数都注明来源：原文给出的、由原文的公式算出的，还是本程序自己的。",
    ),
    "contents": Words("Contents", "目录"),
    "article": Words("Article {number}", "第 {number} 篇"),
    "colon": Words(": ", "："),
    "stop": Words(".", "。"),
    "steps": Words("Step by step", "逐步演示"),
    "documents": Words("This companion as a document: ", "本篇的文档："),
    "Markdown": Words.same("Markdown"),
    "Markdown with images": Words("Markdown with images", "Markdown（公式为图片）"),
    "LaTeX": Words.same("LaTeX"),
    "next": Words(". ", "。"),
    "operations": Words("Rules used: ", "用到的法则："),
    "next operation": Words(", ", "、"),
    "numbers": Words("{count} numbers", "{count} 个数"),
    "what": Words("number", "内容"),
    "source": Words("source", "来源"),
    "expected": Words("expected", "应为"),
    "got": Words("engine", "引擎"),
    "ok": Words("agrees?", "一致？"),
    "agrees": Words("yes", "是"),
    "differs": Words("no", "否"),
    "rules": Words("The rules", "求导法则"),
    "about the rules": Words(
        "Every derivation above uses these rules: each card has an operation f and its derivative "
        "with respect to each of its operands.",
        "上面的推导都由这些法则组成：每张卡片列出一种运算 f，以及它对各个操作数的导数。",
    ),
}
