"""The further paragraphs and the parameters of `nn` in Chinese, for the reference."""

from __future__ import annotations

DETAILS = {
    # nn.Dropout
    "After `eval()`, the inputs pass unchanged (Srivastava and others 2014, https://jmlr.org/papers/v15/srivastava14a.html).": "调用 `eval()` 之后，输入原样通过（Srivastava 等 2014，https://jmlr.org/papers/v15/srivastava14a.html）。",
    "the probability, in [0, 1).": "概率，在 [0, 1) 中。",
    "a `random.Random`; Python's global generator by default. In `fit`, the seed of `fit` draws instead.": "一个 `random.Random`；默认用 Python 的全局生成器。在 `fit` 中则由 `fit` 的种子抽取。",
    # nn.Layer
    "Called with one sample, it returns a list of Values, or the Value itself if there is one neuron.": "对一个样本调用时，返回 Value 的列表；只有一个神经元时直接返回 Value。",
    "the number of neurons.": "神经元的个数。",
    "the activation, as in `Neuron`.": "激活函数，同 `Neuron`。",
    # nn.MLP
    "Called with one sample, it returns a list of Values, or the Value itself if the last layer has one neuron.": "对一个样本调用时，返回 Value 的列表；最后一层只有一个神经元时直接返回 Value。",
    "the number of neurons of each layer.": "各层的神经元个数。",
    "the activation of the hidden layers, as in `Neuron`.": "隐藏层的激活函数，同 `Neuron`。",
    "the activation of the last layer, which is linear by default.": "最后一层的激活函数，默认是线性的。",
    "for an unknown activation or initializer, and when the network is called with another number of inputs.": "没有这种激活函数或初始化方法；或者调用网络时输入的个数不符。",
    # nn.Module
    "The parameters are the Values in the attributes of the module and of the modules within it, also in lists, tuples, dicts, deques and NumPy arrays there, in the order in which they were set. Their names look like `layers.0.neurons.2.w.1`; an entry of a matrix is `W.0.1`. Pictures and derivations call them by their places, w⁽¹⁾₃₂, as long as the model exists.": "参数是模块及其内部各模块的属性中的 Value，也包括其中的列表、元组、字典、双端队列和 NumPy 数组里的，次序与设置时相同。名字形如 `layers.0.neurons.2.w.1`；矩阵的一项是 `W.0.1`。只要模型存在，图和推导就按所在位置称呼它们，例如 w⁽¹⁾₃₂。",
    "what the `__init__` of your own model takes.": "自己的模型的 `__init__` 所接收的参数。",
    "its options.": "它的选项。",
    # nn.Neuron
    "The bias starts at 0.": "偏置从 0 开始。",
    'the name of an operation of one operand, such as `"tanh"`, or a function of a Value.': '一元运算的名字，例如 `"tanh"`，或以 Value 为参数的函数。',
    "what draws the weights: a name in `nn.initializers.INITIALIZERS`, or such a function. The default draws uniformly from [-1, 1).": "抽取权重的方法：`nn.initializers.INITIALIZERS` 中的名字，或这样的函数。默认在 [-1, 1) 中均匀抽取。",
    "the number of neurons that share the inputs, which some initializers use.": "共用这些输入的神经元个数，有些初始化方法会用到。",
    "for an unknown activation or initializer, and when the neuron is called with another number of inputs.": "没有这种激活函数或初始化方法；或者调用神经元时输入的个数不符。",
    # nn.Sequential
    "at least one module or function.": "至少一个模块或函数。",
    # nn.classification.ClassificationReport
    "the names of the classes.": "各类别的名字。",
    "of the samples predicted to be of each class, the share that is.": "预测为该类别的样本中，确实属于它的比例。",
    "of the samples of each class, the share that was predicted to be.": "属于该类别的样本中，预测正确的比例。",
    "the harmonic mean of precision and recall of each class.": "各类别精确率和召回率的调和平均。",
    "the number of samples of each class, or the sum of their weights.": "各类别的样本数，或样本权重之和。",
    'by name, the mean precision, recall and F1, and the total support: `"macro avg"` counts all classes alike, and `"weighted avg"` by their support. `"accuracy"`, whose three numbers are equal, is `"micro avg"` if `labels` leaves out classes that occur.': '以名字为键，给出平均的精确率、召回率、F1 和总样本数：`"macro avg"` 对各类别一视同仁，`"weighted avg"` 按样本数加权。`"accuracy"` 的三个数相等；若 `labels` 漏掉了出现的类别，则改为 `"micro avg"`。',
    # nn.classification.classification_report
    "Printed, the report is the text of scikit-learn; a notebook shows a table.": "打印出来与 scikit-learn 的文本相同；在 notebook 里显示成表格。",
    "the classes to report, in order; those that occur, sorted, by default.": "要报告的类别，按次序；默认是出现的类别，从小到大。",
    "the names of the classes to show; their labels by default.": "显示的类别名；默认用它们的标签。",
    "the score of a class that was never predicted, or that has no samples.": "没有样本预测为该类别，或没有样本属于该类别时的得分。",
    # nn.classification.confusion_matrix
    "the classes of the rows and the columns, in order; those that occur, sorted, by default. Samples of other classes are left out.": "各行各列的类别，按次序；默认是出现的类别，从小到大。其他类别的样本不计。",
    'what is divided by its sum: `"true"` (the rows), `"pred"` (the columns), `"all"`, or None, which divides nothing.': '除以什么的总和：`"true"`（各行）、`"pred"`（各列）、`"all"`（全部），或 None（都不除）。',
    "An array of shape (classes, classes), with a row for each true class.": "形状为 (classes, classes) 的数组，每个真实类别一行。",
    # nn.datasets.batches
    "the number of samples.": "样本的个数。",
    "the number of samples of a batch; the last one may be smaller. None takes all samples at once.": "每批的样本数，最后一批可以少些。None 表示一次取全部样本。",
    "a seed or a generator of NumPy, which draws one permutation at once.": "种子或 NumPy 的生成器，一次抽取一个排列。",
    "whether to permute the samples.": "是否打乱样本。",
    # nn.datasets.karpathy_toy
    'The lecture is "The spelled-out intro to neural networks and backpropagation" (2022).': "出自讲座 “The spelled-out intro to neural networks and backpropagation”（2022）。",
    # nn.datasets.load_diabetes
    'A regression problem, from Efron and others 2004, "Least angle regression". Needs scikit-learn.': "一个回归问题，出自 Efron 等 2004，“Least angle regression”。需要 scikit-learn。",
    # nn.datasets.load_digits
    "Needs scikit-learn, whose `load_digits` names the source.": "需要 scikit-learn，来源见它的 `load_digits`。",
    # nn.datasets.load_iris
    "Needs scikit-learn.": "需要 scikit-learn。",
    # nn.datasets.make_blobs
    "the number of points in all, or a list with the number around each centre.": "点的总数，或列表，给出每个中心周围的点数。",
    "the number of columns of X, unless the centres are given.": "X 的列数；给出中心时不用。",
    "the number of centres, or an array of shape (centres, features). The default is 3, or as many as the list `n_samples` has.": "中心的个数，或形状为 (centres, features) 的数组。默认 3 个，或与列表 `n_samples` 一样多。",
    "the standard deviation around the centres: one number, or one for each.": "各点到中心的标准差：一个数，或每个中心一个。",
    "the lowest and highest coordinate of a centre that is drawn at random.": "随机抽取的中心的最小和最大坐标。",
    "X of shape (samples, features), and the number of each point's centre, y.": "形状为 (samples, features) 的 X，以及每个点所属中心的编号 y。",
    # nn.datasets.make_circles
    "the number of points, or a pair with the number on each circle.": "点的个数，或一对数，给出每个圆上的点数。",
    "the radius of the inner circle, in [0, 1).": "内圆的半径，在 [0, 1) 中。",
    # nn.datasets.make_moons
    "the number of points, or a pair with the number in each moon.": "点的个数，或一对数，给出每个月牙的点数。",
    # nn.datasets.spiral
    "This is the data set of the course CS231n, https://cs231n.github.io/neural-networks-case-study/.": "即课程 CS231n 的数据集，https://cs231n.github.io/neural-networks-case-study/ 。",
    "the number of points of each arm.": "每条臂的点数。",
    "the number of arms.": "臂的条数。",
    "the standard deviation of the angle, before it is multiplied by 2.5.": "角度的标准差（之后还要乘以 2.5）。",
    "X of shape (samples * classes, 2), and the number of each point's arm, y.": "形状为 (samples * classes, 2) 的 X，以及每个点所属的臂的编号 y。",
    # nn.datasets.train_test_split
    "arrays or lists of the same length.": "长度相同的数组或列表。",
    "the share of the rows for the test if it is a float, or their number if it is an int. The default is what `train_size` leaves, or a quarter.": "测试集的比例（浮点数）或行数（整数）。默认是 `train_size` 剩下的部分，或四分之一。",
    "the same for training; the default is what `test_size` leaves.": "训练集的比例或行数，写法相同；默认是 `test_size` 剩下的部分。",
    "whether the rows are drawn at random; otherwise the last ones are the test.": "是否随机抽取各行；否则取最后几行作测试集。",
    "the labels, usually y, whose shares both parts keep.": "标签，通常是 y，两部分都保持它的比例。",
    "Two parts of each array, one after the other, as in `X_train, X_test, y_train, y_test`. Lists give lists, and everything else NumPy arrays.": "每个数组的两部分，依次排列，即 `X_train, X_test, y_train, y_test`。列表得到列表，其他得到 NumPy 数组。",
    "if the lengths differ, or if a part would be empty or lack a class of `stratify`.": "长度不同，或者有一部分会是空的，或缺少 `stratify` 的某个类别。",
    # nn.datasets.yin_yang
    'The classes take turns. The figure is that of Kriener, Göltz and Petrovici 2022, "The Yin-Yang dataset", arXiv:2102.08211.': "各类别轮流出现。图形出自 Kriener、Göltz 和 Petrovici 2022，“The Yin-Yang dataset”，arXiv:2102.08211。",
    # nn.derivations.LayersExplanation
    "`explain_layers` makes it. `gradients` are the derivatives, and `derivation` is everything that was computed, as data.": "由 `explain_layers` 生成。`gradients` 是各个导数，`derivation` 以数据形式保存算出的一切。",
    "the formulas and the numbers.": "公式和数值。",
    "the most rows and columns of a matrix that are written down.": "矩阵最多写出多少行和多少列。",
    # nn.explain_layers
    "The samples are the columns of the matrices, so that a layer is `Z = W X + b`, where W has a row for each neuron and a column for each input, as `nn` stores it. The formulas follow from the layers, from the partials in the table of operations, and from the formula of the loss. They are evaluated with the numbers and compared with `backward()`. No gradient is changed, and dropout does nothing. The bounds of rounding take about a second for 50,000 weights times samples.": "样本是矩阵的各列，因此一层写作 `Z = W X + b`，其中 W 每个神经元一行、每个输入一列，与 `nn` 的存放方式相同。公式由各层、运算表中的偏导数和损失的公式推出，再代入数值，与 `backward()` 比较。不改变任何梯度，dropout 不起作用。权重数乘以样本数为 50,000 时，计算舍入误差界约需一秒。",
    "a `Neuron`, a `Layer`, an `MLP`, or a `Sequential` of these.": "一个 `Neuron`、`Layer`、`MLP`，或由它们组成的 `Sequential`。",
    "the inputs, of shape (samples, inputs), as in `fit`; or the inputs of one sample.": "输入，形状为 (samples, inputs)，同 `fit`；或一个样本的输入。",
    "the targets, as in `fit`; or those of one sample.": "目标值，同 `fit`；或一个样本的目标值。",
    '`"mean"` over all numbers that are compared, or `"sum"`.': '`"mean"` 或 `"sum"`，对所有参与比较的数取平均或求和。',
    "False leaves out the biases, which must be 0.": "False 表示略去偏置，这时偏置必须为 0。",
    "the most rows and columns of a matrix that are written down, 3 or more.": "矩阵最多写出多少行和多少列，不小于 3。",
    "for a model with other layers, or whose layers share weights.": "模型含有其他的层，或几层共用权重。",
    "if X or y has the wrong shape, or targets that the loss does not take.": "X 或 y 的形状不对，或者损失不接受这样的目标值。",
    "if the formulas disagree with `backward()`.": "公式与 `backward()` 不一致。",
    # nn.functional.identity
    "a Value or a number.": "一个 Value 或数。",
    # nn.functional.total_of
    "Values or numbers.": "若干 Value 或数。",
    # nn.initializers.constant
    "the weight.": "权重。",
    # nn.initializers.he_normal
    "The normal counterpart of `he_uniform`.": "`he_uniform` 的正态分布版本。",
    # nn.initializers.known
    "a name in `INITIALIZERS`, or a function.": "`INITIALIZERS` 中的名字，或函数。",
    "for an unknown name.": "没有这个名字。",
    # nn.initializers.uniform
    "the lower end. The default interval is that of Karpathy's micrograd.": "下端。默认区间与 Karpathy 的 micrograd 相同。",
    "the upper end, at least `low`.": "上端，不小于 `low`。",
    # nn.initializers.xavier_normal
    "The normal counterpart of `xavier_uniform`.": "`xavier_uniform` 的正态分布版本。",
    # nn.initializers.xavier_uniform
    'Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", https://proceedings.mlr.press/v9/glorot10a.html.': "Glorot 和 Bengio 2010，“Understanding the difficulty of training deep feedforward neural networks”，https://proceedings.mlr.press/v9/glorot10a.html 。",
    # nn.layers.dropout_masks
    "A compiled function cannot draw at random: `fit` gives it the factors as arguments.": "编译的函数不能随机抽取：`fit` 把这些因子作为参数传给它。",
    "a function of the number of inputs and the probability that returns as many factors.": "由输入的个数和概率返回同样多个因子的函数。",
    # nn.load_model
    "The file is read without being trusted: only classes and functions of `nn` and operations of `micrograd` are used, by their names. Operations of your own are defined first.": "读取时不信任文件：只按名字使用 `nn` 的类和函数以及 `micrograd` 的运算。自己定义的运算要先定义。",
    "for a model with classes or functions of your own: build it, and call its `load`. Also for a damaged file and for any other file.": "模型含有自己写的类或函数：请先建好模型，再调用它的 `load`。文件损坏或不是这种文件时也引发。",
    # nn.loss_and_grad
    "It compiles at each call; for a loop of your own, `micrograd.compile` keeps the program.": "每次调用都重新编译；自己写循环时，用 `micrograd.compile` 可以保留程序。",
    "the targets, as in `fit`.": "目标值，同 `fit`。",
    'a function of the parameters, or weights such as `{"l2": 1e-4}`.': '参数的函数，或权重，例如 `{"l2": 1e-4}`。',
    "The loss, and an array of shape (parameters,) in the order of `model.parameters()`.": "损失，以及形状为 (parameters,) 的数组，次序同 `model.parameters()`。",
    # nn.losses.binary_cross_entropy
    "As in PyTorch, the loss of one prediction p for the target t is at most 100, and its slope is `(p - t) / max(p * (1 - p), 1e-12)`: ±1e12 where a wrong answer was certain, and 0 where a right one was. For scores, use `binary_cross_entropy_with_logits`, which is accurate at any size.": "与 PyTorch 一样，预测值 p 对目标值 t 的损失最大为 100，斜率为 `(p - t) / max(p * (1 - p), 1e-12)`：十分肯定却错时为 ±1e12，十分肯定且对时为 0。对得分请用 `binary_cross_entropy_with_logits`，得分多大都准确。",
    "a probability from 0 to 1, or a nested list of them.": "0 到 1 的概率，或由它们组成的嵌套列表。",
    # nn.losses.binary_cross_entropy_with_logits
    "a score, the logarithm of the odds, or a nested list of scores.": "得分，即几率的对数，或由得分组成的嵌套列表。",
    # nn.losses.cross_entropy
    "a score for each class; for a batch, a list of such lists.": "每个类别一个得分；对一批数据，是这种列表的列表。",
    "the number of the class, from 0, or a list with a probability for each class; for a batch, a list of either. A class may be a Value, as in a compiled function.": "类别的编号，从 0 开始，或每个类别一个概率的列表；对一批数据，是其中一种的列表。类别可以是 Value，例如在编译的函数里。",
    '`"mean"` or `"sum"` over the samples of a batch, or `"none"`.': '`"mean"` 或 `"sum"`，对一批的样本取平均或求和；`"none"` 则保留每个样本的损失。',
    "if there is no such class. If the class is a Value, the loss is nan instead.": "没有这个类别。类别是 Value 时，损失则为 nan。",
    # nn.losses.hinge_loss
    "A score on the right side costs nothing once its distance from 0 is at least the margin 1 (Cortes and Vapnik 1995, doi:10.1007/BF00994018).": "正确一侧的得分离 0 的距离达到间隔 1 时，损失为 0（Cortes 和 Vapnik 1995，doi:10.1007/BF00994018）。",
    # nn.losses.huber_loss
    "It is half the square of an error of at most `delta`, and `delta * (|error| - delta / 2)` of a larger one, so that outliers weigh less than in `mse_loss` (Huber 1964, doi:10.1214/aoms/1177703732).": "误差不超过 `delta` 时是误差平方的一半，更大时是 `delta * (|error| - delta / 2)`，因此离群点的影响比在 `mse_loss` 中小（Huber 1964，doi:10.1214/aoms/1177703732）。",
    "the size of the error, above 0, at which the loss becomes linear.": "损失开始变成线性的误差大小，大于 0。",
    # nn.losses.kl_div
    'With `reduction="sum"` it is the divergence of the targets from the predictions (Kullback and Leibler 1951, doi:10.1214/aoms/1177729694). A target of 0 costs nothing.': '用 `reduction="sum"` 时，它是目标值相对于预测值的散度（Kullback 和 Leibler 1951，doi:10.1214/aoms/1177729694）。目标值为 0 时损失为 0。',
    "the logarithm of a probability, as `log_softmax` gives it, or a nested list.": "概率的对数，例如 `log_softmax` 的结果，或嵌套列表。",
    "a probability from 0 to 1 for each, of the shape of `prediction`.": "各自对应 0 到 1 的概率，形状与 `prediction` 相同。",
    # nn.metrics.accuracy
    "With several outputs, the class is the index of the largest output. With one output there are two classes, and the model predicts the one with the larger target if its output is above `threshold`. An output of nan is never correct.": "有几个输出时，类别是最大输出的下标。只有一个输出时有两个类别，输出高于 `threshold` 时预测目标值较大的那个。输出为 nan 总不算正确。",
    "the predictions, of shape (samples,) or (samples, classes).": "预测值，形状为 (samples,) 或 (samples, classes)。",
    "the classes: their numbers from 0, or as many columns as the outputs. With one output, two different numbers.": "类别：从 0 开始的编号，或列数与输出相同。只有一个输出时，是两个不同的数。",
    "where one output separates the two classes; `middle` by default. For scores, whose sign gives the class, give 0.": "一个输出以哪里为界区分两个类别；默认为 `middle`。得分的符号表示类别时，给 0。",
    "where the targets of one output separate; the mean of the two different targets by default.": "一个输出的目标值以哪里为界；默认是两个不同目标值的平均。",
    "if the shapes differ; or if there is one output, `middle` is not given, and the targets are not two different numbers, or look like outputs.": "形状不同；或者只有一个输出、没有给出 `middle`，而目标值又不是两个不同的数，或者看上去像输出。",
    # nn.metrics.named
    "names in `METRICS`, or functions of outputs and targets; one or several.": "`METRICS` 中的名字，或以输出和目标值为参数的函数；一个或几个。",
    "the name of the loss, which says how `accuracy` separates two classes.": "损失的名字，它决定 `accuracy` 怎样区分两个类别。",
    "for an unknown name, or if two columns of the history would have the same name.": "没有这个名字，或者记录中会有两列同名。",
    "for something that is neither a name nor a function.": "既不是名字也不是函数。",
    # nn.metrics.r2
    "It compares the sum of squared errors with that of the best constant prediction: 1 is perfect, and 0 means no better than the mean of the targets. Unlike `r2_score` of scikit-learn, it takes the outputs first, and gives another number if the two are swapped.": "等于 1 减去误差平方和与最佳常数预测的误差平方和之比：1 表示完美，0 表示不比目标值的平均值更好。与 scikit-learn 的 `r2_score` 不同，输出在前；顺序反了，结果就是另一个数。",
    # nn.module.has_gradient
    "a Value; its `grad` is None, or the int 0, as long as it has no gradient.": "一个 Value；没有梯度时，它的 `grad` 是 None 或整数 0。",
    # nn.module.zero_gradients
    "the Values.": "各个 Value。",
    "None sets each gradient to 0, and True to None; both are none until `backward()` reaches the parameter. False sets those that there are to 0.0, which counts as a gradient.": "None 把各个梯度设为 0，True 设为 None；在 `backward()` 到达之前，两者都算没有梯度。False 把已有的设为 0.0，这算作有梯度。",
    # nn.playground
    "The page needs no other file and no network. Its numbers are those of the engine: activations, losses and their derivatives come from the table of operations, and the same seed gives the weights of `random.Random(seed)` and the data of `nn.datasets`. The page shows the program in Python that does the same, and saves the network as a file that `nn.load_model` reads. Its address keeps what the reader has chosen: `page.html#layers=8,8&seed=3&steps=100`. For a page in an article, `hide` in the address lists, with commas, what is not shown, nor reached by keys: the controls of settings (`kind`, `features`, `layers`, `activation`, which includes that of the output, `init`, `loss`, `optimizer`, `rate`, `penalty`, `strength`, `batch`, `samples`, `noise`, `test`, `classes`, `seed`, `speed`, `flat` and `tests`), and `title`, `language`, `theme`, `bar` (all above the network), `play`, `step`, `reset`, `data`, `sets` (the data sets), `again` (new data and weights, by another seed), `network`, `explanation`, `output` (the plane and the losses), `valley`, `python` and `save`.": "网页不需要其他文件，也不需要网络。它的数与引擎一致：激活函数、损失及其导数来自运算表，同一种子给出 `random.Random(seed)` 的权重和 `nn.datasets` 的数据。网页显示做同样事情的 Python 程序，并能把网络保存为 `nn.load_model` 可以读取的文件。读者的选择写在网址里：`page.html#layers=8,8&seed=3&steps=100`。要嵌入文章时，可在网址里用 `hide` 列出（以逗号分隔）不显示、也不响应按键的部分：各项设置的控件（`kind`、`features`、`layers`、`activation`（包括输出的激活函数）、`init`、`loss`、`optimizer`、`rate`、`penalty`、`strength`、`batch`、`samples`、`noise`、`test`、`classes`、`seed`、`speed`、`flat` 和 `tests`），以及 `title`、`language`、`theme`、`bar`（网络上方的全部控件）、`play`、`step`、`reset`、`data`、`sets`（数据集）、`again`（换一个种子，重新生成数据和权重）、`network`、`explanation`、`output`（平面图和损失）、`valley`、`python` 和 `save`。",
    "a trained model to begin with: an `MLP`, or a `Sequential` of `Layer`, with 2 inputs and an output for each class, or one output for two classes; or with 1 input and 1 output, for a curve; or with 2 inputs and 1 output, for a surface. Without it, the page draws first weights.": "开始时用的已训练好的模型：`MLP`，或由 `Layer` 组成的 `Sequential`，有 2 个输入，每个类别一个输出（两个类别也可以只有一个输出）；或有 1 个输入和 1 个输出，用于曲线；或有 2 个输入和 1 个输出，用于曲面。不给则抽取初始权重。",
    'the samples `(X, y)`, where X has 2 columns and y labels (or numbers, if `kind="surface"`), or X has 1 column and y numbers; or the name of a data set: `"moons"`, `"circles"`, `"xor"`, `"spiral"` or `"blobs"`, for curves `"line"`, `"sine"`, `"parabola"` or `"bend"`, and for surfaces `"plane"` or `"gaussians"`.': '样本 `(X, y)`：X 有 2 列而 y 是标签（`kind="surface"` 时是数），或 X 有 1 列而 y 是数；或者数据集的名字：`"moons"`、`"circles"`、`"xor"`、`"spiral"` 或 `"blobs"`，用于曲线的有 `"line"`、`"sine"`、`"parabola"` 或 `"bend"`，用于曲面的有 `"plane"` 或 `"gaussians"`。',
    "the language in which the page opens; readers can switch to the others.": "网页打开时的语言；读者可以切换到其他语言。",
    'with what the page opens, as in its address: `kind` (`"classification"`, `"regression"`, which fits a curve, or `"surface"`, which fits numbers over the plane), `features` (the inputs, such as `["x1", "product"]`), `layers` (the sizes of the hidden layers), `activation` (a name, or one for each hidden layer), `output` (the activation of the output), `init` (a name in `nn.initializers`), `loss`, `optimizer` (`"sgd"`, `"momentum"` or `"adam"`), `rate`, `penalty` (`"none"`, `"l1"` or `"l2"`), `strength`, `batch` (0 for all samples), `samples`, `noise`, `test` (in percent), `classes`, `seed`, `speed`, `flat` (True for one colour for each class), `tests` (False hides the samples of the test) and `steps` (which the page has done when it opens).': '网页打开时的设置，写法与网址相同：`kind`（`"classification"`、拟合曲线的 `"regression"`，或拟合平面上的数的 `"surface"`）、`features`（输入，例如 `["x1", "product"]`）、`layers`（各隐藏层的大小）、`activation`（一个名字，或每个隐藏层一个）、`output`（输出的激活函数）、`init`（`nn.initializers` 中的名字）、`loss`、`optimizer`（`"sgd"`、`"momentum"` 或 `"adam"`）、`rate`、`penalty`（`"none"`、`"l1"` 或 `"l2"`）、`strength`、`batch`（0 表示全部样本）、`samples`、`noise`、`test`（百分比）、`classes`、`seed`、`speed`、`flat`（True 表示每一类只用一种颜色）、`tests`（False 表示不画测试样本）和 `steps`（打开时已走的步数）。',
    "The text of the page, a `str` that a notebook shows in a frame.": "网页的文本，一个 `str`，在 notebook 里显示在框架中。",
    "if the page cannot show the model or the data, or if there is no such setting.": "网页不能显示该模型或数据，或者没有这项设置。",
    "if the model is not made of layers.": "模型不是由层组成。",
    # nn.plots.activations
    "The width of a shape is the share of the outputs near that value. Neurons whose output is 0 for every sample are counted as dead.": "图形的宽度表示输出在该值附近的比例。对所有样本输出都为 0 的神经元算作死亡。",
    "a network with `layers`, or one layer.": "有 `layers` 的网络，或一层。",
    # nn.plots.decision_regions
    "a model with two inputs. With several outputs, the class is the index of the largest. With one, it is the larger of the two labels if the output is above `threshold`.": "有两个输入的模型。有几个输出时，类别是最大输出的下标；只有一个输出时，输出高于 `threshold` 就是两个标签中较大的那个。",
    "the samples, of shape (samples, 2).": "样本，形状为 (samples, 2)。",
    "the labels, of shape (samples,), or rows of zeros and a one.": "标签，形状为 (samples,)，或每行一组 0 和一个 1。",
    "for a model with one output. The default is the middle of the two labels; give 0 if the labels are 0 and 1 and the output is a logit.": "用于只有一个输出的模型。默认取两个标签的中点；标签为 0 和 1 而输出是 logit 时，给 0。",
    "the model is evaluated at `resolution * resolution` places.": "在 `resolution * resolution` 个位置上计算模型。",
    "The axes. Samples that are classified wrong have a ring.": "坐标系。分类错误的样本带有圆圈。",
    "if X does not have two columns, or if the labels do not fit X and the outputs.": "X 不是两列，或者标签与 X 和输出不符。",
    # nn.plots.film
    "It takes a picture after the first and the last epoch and after some between, and writes the file when training is over.": "在第一轮、最后一轮和中间的一些轮之后各取一幅画面，训练结束时写出文件。",
    "the file, a `.gif`.": "文件，后缀为 `.gif`。",
    "the samples to draw, of shape (samples, 2); the training samples by default.": "要画的样本，形状为 (samples, 2)；默认是训练样本。",
    "their labels; given if and only if X is.": "它们的标签；与 X 同时给出或同时不给。",
    "a picture is taken after each epoch that this divides. By default there are about 100 pictures.": "每隔多少轮取一幅画面。默认共约 100 幅。",
    "how long a picture is shown, from 0.02 to 60; the last one is shown for two seconds.": "每幅画面显示多久，0.02 到 60 秒；最后一幅显示两秒。",
    "the options of `decision_regions`; `resolution` is 100 by default.": "`decision_regions` 的选项；`resolution` 默认为 100。",
    "for a bad argument, before training.": "参数有误，在训练之前引发。",
    # nn.plots.gradient_norms
    "If the norms of the layers shrink towards the first one, it learns the slowest.": "若各层的模长越往前越小，第一层就学得最慢。",
    "what `fit` returns, a dict of lists, or a model after `backward()`.": "`fit` 返回的记录、由列表组成的字典，或 `backward()` 之后的模型。",
    "if the history has no column `gradient_norm`.": "记录中没有 `gradient_norm` 这一列。",
    # nn.plots.loss_curves
    "what `fit` returns, or a dict of lists.": "`fit` 返回的记录，或由列表组成的字典。",
    "the names of one column or several; those that the history lacks are left out.": "一列或几列的名字；记录中没有的略去。",
    "if the history has none of the columns.": "这些列记录中都没有。",
    # nn.plots.weights
    "There is a row for each neuron, and a column for each input; the last column is the bias.": "每个神经元一行，每个输入一列；最后一列是偏置。",
    "a network with `layers`, one layer or one neuron.": "有 `layers` 的网络、一层或一个神经元。",
    "if no layer has neurons.": "没有一层含有神经元。",
    # nn.predict
    "the inputs, of shape (samples, inputs). A sparse matrix is made dense by blocks of rows.": "输入，形状为 (samples, inputs)。稀疏矩阵分块逐行转成稠密数组。",
    "An array of shape (samples,) if the model gives one Value, or (samples, outputs) if it gives a list.": "模型给出一个 Value 时，形状为 (samples,) 的数组；给出列表时，形状为 (samples, outputs)。",
    "if it does not take as many inputs.": "模型的输入个数不同。",
    # nn.prediction.probe
    "if the model does not take as many inputs.": "模型的输入个数不同。",
    # nn.prediction.rehearsed
    "The number of outputs; and for each factor of dropout that a sample needs, the probability that it is 0.": "输出的个数；以及一个样本所需的每个 dropout 因子为 0 的概率。",
    # nn.to_onnx
    "The input is named `X`, of shape (samples, inputs), and the output `y`, of shape (samples, outputs). Needs `pip install onnx`.": "输入名为 `X`，形状为 (samples, inputs)；输出名为 `y`，形状为 (samples, outputs)。需要 `pip install onnx`。",
    "the file, by custom with the suffix `.onnx`.": "文件，习惯上用后缀 `.onnx`。",
    "example inputs, of shape (samples, inputs); only their shape matters.": "示例输入，形状为 (samples, inputs)；只用到它的形状。",
    "if onnx is not installed.": "没有安装 onnx。",
    "if the model takes another number of inputs.": "模型的输入个数不同。",
    "if an operation is defined by a Python function, or has no formula.": "某个运算由 Python 函数定义，或没有公式。",
    "the weight of the targets that are 1, at least 0; above 1 if they are rare.": "目标值为 1 的样本的权重，至少为 0；这种样本少时取大于 1 的数。",
    "a weight of at least 0 for each class. The mean over samples is weighted by them, as in PyTorch. `fit` calls the loss sample by sample, where nothing is divided by their sum; it has `class_weight`.": "每个类别的权重，至少为 0。对样本取平均时按它们加权，与 PyTorch 相同。`fit` 逐个样本调用损失函数，那时不会除以权重之和；`fit` 另有 `class_weight`。",
    "the share of each target, from 0 to 1, that all classes get alike.": "每个目标值中平均分给所有类别的份额，在 0 到 1 之间。",
}
