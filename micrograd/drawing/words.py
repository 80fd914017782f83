"""The words of the step-through page, in each language; `{…}` is a place for a name or a number."""

WORDS = {
    "en": {
        "title": "{output}, step by step",
        "given": "{value} is given.",
        "forward": "Forward: {value} is computed from its operands.",
        "start": "Backward begins at the output: the derivative of {value} with respect to "
        "itself is 1.",
        "backward": "Backward: the gradient of {value} flows to {receiver}. "
        "before + contribution = after:",
        "again": "Backward: another gradient arrives at {receiver}, from {value}; it is added. "
        "before + contribution = after:",
        "step": "Step {step} of {steps}",
        "first": "First step",
        "previous": "Previous step",
        "play": "Play",
        "pause": "Pause",
        "next": "Next step",
        "last": "Last step",
        "slider": "Step",
        "theme": "Light or dark",
        "language": "中文",
        "values": "All values",
        "name": "value",
        "data": "data",
        "grad": "grad",
        "picture": "The computation graph",
        "hint": "← → step · space plays · Home, End · click a value to see it computed, "
        "and again to see its gradient",
    },
    "zh": {
        "title": "逐步演示：{output}",
        "given": "已知 {value}。",
        "forward": "前向：计算 {value}。",
        "start": "反向从输出开始：{value} 对自身的导数是 1。",
        "backward": "反向：梯度从 {value} 流到 {receiver}。原梯度 + 本次贡献 = 新梯度：",
        "again": "反向：又一份梯度从 {value} 流到 {receiver}，与已有的相加。"
        "原梯度 + 本次贡献 = 新梯度：",
        "step": "第 {step} 步，共 {steps} 步",
        "first": "第一步",
        "previous": "上一步",
        "play": "播放",
        "pause": "暂停",
        "next": "下一步",
        "last": "最后一步",
        "slider": "步",
        "theme": "浅色或深色",
        "language": "English",
        "values": "所有变量",
        "name": "变量",
        "data": "数值",
        "grad": "梯度",
        "picture": "计算图",
        "hint": "← → 换步 · 空格播放 · Home、End 跳到两端 · 点一个变量看它怎样算出来，"
        "再点一次看它的梯度",
    },
}
