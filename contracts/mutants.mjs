// Breaks the contracts in one place at a time and runs their tests: each broken one has to be noticed.
//
//   node contracts/mutants.mjs [--only NAME] [--line N] [--jobs N]   run, and write docs/mutants.md (not with --line)
//   node contracts/mutants.mjs --list | --check                      print them | compare the list in docs/mutants.md
//
// Each job works in a scratch copy of the tree. A result holds as long as the source's tests and all that they import are
// what they were (contracts/cache/mutants.json), so a run that was stopped goes on where it was. What survives and may is
// answered in contracts/mutants.json, with the reason.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { findMutants } from "./mutants/find.mjs";
import { checkReport, writeReport } from "./mutants/report.mjs";
import { Scratch } from "./mutants/scratch.mjs";
import { worldOf } from "./mutants/suites.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);

const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    line: { type: "string" },
    jobs: { type: "string", default: "2" },
    list: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
  },
});

const files = solidityIn("contracts/src").filter((file) => !options.only || basename(file, ".sol") === options.only);
if (!files.length) fail(`There is no contracts/src/**/${options.only}.sol.`);
const mutants = findMutants(root, files).filter((mutant) => !options.line || mutant.line === Number(options.line));
const report = join(root, "docs/mutants.md");
const answers = JSON.parse(readFileSync(join(here, "mutants.json"), "utf8"));

if (options.list) for (const mutant of mutants) console.log(`${mutant.file}:${mutant.line} ${nameOf(mutant)}`);
else if (options.check) process.exit(checkReport(report, files, mutants, answers.map((answer) => answer.reason), testNames()) ? 0 : 1);
else process.exit((await run()) ? 0 : 1);

async function run() {
  const results = join(here, "cache/mutants.json");
  mkdirSync(dirname(results), { recursive: true });
  const known = existsSync(results) ? JSON.parse(readFileSync(results, "utf8")) : {};
  const read = (file) => readFileSync(join(root, file));
  const worlds = new Map(files.map((file) => [file, hash(...[...worldOf(root, file), "foundry.toml"].map(read))]));
  const keyOf = (mutant) => hash(worlds.get(mutant.file), mutant.text);
  const left = mutants.filter((mutant) => !known[keyOf(mutant)]);
  console.log(`${mutants.length} mutants, ${mutants.length - left.length} of them known from an earlier run`);

  const first = left.length && (await Scratch.make(root));
  if (first) await first.expectHealthy([...new Set(left.map((mutant) => mutant.file))]);
  const started = Date.now();
  let done = 0;
  const queue = [...left];
  const job = async (_, index) => {
    if (!queue.length) return;
    const scratch = index === 0 ? first : await Scratch.make(root, first);
    for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
      known[keyOf(mutant)] = await scratch.judge(mutant);
      writeFileSync(results, JSON.stringify(known, null, 1));
      console.log(`${++done}/${left.length} ${mutant.file}:${mutant.line} ${known[keyOf(mutant)]} | ${mutant.label}`);
    }
  };
  await Promise.all(Array.from({ length: Number(options.jobs) }, job));
  if (done) console.log(`${((Date.now() - started) / 1000 / done).toFixed(1)} s a mutant, ${options.jobs} at a time`);
  return conclude(mutants.map((mutant) => ({ ...mutant, result: known[keyOf(mutant)] })));
}

/** Whether every mutant is killed or answered, and every answer still needed. */
function conclude(judged) {
  for (const mutant of judged) {
    mutant.answer = answers.find((answer) => answer.mutant === nameOf(mutant))?.reason;
    if (mutant.result === "survived" && mutant.answer) mutant.result = "equivalent";
  }
  if (!options.line) writeReport(report, judged);
  const of = (result) => judged.filter((mutant) => mutant.result === result);
  const [equivalent, invalid] = ["equivalent", "does not compile"].map(of);
  // What ran out of time may have been killed by a busy machine, and not by a test.
  const survived = [...of("survived"), ...of("out of time")];
  const judgedContracts = new Set(judged.map((mutant) => mutant.where.split(".")[0]));
  const idle = answers.filter(
    (answer) =>
      !options.line &&
      (!options.only || judgedContracts.has(answer.mutant.split(/[.:]/)[0])) &&
      !equivalent.some((mutant) => nameOf(mutant) === answer.mutant),
  );
  for (const mutant of survived) console.error(`survived: ${mutant.file}:${mutant.line} ${nameOf(mutant)}`);
  for (const answer of idle) console.error(`answered in contracts/mutants.json, but no survivor: ${answer.mutant}`);
  const killed = judged.length - survived.length - equivalent.length - invalid.length;
  console.log(
    `${killed} killed, ${survived.length} survived, ${equivalent.length} equivalent, ${invalid.length} do not compile`,
  );
  return !survived.length && !idle.length;
}

/** Every function of the tests, by name. */
function testNames() {
  const texts = solidityIn("contracts/test").map((file) => readFileSync(join(root, file), "utf8"));
  return new Set(texts.flatMap((text) => [...text.matchAll(/function (\w+)\(/g)].map((found) => found[1])));
}

function solidityIn(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".sol"))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(root.length + 1))
    .filter((file) => !/^contracts\/(out|cache)\//.test(file))
    .sort();
}

function nameOf(mutant) {
  return `${mutant.where}: ${mutant.label}`;
}

function hash(...parts) {
  const digest = createHash("sha256");
  for (const part of parts) digest.update(part).update("\0");
  return digest.digest("hex");
}

function fail(reason) {
  console.error(reason);
  process.exit(1);
}
