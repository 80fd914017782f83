"""The further paragraphs and the parameters of training in Chinese, for the reference."""

from __future__ import annotations

DETAILS = {
    # nn.callbacks.EarlyStopping
    "only a change by more than this is an improvement; at least 0.": "变化超过这个数才算改进；不小于 0。",
    "whether the model gets the weights of the best epoch back.": "是否把模型恢复到最佳一轮的权重。",
    "the name of the column. The default is `val_loss` if there are validation data, and `loss` otherwise.": "列的名字。有验证数据时默认为 `val_loss`，否则为 `loss`。",
    '`"min"` or `"max"`. The default is `"max"` for the metrics that should be large, `accuracy` and `r2`, and `"min"` for the losses and for other metrics.': '`"min"` 或 `"max"`。对越大越好的指标 `accuracy` 和 `r2` 默认为 `"max"`，对损失和其他指标默认为 `"min"`。',
    # nn.callbacks.EarlyStopping.improves
    "the new number. nan is never better.": "新的数。nan 总不算更好。",
    "the best number so far. If it is nan, any other number is better.": "迄今最好的数。若它是 nan，任何其他数都更好。",
    # nn.callbacks.State
    "the model, with its current weights.": "模型，带有当前的权重。",
    "what has been recorded so far.": "迄今的记录。",
    "the number of epochs that were asked for.": "要求的轮数。",
    "the training inputs, an array of shape (samples, inputs).": "训练的输入，形状为 (samples, inputs) 的数组。",
    "whether a callback has asked to stop.": "是否有回调要求停止。",
    # nn.fit
    "Ctrl-C ends training and keeps what was learned.": "按 Ctrl-C 结束训练，已学到的都保留。",
    "a `Module`, or any function of a list of inputs that returns a Value or a list of Values, and that has `parameters()`.": "一个 `Module`；或任何以输入列表为参数、返回 Value 或 Value 列表、并有 `parameters()` 的函数。",
    "the inputs, of shape (samples, inputs): an array, a list of lists, a DataFrame, or a sparse matrix of at most 2**27 entries, which is made dense.": "输入，形状为 (samples, inputs)：数组、列表的列表、DataFrame，或最多 2**27 个元素的稀疏矩阵（会转成稠密数组）。",
    'the targets, of shape (samples,) or (samples, outputs). For `"cross_entropy"`, the numbers of classes, from 0, or rows of probabilities.': '目标值，形状为 (samples,) 或 (samples, outputs)。用 `"cross_entropy"` 时是从 0 开始的类别编号，或每行一组概率。',
    "a name in `nn.losses.LOSSES`; one of these functions with options, such as `functools.partial(cross_entropy, label_smoothing=0.1)`; or a function of one sample's output and target. If that has three parameters, it is called with the model, the list of a sample's inputs and the target, and may call the model anywhere and differentiate it by `micrograd.derivative`.": "`nn.losses.LOSSES` 中的名字；带有选项的这些函数之一，例如 `functools.partial(cross_entropy, label_smoothing=0.1)`；或以一个样本的输出和目标值为参数的函数。若函数有三个参数，则以模型、一个样本的输入列表和目标值调用，可以在任何地方调用模型，并用 `micrograd.derivative` 求导。",
    'a name in `nn.optimizers.OPTIMIZERS`; `"lbfgs"`, which uses all samples in each step, whatever `batch_size` is, and ends when it has converged; an optimizer, which trains the parameters that it holds; or a function of the parameters that returns one.': '`nn.optimizers.OPTIMIZERS` 中的名字；`"lbfgs"`，每步都使用全部样本，与 `batch_size` 无关，收敛后结束；一个优化器，训练它所持有的参数；或由参数得到优化器的函数。',
    "the learning rate of an optimizer that is given by name; its default if None.": "按名字给出的优化器的学习率；None 表示用默认值。",
    "the number of passes over the samples.": "遍历样本的轮数。",
    "the number of samples of each step; None takes all samples at once.": "每步的样本数；None 表示一次取全部样本。",
    "the seed for the order, for dropout and for the validation split; None draws one.": "样本次序、dropout 和划分验证集所用的种子；None 表示随机抽取一个。",
    "the weight of each sample, at least 0. The loss of a batch is the weighted mean of the losses of its samples.": "每个样本的权重，不小于 0。一批的损失是各样本损失的加权平均。",
    'the weight of each class, by its number, or `"balanced"`, which gives all classes the same total weight. It multiplies `sample_weight`.': '每个类别的权重，以类别编号为键；或 `"balanced"`，使各类别的总权重相同。它与 `sample_weight` 相乘。',
    "data that are not trained on: `(X, y)`, `(X, y, sample_weight)`, or the share of the samples to set aside at random. If the targets are classes, each class gives the same share.": "不用于训练的数据：`(X, y)`、`(X, y, sample_weight)`，或随机留出的样本比例。目标值是类别时，每个类别留出同样的比例。",
    "names in `nn.metrics.METRICS`, or functions of outputs and targets; one or several. Those that have a parameter `sample_weight` get the weights of the samples.": "`nn.metrics.METRICS` 中的名字，或以输出和目标值为参数的函数；一个或几个。有参数 `sample_weight` 的会得到样本的权重。",
    'a function of the parameters that is added to the loss, or weights such as `{"l2": 1e-4}`.': '加到损失上的参数的函数，或权重，例如 `{"l2": 1e-4}`。',
    "a name in `nn.schedules.SCHEDULES`, whose schedule ends with the training; one of `nn.schedules` on the optimizer; or a function of the optimizer that returns one, such as `lambda o: ConstantLR(o, 0.5, total_iters=10)`.": "`nn.schedules.SCHEDULES` 中的名字，其调度与训练一起结束；`nn.schedules` 中作用于该优化器的调度；或由优化器得到调度的函数，例如 `lambda o: ConstantLR(o, 0.5, total_iters=10)`。",
    '`"epoch"` or `"batch"`, after which the schedule makes a step.': '`"epoch"` 或 `"batch"`，每轮或每批之后调度走一步。',
    "the largest norm of a gradient; longer ones are shortened. None clips nothing.": "梯度的最大模长，更长的会缩短。None 表示不裁剪。",
    "an `EarlyStopping`, or its patience.": "一个 `EarlyStopping`，或它的等待轮数。",
    "functions that are called with a `State` after each epoch; one or several.": "每轮之后以 `State` 调用的函数；一个或几个。",
    "a file that is written after each epoch.": "每轮之后写入的文件。",
    "whether to continue from the checkpoint, if it exists. The result has the same bits as without a pause. Functions, such as callbacks, are not in the file: give them again.": "检查点存在时是否从它继续。结果与不中断时逐位相同。函数（例如回调）不在文件里，需要重新给出。",
    '`"compiled"`; `"eager"`, which works on Values, sample by sample; or a `nn.objective.Compiled` of the same model, loss and penalty, which is kept as it is.': '`"compiled"`；`"eager"`，用 Value 逐个样本计算；或一个模型、损失和惩罚项都相同的 `nn.objective.Compiled`，原样使用。',
    "the backend of `micrograd.compile`, for the compiled engine.": "`micrograd.compile` 的后端，用于编译方式。",
    'with `backend="jax"`, how many devices of JAX share each batch, or a list of them, which may belong to several processes. The number of samples in every batch, including the last, must be a multiple of the number of devices. The result is that of one device, up to the order in which floats are added.': '用于 `backend="jax"`：由 JAX 的几个设备分担每一批，或设备的列表，它们可以属于几个进程。每一批（包括最后一批）的样本数必须是设备数的倍数。除浮点数相加的次序外，结果与单个设备相同。',
    'True shows a progress bar, False nothing, and `"auto"` a bar on a terminal or in a notebook and some lines of text elsewhere.': 'True 显示进度条，False 什么也不显示，`"auto"` 在终端或 notebook 里显示进度条，在别处打印几行文字。',
    'the language of the words of the progress report, "en" or "zh".': '进度报告的语言，"en" 或 "zh"。',
    "What was recorded after each epoch.": "每轮之后的记录。",
    "if the loss or its gradient is nan or infinite. The model keeps the last weights with a finite loss.": "损失或其梯度是 nan 或无穷大。模型保留最后一次损失有限时的权重。",
    "or TypeError, for a bad argument, before anything is changed.": "或 TypeError：参数有误；这时什么也没有改变。",
    # nn.history.History
    "`loss` is the mean over the samples of what was minimised, with the penalty; each batch is evaluated with the weights before its step. Metrics, and all columns that begin with `val_`, belong to the weights at the end of the epoch; `val_loss` has no penalty. `gradient_norm` is the mean norm of the gradients of the steps, before clipping, and `lr` is the learning rate.": "`loss` 是所最小化的量对样本的平均，含惩罚项；每一批用它那一步之前的权重计算。指标和所有以 `val_` 开头的列属于每轮结束时的权重；`val_loss` 不含惩罚项。`gradient_norm` 是各步梯度裁剪前的平均模长，`lr` 是学习率。",
    'The attribute `end` says why training ended: `"epochs"` (all were done), `"early stopping"`, `"converged"` (only L-BFGS knows), `"callback"` or `"interrupted"`. `best_epoch` is the number, from 1, of the epoch whose weights early stopping restored, or None.': '属性 `end` 说明训练为何结束：`"epochs"`（做完全部轮数）、`"early stopping"`、`"converged"`（只用于 L-BFGS）、`"callback"` 或 `"interrupted"`。`best_epoch` 是提前停止所恢复的那一轮的编号，从 1 开始；没有则为 None。',
    "lists of numbers by name, all of the same length; none by default.": "以名字为键的数的列表，长度都相同；默认没有。",
    # nn.history.History.append
    "a number for each column.": "每列一个数。",
    "if the columns are not those of the epochs before.": "各列与以前的轮次不同。",
    # nn.history.History.plot
    "the options of `loss_curves`.": "`loss_curves` 的选项。",
    # nn.history.History.to_csv
    "the file to write.": "要写的文件。",
    # nn.optimizers.Adadelta
    "s and u are moving averages of g² and of d². The steps have the unit of the parameters, so that the learning rate is usually 1 (Zeiler 2012, arXiv:1212.5701).": "s 和 u 是 g² 和 d² 的滑动平均。步长与参数单位相同，因此学习率通常取 1（Zeiler 2012，arXiv:1212.5701）。",
    "how much of the averages is kept at each step, from 0 to 1.": "每步保留平均值的多少，0 到 1。",
    "a small number that lets the first steps begin.": "一个小数，使最初几步能够起步。",
    # nn.optimizers.Adagrad
    "Parameters whose gradients were small so far make larger steps (Duchi, Hazan and Singer 2011, https://jmlr.org/papers/v12/duchi11a.html).": "以前梯度较小的参数走较大的步（Duchi、Hazan 和 Singer 2011，https://jmlr.org/papers/v12/duchi11a.html）。",
    "the learning rate of the first step.": "第一步的学习率。",
    "the rate in step t is `lr / (1 + (t - 1) * lr_decay)`.": "第 t 步的学习率是 `lr / (1 + (t - 1) * lr_decay)`。",
    "the value of s before the first step.": "第一步之前 s 的值。",
    # nn.optimizers.Adam
    "m̂ and v̂ are m and v, corrected for having started at 0 (Kingma and Ba 2015, arXiv:1412.6980).": "m̂ 和 v̂ 是对从 0 开始作了修正的 m 和 v（Kingma 和 Ba 2015，arXiv:1412.6980）。",
    "whether to use the largest v so far (Reddi, Kale and Kumar 2018, arXiv:1904.09237).": "是否使用迄今最大的 v（Reddi、Kale 和 Kumar 2018，arXiv:1904.09237）。",
    # nn.optimizers.AdamW
    "Loshchilov and Hutter 2019, arXiv:1711.05101.": "Loshchilov 和 Hutter 2019，arXiv:1711.05101。",
    "whether to use the largest v so far, as in `Adam`.": "是否使用迄今最大的 v，同 `Adam`。",
    # nn.optimizers.Adamax
    "m̂ is the average of g, corrected for having started at 0, and `u = max(beta2 * u, |g| + eps)` (Kingma and Ba 2015, arXiv:1412.6980, algorithm 2).": "m̂ 是对从 0 开始作了修正的 g 的平均，`u = max(beta2 * u, |g| + eps)`（Kingma 和 Ba 2015，arXiv:1412.6980，算法 2）。",
    "how much of m and of u is kept at each step, two numbers in [0, 1).": "每步保留 m 和 u 的多少，两个 [0, 1) 中的数。",
    # nn.optimizers.LBFGS
    "Each iteration goes along the gradient times an estimate of the inverse Hessian, made from the latest steps (Nocedal 1980, doi:10.1090/S0025-5718-1980-0572855-7), as far as the strong Wolfe conditions ask for, or by `lr` times that vector without a line search. The steps are those of PyTorch. `step` leaves the parameters with the best numbers that were found, even after an error or Ctrl-C. What the curvature is estimated from is kept for the next call.": "每次迭代沿梯度乘以黑塞矩阵之逆的估计的方向前进，估计由最近几步得到（Nocedal 1980，doi:10.1090/S0025-5718-1980-0572855-7）；走多远由强 Wolfe 条件决定，不作线搜索时走该向量的 `lr` 倍。每一步都与 PyTorch 相同。`step` 使参数停在找到的最好的数上，出错或按 Ctrl-C 时也是如此。估计曲率所用的数据留给下一次调用。",
    "the Values to change, in one group.": "要改变的各个 Value，只有一组。",
    "the length of a step without a line search, or of the first step that it tries; 1 is the whole vector. The very first step is shorter if the gradient is large.": "不作线搜索时的步长，或线搜索首先尝试的步长；1 表示整个向量。梯度很大时，最初的一步会短些。",
    "the most iterations of one call.": "一次调用的最大迭代次数。",
    "the most evaluations of the loss before an iteration; `max_iter * 5 // 4` by default.": "一次迭代之前最多计算损失多少次；默认 `max_iter * 5 // 4`。",
    "end when no component of the gradient is larger than this.": "梯度的各分量都不超过这个数时结束。",
    "end when an iteration changes the loss by less than this, or no parameter by more than this, or when the slope along the step is flatter than this.": "一次迭代使损失的变化小于这个数、没有一个参数的变化超过这个数，或者沿这一步的斜率比这个数还平缓时，就结束。",
    "the number of past steps from which the curvature is estimated.": "用过去多少步来估计曲率。",
    '`"strong_wolfe"`, or None for steps of fixed length.': '`"strong_wolfe"`，或 None，表示步长固定。',
    "the most evaluations of a line search.": "一次线搜索最多求值多少次。",
    # nn.optimizers.LBFGS.iterate
    "the loss there.": "该点的损失。",
    "the gradient there, of the shape of `numbers`.": "该点的梯度，形状与 `numbers` 相同。",
    "a function of such numbers that returns the loss and its gradient.": "由这种数返回损失及其梯度的函数。",
    "The next numbers, the loss and the gradient there, and whether the iterations have converged, so that another one would change nothing worth while.": "下一组数、该点的损失和梯度，以及迭代是否已收敛（再迭代也没有值得一提的变化）。",
    # nn.optimizers.LBFGS.minimize
    "a function that takes the numbers of the parameters, of shape (parameters,), and returns the loss and its gradient, as `lambda p: program.value_and_grad(X, y, parameters=p)` does.": "接收各参数的数值（形状为 (parameters,)），返回损失及其梯度的函数，例如 `lambda p: program.value_and_grad(X, y, parameters=p)`。",
    "if the loss is nan or infinite at the start.": "起点处的损失是 nan 或无穷大。",
    # nn.optimizers.Lion
    "m is a moving average of g, which keeps `beta2` of itself. Weight decay is decoupled, as in `AdamW`. All parameters move by the same amount, so the learning rate is 3 to 10 times smaller than that of Adam, and the weight decay as much larger (Chen and others 2023, arXiv:2302.06675, algorithm 2).": "m 是 g 的滑动平均，每步保留自身的 `beta2`。权重衰减与 `AdamW` 一样是解耦的。所有参数移动的量相同，因此学习率取 Adam 的三分之一到十分之一，权重衰减则相应增大（Chen 等 2023，arXiv:2302.06675，算法 2）。",
    "the learning rate, which is the size of a step.": "学习率，即步长。",
    "how much of m counts in a step, and how much of it is kept, two numbers in [0, 1).": "一步中 m 占多少，以及保留 m 的多少，两个 [0, 1) 中的数。",
    # nn.optimizers.NAdam
    "Dozat 2016, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ. The momentum of step t is `beta1 * (1 - 0.96 ** (t * momentum_decay) / 2)`. PyTorch rounds the product of the momenta to its default dtype, float32; with `torch.set_default_dtype(torch.float64)` it has these numbers.": "Dozat 2016，https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ 。第 t 步的动量是 `beta1 * (1 - 0.96 ** (t * momentum_decay) / 2)`。PyTorch 把动量之积舍入为默认的 float32；用 `torch.set_default_dtype(torch.float64)` 则与这里的数相同。",
    "how fast the momentum rises from half of beta1 to beta1.": "动量从 beta1 的一半升到 beta1 的快慢。",
    # nn.optimizers.Optimizer
    "Groups of parameters may have options of their own, as in PyTorch; read and change them through `param_groups`. A parameter without a gradient is left alone, also by momentum and weight decay: its `grad` is None, or the int 0 that stands there until `backward()` reaches the parameter. A gradient of 0.0, which `backward()` computed or somebody set, is a gradient.": "与 PyTorch 一样，各参数组可以有自己的选项，通过 `param_groups` 读取和改变。没有梯度的参数不动，动量和权重衰减也不作用于它：它的 `grad` 是 None，或 `backward()` 到达之前的整数 0。由 `backward()` 算出或有人设置的 0.0 算作有梯度。",
    "A subclass is a dataclass whose fields are its options. It defines `rule`, and lists in `memory` the names of the arrays that the rule keeps in `state`; they start at zero.": "子类是 dataclass，字段就是选项。它定义 `rule`，并在 `memory` 中列出 `rule` 保存在 `state` 里的数组的名字；这些数组从零开始。",
    'the Values to change, at least one, each once; or groups of them, dicts such as `{"params": [x, y], "lr": 0.1}` with the options that differ from those given here.': '要改变的各个 Value，至少一个，不重复；或参数组，即字典，例如 `{"params": [x, y], "lr": 0.1}`，带有与这里给出的不同的选项。',
    "the learning rate, at least 0.": "学习率，不小于 0。",
    "if an option is out of range; as a rule, if a number is below 0.": "选项超出范围；通常是某个数小于 0。",
    # nn.optimizers.RAdam
    "While the correction is undefined, for the first five steps with the default `betas`, the steps are those of SGD with momentum (Liu and others 2020, arXiv:1908.03265).": "修正量还没有定义时（用默认的 `betas` 是前五步），各步与带动量的 SGD 相同（Liu 等 2020，arXiv:1908.03265）。",
    # nn.optimizers.RMSprop
    'Hinton 2012, lecture 6 of "Neural networks for machine learning", https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf; the centered form is from Graves 2013, arXiv:1308.0850.': "Hinton 2012，“Neural networks for machine learning” 第 6 讲，https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf ；中心化的形式出自 Graves 2013，arXiv:1308.0850。",
    "how much of the average is kept at each step.": "每步保留平均值的多少。",
    "how much of the velocity is kept; with 0 there is no velocity.": "保留速度的多少；为 0 时没有速度。",
    "whether to divide by the standard deviation of g instead of its root mean square.": "是否除以 g 的标准差，而不是均方根。",
    # nn.optimizers.SGD
    "v starts as the first gradient; without momentum it is always the gradient g (Polyak 1964, doi:10.1016/0041-5553(64)90137-5). With `nesterov` the step is along `g + momentum * v` (Nesterov 1983; this form is from Sutskever and others 2013, https://proceedings.mlr.press/v28/sutskever13.html).": "v 从第一个梯度开始；没有动量时它总是梯度 g（Polyak 1964，doi:10.1016/0041-5553(64)90137-5）。用 `nesterov` 时，沿 `g + momentum * v` 前进（Nesterov 1983；这种形式出自 Sutskever 等 2013，https://proceedings.mlr.press/v28/sutskever13.html）。",
    "how much of the velocity v is kept at each step.": "每步保留速度 v 的多少。",
    "how much the momentum ignores of the new gradient.": "动量忽略新梯度的多少。",
    "whether to use Nesterov's form, which needs a momentum above 0 and no dampening.": "是否使用 Nesterov 形式，需要动量大于 0 并且没有阻尼。",
    # nn.optimizers.clip_grad_norm_
    "one Value or several, after `backward()`.": "一个或几个 Value，在 `backward()` 之后。",
    "the largest norm, at least 0. Infinity measures the norm and changes nothing.": "最大模长，不小于 0。无穷大表示只测量模长，什么也不改变。",
    "the p of the p-norm, above 0. Infinity is the largest absolute value.": "p 范数的 p，大于 0。无穷大表示绝对值的最大值。",
    "whether a norm of nan or infinity is a RuntimeError.": "模长是 nan 或无穷大时是否引发 RuntimeError。",
    # nn.optimizers.clipped
    "the largest norm.": "最大模长。",
    # nn.schedules.ChainedScheduler
    "The schedules change the rate one after another. `LambdaLR`, `OneCycleLR` and `CosineAnnealingWarmRestarts` start from the first rate, and so replace the rates of those before them. Construct the first schedule first, since it defines the base rate of all.": "各调度依次改变学习率。`LambdaLR`、`OneCycleLR` 和 `CosineAnnealingWarmRestarts` 从最初的学习率算起，因此会取代排在前面的结果。请先构造第一个调度，因为所有调度的基准学习率由它决定。",
    "the schedules, all of one optimizer.": "各个调度，都属于同一个优化器。",
    "the optimizer; that of the schedules by default.": "优化器；默认是这些调度的优化器。",
    "if there is no schedule, or one belongs to another optimizer.": "没有给出调度，或有一个调度属于别的优化器。",
    # nn.schedules.ConstantLR
    "the multiple, above 0 and at most 1.": "倍数，大于 0 且不超过 1。",
    "the number of epochs with that multiple.": "使用该倍数的轮数。",
    # nn.schedules.CosineAnnealingLR
    "Loshchilov and Hutter 2017, arXiv:1608.03983, without restarts.": "Loshchilov 和 Hutter 2017，arXiv:1608.03983，不带重启。",
    "the number of epochs until the rate is `eta_min`; 10.0 is 10.": "学习率降到 `eta_min` 所需的轮数；10.0 即 10。",
    # nn.schedules.CosineAnnealingWarmRestarts
    "Loshchilov and Hutter 2017, arXiv:1608.03983.": "Loshchilov 和 Hutter 2017，arXiv:1608.03983。",
    "the number of epochs until the first restart.": "第一次重启之前的轮数。",
    "each period is this many times as long as the one before, a whole number.": "每个周期是前一个的多少倍，整数。",
    # nn.schedules.LambdaLR
    "a function of the number of epochs that are done; it returns a factor of at least 0. Or a list of such functions, one for each group of parameters.": "由已完成的轮数返回因子（不小于 0）的函数；或每个参数组一个的函数列表。",
    # nn.schedules.LinearLR
    "The defaults are a warm-up of five epochs.": "默认是五轮预热。",
    "the first multiple, above 0 and at most 1.": "最初的倍数，大于 0 且不超过 1。",
    "the last multiple, from 0 to 1.": "最后的倍数，0 到 1。",
    "the number of epochs until the last multiple is reached.": "达到最后的倍数所需的轮数。",
    # nn.schedules.MultiStepLR
    "the numbers of epochs after which the rate changes, in any order.": "在哪些轮数之后改变学习率，次序不限。",
    # nn.schedules.OneCycleLR
    "It is meant for a step after each batch (Smith and Topin 2018, arXiv:1708.07120). The momentum, or the first of the `betas`, goes the other way.": "适合每批之后走一步（Smith 和 Topin 2018，arXiv:1708.07120）。动量，或 `betas` 的第一个数，变化方向相反。",
    "the optimizer. Its `lr` is replaced by `max_lr / div_factor`.": "优化器。它的 `lr` 会换成 `max_lr / div_factor`。",
    "the highest rate, or a list with one for each group of parameters.": "最高的学习率，或每个参数组一个的列表。",
    "the number of steps in the cycle.": "整个周期的步数。",
    "instead of `total_steps`, the number of epochs, together with `steps_per_epoch`.": "代替 `total_steps` 给出轮数，与 `steps_per_epoch` 一起使用。",
    "the number of batches of an epoch.": "每轮的批数。",
    "the share of the steps in which the rate rises, from 0 to 1.": "学习率上升的步数所占的比例，0 到 1。",
    '`"cos"` or `"linear"`, how rates and momentum change.': '`"cos"` 或 `"linear"`，学习率和动量如何变化。',
    "whether the momentum changes too.": "动量是否也变化。",
    "the lowest momentum, or one for each group of parameters.": "最低的动量，或每个参数组一个。",
    "the highest momentum, or one for each group of parameters.": "最高的动量，或每个参数组一个。",
    "the highest rate divided by the first one.": "最高学习率与最初学习率之比。",
    "the first rate divided by the last one.": "最初学习率与最后学习率之比。",
    "whether the rate first falls to where it began, in as many steps as it rose.": "学习率是否先用与上升同样多的步数降回起点。",
    "if it makes more steps than the cycle has.": "走的步数超过了周期的步数。",
    # nn.schedules.PolynomialLR
    "the number of epochs until the rate is 0.": "学习率降到 0 所需的轮数。",
    "the power, at least 0; with 1 the rate falls linearly.": "幂次，不小于 0；为 1 时线性下降。",
    # nn.schedules.ReduceLROnPlateau
    '`step` takes the metric. `fit` gives it the loss, that of the validation data if there are any; with `mode="max"`, the first of its metrics.': '`step` 接收指标。`fit` 交给它的是损失，有验证数据时用验证数据的；`mode="max"` 时是第一个指标。',
    '`"min"` if a smaller metric is better, `"max"` if a larger one is.': '`"min"` 表示指标越小越好，`"max"` 表示越大越好。',
    "the factor, at least 0 and below 1.": "因子，不小于 0 且小于 1。",
    "the number of epochs without an improvement that are tolerated, at least 0.": "容许多少轮没有改进，不小于 0。",
    "by how much a metric must be better than the best one to be an improvement.": "比最好的指标好多少才算改进。",
    '`"rel"` if the threshold is a share of the best metric, `"abs"` if not.': '`"rel"` 表示阈值是最佳指标的比例，`"abs"` 则不是。',
    "the number of epochs after a change in which none is counted as bad.": "改变学习率之后，多少轮内不计没有改进。",
    "the lowest rate, or one for each group of parameters.": "最低的学习率，或每个参数组一个。",
    "a change of the rate by at most this is left out.": "学习率的变化不超过这个数时略去。",
    # nn.schedules.Schedule
    "Several schedules of one optimizer multiply their factors, as in PyTorch: a step starts from the present rate if another schedule, or the user, has changed it. The first schedule of an optimizer defines the base rate of those after it, until the user sets another rate.": "同一个优化器的几个调度会把各自的因子相乘，与 PyTorch 相同：如果学习率已被别的调度或用户改过，这一步就从当前的学习率出发。优化器的第一个调度也决定其后各调度的基准学习率，直到用户另设学习率为止。",
    "the optimizer, whose `lr` is the first rate and is set from now on.": "优化器，它的 `lr` 是最初的学习率，此后由调度设置。",
    # nn.schedules.SequentialLR
    "Construct the schedules in the order in which they are used, since the first one defines the base rate of all.": "请按使用的次序构造各调度，因为所有调度的基准学习率由第一个决定。",
    "the schedules, all of this optimizer.": "各个调度，都属于这个优化器。",
    "the epochs at which the second and each later schedule starts, in ascending order.": "第二个及以后每个调度开始的轮数，从小到大。",
    "if the number of milestones is not one less than that of schedules, if they are not ascending, or if a schedule belongs to another optimizer.": "轮数不是恰好比调度少一个，或不是从小到大，或者有一个调度属于别的优化器。",
    # nn.schedules.StepLR
    "the number of epochs between two changes.": "两次改变之间的轮数。",
    # nn.schedules.named
    "a name in `SCHEDULES`, or the name of a class.": "`SCHEDULES` 中的名字，或类的名字。",
    "the number of calls of `step()` in the whole training.": "整个训练中调用 `step()` 的次数。",
    # nn.sklearn.MLPClassifier
    'the weights of the classes, a dict, or `"balanced"`, which gives all classes the same total weight.': '各类别的权重，一个字典；或 `"balanced"`，使各类别的总权重相同。',
    # nn.sklearn.MLPClassifier.fit
    "the labels, of shape (samples,): numbers, text or bools, at least two different ones; or for several labels of each sample, zeros and ones of shape (samples, labels).": "标签，形状为 (samples,)：数、文字或布尔值，至少有两种；或每个样本几个标签，形状为 (samples, labels) 的 0 和 1。",
    # nn.sklearn.MLPClassifier.partial_fit
    "the labels, as in `fit`; not every class need be among them.": "标签，同 `fit`；不必每个类别都出现。",
    "all classes that will ever be in y; needed in the first call. For several labels of each sample, the numbers of the labels from 0.": "y 中可能出现的所有类别；第一次调用时必须给出。每个样本有几个标签时，是从 0 开始的标签编号。",
    # nn.sklearn.MLPClassifier.predict_proba
    "The columns are in the order of `classes_`. With several labels of each sample, each has a probability of its own.": "各列的次序同 `classes_`。每个样本有几个标签时，各有自己的概率。",
    # nn.sklearn.MLPRegressor
    "With several outputs the loss is their sum, to which the gradients of scikit-learn belong, too.": "有几个输出时，损失是它们之和，scikit-learn 的梯度也属于这个和。",
    # nn.sklearn.MLPRegressor.fit
    "the numbers, of shape (samples,) or (samples, outputs).": "各个数，形状为 (samples,) 或 (samples, outputs)。",
    # nn.sklearn.MLPRegressor.partial_fit
    "the numbers, as in `fit`.": "各个数，同 `fit`。",
    # nn.training.DivergenceError
    "what happened, and what to try.": "发生了什么，可以怎样改。",
    "the epochs before, kept in the attribute `history`.": "此前各轮的记录，保存在属性 `history` 中。",
}
