// docs/mutants.md: one table for each source; a run of one source renews its table only.
import { existsSync, readFileSync, writeFileSync } from "node:fs";

const HEAD = `# Mutants

What \`make mutants\` found when it last ran: each row is a source with one thing removed or changed, and the first test that
notices. \`make check\` fails when a source has a mutant that is not listed here; lines are those of the last run.
`;

export function writeReport(path, judged) {
  const sections = sectionsOf(path);
  for (const file of new Set(judged.map((mutant) => mutant.file)))
    sections.set(file, table(judged.filter((mutant) => mutant.file === file)));
  const parts = [...sections].sort(([a], [b]) => (a < b ? -1 : 1)).map(([file, text]) => `## ${file}\n\n${text}`);
  writeFileSync(path, [HEAD, ...parts].join("\n"));
}

/** Whether the report lists exactly the mutants that there are, none of them surviving without an answer. */
export function checkReport(path, files, mutants, reasons, tests) {
  const sections = sectionsOf(path);
  const problems = [];
  for (const file of files) {
    const rows = (sections.get(file) ?? "").split("\n").filter((row) => /^\| \d/.test(row));
    const listed = rows.map((row) => row.split(" | ").slice(1, 3).join(" | ")).sort();
    const found = mutants.filter((mutant) => mutant.file === file).map(cells).sort();
    if (listed.join("\n") !== found.join("\n")) problems.push(`${file}: the list of its mutants is not that of its source`);
    if (rows.some((row) => row.includes("| **survived** |"))) problems.push(`${file}: a mutant survives`);
    for (const test of new Set(rows.map(killerOf))) if (!tests.has(test)) problems.push(`${file}: there is no ${test} any more`);
    const answered = rows.filter((row) => row.includes("| equivalent: ")).map((row) => row.split("| equivalent: ")[1]);
    if (!answered.every((cell) => reasons.some((reason) => cell === `${reason} |`)))
      problems.push(`${file}: an equivalent mutant is not answered in contracts/mutants.json`);
  }
  for (const problem of problems) console.error(`docs/mutants.md: ${problem}; run make mutants`);
  return !problems.length;
}

function killerOf(row) {
  const cell = row.slice(0, -2).split(" | ").at(-1);
  return /^\w+\.\w+$/.test(cell) ? cell.split(".")[1] : "setUp";
}

function sectionsOf(path) {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const parts = text.split(/^## /m).slice(1);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n") + 2)]));
}

function table(mutants) {
  const count = (result) => mutants.filter((mutant) => mutant.result === result).length;
  const [equivalent, invalid] = ["equivalent", "does not compile"].map(count);
  const survived = count("survived") + count("out of time");
  const killed = mutants.length - survived - equivalent - invalid;
  const rows = mutants.map((mutant) => `| ${mutant.line} | ${cells(mutant)} | ${verdict(mutant)} |`);
  return `${mutants.length} mutants: ${killed} killed, ${survived} survived, ${equivalent} equivalent, ${invalid} do not compile.

| line | function | mutant | killed by |
| ---: | --- | --- | --- |
${rows.join("\n")}
`;
}

function cells(mutant) {
  return `${mutant.where} | ${mutant.label.replaceAll("|", "\\|")}`;
}

function verdict({ result, answer }) {
  if (result === "survived" || result === "out of time") return "**survived**";
  return result === "equivalent" ? `equivalent: ${answer}` : result;
}
