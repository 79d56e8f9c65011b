// Which mutants there are: found in the compiler's syntax tree of the sources, so that no check can be forgotten.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import solc from "solc";

const BOUNDARY = { "<": "<=", "<=": "<", ">": ">=", ">=": ">" };
const OPPOSITE = { "==": "!=", "!=": "==" };

/** `[{ file, line, where, label, text }]`: each the whole text of its file with one thing removed or changed. */
export function findMutants(root, files) {
  const trees = parse(root, files);
  return files.flatMap((file) => mutantsOf(file, readFileSync(join(root, file)), trees[file]));
}

function parse(root, files) {
  const read = (path) => {
    try {
      return { contents: readFileSync(join(root, path.startsWith("@") ? "node_modules" : "", path), "utf8") };
    } catch {
      return { error: `${path} is not there` };
    }
  };
  const sources = Object.fromEntries(files.map((file) => [file, { content: read(file).contents }]));
  const settings = { evmVersion: "cancun", outputSelection: { "*": { "": ["ast"] } } };
  const input = { language: "Solidity", sources, settings };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: read }));
  const errors = (output.errors ?? []).filter((error) => error.severity === "error");
  if (errors.length) throw new Error(errors.map((error) => error.formattedMessage).join("\n"));
  return Object.fromEntries(files.map((file) => [file, output.sources[file].ast]));
}

function mutantsOf(file, source, tree) {
  const mutants = new Map();
  const spanOf = (node) => node.src.split(":").map(Number);
  const textOf = (node) => source.subarray(spanOf(node)[0], spanOf(node)[0] + spanOf(node)[1]).toString();
  const add = (context, node, replacement, label) => {
    const start = spanOf(node)[0];
    let end = start + spanOf(node)[1];
    // A statement's span ends before its semicolon, and a semicolon alone is no statement.
    if (replacement === "{}") end += /^\s*;/.exec(source.subarray(end).toString())?.[0].length ?? 0;
    const text = Buffer.concat([source.subarray(0, start), Buffer.from(replacement), source.subarray(end)]);
    const line = source.subarray(0, start).toString().split("\n").length;
    mutants.set(text.toString(), { file, line, where: context.where, label, text: text.toString() });
  };
  // A statement gives way to an empty block: that fits after an `if` without braces too.
  const remove = (context, node, replacement = "{}") =>
    add(context, node, replacement, `without \`${oneLine(textOf(node))}\``);
  const change = (context, node, replacement) =>
    add(context, node, replacement, `\`${oneLine(replacement)}\` for \`${oneLine(textOf(node))}\``);

  walk(tree, { where: "" }, (node, context) => {
    if (node.nodeType === "IfStatement" && !node.falseBody) remove(context, node);
    if (node.nodeType === "IfStatement" && node.falseBody) {
      change(context, node.condition, "true");
      change(context, node.condition, "false");
    }
    if (node.nodeType === "ModifierInvocation" && node.kind === "modifierInvocation") remove(context, node, "");
    if (isStatement(node) && !context.inForHead && !(context.inGuard && isRevert(node))) remove(context, node);
    if (node.nodeType === "Conditional") {
      change(context, node, `(${textOf(node.trueExpression)})`);
      change(context, node, `(${textOf(node.falseExpression)})`);
    }
    if (node.nodeType !== "BinaryOperation") return;
    const [left, right] = [textOf(node.leftExpression), textOf(node.rightExpression)];
    if (node.operator === "&&" || node.operator === "||") {
      change(context, node, left);
      change(context, node, right);
    }
    // The opposite of a condition fails at once; removing the `if` is the mutant that tells.
    const other = BOUNDARY[node.operator] ?? (context.inCondition ? undefined : OPPOSITE[node.operator]);
    if (other) change(context, node, `${left} ${other} ${right}`);
  });
  return [...mutants.values()].sort((a, b) => a.line - b.line);
}

function walk(node, context, visit) {
  visit(node, context);
  const inner = { ...context };
  if (node.nodeType === "ContractDefinition") inner.where = inner.contract = node.name;
  if (node.nodeType === "FunctionDefinition" || node.nodeType === "ModifierDefinition")
    inner.where = [inner.contract, node.name || node.kind].filter(Boolean).join(".");
  for (const [key, value] of Object.entries(node)) {
    const child = { ...inner };
    if (node.nodeType === "ForStatement") child.inForHead = key !== "body";
    else if (node.nodeType === "Block") child.inForHead = false;
    if (node.nodeType === "IfStatement") {
      child.inCondition = key === "condition";
      child.inGuard = key === "trueBody" && !node.falseBody;
    }
    for (const next of Array.isArray(value) ? value : [value])
      if (next && typeof next === "object" && next.nodeType) walk(next, child, visit);
  }
}

/** What stands alone and does something: a call, an assignment, a `require`, an event. */
function isStatement({ nodeType }) {
  return ["ExpressionStatement", "EmitStatement", "RevertStatement", "InlineAssembly"].includes(nodeType);
}

/** The guard around it is removed with it. */
function isRevert({ nodeType, expression }) {
  return nodeType === "RevertStatement" || expression?.expression?.name === "revert";
}

function oneLine(text) {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 100 ? `${line.slice(0, 97)}...` : line;
}
