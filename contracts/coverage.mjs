// Runs the contracts' tests with coverage, prints what is uncovered, and fails under the targets.
// The optimizer is off in such a run (`node contracts/coverage.mjs --ir-minimum` should the stack get too deep), so tests of
// gas are left out; so are invariants, which take long and reach a line by luck. The seed is fixed: the same code has the
// same coverage. An `if` without `else` counts as one branch, and so does a `require`: that is how forge counts.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const TARGETS = { lines: 98, branches: 95 };
const root = dirname(dirname(fileURLToPath(import.meta.url)));

const files = parse(measure(process.argv.slice(2))).filter(({ name }) => name.startsWith("contracts/src/"));
for (const file of files) console.log(describe(file));
const total = { lines: files.flatMap((file) => file.lines), branches: files.flatMap((file) => file.branches) };
const reached = Object.entries(TARGETS).map(([kind, target]) => {
  const percent = percentOf(total[kind]);
  console.log(`${kind}: ${percent.toFixed(2)} %, at least ${target} % asked for`);
  return percent >= target;
});
if (!files.length) console.error("No file of contracts/src was covered.");
process.exit(files.length && reached.every(Boolean) ? 0 : 1);

function measure(options) {
  const scratch = mkdtempSync(join(tmpdir(), "paygent-coverage-"));
  const file = join(scratch, "lcov.info");
  const without = ["--no-match-contract", "GasTest", "--no-match-path", "*.invariants.t.sol"];
  const args = ["coverage", "--report", "lcov", "--report-file", file, ...without, ...options];
  const env = { ...process.env, FOUNDRY_PROFILE: "coverage" };
  try {
    const forge = spawnSync(join(root, "node_modules/.bin/forge"), args, {
      cwd: root,
      env,
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    if (forge.status !== 0) throw new Error(`forge coverage failed:\n${forge.stdout}${forge.stderr}`);
    return readFileSync(file, "utf8");
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** `[{ name, lines, branches }]` of an lcov report; both lists hold `{ line, hits }`. */
function parse(report) {
  return report
    .split("end_of_record")
    .filter((record) => record.includes("SF:"))
    .map((record) => ({
      name: /SF:(.*)/.exec(record)[1],
      lines: counts(record, /^DA:(\d+),(\d+)/gm),
      branches: counts(record, /^BRDA:(\d+),\d+,\d+,(\d+|-)/gm),
    }));
}

/** A branch that was never reached has `-` for its number. */
function counts(record, pattern) {
  return [...record.matchAll(pattern)].map(([, line, hits]) => ({ line: Number(line), hits: Number(hits) || 0 }));
}

function describe({ name, lines, branches }) {
  const [line, branch] = [lines, branches].map((list) => percentOf(list).toFixed(2).padStart(6));
  const open = Object.entries({ lines, branches })
    .filter(([, list]) => list.some(({ hits }) => !hits))
    .map(([kind, list]) => `\n    uncovered ${kind}: ${rangesOf(list.filter(({ hits }) => !hits))}`);
  return `${line} % lines  ${branch} % branches  ${name}${open.join("")}`;
}

/** `7-9, 12` */
function rangesOf(list) {
  const ranges = [];
  for (const line of [...new Set(list.map(({ line }) => line))].sort((a, b) => a - b)) {
    if (ranges.at(-1)?.[1] === line - 1) ranges.at(-1)[1] = line;
    else ranges.push([line, line]);
  }
  return ranges.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(", ");
}

function percentOf(list) {
  return list.length ? (100 * list.filter(({ hits }) => hits).length) / list.length : 100;
}
