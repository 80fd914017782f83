"""Words by which people search for a page, and which do not stand on it."""

from __future__ import annotations

import re

KEYWORDS = {
    "coming/pytorch": "retain_graph requires_grad gradcheck autograd.Function 转换 迁移",
    "coming/micrograd": "RecursionError recursion depth limit 递归 深度",
    "concepts/kinks": "subgradient subdifferential relu absolute value 次梯度 不可导",
    "concepts/checker": "gradcheck tolerance rtol atol finite differences 容差 差分",
    "howto/accumulation": "zero_grad reset twice doubled retain_graph 梯度清零 梯度累积 翻倍",
    "howto/arrays": "numpy matrix tensor convolution conv2d assignment zeros dtype object"
    " 数组 张量 卷积 赋值",
    "howto/clipping": "scheduler schedule decay warmup exploding 学习率衰减 预热 梯度爆炸",
    "howto/freeze": "freeze frozen parameter requires_grad fine tuning 冻结参数 微调",
    "howto/gpu": "cuda dtype float32 float64 single precision device 显卡 单精度 数据类型",
    "howto/implicit": "custom gradient vjp custom_derivative scipy root 自定义梯度",
    "howto/large_graphs": "computation graph max_nodes RecursionError visualize 计算图 可视化",
    "howto/learned": "plot contour decision boundary weights visualize make_moons moons"
    " 可视化 等高线 决策边界 双月",
    "howto/latex": "formula formulas tikz overleaf 公式 排版",
    "howto/math_functions": "TypeError math exp sin numpy 类型错误",
    "howto/missing_values": "nan empty cells csv impute 缺失值 空单元格",
    "howto/nan": "inf infinity overflow softmax sigmoid log zero division 溢出 无穷大",
    "howto/not_learning": "loss does not decrease stuck plateau initialization 损失不下降 不收敛",
    "howto/notebooks": "jupyter jupyterlab colab notebook display 笔记本",
    "howto/overfitting": "regularization weight decay dropout l1 l2 early 正则化 权重衰减 早停",
    "howto/own_loss": "custom loss function softmax cross entropy 自定义损失 交叉熵",
    "howto/own_operation": "custom operation gradient activation 自定义运算 自定义激活函数",
    "howto/own_language": "translation translate localization 翻译",
    "howto/pytest": "plugin gradcheck tolerance hypothesis unit test 插件 容差 单元测试",
    "howto/reproducible": "seed random reproducible deterministic 随机种子 可复现",
    "howto/saving": "load checkpoint pickle state_dict 加载模型 读取模型",
    "howto/resume": "checkpoint interrupted continue 断点 继续训练",
    "howto/speed": "slow faster performance jit compile numba 太慢 加速",
    "howto/stop_gradient": "detach no_grad constant stop_gradient 阻断梯度 常数",
    "howto/taylor": "jet series coefficients 级数",
    "howto/embed": "live page interactive iframe html 交互页面 交互网页 嵌入网页",
    "howto/check_handwritten": "gradient by hand conv2d layernorm backward gradcheck"
    " 手算梯度 手写梯度 验证梯度",
    "start": "problem exercise homework gradient by hand 习题 作业 手算梯度",
    "howto/wechat": "image png screenshot svg 图片 截图",
    "howto/sklearn": "scikit-learn estimator pipeline grid search 网格搜索 交叉验证",
    "howto/imbalance": "class weight weights rare 类别不平衡 类别权重",
    "index": "contributing architecture developer source code 贡献 开发 架构",
    "install": "error fail failed dot found missing font fonts squares boxes chinese upgrade"
    " version license matplotlib 安装失败 报错 中文方块 乱码 卸载 升级",
    "tutorials/lecture": "karpathy neural networks zero hero backpropagation 反向传播",
    "tutorials/table": "csv excel pandas one-hot mixed features 表格数据 独热编码",
    "tutorials/testing": "hand-written backward numerical gradient layer norm layernorm batchnorm"
    " conv2d convolution 手写反向传播 数值梯度 验证梯度",
    "tutorials/writing": "blog article teaching lesson 博客 教学 课件",
}
"""Words by page, in both languages."""


def cut(text: str) -> list[str]:
    """The words of a text as the search has them: pairs of neighbouring Chinese characters."""
    found = []
    for word in re.findall(r"[\u4e00-\u9fff]+|[^\W\u4e00-\u9fff]+", text):
        if len(word) > 2 and "\u4e00" <= word[0] <= "\u9fff":
            found += [word[i : i + 2] for i in range(len(word) - 1)]
        else:
            found.append(word)
    return found


def with_keywords(name: str, page: str) -> str:
    """A page in Markdown with the words by which it is also found."""
    if name not in KEYWORDS:
        return page
    words = ", ".join(dict.fromkeys(cut(KEYWORDS[name])))
    return f'---\nmyst:\n  html_meta:\n    keywords: "{words}"\n---\n\n{page}'
