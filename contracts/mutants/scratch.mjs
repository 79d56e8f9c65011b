// A copy of the tree in which the sources are broken: the tree itself is never touched.
import { execFileSync, fork, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { suitesOf } from "./suites.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const TIMEOUT_MS = 900_000;
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));

/** A copy of the tree with a warm compiler of its own. */
export class Scratch {
  /** With what `model` has compiled already, if there is one. */
  static async make(root, model) {
    const scratch = new Scratch();
    process.once("exit", () => scratch.remove());
    scratch.root = root;
    scratch.path = mkdtempSync(join(tmpdir(), "paygent-mutants-"));
    for (const path of ["foundry.toml", "contracts/src", "contracts/test"])
      cpSync(join(root, path), join(scratch.path, path), { recursive: true });
    for (const path of model ? ["contracts/out", "contracts/cache"] : [])
      cpSync(join(model.path, path), join(scratch.path, path), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(scratch.path, "node_modules"));
    const bin = join(scratch.path, "contracts/bin");
    cpSync(join(here, "solc"), join(bin, "solc"));
    writeFileSync(join(bin, "version"), execFileSync(join(root, "contracts/bin/solc"), ["--version"]));
    scratch.compiler = fork(join(here, "compiler.mjs"), [join(bin, "solc.sock")]);
    await new Promise((ready) => scratch.compiler.once("message", ready));
    return scratch;
  }

  /** The test that notices, or `survived`, or `does not compile`. */
  async judge(mutant) {
    const file = join(this.path, mutant.file);
    // Not from the tree, where somebody may be at work.
    const whole = readFileSync(file);
    writeFileSync(file, mutant.text);
    try {
      for (const suites of suitesOf(this.path, mutant.file)) {
        const failure = await this.test(suites);
        if (failure) return failure;
      }
      return "survived";
    } finally {
      writeFileSync(file, whole);
    }
  }

  async expectHealthy(files) {
    const failure = await this.test([...new Set(files.flatMap((file) => suitesOf(this.path, file)).flat())]);
    if (failure) throw new Error(`The tests fail before anything is broken: ${failure}`);
  }

  async test(suites) {
    const { code, stdout, stderr } = await this.forge(suites);
    if (code === null) return "out of time";
    if (/Compiler run failed/.test(stderr + stdout)) return "does not compile";
    if (!stdout.startsWith("{")) throw new Error(`forge said what is no result: ${stdout}${stderr}`);
    for (const [suite, { test_results }] of Object.entries(JSON.parse(stdout)))
      for (const [test, { status }] of Object.entries(test_results))
        if (status === "Failure") return `${suite.split(":").at(-1)}.${test.split("(")[0]}`;
    if (code !== 0) throw new Error(`forge failed and names no test: ${stdout}${stderr}`);
    return undefined;
  }

  forge(suites) {
    const files = suites.length > 1 ? `{${suites.join(",")}}` : suites[0];
    const args = ["test", "--json", "--fail-fast", "--no-match-contract", "GasTest", "--match-path", files];
    const env = { ...process.env, FOUNDRY_PROFILE: "mutants" };
    const forge = spawn(join(this.root, "node_modules/.bin/forge"), args, { cwd: this.path, env, timeout: TIMEOUT_MS });
    let [stdout, stderr] = ["", ""];
    forge.stdout.on("data", (part) => (stdout += part));
    forge.stderr.on("data", (part) => (stderr += part));
    return new Promise((ended) => forge.on("close", (code) => ended({ code, stdout, stderr })));
  }

  remove() {
    this.compiler?.kill();
    rmSync(this.path, { recursive: true, force: true });
  }
}
