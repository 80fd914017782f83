"use strict";
// The bytes that zlib compressed without a header (RFC 1951). The `DecompressionStream` of a browser
// gives them too, but only after the page has loaded.
function inflated(bytes) {
  const found = [];
  let place = 0;
  const bits = (count) => {
    let number = 0;
    for (let i = 0; i < count; i++, place++) number |= ((bytes[place >> 3] >> place % 8) & 1) << i;
    return number;
  };
  // The symbols by their codes, of which the bytes have only the lengths: shorter codes are smaller,
  // and equally long ones are in order. Each has a 1 before it, so that its first zeros count.
  const codes = (lengths) => {
    const symbols = new Map();
    for (let size = 1, code = 2; size < 16; size++, code *= 2)
      lengths.forEach((length, symbol) => length === size && symbols.set(code++, symbol));
    return symbols;
  };
  const next = (symbols) => {
    let code = 1;
    while (!symbols.has(code)) code = 2 * code + bits(1);
    return symbols.get(code);
  };
  const fixed = () => [
    codes(Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8))),
    codes(Array(30).fill(5)),
  ];
  const dynamic = () => {
    const literals = bits(5) + 257;
    const all = literals + bits(5) + 1;
    const order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    const sizes = Array(19).fill(0);
    for (const symbol of order.slice(0, bits(4) + 4)) sizes[symbol] = bits(3);
    const lengths = [];
    for (const symbols = codes(sizes); lengths.length < all; ) {
      const symbol = next(symbols);
      if (symbol < 16) lengths.push(symbol);
      else {
        const repeated = symbol === 16 ? lengths.at(-1) : 0;
        const times = symbol === 18 ? bits(7) + 11 : bits(symbol - 14) + 3;
        lengths.push(...Array(times).fill(repeated));
      }
    }
    return [codes(lengths.slice(0, literals)), codes(lengths.slice(literals))];
  };
  // A length or a distance: after the smallest numbers, each `group` of symbols has one bit more.
  const amount = (symbol, group) => {
    const more = Math.floor(symbol / group) - 1;
    return more > 0 ? ((group + (symbol % group)) << more) + bits(more) : symbol;
  };
  for (let isLast = 0; !isLast; ) {
    isLast = bits(1);
    const kind = bits(2);
    if (!kind) {
      place = 8 * Math.ceil(place / 8);
      for (let count = bits(32) & 0xffff; count; count--) found.push(bits(8));
      continue;
    }
    const [literals, distances] = kind === 1 ? fixed() : dynamic();
    for (let symbol; (symbol = next(literals)) !== 256; ) {
      if (symbol < 256) found.push(symbol);
      else {
        const length = symbol === 285 ? 258 : amount(symbol - 257, 4) + 3;
        const start = found.length - 1 - amount(next(distances), 2);
        for (let i = 0; i < length; i++) found.push(found[start + i]);
      }
    }
  }
  return Uint8Array.from(found);
}
