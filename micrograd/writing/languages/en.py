"""English, which has every key."""

from __future__ import annotations

WORDS: dict[str, dict[str, str]] = {
    "language": {
        "name": "English",  # in the language itself
        "tag": "en",  # for HTML
    },
    "explain": {
        "title": "The derivative of {output} with respect to {wrt}",
        "itself": "{output} with respect to itself has the derivative 1.",
        "no path": "{output} was not computed from {wrt}: no path leads from one to the other, and "
        "the derivative is 0.",
        "one path": "One path leads from {wrt} to {output}. The chain rule multiplies the local "
        "derivatives along it:",
        "paths": "{count} paths lead from {wrt} to {output}. Along each one the chain rule "
        "multiplies the local derivatives:",
        "path": "Path {number}: {path}",
        "sum": "Where paths meet, their contributions add up. That is why backward() adds to a "
        "gradient (+=) and does not set it:",
        "many paths": "{count} paths lead from {wrt} to {output}, too many to write down one by "
        "one. Instead, the derivatives of {output} with respect to the values between (written "
        "with a bar) are computed one after another, from the output back to {wrt}. Where a value "
        "is used more than once, the contributions add up:",
        "long paths": "The way from {wrt} to {output} is long. The derivatives of {output} with "
        "respect to the values on it (written with a bar) are computed one after another, from "
        "the output back to {wrt}:",
        "blocked": "A factor that is literally 0, as in a branch that is not taken, blocks the "
        "gradient, whatever the other factors are.",
        "more than": "More than {number}",
        "conditions": "The branches that the numbers take: {conditions}.",
        "left out": "… {count} more lines …",
        "more terms": "… {count} more",
        "forward": "Forward: every value in order",
        "backward": "Backward: the derivative of {output} with respect to every value, written "
        "with a bar",
        "value": "value",
        "formula": "formula",
        "numbers": "with numbers",
        "result": "result",
        "adjoint": "derivative",
        "chain rule": "chain rule",
        "given": "given",
        "start": "start",
        "place": "{partial} is the derivative with respect to operand {place} alone: {operand} "
        "also enters elsewhere.",
        "check": "Check by central differences, which do not use the chain rule: with {wrt} "
        "moved by ± {step}, the rate of change of {output} {sign} {difference}",
        "check agrees": ", which agrees with the derivative above, {gradient}.",
        "check differs": ", which does NOT agree with the derivative above, {gradient}.",
        "check kink": "; but {output} bends here, with the rate {left} before and {right} after, "
        "so either the derivative above, {gradient}, is a convention, or the curve is very steep "
        "here.",
        "check lost": ", which shows nothing: {output} is so large that the change is lost in "
        "rounding. The derivative above is {gradient}.",
        "no check": "There is no check by differences: {reason}.",
    },
    "layers": {
        "title": "The gradients of the {sizes} network in matrix form",
        "sample": "One sample. Its inputs, its targets and the values of the neurons are columns.",
        "batch": "{count} samples. Each column of {inputs}, {targets} and the values of the "
        "neurons is a sample.",
        "weights": "A row of {weights} has the weights of one neuron, one for each input.",
        "entries": "⊙ multiplies entry by entry, and functions and fractions act on each entry.",
        "broadcast": "{biases} is added to every column.",
        "sum": "∑ adds up all entries.",
        "indicator": "1[…] is 1 where the condition holds and 0 elsewhere.",
        "quantity": "quantity",
        "meaning": "meaning",
        "shape": "shape",
        "inputs": "inputs",
        "targets": "targets",
        "weights of": "weights of layer {layer}",
        "biases of": "biases of layer {layer}",
        "weights of all": "weights",
        "biases of all": "biases",
        "forward": "Forward",
        "backward": "Backward",
        "gradients": "Gradients",
        "delta": "{delta} is the derivative of {loss} with respect to {sums}.",
        "deltas": "{delta} is the derivative of {loss} with respect to {sums}. It is computed from "
        "the last layer back to the first.",
        "column": "The gradient of a bias is the sum over the samples: {column} is column s of "
        "{delta}.",
        "divisor": "Here {divisor} = {count}, the number of {things}.",
        "of samples": "samples",
        "of entries": "entries that are compared",
        "probabilities": "{probabilities} has the probabilities of the classes: the softmax of "
        "each column of {outputs}.",
        "probabilities of one": "{probabilities} has the probabilities of the classes.",
        "case": "Here {condition} holds for all entries, which decides the case of the loss.",
        "mixed": "The loss joins the outputs in a way for which no matrix form is known. "
        "{slope} is taken from backward().",
        "unknown": "The formula of the loss cannot be found, because it reads the numbers of its "
        "arguments. {slope} is taken from backward().",
        "check": "Check: evaluated with the numbers, these formulas give the {count} derivatives "
        "that backward() computes. The largest difference is {difference}, within the bound of "
        "rounding errors, {bound}.",
        "infinite": "{count} of them are infinite or nan.",
        "exact": "Check: evaluated with the numbers, these formulas give exactly the {count} "
        "derivatives that backward() computes.",
        "if": "if",
        "otherwise": "otherwise",
        "between sentences": " ",
        "next case": "; ",
    },
    "card": {
        "page title": "Rules of differentiation",
        "page about": "Each card has a function f, its derivatives, where it has them, and its "
        "curve. f in a derivative is the value of the function.",
        "heading": "{name} ({row})",
        "domain": "Differentiable for {domain}.",
        "everywhere": "all numbers",
        "partly": "Differentiable with respect to {operands}; the other operand gets no gradient.",
        "list": ", ",
        "undefined": "not defined",
        "fractional": " is not a whole number",
        "stopped": "Defined for all numbers. It blocks the gradient.",
        "note": "Convention: {note}",
        "curve": "The function; dashed, its derivative with respect to {operand}",
        "held": " (here {operands})",
        "if": "if",
        "and": "and",
        "or": "or",
        "otherwise": "otherwise",
        "next case": "; ",
    },
    "note": {},  # of the rows of the table, where the English ones are
    "operation": {},  # what rows of the table are called in a sentence, if not by their names
    "picture": {
        "data": "data",
        "grad": "grad",
        "layer": "layer {layer}",
        "only layer": "layer",
        "neuron": "neuron {neuron}",
        "only neuron": "neuron",
        "neuron of layer": "layer {layer}, neuron {neuron}",
        "sample": "sample {sample}",
        "in sample": "{title}, sample {sample}",
        "with a neuron": "{title} (1 neuron)",
        "with neurons": "{title} ({count} neurons)",
        "more": "… {count} more",
        "above": "(above)",
        "below": "(below)",
    },
    "page": {
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
        "values": "All values",
        "name": "value",
        "data": "data",
        "grad": "grad",
        "picture": "The computation graph",
        "hint": "← → step · space plays · Home, End · click a value to see it computed, "
        "and again to see its gradient",
    },
    "network": {
        "title": "a network {sizes}",
        "inputs": "inputs",
        "inputs counted": "{count:,}",
        "layer": "layer {layer}",
        "place": "layer {layer}, neuron {neuron}",
        "neuron": "1 neuron",
        "neurons": "{count:,} neurons",
        "more": "… {count:,} more",
        "positive": "positive weight",
        "negative": "negative weight",
        "all": "All {drawn:,} weights are drawn; thicker lines mean larger weights.",
        "strongest": "The {drawn:,} strongest weights between these neurons are drawn, out of "
        "{all:,}; {missing:,} are left out.",
        "filled": "The fill of a neuron shows its activation; each column has its own scale.",
        "bias": "bias {bias}",
        "activation": "activation {activation}",
    },
    "program": {
        "caption": "width: the number of results (logarithmic scale)",
        "uniform": "once for the whole batch",
        "varying": "for each sample",
        "parameters": "parameters",
        "inputs": "inputs",
        "more": "{count} more instructions",
        "sum": "1 sum of {terms}",
        "sums": "{count} sums of {terms}",
        "folds": "{count} times {operation} of {terms}",
        "term": "1 term",
        "terms": "{count} terms",
        "vectors": "{product} for {count} vectors",
        "tape": "tape of {count} steps: {operations}",
    },
    "schematic": {
        "neuron": "A neuron",
        "neuron seen": "The inputs {inputs} are multiplied by the weights {weights}, and the "
        "products are added up.",
        "output seen": " The output is {output}.",
        "inputs": "inputs",
        "weights": "weights",
        "sum": "sum",
        "activation": "activation",
        "output": "output",
        "fires": "1 if z > {threshold}, else 0",
        "mcculloch": "A biological neuron and the neuron of McCulloch and Pitts",
        "mcculloch seen": "On the one side a nerve cell with dendrites, cell body and axon; on the "
        "other inputs, weights and a sum, which fires above {threshold}; below, "
        "what corresponds to what.",
        "biological": "biological neuron",
        "artificial": "McCulloch–Pitts neuron",
        "dendrites": "dendrites",
        "cell": "cell body",
        "axon": "axon",
        "terminals": "terminals",
        "dendrites biological": "dendrites receive signals",
        "dendrites artificial": "inputs, 0 or 1",
        "synapses biological": "synapses pass them on, strongly or weakly",
        "synapses artificial": "weights",
        "cell biological": "the cell body collects them",
        "cell artificial": "weighted sum",
        "hillock biological": "it fires if they exceed a threshold",
        "hillock artificial": "step at the threshold",
        "axon biological": "the axon carries the impulse on",
        "axon artificial": "output, 0 or 1",
        "layers": "A network {sizes}",
        "layers seen": "Columns of circles, one below the other: {sizes}. Each circle is joined "
        "to all of the next column. Lines, which are the weights: {count}.",
        "next": ", ",
        "layer": "layer {layer}",
        "matrix": "A layer in matrices",
        "matrices": "{count} layers in matrices",
        "matrices seen": "The inputs are a matrix of shape {inputs}, a row for each sample; the "
        "outputs are one of shape {outputs}.",
        "curve": "The function {function} and its derivative",
        "curve seen": "Above the function, below its derivative on a scale of its own, from "
        "{left} to {right}.",
        "tangent": "tangent at x = {x}, slope {slope}",
        "tangent seen": "At x = {x} the value is {value} and the tangent has the slope {slope}.",
        "valley": "Gradient descent on {loss}({weight})",
        "steps": "steps: {count}",
        "valley told": "Steps: {count}. {weight} goes from {first} to {last}, and {loss} from "
        "{before} to {after}.",
        "points": "Points",
        "points fit": "Points and a function that fits them",
        "points seen": "Points: {count}",
        "line": "; line: {equation}",
        "curve of fit": "; curve: {equation}",
        "stop": ".",
        "loss": "loss",
        "iteration": "iteration",
        "losses": "The loss by iteration",
        "loss seen": "{loss}: {first} at the start, {last} at iteration {count}.",
        "table": "A table of samples",
        "table seen": "Columns {columns}. {rows}.",
        "dot": "The dot product {dot}",
        "dot seen": "{a} = ({first}), {b} = ({second}); the products are {products} and "
        "their sum {dot} is {sum}.",
        "loop": "The loop of training",
        "loop seen": "Four boxes in a loop: forward pass, loss, backward pass, update of the "
        "weights; {repeat}.",
        "forward": "Forward: predict",
        "compare": "Loss: compare",
        "backward": "Backward: gradients",
        "update": "Update the weights",
        "repeat": "repeat",
        "repeat times": "repeat {count} times",
    },
    "export": {
        "returns": "The value and the derivatives by {names}, in this order.",
        "made": "Written by micrograd: the value forwards, then the chain rule backwards, as "
        "straight-line code. A factor of 0 in the chain rule lets nothing pass, even if another "
        "factor is infinite.",
        "large": "{function}, a function of {operations} operations",
        "renamed": "{name} is written {identifier}.",
        "value": "the value",
        "derivatives": "the derivatives, backwards",
    },
    "plot": {
        "right": "{share:.1%} of {count} points correct",
        "class": "class {name}",
        "wrong": "misclassified",
        "epoch": "epoch",
        "after": "epoch {epoch}: ",
        "loss": "loss",
        "training": "training",
        "validation": "validation",
        "best": "best, epoch {epoch}",
        "layer": "layer {number}\nneurons: {neurons}",
        "dead": "dead: {dead}",
        "activation": "activation",
        "weights": "one row for each neuron, with its bias last",
        "norm": "norm of the gradient",
    },
}
