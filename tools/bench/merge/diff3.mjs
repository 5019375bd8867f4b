// The peer of libs/merge: node-diff3 on the lines of three JSON files, laid out a member a line.
// node diff3.mjs BASE THEIRS OURS: prints the best time of a merge alone, and of reading, merging
// and writing, in microseconds.
import { readFileSync } from "node:fs";
import { diff3Merge } from "node-diff3";

const [base, theirs, ours] = process.argv.slice(2, 5).map((name) => readFileSync(name, "utf8"));
const linesOf = (text) => JSON.stringify(JSON.parse(text), null, 2).split("\n");
const micros = () => Number(process.hrtime.bigint()) / 1000;

let merge = Infinity;
let whole = Infinity;
const end = micros() + 3e6;
for (let round = 0; round < 5 || micros() < end; ++round) {
  const start = micros();
  const [o, a, b] = [base, theirs, ours].map(linesOf);
  const read = micros();
  const regions = diff3Merge(a, o, b);
  const merged = micros();
  const lines = regions.flatMap((region) => region.ok ?? region.conflict.b);
  JSON.stringify(JSON.parse(lines.join("\n")));
  const written = micros();
  merge = Math.min(merge, merged - read);
  whole = Math.min(whole, written - start);
}
console.log(JSON.stringify({ bytes: base.length, merge_us: merge, whole_us: whole }));
