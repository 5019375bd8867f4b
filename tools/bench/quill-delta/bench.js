// What the npm packages quill-delta and rich-text reach on the work of libs/ot. Prints JSON.
// Usage: node bench.js TRACE.json, a list of [position, deleted, inserted]
'use strict';
const fs = require('fs');
const Delta = require('quill-delta');
const {type: richText} = require('rich-text');

const REPLAY_SECONDS_MAX = 8;  // Their later edits are slower: stopping early is to their favour.
const PAIRS = 1000;
const ROUNDS = 300;

const trace = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));

function change(Type, [position, deleted, inserted]) {
  return new Type().retain(position).insert(inserted).delete(deleted);
}

function replay(Type, apply) {
  let document = new Type();
  const start = process.hrtime.bigint();
  let done = 0;
  let seconds = 0;
  for (const edit of trace) {
    document = apply(document, change(Type, edit));
    if (++done % 1000 === 0) {
      seconds = Number(process.hrtime.bigint() - start) / 1e9;
      if (seconds > REPLAY_SECONDS_MAX) break;
    }
  }
  seconds = Number(process.hrtime.bigint() - start) / 1e9;
  return {edits: done, edits_per_s: done / seconds};
}

function transform(Type, run) {
  const changes = trace.slice(-PAIRS).map(edit => change(Type, edit));
  let sum = 0;
  const start = process.hrtime.bigint();
  for (let round = 0; round < ROUNDS; ++round) {
    for (let i = 0; i + 1 < changes.length; ++i) sum += run(changes[i], changes[i + 1]).ops.length;
  }
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (sum === 0) throw new Error('nothing was transformed');
  return ROUNDS * (changes.length - 1) / seconds;
}

const RichDelta = richText.create([]).constructor;
console.log(JSON.stringify({
  quill_replay: replay(Delta, (document, delta) => document.compose(delta)),
  rich_text_replay: replay(RichDelta, (document, delta) => richText.apply(document, delta)),
  quill_transforms_per_s: transform(Delta, (a, b) => a.transform(b, true)),
  rich_text_transforms_per_s: transform(RichDelta, (a, b) => richText.transform(b, a, 'right')),
}));
