// The file that `Module.load` and `nn.load_model` read: an .npz archive that is sealed by its digest
// (see nn/storage.py).

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

// The constants of SHA-256: digits of fractional parts of roots of primes (FIPS 180-4).
const PRIMES = [];
for (let n = 2; PRIMES.length < 64; n++) if (PRIMES.every((p) => n % p)) PRIMES.push(n);
const fraction = (x) => Math.floor((x - Math.floor(x)) * 2 ** 32);

function sha256(bytes) {
  const K = PRIMES.map((p) => fraction(Math.cbrt(p)));
  const H = Uint32Array.from(PRIMES.slice(0, 8), (p) => fraction(Math.sqrt(p)));
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(padded.length - 4, bytes.length << 3);
  const turned = (x, n) => (x >>> n) | (x << (32 - n));
  const w = new Uint32Array(64);
  for (let at = 0; at < padded.length; at += 64) {
    for (let t = 0; t < 64; t++) {
      if (t < 16) {
        w[t] = view.getUint32(at + 4 * t);
      } else {
        const [p, q] = [w[t - 15], w[t - 2]];
        w[t] =
          w[t - 16] +
          (turned(p, 7) ^ turned(p, 18) ^ (p >>> 3)) +
          w[t - 7] +
          (turned(q, 17) ^ turned(q, 19) ^ (q >>> 10));
      }
    }
    let [a, b, c, d, e, f, g, h] = H;
    for (let t = 0; t < 64; t++) {
      const up =
        h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) + K[t] + w[t];
      const down = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + up) >>> 0, c, b, a, (up + down) >>> 0];
    }
    [a, b, c, d, e, f, g, h].forEach((each, i) => {
      H[i] += each;
    });
  }
  return Array.from(H, (each) => each.toString(16).padStart(8, "0")).join("");
}

const encoded = (text) => new TextEncoder().encode(text);

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

// Numbers of 2 and 4 bytes, the lowest byte first.
const two = (n) => [n & 255, (n >>> 8) & 255];
const four = (n) => [...two(n & 65535), ...two(n >>> 16)];

// An array in NumPy's format, version 1.0.
function npy(numbers) {
  const text = `{'descr': '<f8', 'fortran_order': False, 'shape': (${numbers.length},), }`;
  const header = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const body = new DataView(new ArrayBuffer(8 * numbers.length));
  numbers.forEach((number, i) => body.setFloat64(8 * i, number, true));
  return joined([
    Uint8Array.from([0x93, ...encoded("NUMPY"), 1, 0, ...two(header.length)]),
    encoded(header),
    new Uint8Array(body.buffer),
  ]);
}

function zipped(members) {
  const files = [];
  const directory = [];
  let at = 0;
  for (const [name, data] of members) {
    // version 2.0, no flags, stored, 1980-01-01 00:00
    const entry = [
      ...two(20),
      ...two(0),
      ...two(0),
      ...two(0),
      ...two(33),
      ...four(crc32(data)),
      ...four(data.length),
      ...four(data.length),
      ...two(name.length),
      ...two(0),
    ];
    const file = joined([Uint8Array.from([...four(0x04034b50), ...entry]), encoded(name), data]);
    directory.push(
      joined([
        Uint8Array.from([
          ...four(0x02014b50),
          ...two(20),
          ...entry,
          ...two(0),
          ...two(0),
          ...two(0),
          ...four(0),
          ...four(at),
        ]),
        encoded(name),
      ]),
    );
    files.push(file);
    at += file.length;
  }
  const listed = joined(directory);
  const count = members.length;
  const body = joined([
    ...files,
    listed,
    Uint8Array.from([
      ...four(0x06054b50),
      ...two(0),
      ...two(0),
      ...two(count),
      ...two(count),
      ...four(listed.length),
      ...four(at),
      ...two("sha256:".length + 64),
    ]),
  ]);
  return joined([body, encoded(`sha256:${sha256(body)}`)]);
}

function archive(network) {
  const { parameters, layers } = network;
  const names = Array.from(parameters, (_, i) => network.described(i).name);
  const architecture = {
    class: "MLP",
    layers: layers.map(({ nin, nout, name }) => ({
      class: "Layer",
      nin,
      activation: name || null,
      nout,
    })),
  };
  const content = { names, numbers: { $array: 0 }, architecture };
  const text = JSON.stringify({ format: "micrograd", version: 2, kind: "weights", content });
  return zipped([
    ["content.json", encoded(text)],
    ["0.npy", npy(parameters)],
  ]);
}
