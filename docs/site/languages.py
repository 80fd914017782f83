"""The languages of the site, and the words of the pages that are generated."""

from __future__ import annotations

OTHER = {"en": "zh", "zh": "en"}
"""The language that a page leads to."""

WORDS = {
    "en": {
        "name": "English",
        "tag": "en",
        "sphinx": "en",
        "api": "Python interface",
        "api about": "Every public name, with its parameters, its errors and an example. The "
        "examples are run by the tests.",
        "same as": "The same as",
        "operation": "operations",
        "operations": "Operations, which are functions of Values, numbers and arrays, and methods "
        "of `Value`:",
        "aliases": "Operations under the names by which NumPy or Python calls them:",
        "404": "There is no such page.",
        "search": "Search",
        "cards": "Rule cards",
        "cards about": "For each operation: the formula, its derivatives, where they hold, and "
        "the convention elsewhere. Generated from the table of operations, `micrograd.ops`.",
        "commands": "Command line",
        "commands about": "Generated from the parsers of the commands. `micrograd` is the same as "
        "`python -m micrograd`.",
        "arguments": "Arguments and options",
        "exit": "Exit status",
        "exit about": "0: all is well. 1: a check found a difference. 2: the command could not be "
        "carried out, or its output could not be written. 3: `check` is undecided.",
        "changes": "Changes",
        "changes about": "",
        "measured": "{seconds} s of processor time.",
        "not run": "It was not run when this page was built.",
        "notebook": "Download this page as a notebook",
        "tour": "Download a tour of everything as a notebook",
    },
    "zh": {
        "name": "中文",
        "tag": "zh-CN",
        "sphinx": "zh_CN",
        "api": "Python 接口",
        "api about": "全部公开的名字，附参数、错误和示例；示例都由测试运行过。",
        "same as": "等同于",
        "operation": "运算",
        "operations": "运算，可作 Value、数和数组的函数，也可作 `Value` 的方法：",
        "aliases": "以 NumPy 或 Python 的名字提供的运算：",
        "404": "没有这个页面。",
        "search": "搜索",
        "cards": "规则卡片",
        "cards about": "每种运算一张：公式、导数、可导范围，以及不可导处的约定。本页由运算表 "
        "`micrograd.ops` 生成。",
        "commands": "命令行",
        "commands about": "由各命令的参数解析器生成。`micrograd` 等同于 `python -m micrograd`。",
        "arguments": "参数和选项",
        "exit": "退出码",
        "exit about": "0：正常。1：检验发现不符。2：命令无法执行，或结果无法写出。"
        "3：`check` 无法判定。",
        "changes": "更新记录",
        "changes about": "更新记录只有英文。",
        "measured": "处理器用时 {seconds} 秒。",
        "not run": "生成本页时没有运行它。",
        "notebook": "下载本页的 notebook",
        "tour": "下载总览 notebook",
    },
}

THEME = {
    "zh": {
        "Back to top": "回到顶部",
        "Home": "首页",
        "Made with ": "使用工具：",
        "Next": "下一页",
        "On this page": "本页内容",
        "Previous": "上一页",
        "Skip to content": "跳到正文",
        '<a href="https://www.sphinx-doc.org/">Sphinx</a> and ': (
            '<a href="https://www.sphinx-doc.org/">Sphinx</a>、'
        ),
    },
}
"""Translations of the theme's texts that Sphinx does not translate."""
