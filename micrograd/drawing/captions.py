"""What the drawing of a network says, in English and in Chinese."""

from __future__ import annotations

CAPTIONS = {
    "en": {
        "title": "a network {}",
        "inputs": "inputs",
        "inputs counted": "{:,}",
        "layer": "layer {}",
        "place": "neuron {}",
        "neuron": "1 neuron",
        "neurons": "{:,} neurons",
        "more": "… {:,} more",
        "positive": "positive weight",
        "negative": "negative weight",
        "all": "All {:,} weights are drawn; the thicker, the larger.",
        "strongest": (
            "The {:,} strongest weights between these neurons are drawn, of {:,} in all; "
            "{:,} are left out."
        ),
        "filled": "Neurons are filled by their activation, each column on its own scale.",
        "bias": "bias {}",
        "activation": "activation {}",
    },
    "zh": {
        "title": "网络 {}",
        "inputs": "输入",
        "inputs counted": "{:,} 个",
        "layer": "第 {} 层",
        "place": "第 {} 个神经元",
        "neuron": "1 个神经元",
        "neurons": "{:,} 个神经元",
        "more": "… 还有 {:,} 个",
        "positive": "正权重",
        "negative": "负权重",
        "all": "画出了全部 {:,} 个权重；线越粗，权重越大。",
        "strongest": "图中只画出绝对值最大的 {:,} 个权重，全部共 {:,} 个，省略了 {:,} 个。",
        "filled": "神经元的颜色表示激活值，各列分别归一化。",
        "bias": "偏置 {}",
        "activation": "激活值 {}",
    },
}
