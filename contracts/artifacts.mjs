// Writes the ABI and bytecode that Python ships, or with --check says where they differ from the sources.
// Run `forge build` first; Multicall3 (mds1/multicall, canonical on every chain) comes from viem.
import { readFileSync, writeFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { multicall3Abi } from "viem";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "../src/paygent/evm/artifacts");
const viemBytecode = readFileSync(join(here, "../node_modules/viem/constants/contracts.ts"), "utf8");

const compiled = (name) => {
  const { abi, bytecode } = JSON.parse(readFileSync(join(here, `out/${name}.sol/${name}.json`), "utf8"));
  return { abi, bytecode: bytecode.object };
};

const artifacts = {
  BridgedUSDC: compiled("BridgedUSDC"),
  PaymentRouter: compiled("PaymentRouter"),
  ServiceRegistry: compiled("ServiceRegistry"),
  Multicall3: { abi: multicall3Abi, bytecode: /multicall3Bytecode =\s*'(0x[0-9a-f]+)'/.exec(viemBytecode)[1] },
};

const check = process.argv.includes("--check");
let differs = false;
mkdirSync(target, { recursive: true });
for (const [name, artifact] of Object.entries(artifacts)) {
  const file = join(target, `${name}.json`);
  const text = JSON.stringify(artifact, null, 1) + "\n";
  if (!check) writeFileSync(file, text);
  else if (readFileSync(file, "utf8") !== text) {
    console.error(`${name}.json differs from its source: run make artifacts and commit the result`);
    differs = true;
  }
}
process.exit(differs ? 1 : 0);
