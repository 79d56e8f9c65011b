// Runs the contracts' tests with coverage, prints the table with what is uncovered, and fails under the targets.
// The optimizer is off in such a run (`node contracts/coverage.mjs --ir-minimum` should the stack get too deep), so tests of gas
// are left out; the seed is fixed, so that the same code has the same coverage.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const TARGETS = { lines: 98, branches: 95 };
const root = dirname(dirname(fileURLToPath(import.meta.url)));

const files = parse(measure(process.argv.slice(2))).filter(({ name }) => name.startsWith("contracts/src/"));
console.table(Object.fromEntries(files.map((file) => [file.name, row(file)])));
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
  const args = ["coverage", "--report", "lcov", "--report-file", file, "--no-match-contract", "GasTest", ...options];
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
      lines: [...record.matchAll(/^DA:(\d+),(\d+)/gm)].map(([, line, hits]) => ({ line, hits: Number(hits) })),
      branches: [...record.matchAll(/^BRDA:(\d+),\d+,\d+,(\d+|-)/gm)].map(([, line, hits]) => ({ line, hits: Number(hits) || 0 })),
    }));
}

function row({ lines, branches }) {
  const uncovered = (list) => [...new Set(list.filter(({ hits }) => !hits).map(({ line }) => line))].join(" ");
  return {
    "lines %": percentOf(lines).toFixed(2),
    "branches %": percentOf(branches).toFixed(2),
    "uncovered lines": uncovered(lines),
    "uncovered branches": uncovered(branches),
  };
}

function percentOf(list) {
  return list.length ? (100 * list.filter(({ hits }) => hits).length) / list.length : 100;
}
