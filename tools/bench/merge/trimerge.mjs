// A peer of libs/merge that merges JSON as values: trimerge, objects by member, arrays by a key of
// each element (its id, or a scalar itself).
// node trimerge.mjs BASE THEIRS OURS OUT: prints the best time of a merge alone, and of reading,
// merging and writing, in microseconds; OUT is the merged text.
import { readFileSync, writeFileSync } from "node:fs";
import trimerge from "trimerge";

const { combineMergers, trimergeArrayCreator, trimergeJsonDeepEqual, trimergeJsonObject } = trimerge;
const texts = process.argv.slice(2, 5).map((name) => readFileSync(name, "utf8"));
const merger = combineMergers(
  trimergeJsonDeepEqual,
  trimergeJsonObject,
  trimergeArrayCreator((item) => String(item?.id ?? item)),
);
const micros = () => Number(process.hrtime.bigint()) / 1000;

let merge = Infinity;
let whole = Infinity;
let merged = "";
const end = micros() + 2e6;
for (let round = 0; round < 1 || micros() < end; ++round) {
  const start = micros();
  const [base, theirs, ours] = texts.map((text) => JSON.parse(text));
  const read = micros();
  const result = merger(base, theirs, ours);
  const done = micros();
  merged = JSON.stringify(result);
  whole = Math.min(whole, micros() - start);
  merge = Math.min(merge, done - read);
}
writeFileSync(process.argv[5], merged);
console.log(JSON.stringify({ bytes: texts[0].length, merge_us: merge, whole_us: whole }));
