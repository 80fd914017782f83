// A network of layers. The parameters are one array, in the order of `model.parameters()`: for each
// neuron its weights, then its bias. Activations and losses come from the table of operations.

// The product in the chain rule: a factor of 0 lets nothing pass, even if the other is infinite.
const flowing = (x, y) => (x !== 0 && y !== 0 ? x * y : 0);

class Network {
  constructor(sizes, activations) {
    this.sizes = sizes;
    this.activations = activations; // a name for each layer, "" for a linear one
    this.layers = activations.map((name, i) => ({ nin: sizes[i], nout: sizes[i + 1], name }));
    let count = 0;
    for (const layer of this.layers) {
      layer.start = count;
      count += layer.nout * (layer.nin + 1);
      const { value, slope } = ACTIVATIONS[layer.name] || { value: (x) => x, slope: () => 1 };
      Object.assign(layer, { value, slope });
      for (const key of ["z", "h", "g", "d"]) layer[key] = new Float64Array(layer.nout);
    }
    this.parameters = new Float64Array(count);
    this.input = new Float64Array(sizes[0]);
  }

  get outputs() {
    return this.layers[this.layers.length - 1].h;
  }

  // The place of weight i of a neuron; of its bias, if i is the number of inputs.
  place(layer, neuron, i) {
    const { start, nin } = this.layers[layer];
    return start + neuron * (nin + 1) + i;
  }

  // The name of a parameter in Python, and its layer, neuron and place in the neuron.
  described(place) {
    const layer = this.layers.findIndex(
      (each, l) => place < each.start + each.nout * (each.nin + 1) && l >= 0,
    );
    const { start, nin } = this.layers[layer];
    const neuron = Math.floor((place - start) / (nin + 1));
    const i = (place - start) % (nin + 1);
    const name = `layers.${layer}.neurons.${neuron}.${i < nin ? `w.${i}` : "b"}`;
    return { layer, neuron, i, name, isBias: i === nin };
  }

  forward(point) {
    this.input.set(point);
    let x = this.input;
    const w = this.parameters;
    for (const { nin, nout, start, z, h, value } of this.layers) {
      let at = start;
      for (let j = 0; j < nout; j++) {
        let sum = w[at + nin];
        for (let i = 0; i < nin; i++) sum += w[at++] * x[i];
        at++;
        z[j] = sum;
        h[j] = value(sum);
      }
      x = h;
    }
    return x;
  }

  // Sends the derivatives with respect to the outputs, `g` of the last layer, back into `gradient`.
  backward(gradient) {
    const w = this.parameters;
    for (let l = this.layers.length - 1; l >= 0; l--) {
      const { nin, nout, start, z, h, g, d, slope } = this.layers[l];
      const x = l ? this.layers[l - 1].h : this.input;
      const below = l ? this.layers[l - 1].g : null;
      if (below) below.fill(0);
      let at = start;
      for (let j = 0; j < nout; j++, at++) {
        const flow = flowing(g[j], slope(z[j], h[j]));
        d[j] = flow;
        if (flow === 0) {
          at += nin;
          continue;
        }
        for (let i = 0; i < nin; i++, at++) {
          gradient[at] += flowing(flow, x[i]);
          if (below) below[i] += flowing(flow, w[at]);
        }
        gradient[at] += flow;
      }
    }
  }

  // The numbers of each neuron over many points: a list of arrays for each layer. The points are
  // given by an array for each input.
  over(inputs) {
    let x = inputs;
    const w = this.parameters;
    const count = inputs[0].length;
    return this.layers.map(({ nin, nout, start, name, value }, l) => {
      const found = this.planes(l, nout, count);
      for (let j = 0; j < nout; j++) {
        const at = start + j * (nin + 1);
        const sum = found[j];
        sum.fill(w[at + nin]);
        for (let i = 0; i < nin; i++) {
          const weight = w[at + i];
          const from = x[i];
          for (let k = 0; k < count; k++) sum[k] += weight * from[k];
        }
        // Without a call for a linear layer, calls for one activation are compiled to fast code.
        if (name) for (let k = 0; k < count; k++) sum[k] = value(sum[k]);
      }
      x = found;
      return found;
    });
  }

  planes(layer, count, length) {
    const kept = this.layers[layer];
    if (!kept.planes || kept.planes[0].length !== length) {
      kept.planes = Array.from({ length: count }, () => new Float64Array(length));
    }
    return kept.planes;
  }
}

// What is minimised: the mean loss over samples, and the penalty of the parameters.
class Objective {
  constructor(network, loss, penalty = "none", strength = 0) {
    Object.assign(this, { network, penalty, strength });
    const outputs = network.outputs.length;
    this.target = new Float64Array(outputs);
    const each = LOSSES[loss];
    if (typeof each === "function") {
      this.loss = (p, t, g) => {
        let sum = 0;
        for (let i = 0; i < outputs; i++) {
          sum += each(p, t, g, i);
          if (outputs > 1) g[i] /= outputs;
        }
        return outputs > 1 ? sum / outputs : sum;
      };
    } else {
      this.loss = each[outputs];
    }
  }

  // The loss of one sample; the network and its last `g` then have its numbers.
  sample(point, target) {
    const p = this.network.forward(point);
    this.target.set(target);
    return this.loss(p, this.target, this.network.layers[this.network.layers.length - 1].g);
  }

  // The mean loss of the samples at these places; `gradient`, if given, gets that of the objective.
  mean(points, targets, places, gradient = null) {
    let sum = 0;
    if (gradient) gradient.fill(0);
    for (const k of places) {
      sum += this.sample(points[k], targets[k]);
      if (gradient) this.network.backward(gradient);
    }
    if (gradient) {
      for (let i = 0; i < gradient.length; i++) gradient[i] /= places.length;
      this.addPenalty(gradient);
    }
    return sum / places.length;
  }

  addPenalty(gradient) {
    const x = this.network.parameters;
    if (this.penalty === "l2") {
      for (let i = 0; i < x.length; i++) gradient[i] += 2 * this.strength * x[i];
    } else if (this.penalty === "l1") {
      for (let i = 0; i < x.length; i++) gradient[i] += this.strength * Math.sign(x[i]);
    }
  }

  get penalised() {
    const x = this.network.parameters;
    if (this.penalty === "none") return 0;
    const size = this.penalty === "l2" ? (each) => each * each : Math.abs;
    return this.strength * x.reduce((sum, each) => sum + size(each), 0);
  }
}
