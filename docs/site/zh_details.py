"""The further paragraphs and the parameters of `micrograd` in Chinese, for the reference."""

from __future__ import annotations

DETAILS = {
    # micrograd.Value
    "Arithmetic, comparisons and the operations of the table make new Values. An operand that is a plain number is a constant of the operation. You may set attributes of your own.": "四则运算、比较以及运算表里的运算都生成新的 Value。操作数若是普通的数，就作为该运算的常数。可以给它设置自己的属性。",
    "`data` is the number. `grad` is the derivative of the last root on which `backward` was called with respect to this Value. In a leaf, a Value that no operation made, `grad` accumulates over calls of `backward` until it is set to zero.": "`data` 是数值。`grad` 是最近一次调用 `backward` 的根对这个 Value 的导数。叶子（不由任何运算得到的 Value）的 `grad` 会在多次调用 `backward` 时累加，直到被清零。",
    "`==` and `!=` compare a Value with a number as `<` does: the result is a Value of 1.0 or 0.0. Two Values are equal only if they are the same object, and Values hash by identity, so they can be found in lists and sets. `micrograd.eq(a, b)` compares the numbers of two Values.": "`==` 和 `!=` 与 `<` 一样，把 Value 与数作比较，结果是值为 1.0 或 0.0 的 Value。两个 Value 只有是同一个对象时才相等，散列值由对象身份决定，因此可以在列表和集合里查找。要比较两个 Value 的数值，用 `micrograd.eq(a, b)`。",
    "the number, a real number of any type, which is stored as a float.": "数值，可以是任何类型的实数，存为浮点数。",
    'the operands of an operation made by hand, as in Karpathy\'s micrograd: `out = Value(f, (x,), "sin"); out._backward = step`.': '手工构造的运算的操作数，用法同 Karpathy 的 micrograd：`out = Value(f, (x,), "sin"); out._backward = step`。',
    "the name of that operation; or, as in microgpt, its local derivatives.": "该运算的名字；或者像 microgpt 那样，是它的局部导数。",
    "the name of the Value in pictures and derivations.": "这个 Value 在图和推导中的名字。",
    "another name of `_children`.": "`_children` 的另一个名字。",
    "the derivative of an operation made by hand with respect to each child, instead of a backward step: a function of the children that is written in operations on Values, or a number, which can be differentiated only once.": "手工构造的运算对每个操作数的导数，代替反向步骤：操作数的函数，用 Value 上的运算写成；或一个数，这时只能求一阶导数。",
    "`data` is not a real number, or a child is not a Value.": "`data` 不是实数，或者某个操作数不是 Value。",
    "the numbers of `local_grads` and of children differ.": "`local_grads` 的个数与操作数的个数不同。",
    # micrograd.Value.backward
    "The result is in their `grad`. In inner Values it replaces the gradient of an earlier pass; in leaves it is added, as in PyTorch. A path through the graph with a factor of zero contributes nothing, even if another factor is infinite or nan. If the pass is interrupted, or a backward step written by hand raises an error, the leaves keep the gradients they had.": "结果存放在它们的 `grad` 中。内部的 Value 用新梯度取代上一次的；叶子的梯度则累加，与 PyTorch 相同。计算图中有因子为零的路径没有任何贡献，即使另一个因子是无穷大或 nan。如果计算被中断，或手写的反向步骤引发错误，叶子保持原有的梯度。",
    "the gradient of this Value itself, by which all others are multiplied.": "这个 Value 自身的梯度，其他梯度都乘以它。",
    # micrograd.compile
    "The first call traces `f` on values without numbers; a call with a different structure of arguments traces it again. While `f` is traced, no other thread may compute with its parameters; programs may run.": "第一次调用时，`f` 在不带数值的值上被追踪；参数的结构改变时重新追踪。追踪 `f` 期间，其他线程不可以用它的参数计算，但可以运行编译好的程序。",
    "`f` may choose by comparing values, including in arrays: `where(x > 0, x, 0)`, and with `&`, `|`, `^` and `~` between comparisons of arrays. It cannot branch on them (`if`) or index with them.": "`f` 可以通过比较来选择，数组也可以：`where(x > 0, x, 0)`，数组的比较之间可以用 `&`、`|`、`^` 和 `~`。但不能用它们分支（`if`），也不能用作下标。",
    "a function of numbers, or of nested lists, tuples, dicts and arrays of numbers; None in them is kept. Left out, `@compile(batched=True)` is a decorator.": "以数，或由数组成的嵌套列表、元组、字典和数组为参数的函数；其中的 None 原样保留。省略时，`@compile(batched=True)` 是装饰器。",
    "Values that `f` uses and that training changes: one after the other, as `model.parameters()` gives them, or in any structure, such as a dict of lists, in which their gradient is returned; for a model, it is a dict with a number under each name. Their current numbers are read at each call, and a Value that was computed from them is computed again. Other Values that `f` uses are constants, with the numbers that they have when `f` is traced.": "`f` 用到并由训练改变的 Value：可以逐个给出，如 `model.parameters()`；也可以用任何结构，例如由列表组成的字典，梯度就以同样的结构返回；给出模型时，返回以名字为键、每个名字一个数的字典。每次调用都读取它们当前的数值，由它们算出的 Value 也重新计算。`f` 用到的其他 Value 是常数，取追踪 `f` 时的数值。",
    "whether every argument is a batch; `f` is written for one sample. In a batch, an array has the samples along its first axis, a list has one entry for each sample, and a dict has a batch under each key.": "是否每个参数都是一批数据；`f` 是为单个样本写的。在一批数据里，数组以第一个轴区分样本，列表每个样本一项，字典的每个键下是一批。",
    'what runs the program. `"numpy"`; `"numba"`, machine code made by the compiler library of Numba; `"jax"`; `"auto"` (the default), which is `"numba"` if it is installed and `"numpy"` otherwise; or `"reference"`, which is exact at infinities and slow, and which tests compare the others with.': '用什么运行程序。`"numpy"`；`"numba"`，由 Numba 的编译库生成机器码；`"jax"`；`"auto"`（默认），装有 `"numba"` 所需的库时用它，否则用 `"numpy"`；或 `"reference"`，遇到无穷大也精确，但较慢，测试用它与其他后端对照。',
    "float64 (the default) or float32: the precision of all numbers.": "float64（默认）或 float32：所有数的精度。",
    'the number of threads that share a large batch. More than one needs `"numba"`.': '分担一大批数据的线程数。多于一个时需要 `"numba"`。',
    "which arguments of a batched function are batches, with an entry for each: 0 for a batch, and None for an argument that all samples share. It is computed with only once. By default, all are batches. Keyword arguments are batches.": "批处理函数的哪些参数是成批的，每个参数一项：0 表示成批，None 表示所有样本共用，只计算一次。默认全部成批。关键字参数总是成批的。",
    "the positions or names of arguments whose values are fixed when `f` is traced, such as the number of steps of a loop: ints stay ints, and each value has its own program. They must be hashable, and have no gradient.": "追踪 `f` 时就固定取值的参数的位置或名字，例如循环的步数：整数保持为整数，每个取值有自己的程序。它们必须可以散列，没有梯度。",
    "the largest number of operations that a trace may record, so that a loop that is far too long raises an error instead of filling the memory: an operation takes about 0.6 KB. A long trace reports its progress on the terminal.": "追踪时最多记录多少个运算，使过长的循环报错，而不是占满内存：一个运算约占 0.6 KB。追踪时间长时，在终端上报告进度。",
    "A function of the same arguments; see `CompiledFunction`.": "一个参数相同的函数，见 `CompiledFunction`。",
    "at a call, if `f` reads the number of a value, branches on one, or does something different when it is run again. It is a TypeError, and its message names the line and the remedy.": "调用时，`f` 读取了某个值的数值，或根据数值分支，或再次运行时做了不同的事。它是 TypeError，消息指出是哪一行、该怎样改。",
    "if the library of the backend is not installed.": "没有安装该后端所需的库。",
    # micrograd.compiler.CompiledFunction
    "A type checker knows the result of a call if it knows that of the function: `float` for a number, a list of floats for a list, and an array for a batch of numbers. Otherwise it is `Any`. It also knows the value of `value_and_grad`, and the gradient with respect to parameters.": "类型检查器若知道函数的类型，也就知道调用结果的类型：数得到 `float`，列表得到浮点数列表，一批数得到数组；否则是 `Any`。它还知道 `value_and_grad` 的函数值，以及对 parameters 的梯度。",
    "the function that is traced; None once there are programs and it was pickled.": "被追踪的函数；有了程序并经过 pickle 之后为 None。",
    "how it is compiled.": "怎样编译。",
    # micrograd.compiler.CompiledFunction.hessian
    "Sparsity is used as for `jacobian`. If the result of the function is one number, only one half of the symmetric matrix is computed.": "与 `jacobian` 一样利用稀疏性。函数的结果是一个数时，对称矩阵只计算一半。",
    "What `micrograd.hessian` returns. For a batch, the samples are along the first axis of each array.": "同 `micrograd.hessian`。对一批数据，每个数组的第一个轴区分样本。",
    # micrograd.compiler.CompiledFunction.hvp
    "the vector, with the structure of `primals`; for a batch, a batch of them.": "向量，结构与 `primals` 相同；对一批数据则是一批向量。",
    # micrograd.compiler.CompiledFunction.jacobian
    "Only entries that can differ from zero are computed, by forward or by reverse mode, as many in one pass as the graph allows: three passes for a tridiagonal Jacobian of any size.": "只计算可能不为零的元素，用前向或反向模式，并在计算图允许的范围内一次算出尽可能多的元素：三对角的雅可比矩阵无论多大都只需三次。",
    'the position of the argument to differentiate with respect to, or a sequence of positions; `"parameters"` stands for the parameters, as in `("parameters", 0)`.': '对哪个位置的参数求导，或一列位置；`"parameters"` 代表 parameters，例如 `("parameters", 0)`。',
    "numbers to use in place of the current ones of the parameters.": "代替 parameters 当前数值的数。",
    "What `micrograd.jacobian` returns, an array with the shape of the result followed by that of the argument, or such arrays in their structures. For a batch, the samples are along the first axis of each array.": "同 `micrograd.jacobian`，即结果的形状后接参数的形状的数组，或按它们的结构组成的这种数组。对一批数据，每个数组的第一个轴区分样本。",
    # micrograd.compiler.CompiledFunction.jvp
    "the arguments of the function, as a tuple or list.": "函数的参数，元组或列表。",
    "the direction, with the structure of `primals`; for a batch, a batch of them.": "方向，结构与 `primals` 相同；对一批数据则是一批方向。",
    # micrograd.compiler.CompiledFunction.source
    '`"c"`: a file of C99, with a function that returns the value and fills an array with the gradient, as `value_and_grad` does, and one for batches, which are arrays of one sample after the other. `"numpy"`: a function on arrays that returns the values.': '`"c"`：一个 C99 文件，其中一个函数像 `value_and_grad` 那样返回函数值并把梯度填入数组，另一个函数处理一批数据，即样本依次排列的数组。`"numpy"`：一个处理数组、返回函数值的函数。',
    "the language is not known, or the function was not called yet.": "没有这种语言，或者函数还没有调用过。",
    "an operation is defined by a Python function, or the program cannot be written for another reason, such as a loop whose number of steps is not known.": "某个运算由 Python 函数定义，或者程序由于其他原因写不出来，例如循环的步数未知。",
    # micrograd.compiler.CompiledFunction.sparsity
    "the arguments of the function; only their structure matters.": "函数的参数；只用到它们的结构。",
    "1 for the Jacobian, 2 for the Hessian.": "1 表示雅可比矩阵，2 表示黑塞矩阵。",
    "What `jacobian` or `hessian` returns for one sample, with a bool for each number.": "`jacobian` 或 `hessian` 对一个样本返回的内容，但每个数换成布尔值。",
    # micrograd.compiler.CompiledFunction.vjp
    "The value, and its pullback, which is a function that takes a cotangent with the structure of the value and returns a tuple of gradients, one for each primal.": "函数值，以及它的拉回，即这样一个函数：接收与函数值结构相同的余切向量，返回梯度的元组，每个参数一项。",
    # micrograd.compiler.CompiledFunction.value_and_grad
    "numbers to use in place of the current numbers of the parameters: an array in their order, or numbers in their structure.": "代替 parameters 当前数值的数：按其次序排列的数组，或与其结构相同的数。",
    "an array to write the gradient to, which is also returned with the value; for several arguments, a tuple of arrays. Only without `argnums` and `has_aux`.": "写入梯度的数组，它也与函数值一起返回；有几个参数时是数组的元组。只在没有 `argnums` 和 `has_aux` 时可用。",
    'what to differentiate with respect to: positions of arguments, as in `micrograd.value_and_grad`, and `"parameters"`. The default is the parameters, or all arguments of a function without parameters. `("parameters", 0)` asks for the parameters and the first argument.': '对什么求导：参数的位置，同 `micrograd.value_and_grad`，以及 `"parameters"`。默认对 parameters 求导；没有 parameters 的函数则对所有参数求导。`("parameters", 0)` 表示 parameters 和第一个参数。',
    "whether the function returns a pair; only its first part is differentiated.": "函数是否返回一对结果；只对第一个求导。",
    "The value and the gradient, or a tuple of gradients for several `argnums`. The gradient with respect to an argument has its structure; that with respect to the parameters is an array, or has the structure in which they were given to `compile`.": "函数值和梯度；`argnums` 有几项时，梯度是元组。对参数的梯度与该参数结构相同；对 parameters 的梯度是数组，或具有交给 `compile` 时的结构。",
    "For a batch, the value has a number for each sample, and so has a gradient with respect to an argument. But if the parameters are among the `argnums`, the value is the mean over the batch, and all gradients are those of the mean. With `has_aux`, the value is a pair of this and the second part of the result. Arrays have the precision of the program; those for several arguments may share their memory.": "对一批数据，函数值为每个样本一个数，对参数的梯度也是如此。但若 `argnums` 中有 parameters，函数值就是整批的平均值，所有梯度都是该平均值的梯度。设置了 `has_aux` 时，函数值是它与结果的第二部分组成的一对。数组的精度与程序相同；对几个参数的梯度数组可能共用内存。",
    "if the function does not return one number, if the batch is empty and a mean is asked for, or if `out` has another shape.": "函数返回的不是一个数，或求平均值时批是空的，或 `out` 的形状不符。",
    # micrograd.custom_derivative
    "The function runs on plain numbers, so it may iterate, branch, or call a library. The derivative is written in operations on Values, so it can be differentiated again. In a compiled function, both are traced; there the function must consist of operations of this package, too, and the derivative with respect to a value that it uses without taking it as an argument is nan. In a step of a compiled loop, derivatives up to the fourth order are known.": "该函数用普通的数运行，因此可以迭代、分支或调用其他库。导数用 Value 上的运算写成，因此可以继续求导。在编译的函数里，两者都会被追踪；这时该函数也必须由本库的运算组成；它用到却不作为参数传入的值，对这个值的导数是 nan。在编译的循环的一步里，导数最高到四阶。",
    "the function, whose arguments and result are numbers, or nested lists, tuples, dicts and arrays of numbers. Left out, `custom_derivative(vjp=…)` is a decorator.": "函数，其参数和结果是数，或由数组成的嵌套列表、元组、字典和数组。省略时，`custom_derivative(vjp=…)` 是装饰器。",
    "a function `jvp(args, result, tangents)` for the forward mode: from the tuple of arguments, the result, and a tuple of tangents with the structure of the arguments, to the derivative of the result in this direction, with the structure of the result.": "用于前向模式的函数 `jvp(args, result, tangents)`：由参数的元组、结果，以及与参数结构相同的切向量，得到结果沿这个方向的导数，结构与结果相同。",
    "a function `vjp(args, result, cotangent)` for the reverse mode: from the arguments, the result, and a cotangent with the structure of the result, to a tuple of gradients, one for each argument and with its structure. None is a gradient of 0; it stands for arguments that are not differentiated, such as a text or the `self` of a method. Both rules receive every argument, also one given by name or left to its default; the gradients of defaults at the end may be left out.": "用于反向模式的函数 `vjp(args, result, cotangent)`：由参数、结果，以及与结果结构相同的余切向量，得到梯度的元组，每个参数一项，结构与该参数相同。None 表示梯度为 0，用于不求导的参数，例如一段文字，或方法的 `self`。两种规则都会得到每一个参数，包括按名字给出的和取默认值的；末尾默认参数的梯度可以省略。",
    "A function of numbers and Values; given numbers alone, it is `f`.": "以数和 Value 为参数的函数；参数全是数时就是 `f`。",
    "neither or both of `jvp` and `vjp` are given, or it does not take three arguments.": "`jvp` 和 `vjp` 都没有给出，或都给出了，或者给出的函数不是三个参数。",
    "a derivative does not have the structure that it should have.": "导数的结构不对。",
    # micrograd.define
    "It becomes a method of `Value`, a name that other formulas may call, and an attribute of `micrograd`. It can be differentiated any number of times, compiled, drawn and explained.": "它成为 `Value` 的方法、其他公式可以调用的名字，以及 `micrograd` 的属性。它可以任意次求导，也可以编译、画图和推导。",
    "the name, a Python identifier. A name that you defined before is replaced.": "名字，须是 Python 标识符。以前自己定义的同名运算会被取代。",
    "the result, as a formula of `x`, of `x` and `y`, or of `x`, `y` and `z`; or a function of floats, such as `scipy.special.j0`, with any number of parameters up to 18. Where it raises a `ValueError` or a `ZeroDivisionError`, the result is nan, and where it raises an `OverflowError`, an infinity; `detect_anomaly` finds the first one. Formulas may use numbers, `+ - * / // % **`, comparisons, and all operations of the table.": "结果，写成 `x`、`x` 和 `y`，或 `x`、`y` 和 `z` 的公式；或者浮点数的函数，例如 `scipy.special.j0`，参数最多 18 个；它抛出 `ValueError` 或 `ZeroDivisionError` 时结果为 nan，抛出 `OverflowError` 时为无穷大，`detect_anomaly` 能找出最先出现的那一个。公式可以使用数、`+ - * / // % **`、比较，以及运算表里的所有运算。",
    "the derivative with respect to each operand: formulas that may also use the result, `out`; names of operations, to be applied to the operands; or functions of Values, which are made of operations and are read when they are first needed.": "对每个操作数的导数：公式，其中还可以使用结果 `out`；运算的名字，作用于各操作数；或 Value 的函数，由运算组成，第一次用到时读取。",
    'for a function of floats, the same function of NumPy arrays, so that the operation can be compiled with `backend="numpy"`. A NumPy ufunc needs none.': '对于浮点数的函数，给出 NumPy 数组上的同一函数，使该运算能用 `backend="numpy"` 编译。NumPy 的 ufunc 不需要给出。',
    "LaTeX for the operation, in terms of the operands; by default the name in upright letters, followed by the operands in brackets.": "该运算的 LaTeX，用操作数写成；默认是正体的名字后接括号里的操作数。",
    "the text in a picture; by default the name.": "图中的文字；默认是名字。",
    "a formula that is true where the operation is differentiable, if not everywhere.": "在运算可导处为真的公式；处处可导时不给。",
    "a formula that is 0 where a derivative jumps.": "在导数跳变处为 0 的公式。",
    "the convention at such points, a sentence for readers.": "在这些点上的约定，给读者看的一句话。",
    "the note in Chinese.": "该说明的中文。",
    "A function of Values and numbers, whose result is a float if all operands are numbers. It also takes arrays and nested lists of these, which are broadcast, and gives an array.": "以 Value 和数为参数的函数；操作数全是数时结果是浮点数。它也接受数组和嵌套列表，按广播规则计算，结果是数组。",
    "the name is reserved or a formula is wrong. The message names the operation and the column.": "名字已被保留，或公式有错。消息指出运算和所在的列。",
    # micrograd.derivation.Explanation
    "`explain` makes it. `gradients` are the derivatives, and `chain` is everything that was computed, as data.": "由 `explain` 生成。`gradients` 是各个导数，`chain` 以数据形式保存算出的一切。",
    "the graph with its adjoints and contributions.": "计算图，以及各个伴随值和贡献。",
    "what the output is differentiated with respect to.": "对哪些值求导。",
    # micrograd.derivation.Explanation.blocks
    "whether to add a table of all values and one of all derivatives, or on a board a table of the named values; by default, only in the full style.": "是否附上两张表：所有的值和所有的导数；板书样式则附一张有名字的值的表。默认只在完整样式下附上。",
    # micrograd.derivation.Explanation.latex
    "Names in other than Latin letters need XeLaTeX or LuaLaTeX, and a font that has them.": "名字若含拉丁字母以外的文字，需要 XeLaTeX 或 LuaLaTeX，以及含有这些文字的字体。",
    # micrograd.derivation.RuleCard
    "the row of the table.": "运算表中的行。",
    "the language of the words.": "文字的语言。",
    # micrograd.derivation.RuleCard.curve
    "the language of the alternative text; that of the card by default.": "替代文字的语言；默认与卡片相同。",
    # micrograd.derivation.RuleCard.html
    "the level of the heading, 1 to 6.": "标题的级别，1 到 6。",
    # micrograd.derivation.rule_card
    'the name of a row of the table, such as "tanh" or "mul".': '运算表中的名字，例如 "tanh" 或 "mul"。',
    "if there is no such operation or no such language.": "没有这种运算或这种语言。",
    # micrograd.derivation.rule_cards
    "Rows that only serve the formulas of other rows, such as `sech2`, are left out; `rule_card` has a card for each of them, too.": "只供其他行的公式使用的行（例如 `sech2`）不在其中；用 `rule_card` 也能得到它们的卡片。",
    # micrograd.derivative
    "Neither `.grad` nor any other attribute of a Value is changed.": "不改变任何 Value 的 `.grad` 或其他属性。",
    "the Value to differentiate.": "要求导的 Value。",
    "the Value to differentiate with respect to, or nested lists, tuples and dicts of Values.": "对哪个 Value 求导，或由 Value 组成的嵌套列表、元组和字典。",
    "A Value, or Values in the structure of `wrt`.": "一个 Value，或与 `wrt` 结构相同的 Value。",
    "something other than a Value was given.": "给出的不是 Value。",
    # micrograd.detect_anomaly
    "The error names the operation, the numbers it was applied to, and the line that built it, which is known if it was built inside the context as well. Only the thread that entered is affected.": "错误指出是哪个运算、作用于哪些数，以及生成它的那一行；那一行只有也在这个上下文中运行时才知道。只影响进入上下文的线程。",
    "In the chain rule, zero times infinity counts as 0. Where this happens, the error names the operation, because the product may be wrong: the engine gives `cos(sqrt(x))` at 0 the gradient 0, but the derivative is -0.5.": "在链式法则中，零乘以无穷大按 0 计算。发生这种情况时，错误会指出是哪个运算，因为乘积可能不对：`cos(sqrt(x))` 在 0 处引擎给出的梯度是 0，而导数是 -0.5。",
    "a FloatingPointError, raised inside the context.": "一种 FloatingPointError，在上下文中引发。",
    # micrograd.dot
    "numbers and Values, a list or an array with one axis.": "数和 Value，列表或一维数组。",
    "as many numbers and Values.": "同样多的数和 Value。",
    "the lengths differ, or the arguments are empty.": "长度不同，或者一个数也没有。",
    # micrograd.explain
    "Up to 8 short paths from `wrt` to `output` are written down one by one. If there are more, or longer ones, the derivatives are accumulated from the output back. No gradient is read or changed.": "从 `wrt` 到 `output` 的短路径不超过 8 条时，逐条写出；更多或更长时，从输出往回累积导数。不读取也不改变任何梯度。",
    "the value that is differentiated.": "要求导的值。",
    "what it is differentiated with respect to: a Value, the name of one in any spelling, or a list of these; by default, every value that no operation made.": "对什么求导：一个 Value、某个 Value 的名字（任何写法），或它们的列表；默认是所有不由运算得到的值。",
    "the caller's variables, such as `locals()`, or a model, for values without a label. The parameters of models of `nn` are known by their places, such as w⁽¹⁾₁₂; other values that have neither are called v₁, v₂, … in order.": "调用者的变量，例如 `locals()`，或一个模型，用于没有标签的值。`nn` 的模型的参数按所在位置命名，例如 w⁽¹⁾₁₂；其他既无标签也不在其中的值依次称为 v₁、v₂、…。",
    "the most values that the graph may have.": "计算图最多有多少个值。",
    '`"full"` writes down every value and every path; `"board"` writes what one would write on a blackboard: definitions, the chain rule over the values that have names, and a simplified closed form.': '`"full"` 写出每个值和每条路径；`"board"` 写出黑板上会写的内容：定义、对有名字的值的链式法则，以及化简后的结果。',
    "on the board, whether the numbers of the graph are used, to choose between the branches of a function and to show the results; otherwise there are symbols only.": "用于板书样式：是否使用计算图中的数值，以选择函数的分支并写出结果；否则只有符号。",
    "on the board, the columns of a line of text, in every format; 76 by default.": "用于板书样式：每行文字的列数，各种格式都适用；默认 76。",
    "if `output` or `wrt` is not a Value.": "`output` 或 `wrt` 不是 Value。",
    "if `style` is another word, or if an option of the board is given without it; if the graph has more than `max_nodes` values, or if a number in it was changed after others had been computed from it.": "`style` 是别的词，或没有选板书样式却给了它的选项；计算图超过 `max_nodes` 个值，或者其中某个数在别的值由它算出之后又被改变。",
    # micrograd.export_source
    "The function computes the value forwards and the derivatives backwards, as straight-line code in which equal operations are done once. It follows the conventions of the table of operations: at kinks, for infinities and nan, and where a factor of the chain rule is 0.": "生成的函数先前向求值，再反向求导，是顺序执行的代码，相同的运算只做一次。它遵守运算表的约定：折点、无穷大和 nan，以及链式法则中因子为 0 的情况。",
    "a Value, whose graph is written; an expression as text; or a function of numbers, which is made of operations and does not branch on its arguments.": "一个 Value，写出它的计算图；一个表达式的文本；或一个数的函数，由运算组成，不根据参数分支。",
    '`"javascript"`, `"python"` or `"c"`. In JavaScript, the function returns an object with `value` and `gradient`; in Python, a pair of them. In C99, it returns the value, and fills an array with the gradient unless that is a null pointer.': '`"javascript"`、`"python"` 或 `"c"`。在 JavaScript 中，函数返回带有 `value` 和 `gradient` 的对象；在 Python 中返回由两者组成的一对；在 C99 中返回函数值，并把梯度填入数组（除非给的是空指针）。',
    "for a function, arguments of the structure it takes: numbers and nested lists. By default, every argument is a number.": "用于函数：与其参数结构相同的例子，由数和嵌套列表组成。默认每个参数都是一个数。",
    "for a Value, the leaves that become parameters, in this order; the others keep their numbers. By default, all leaves are parameters; more than 20 of them are passed as one array.": "用于 Value：成为函数参数的叶子，按这个次序；其余的保持数值不变。默认所有叶子都是参数；超过 20 个时作为一个数组传入。",
    "for a Value, a mapping from names to Values, such as `locals()`, for those without a label; for an expression, its names in the order of the parameters, by default that in which they appear; for a function, other names for its parameters.": "用于 Value：从名字到 Value 的映射，例如 `locals()`，用于没有标签的值；用于表达式：各个名字按参数的次序排列，默认是出现的次序；用于函数：参数的其他名字。",
    "the name of the function; by default that of `f`, else `f`.": "生成的函数的名字；默认是 `f` 的名字，没有则为 `f`。",
    "in JavaScript, write an ES module, which exports the function. By default, the text is a script, which Node can also `require`.": "用于 JavaScript：写成 ES 模块，导出该函数。默认写成脚本，Node 也可以用 `require` 载入。",
    'the language of the comments, `"en"` or `"zh"`.': '注释的语言，`"en"` 或 `"zh"`。',
    "The text of a source file. Names that the language does not allow are changed, and the comment at its head says how.": "源文件的文本。该语言不允许的名字会被改写，文件开头的注释说明如何改写。",
    "the language is not known, or the expression is wrong.": "没有这种语言，或者表达式有错。",
    "an operation of the graph was made by hand, or the function branches on its arguments.": "计算图中有手工构造的运算，或者函数根据参数分支。",
    "an operation was defined by a Python function.": "某个运算由 Python 函数定义。",
    # micrograd.grad
    "a function whose result is one number. Its arguments are numbers, or nested lists, tuples, dicts and NumPy arrays of numbers.": "结果为一个数的函数。参数是数，或由数组成的嵌套列表、元组、字典和 NumPy 数组。",
    "the position of the argument to differentiate with respect to, or a sequence of positions. Negative positions count from the end.": "对哪个位置的参数求导，或一列位置。负数从末尾数起。",
    "A function with the arguments of `f`. Its result has the structure of the chosen argument, or is a tuple of such results for a sequence of positions. An input that the result does not depend on has the gradient 0. At numbers, the result consists of floats, on which Values that `f` uses otherwise, such as the weights of a model, have no influence; at Values, it consists of Values, whose `backward()` reaches them. With `has_aux`, the result is a pair of this and the second part of what `f` returned.": "一个参数与 `f` 相同的函数。结果与所选参数结构相同；给出一列位置时是这种结果的元组。结果不依赖的输入，梯度为 0。参数是数时，结果由浮点数组成，`f` 另外用到的 Value（例如模型的权重）收不到它的梯度；参数是 Value 时，结果也由 Value 组成，对它调用 `backward()`，梯度会传到这些 Value。设置了 `has_aux` 时，结果是它与 `f` 返回的第二部分组成的一对。",
    "`argnums` is not made of integers; or, when the gradient is computed, the result of `f` is not one number.": "`argnums` 不是由整数组成；或者求梯度时，`f` 的结果不是一个数。",
    "`f` was called with fewer arguments, or a position is given twice.": "调用 `f` 时参数太少，或者同一位置给了两次。",
    # micrograd.hessian
    "the function, as for `jacobian`; often its result is one number.": "函数，同 `jacobian`；结果往往是一个数。",
    "The Jacobian of the Jacobian. For a function whose result is one number, and an argument that is a number, a regular list or an array, it is a NumPy array with the shape of the argument, twice. Otherwise it has the structures of the result and of the argument, twice, one in the other. For a sequence of positions the result is a tuple of tuples, in which entry `[i][j]` has the derivatives with respect to argument `i` and argument `j`.": "雅可比矩阵的雅可比矩阵。若函数的结果是一个数，参数是一个数、规则的列表或数组，它是 NumPy 数组，参数的形状重复两次。否则按函数结果的结构、再按参数的结构两次，逐层嵌套。给出一列位置时，结果是元组的元组，第 `[i][j]` 项是对参数 `i` 和参数 `j` 的导数。",
    # micrograd.hvp
    "the vector, with the structure of `primals`.": "向量，结构与 `primals` 相同。",
    "The product, with the structure of `primals`.": "乘积，结构与 `primals` 相同。",
    "`vector` has a different structure from `primals`.": "`vector` 的结构与 `primals` 不同。",
    # micrograd.jacfwd
    "It is the better one if there are fewer inputs than outputs.": "输入比输出少时用它更好。",
    # micrograd.jacobian
    "The mode is chosen by the numbers of inputs and outputs; `jacfwd` and `jacrev` choose it for themselves.": "按输入和输出的个数选择模式；`jacfwd` 和 `jacrev` 则固定一种。",
    "a function whose arguments and result are numbers, or nested lists, tuples, dicts and arrays of numbers.": "参数和结果是数，或由数组成的嵌套列表、元组、字典和数组的函数。",
    "the position of the argument to differentiate with respect to, or a sequence of positions.": "对哪个位置的参数求导，或一列位置。",
    "A function with the arguments of `f`. If the argument and the result are numbers, regular lists or arrays, its result is a NumPy array, whose shape is that of the result followed by that of the argument. Otherwise it has the structure of the result of `f`, with the structure of the argument in place of each array or number, and arrays in these. For a sequence of positions there is a tuple of such results.": "一个参数与 `f` 相同的函数。若参数和结果都是数、规则的列表或数组，结果是 NumPy 数组，形状为结果的形状后接参数的形状。否则，它具有 `f` 的结果的结构，其中每个数或数组换成参数的结构，里面是数组。给出一列位置时，是这种结果的元组。",
    # micrograd.jacrev
    "It is the better one if there are more inputs than outputs.": "输入比输出多时用它更好。",
    # micrograd.jvp
    "the arguments of `f`, as a tuple or list.": "`f` 的参数，元组或列表。",
    "the direction, with the structure of `primals`.": "方向，结构与 `primals` 相同。",
    "The value of `f(*primals)`, and its derivative in the direction of the tangents, which has the structure of the value. With `has_aux`, the second part of what `f` returned follows.": "`f(*primals)` 的值，以及它沿切向量方向的导数，后者与前者结构相同。设置了 `has_aux` 时，后面还有 `f` 返回的第二部分。",
    "`primals` or `tangents` is not a tuple or list.": "`primals` 或 `tangents` 不是元组或列表。",
    "the tangents have a different structure from the primals.": "切向量的结构与参数不同。",
    # micrograd.label_all
    'Values in lists, tuples and NumPy arrays are counted from 1, as in mathematics: the first entry of `w` is labelled `w_1`, which is shown as w₁, and an entry of a matrix `W_{12}`. The entry `"b"` of a dict `w` is labelled `w_b`. The parameters of a model are called by their places, whatever the name of the model is: the weight of neuron 1 for input 2 in layer 1 is labelled `w^{(1)}_{12}`, which is shown as w⁽¹⁾₁₂. If a Value has several names, the first counts; a place in a model takes precedence over all of them. Names that begin with an underscore are skipped.': '列表、元组和 NumPy 数组中的 Value 像数学中那样从 1 编号：`w` 的第一项标为 `w_1`，显示为 w₁；矩阵的一项标为 `W_{12}`。字典 `w` 中的 `"b"` 标为 `w_b`。模型的参数无论模型叫什么，都按所在位置命名：第 1 层第 1 个神经元对第 2 个输入的权重标为 `w^{(1)}_{12}`，显示为 w⁽¹⁾₁₂。一个 Value 有几个名字时取第一个；在模型中的位置优先于其他名字。以下划线开头的名字略过。',
    "a mapping from names to Values, to models, and to nested lists, tuples, dicts and NumPy arrays of them; or a model.": "从名字到 Value、模型，以及由它们组成的嵌套列表、元组、字典和 NumPy 数组的映射；或一个模型。",
    "whether to replace existing labels.": "是否取代已有的标签。",
    "The labels that were set.": "设置的标签。",
    "if `names` is neither a mapping nor a model.": "`names` 既不是映射也不是模型。",
    # micrograd.linearize
    "The function runs once; then any number of directions can be pushed through its graph.": "函数只运行一次，之后可以把任意多个方向沿它的计算图推过去。",
    "The value, and a function of tangents, one for each primal and with its structure, whose result has the structure of the value. With `has_aux`, the second part of what `f` returned follows.": "函数值，以及一个切向量的函数：切向量每个参数一项，结构相同；结果与函数值结构相同。设置了 `has_aux` 时，后面还有 `f` 返回的第二部分。",
    # micrograd.log_softmax
    "the axis along which the exponentials of the results add up to 1.": "结果的指数沿哪个轴相加为 1。",
    # micrograd.mean
    "the axis to average over; by default all numbers are averaged.": "沿哪个轴求平均；默认对所有的数求平均。",
    # micrograd.prod
    "the axis to multiply along; by default all numbers are multiplied.": "沿哪个轴相乘；默认所有的数相乘。",
    # micrograd.register_structure
    "Named tuples and dataclasses need no registration. None is a structure without numbers.": "具名元组和 dataclass 不需要登记。None 是不含数的结构。",
    "the class.": "类。",
    "a function from an object to a pair: its children, a sequence of numbers or structures, and whatever else it consists of, which must be hashable.": "由对象得到一对结果的函数：它的子项，即一列数或结构；以及它的其余部分，必须可以散列。",
    "a function from the second part of the pair and the children to an object.": "由上面的第二部分和各子项得到对象的函数。",
    "`kind` is not a class, or is a class of numbers.": "`kind` 不是类，或是数的类。",
    # micrograd.repeat
    "the number of steps. In a compiled function it may be a value that is known only when the program runs; a fraction is then rounded up, and a negative number or nan means no steps.": "步数。在编译的函数里，它可以是运行时才知道的值；这时不是整数的数向上取整，负数或 nan 则一步也不做。",
    "The state after the last step.": "最后一步之后的状态。",
    "`n` is not a number, or a step returns something other than numbers.": "`n` 不是数，或者某一步返回的不是数。",
    "`n` is not a whole number of at least 0, or a step returns a state of a different structure.": "`n` 不是不小于 0 的整数，或者某一步返回的状态结构不同。",
    # micrograd.scan
    "a function from a state and an input to a pair: the next state, which has the same structure, and an output, or None.": "由状态和输入得到一对结果的函数：结构相同的下一个状态，以及一个输出或 None。",
    "the inputs: a list of them, or an array, whose inputs lie along the first axis; or a tuple or dict of lists and arrays of one length; each input takes one entry of each.": "各个输入：列表；或数组，以第一个轴区分各输入；或由等长的列表和数组组成的元组或字典，每次输入取各自的一项。",
    "whether to begin with the last input. The order of the outputs stays that of the inputs.": "是否从最后一个输入开始。输出的次序仍与输入相同。",
    "The state after the last step, and the outputs, which have the structure of one output, in which each number is a list with an entry for each input, or an array if `xs` has one, and each array has one axis more, the first one. They are None if the step returns None for each.": "最后一步之后的状态，以及各个输出：具有一个输出的结构，其中每个数换成每个输入一项的列表（`xs` 含数组时为数组），每个数组多出第一个轴。每步都返回 None 时为 None。",
    "`xs` has another type, a step does not return a pair, or something is not a number.": "`xs` 是其他类型，或某一步没有返回一对结果，或有的不是数。",
    "the inputs have different structures or the parts of `xs` different lengths, or a step returns a state or an output of a different structure.": "各输入的结构不同，或 `xs` 各部分的长度不同，或某一步返回的状态或输出结构不同。",
    # micrograd.softmax
    "the axis along which the results add up to 1.": "结果沿哪个轴相加为 1。",
    # micrograd.take
    "The gradient goes to the entry that was taken; the index gets none. In a compiled function, an index that is an argument reads the entry when the program runs, which takes as long for a long table as for a short one. In a derivative within the function, and in exported source, it is compared with the number of each entry instead.": "梯度传给取出的元素；下标没有梯度。在编译的函数里，下标若是参数，就在运行时读取元素，表再长也一样快。在函数内部求导时，以及在导出的源代码里，则把下标与每个元素的编号比较。",
    "a list, a tuple or an array of entries, which are numbers and Values, or lists and arrays of them, all of one structure.": "由元素组成的列表、元组或数组；元素是数和 Value，或由它们组成的列表和数组，结构都相同。",
    "a whole number, which may be a Value or an argument of a compiled function; negative ones count from the end. Or a list or an array of such numbers.": "整数，可以是 Value 或编译函数的参数；负数从末尾数起。也可以是这种数的列表或数组。",
    "The entry; for a list of indices a list of entries, and for an array an array.": "该元素；下标是列表时返回元素的列表，是数组时返回数组。",
    "if the index is out of range. In a compiled function, an index that is not among the numbers of the entries gives nan.": "下标超出范围。在编译的函数里，不在编号之中的下标得到 nan。",
    "if the index is not a whole number.": "下标不是整数。",
    "if the table is empty, or if its entries differ in structure.": "表是空的，或者各元素的结构不同。",
    # micrograd.taylor
    "Coefficient k is the k-th derivative divided by k!.": "第 k 个系数是第 k 阶导数除以 k!。",
    "a function of one argument: a number, or nested lists, tuples, dicts and arrays.": "只有一个参数的函数，参数是数，或嵌套列表、元组、字典和数组。",
    "the point, with the structure of the argument.": "展开的点，结构与参数相同。",
    "the highest power of t, 0 or more.": "t 的最高次数，不小于 0。",
    "the direction, with the structure of `x`; 1 by default if `x` is a number.": "方向，结构与 `x` 相同；`x` 是一个数时默认为 1。",
    "several directions; the coefficients are computed for each of them.": "几个方向，分别求系数。",
    "A list of `order + 1` floats in place of each number in the result of `f`; for `directions` a list of such results. If `x` or a direction has Values, or within another transform or a function that is compiled, the coefficients that depend on those are Values, which can be differentiated. In a compiled function, at a kink, which depends on numbers that come later, each derivative follows the convention.": "`f` 的结果中每个数换成 `order + 1` 个浮点数的列表；给出 `directions` 时是这种结果的列表。`x` 或方向中有 Value，或者在另一个变换之内、在要编译的函数之内时，依赖它们的系数是可以继续求导的 Value。编译时还不知道数值，无法判断是否在折点上；在折点上，各阶导数按约定取值。",
    "an operation has a kink at the point, and therefore no series, or was made by hand without a formula or functions for its partials.": "某个运算在该点有折点，没有级数；或者某个运算是手工构造的，既没有公式，也没有偏导数的函数。",
    "`x` is not a number, and no direction is given.": "`x` 不是一个数，又没有给出方向。",
    # micrograd.value_and_grad
    "a function whose result is one number, as for `grad`.": "结果为一个数的函数，同 `grad`。",
    "the positions of the arguments to differentiate with respect to, as for `grad`.": "对哪些位置的参数求导，同 `grad`。",
    "A function whose result is the pair of value and gradient. With `has_aux`, the value is the pair that `f` returned.": "一个函数，结果是由函数值和梯度组成的一对。设置了 `has_aux` 时，函数值是 `f` 返回的那一对。",
    # micrograd.value_and_jacobian
    "whether `f` returns a pair; only its first part is differentiated. The value is then this pair.": "`f` 是否返回一对结果；只对第一个求导。这时函数值就是这一对。",
    # micrograd.var
    "what is subtracted from the count of the numbers in the denominator, as in NumPy; 1 for the unbiased estimate.": "分母中从数的个数里减去多少，同 NumPy；1 给出无偏估计。",
    "there are at most `ddof` numbers.": "数的个数不大于 `ddof`。",
    # micrograd.vjp
    "The value, and its pullback, which is a function that takes a cotangent with the structure of the value and returns a tuple of gradients, one for each primal. With `has_aux`, the second part of what `f` returned follows.": "函数值，以及它的拉回，即这样一个函数：接收与函数值结构相同的余切向量，返回梯度的元组，每个参数一项。设置了 `has_aux` 时，后面还有 `f` 返回的第二部分。",
    # micrograd.while_
    "The derivative is that of the steps that were done; their number counts as a constant.": "导数是已完成的各步的导数；步数视为常数。",
    "a function from a state to a comparison, such as `s < 1`, or a number, which holds unless it is 0.": "由状态得到比较（例如 `s < 1`）或数的函数；数不为 0 时条件成立。",
    "the largest number of steps; None for no limit.": "最大步数；None 表示不限。",
    "The first state for which the condition does not hold, or the state after `most` steps.": "第一个不满足条件的状态，或做满 `most` 步之后的状态。",
    "the condition is not a number, or a step returns something other than numbers.": "条件不是数，或者某一步返回的不是数。",
    "`most` is not a whole number of at least 0, or a step returns a state of a different structure.": "`most` 不是不小于 0 的整数，或者某一步返回的状态结构不同。",
}
