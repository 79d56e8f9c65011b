// Which tests concern a source: those that carry its name first, then all others that import it, at any distance.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";

const cache = new Map();

/** Lists of test files, to be run one after the other until a test fails: the fast ones, then the rest. */
export function suitesOf(root, file) {
  const all = readdirSync(join(root, "contracts/test"), { recursive: true })
    .filter((name) => name.endsWith(".t.sol"))
    .map((name) => `contracts/test/${name}`)
    .filter((test) => reaches(root, test, file))
    .sort();
  const own = (test) => basename(test).startsWith(basename(file, ".sol")) && !test.includes(".invariants.");
  const lists = [all.filter(own), all.filter((test) => !own(test))].filter((list) => list.length);
  if (!lists.length) throw new Error(`No test imports ${file}.`);
  return lists;
}

function reaches(root, from, to, seen = new Set()) {
  if (from === to) return true;
  if (seen.has(from)) return false;
  seen.add(from);
  return importsOf(root, from).some((next) => reaches(root, next, to, seen));
}

function importsOf(root, file) {
  if (!cache.has(file)) {
    const text = existsSync(join(root, file)) ? readFileSync(join(root, file), "utf8") : "";
    const relative = [...text.matchAll(/^\s*(?:import|\}\s*from)\b[^;"]*"(\.[^"]+)"/gm)].map((found) => found[1]);
    cache.set(file, relative.map((path) => normalize(join(dirname(file), path))));
  }
  return cache.get(file);
}
