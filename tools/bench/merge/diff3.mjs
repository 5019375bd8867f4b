// The peer of libs/merge: node-diff3 on the lines of three JSON files, laid out a member a line as
// JSON in files is, or (kinder: no line is there twice) a record of `items` a line.
// node diff3.mjs members|records BASE THEIRS OURS: prints the best time of a merge alone, and of
// reading, merging and writing, in microseconds.
import { readFileSync } from "node:fs";
import { diff3Merge } from "node-diff3";

const layout = process.argv[2];
const [base, theirs, ours] = process.argv.slice(3, 6).map((name) => readFileSync(name, "utf8"));
const linesOf = (text) =>
  layout === "members"
    ? JSON.stringify(JSON.parse(text), null, 2).split("\n")
    : JSON.parse(text).items.map((item) => JSON.stringify(item));
const textOf = (lines) => (layout === "members" ? lines.join("\n") : `[${lines.join(",")}]`);
const micros = () => Number(process.hrtime.bigint()) / 1000;

let merge = Infinity;
let whole = Infinity;
const end = micros() + 2e6;
for (let round = 0; round < 1 || micros() < end; ++round) {
  const start = micros();
  const [o, a, b] = [base, theirs, ours].map(linesOf);
  const read = micros();
  const regions = diff3Merge(a, o, b);
  const merged = micros();
  const lines = regions.flatMap((region) => region.ok ?? region.conflict.b);
  JSON.stringify(JSON.parse(textOf(lines)));
  const written = micros();
  merge = Math.min(merge, merged - read);
  whole = Math.min(whole, written - start);
}
console.log(JSON.stringify({ bytes: base.length, merge_us: merge, whole_us: whole }));
