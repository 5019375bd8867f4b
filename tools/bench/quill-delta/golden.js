// Golden vectors for libs/ot: random cases and what quill-delta makes of them, one JSON array a line:
//   ["compose", a, b, result]              ["transform", a, b, priority, result]
//   ["invert", change, document, result]   ["diff", from, to, result]
//   ["position", change, position, priority, result]
// Usage, in this folder: npm ci && node golden.js > ../../../libs/ot/golden/quill_delta.jsonl.gz
'use strict';
const zlib = require('zlib');
const Delta = require('quill-delta');

const CASES = {compose: 1500, transform: 2500, invert: 1000, diff: 1000, position: 500};
// Surrogate pairs, a combining mark, an emoji joined of three, CRLF, NUL.
const PIECES = ['a', 'b', 'c', 'xyz', ' ', '\r\n', '\0', 'e\u0301', 'ß', '\u4e16', '\u{1F600}',
  '\u{1F469}\u200D\u{1F4BB}'];

let state = 20261126;
function below(bound) {  // mulberry32
  state = (state + 0x6D2B79F5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return Math.floor(((t ^ (t >>> 14)) >>> 0) / 4294967296 * bound);
}
const pick = list => list[below(list.length)];

function attributes(nulls) {
  if (below(2) === 0) return undefined;
  const result = {};
  for (let i = below(3); i >= 0; --i) {
    const name = pick(['bold', 'color', 'font']);
    const values = name === 'bold' ? [true] : name === 'color' ? ['red', 'blue'] : [{size: 1}, 2];
    result[name] = nulls && below(3) === 0 ? null : pick(values);
  }
  return result;
}

function insert(delta) {
  if (below(6) === 0) {
    delta.insert(pick([{image: 'u'}, {image: 'v'}, {mention: {id: 1}}]), attributes(false));
  } else {
    let text = '';
    for (let i = below(3); i >= 0; --i) text += pick(PIECES);
    delta.insert(text, attributes(false));
  }
}

function makeDocument() {
  const delta = new Delta();
  for (let i = below(5); i > 0; --i) insert(delta);
  return delta;
}

// Where a character of the document begins, and its end.
function boundaries(document) {
  const places = [0];
  for (const op of document.ops) {
    const widths = typeof op.insert === 'string' ? Array.from(op.insert, c => c.length) : [1];
    for (const width of widths) places.push(places[places.length - 1] + width);
  }
  return places;
}

function makeChange(document) {
  const places = boundaries(document);
  const delta = new Delta();
  let at = 0;
  const step = () => {
    const next = Math.min(places.length - 1, at + 1 + below(4));
    const length = places[next] - places[at];
    at = next;
    return length;
  };
  for (let i = 1 + below(5); i > 0; --i) {
    const what = below(5);
    if (what < 2) insert(delta);
    else if (what === 2) delta.delete(step());
    else delta.retain(step(), what === 3 ? attributes(true) : undefined);
  }
  return delta.chop();
}

// Theirs at times cuts a surrogate pair where formats differ, which we refuse.
function cutsPair(change, document) {
  const places = new Set(boundaries(document));
  let at = 0;
  return change.ops.some(op => {
    if (typeof op.insert === 'string') return !op.insert.isWellFormed();
    at += op.retain || op.delete || 0;
    return !places.has(at);
  });
}

const makers = {
  compose() {
    const document = makeDocument();
    const whole = below(3) === 0;
    const a = whole ? document : makeChange(document);
    const b = makeChange(whole ? document : document.compose(a));
    return [a.ops, b.ops, a.compose(b).ops];
  },
  transform() {
    const document = makeDocument();
    const a = makeChange(document);
    const b = makeChange(document);
    const priority = below(2) === 0;
    return [a.ops, b.ops, priority, a.transform(b, priority).ops];
  },
  invert() {
    const document = makeDocument();
    const change = makeChange(document);
    return [change.ops, document.ops, change.invert(document).ops];
  },
  diff() {
    const from = makeDocument();
    const to = below(3) === 0 ? makeDocument() : from.compose(makeChange(from));
    const result = from.diff(to);
    return cutsPair(result, from) ? makers.diff() : [from.ops, to.ops, result.ops];
  },
  position() {
    const document = makeDocument();
    const change = makeChange(document);
    const position = below(document.length() + 1);
    const priority = below(2) === 0;
    return [change.ops, position, priority, change.transformPosition(position, priority)];
  },
};

const lines = [];
for (const [name, count] of Object.entries(CASES)) {
  for (let i = 0; i < count; ++i) lines.push(JSON.stringify([name, ...makers[name]()]));
}
process.stdout.write(zlib.gzipSync(lines.join('\n') + '\n', {level: 9}));
