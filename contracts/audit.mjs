// Runs slither over contracts/src and halmos over contracts/proofs (FOUNDRY_PROFILE=audit), and fails on
// - a finding above informational that is not answered: `// slither-disable-next-line DETECTOR` under a comment that says why;
// - an answer without a reason, or to nothing;
// - a proof that fails, or that did not follow every path: such a one proves nothing.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const bin = join(root, ".venv-audit/bin");
const env = {
  ...process.env,
  FOUNDRY_PROFILE: "audit",
  PATH: [join(root, "node_modules/.bin"), bin, process.env.PATH].join(delimiter),
};
const scratch = mkdtempSync(join(tmpdir(), "paygent-audit-"));

let problems;
try {
  problems = [...findings(), ...answersWithoutReason(), ...failedProofs()];
} finally {
  rmSync(scratch, { recursive: true });
}
for (const problem of problems) console.error(problem);
process.exit(problems.length ? 1 : 0);

function findings() {
  const report = run("slither", ["."], "--json");
  if (!report.success) return [`slither: ${report.error}`];
  const found = report.results.detectors ?? [];
  const idle = (found.find(({ check }) => check === "unused-ignore-directive")?.unused_ignores ?? [])
    .filter(({ file }) => file.startsWith(join(here, "src")))
    .map(({ file, line, unused_detectors }) => `${relative(root, file)}:${line}: nothing to answer: ${unused_detectors}`);
  const open = found
    .filter(({ impact }) => ["High", "Medium", "Low"].includes(impact))
    .map(({ check, impact, description }) => `slither: ${check} (${impact.toLowerCase()}): ${description.trim()}`);
  console.log(`slither: ${open.length} findings without an answer`);
  return [...open, ...new Set(idle)];
}

function answersWithoutReason() {
  const problems = [];
  for (const name of readdirSync(join(here, "src"), { recursive: true }).filter((name) => name.endsWith(".sol"))) {
    const lines = readFileSync(join(here, "src", name), "utf8").split("\n");
    lines.forEach((line, index) => {
      if (!line.includes("slither-disable")) return;
      const place = `contracts/src/${name}:${index + 1}`;
      if (!/^\s*\/\/ slither-disable-next-line \S/.test(line)) problems.push(`${place}: an answer is for the next line only`);
      else if (!/^\s*\/\/ (?!slither)\S/.test(lines[index - 1] ?? "")) problems.push(`${place}: no reason above`);
    });
  }
  return problems;
}

function failedProofs() {
  const report = run("halmos", ["--forge-build-out", "contracts/out/audit", "--no-status"], "--json-output");
  const proofs = Object.entries(report.test_results).flatMap(([file, tests]) =>
    tests.map((test) => ({ ...test, place: `${file.split(":").at(-1)}.${test.name.split("(")[0]}` })),
  );
  const failed = proofs.filter(({ exitcode }) => exitcode !== 0).map(({ place }) => `halmos: ${place} is not so`);
  const partial = proofs
    .filter(({ exitcode, num_bounded_loops }) => exitcode === 0 && num_bounded_loops > 0)
    .map(({ place }) => `halmos: ${place} left a loop before its end`);
  console.log(`halmos: ${proofs.length - failed.length - partial.length} of ${proofs.length} proofs hold`);
  return proofs.length ? [...failed, ...partial] : ["halmos: there is no proof"];
}

/** What a tool reports; what it says is shown only when it reports nothing, or something has failed. */
function run(tool, args, option) {
  const file = join(scratch, `${tool}.json`);
  const { status, stdout, stderr, error } = spawnSync(join(bin, tool), [...args, option, file], {
    cwd: root,
    env,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (error) throw error;
  if (tool === "halmos" && status !== 0) console.error(stdout + stderr);
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    throw new Error(`${tool} reported nothing:\n${stdout}${stderr}`);
  }
}
