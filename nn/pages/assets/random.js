// Random numbers: the Mersenne Twister, seeded and read as Python and NumPy do, so that a seed gives
// the same weights as `random.Random(seed)`, and the same data as `numpy.random.RandomState(seed)`.
const WORDS_OF_STATE = 624;

class Twister {
  constructor(seed) {
    this.key = new Uint32Array(WORDS_OF_STATE);
    this.place = WORDS_OF_STATE;
    this.spare = null; // the second of two normal numbers
    this.fill(seed);
  }

  fill(seed) {
    this.key[0] = seed;
    for (let i = 1; i < WORDS_OF_STATE; i++) {
      const before = this.key[i - 1] ^ (this.key[i - 1] >>> 30);
      this.key[i] = Math.imul(1812433253, before) + i;
    }
  }

  refill() {
    const { key } = this;
    for (let i = 0; i < WORDS_OF_STATE; i++) {
      const y = (key[i] & 0x80000000) | (key[(i + 1) % WORDS_OF_STATE] & 0x7fffffff);
      key[i] = key[(i + 397) % WORDS_OF_STATE] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.place = 0;
  }

  word() {
    if (this.place === WORDS_OF_STATE) this.refill();
    let y = this.key[this.place++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  // A number in [0, 1) with 53 random bits.
  unit() {
    return ((this.word() >>> 5) * 67108864 + (this.word() >>> 6)) / 9007199254740992;
  }

  uniform(low, high) {
    return low + (high - low) * this.unit();
  }
}

class PythonRandom extends Twister {
  fill(seed) {
    super.fill(19650218);
    const { key } = this;
    const mixed = (i, factor) => key[i] ^ Math.imul(key[i - 1] ^ (key[i - 1] >>> 30), factor);
    let i = 1;
    const next = () => {
      i += 1;
      if (i === WORDS_OF_STATE) {
        key[0] = key[WORDS_OF_STATE - 1];
        i = 1;
      }
    };
    for (let k = 0; k < WORDS_OF_STATE; k++, next()) key[i] = mixed(i, 1664525) + seed;
    for (let k = 1; k < WORDS_OF_STATE; k++, next()) key[i] = mixed(i, 1566083941) - i;
    key[0] = 0x80000000;
  }

  gauss(deviation) {
    let z = this.spare;
    this.spare = null;
    if (z === null) {
      const angle = this.unit() * 2 * Math.PI;
      const radius = Math.sqrt(-2 * Math.log(1 - this.unit()));
      z = Math.cos(angle) * radius;
      this.spare = Math.sin(angle) * radius;
    }
    return z * deviation;
  }
}

class NumPyRandom extends Twister {
  normal(deviation) {
    let z = this.spare;
    this.spare = null;
    while (z === null) {
      const x = 2 * this.unit() - 1;
      const y = 2 * this.unit() - 1;
      const square = x * x + y * y;
      if (square < 1 && square !== 0) {
        const factor = Math.sqrt((-2 * Math.log(square)) / square);
        this.spare = factor * x;
        z = factor * y;
      }
    }
    return deviation * z;
  }

  // A whole number from 0 to `most`.
  whole(most) {
    if (most === 0) return 0;
    const mask = 2 ** (32 - Math.clz32(most)) - 1;
    let found;
    do found = (this.word() & mask) >>> 0;
    while (found > most);
    return found;
  }

  permutation(count) {
    const order = Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = this.whole(i);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }
}
