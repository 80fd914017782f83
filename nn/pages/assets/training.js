// Initial weights, as in `nn.initializers`, and optimizers, as in `nn.optimizers`.
const INITIALIZERS = {
  uniform: (random) => random.uniform(-1, 1),
  xavier_uniform: (random, nin, nout) => {
    const bound = Math.sqrt(6 / (nin + nout));
    return random.uniform(-bound, bound);
  },
  he_uniform: (random, nin) => random.uniform(-Math.sqrt(6 / nin), Math.sqrt(6 / nin)),
  xavier_normal: (random, nin, nout) => random.gauss(Math.sqrt(2 / (nin + nout))),
  he_normal: (random, nin) => random.gauss(Math.sqrt(2 / nin)),
  zeros: () => 0,
};

function initialise(network, initializer, seed) {
  const random = new PythonRandom(seed);
  const draw = INITIALIZERS[initializer];
  network.parameters.fill(0); // biases stay 0
  for (const { nin, nout, start } of network.layers) {
    for (let j = 0; j < nout; j++) {
      for (let i = 0; i < nin; i++) {
        network.parameters[start + j * (nin + 1) + i] = draw(random, nin, nout);
      }
    }
  }
}

// An optimizer is a function of the parameters, their gradient and the rate, which makes a step.
const OPTIMIZERS = {
  sgd: () => (x, g, rate) => {
    for (let i = 0; i < x.length; i++) x[i] -= rate * g[i];
  },
  momentum: (count) => {
    const v = new Float64Array(count);
    return (x, g, rate) => {
      for (let i = 0; i < x.length; i++) {
        v[i] = 0.9 * v[i] + g[i];
        x[i] -= rate * v[i];
      }
    };
  },
  adam: (count) => {
    const [beta1, beta2, eps] = [0.9, 0.999, 1e-8];
    const m = new Float64Array(count);
    const s = new Float64Array(count);
    let t = 0;
    return (x, g, rate) => {
      t += 1;
      const c = Math.sqrt(1 - beta2 ** t);
      const size = (rate * c) / (1 - beta1 ** t);
      for (let i = 0; i < x.length; i++) {
        m[i] = beta1 * m[i] + (1 - beta1) * g[i];
        s[i] = beta2 * s[i] + (1 - beta2) * g[i] * g[i];
        x[i] -= (size * m[i]) / (Math.sqrt(s[i]) + eps * c);
      }
    };
  },
};
