// Writes what Python ships of the contracts, or with --check says where it differs from the sources: for each contract its
// ABI, NatSpec and bytecodes, and in sources.json what an explorer compiles to see that a contract on chain is ours.
// Run `forge build` first; Multicall3 (mds1/multicall, canonical on every chain) comes from viem.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { multicall3Abi } from "viem";

const OURS = ["AgentWallet", "AgentWalletFactory", "BridgedUSDC", "PaymentRouter", "ServiceRegistry"];

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const target = join(root, "src/paygent/evm/artifacts");

function built(name) {
  return JSON.parse(readFileSync(join(root, `contracts/out/${name}.sol/${name}.json`), "utf8"));
}

function artifact({ abi, bytecode, deployedBytecode, metadata }) {
  // Their names are AST ids, which change with whatever else is compiled; where they lie does not.
  const immutables = Object.values(deployedBytecode.immutableReferences ?? {})
    .flat()
    .map(({ start, length }) => [start, length])
    .sort((one, other) => one[0] - other[0]);
  return {
    abi,
    bytecode: bytecode.object,
    runtime: deployedBytecode.object,
    immutables,
    userdoc: metadata.output.userdoc,
  };
}

// What the compiler's metadata says that it read, and how it was set.
function recipe({ compiler, settings: { compilationTarget, ...settings }, sources }) {
  const [[file, name]] = Object.entries(compilationTarget);
  return { compiler: compiler.version, name: `${file}:${name}`, settings, sources: Object.keys(sources).sort() };
}

function sourcesOf(recipes) {
  const paths = [...new Set(Object.values(recipes).flatMap(({ sources }) => sources))].sort();
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(root, path), "utf8")]));
}

function multicall3() {
  const exported = readFileSync(join(root, "node_modules/viem/constants/contracts.ts"), "utf8");
  return { abi: multicall3Abi, bytecode: /multicall3Bytecode =\s*'(0x[0-9a-f]+)'/.exec(exported)[1] };
}

const outputs = Object.fromEntries(OURS.map((name) => [name, built(name)]));
const recipes = Object.fromEntries(Object.entries(outputs).map(([name, { metadata }]) => [name, recipe(metadata)]));
const documents = {
  ...Object.fromEntries(Object.entries(outputs).map(([name, output]) => [name, artifact(output)])),
  Multicall3: multicall3(),
  sources: { contracts: recipes, sources: sourcesOf(recipes) },
};
const files = new Map(
  Object.entries(documents).map(([name, document]) => [`${name}.json`, JSON.stringify(document, null, 1) + "\n"]),
);

mkdirSync(target, { recursive: true });
const present = new Map(readdirSync(target).map((file) => [file, readFileSync(join(target, file), "utf8")]));
if (process.argv.includes("--check")) {
  const differing = [...new Set([...files.keys(), ...present.keys()])].filter((f) => files.get(f) !== present.get(f));
  for (const file of differing) {
    console.error(`${file} differs from its source: run make artifacts and commit the result`);
  }
  process.exit(differing.length ? 1 : 0);
}
for (const file of present.keys()) if (!files.has(file)) rmSync(join(target, file));
for (const [file, text] of files) writeFileSync(join(target, file), text);
