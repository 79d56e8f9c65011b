// Which tests concern a source: those that carry its name, then all others that import it, at any distance; invariants last.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";

const cache = new Map();

/** Lists of test files, to be run one after the other until a test fails. */
export function suitesOf(root, file) {
  const all = readdirSync(join(root, "contracts/test"), { recursive: true })
    .filter((name) => name.endsWith(".t.sol"))
    .map((name) => `contracts/test/${name}`)
    .filter((test) => hasTests(root, test) && reachedFrom(root, test).has(file))
    .sort();
  const rankOf = (test) => {
    if (test.includes(".invariants.")) return 2;
    return basename(test).startsWith(basename(file, ".sol")) ? 0 : 1;
  };
  const lists = [0, 1, 2].map((rank) => all.filter((test) => rankOf(test) === rank)).filter((list) => list.length);
  if (!lists.length) throw new Error(`No test imports ${file}.`);
  return lists;
}

/** What can change a verdict about a source: its tests and all that they import, the source among it. */
export function worldOf(root, file) {
  return [...new Set(suitesOf(root, file).flat().flatMap((test) => [...reachedFrom(root, test)]))].sort();
}

/** What a call costs is noticed by figures, not by a test; a mutant has to fail one. */
function hasTests(root, test) {
  return /^contract (?!\w*GasTest\b)\w*Test\b/m.test(readFileSync(join(root, test), "utf8"));
}

function reachedFrom(root, file, seen = new Set()) {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const next of importsOf(root, file)) reachedFrom(root, next, seen);
  return seen;
}

function importsOf(root, file) {
  if (!cache.has(file)) {
    const text = existsSync(join(root, file)) ? readFileSync(join(root, file), "utf8") : "";
    const relative = [...text.matchAll(/^\s*(?:import|\}\s*from)\b[^;"]*"(\.[^"]+)"/gm)].map((found) => found[1]);
    cache.set(file, relative.map((path) => normalize(join(dirname(file), path))));
  }
  return cache.get(file);
}
