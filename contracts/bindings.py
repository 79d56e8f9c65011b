"""Writes `src/paygent/evm/bindings/`, typed Python for each artifact's ABI, or with --check says which of it differs.

Run `contracts/artifacts.mjs` first. A view function becomes a coroutine that asks the chain, any other one a static method
that gives its call data; structs and events become frozen dataclasses, enums IntEnums with the members that the sources
name (an ABI does not), and errors one table for `paygent.evm.reverts`.
"""

from __future__ import annotations

import builtins
import json
import keyword
import re
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from paygent.evm.abi import selector, to_hex, topic

_ROOT = Path(__file__).parents[1]
_ARTIFACTS = _ROOT / "src/paygent/evm/artifacts"
_SOURCES = _ROOT / "contracts/src"
_BINDINGS = _ROOT / "src/paygent/evm/bindings"
_RUFF = Path(sys.executable).with_name("ruff")
_HEAD = '"""{}; `make artifacts` writes this file from {}."""\n\nfrom __future__ import annotations\n\n'
_WIDTH = 100
# What the generated classes use themselves.
_TAKEN = frozenset({"answer", "at", "decode", "of", "self", "topic"})
_ANNOTATIONS = frozenset({"bool", "bytes", "int", "str", "tuple"})
_ATTRIBUTES = frozenset({"address", "rpc"})
_IMPORTS = {
    "Sequence": "from collections.abc import Sequence",
    "dataclass": "from dataclasses import dataclass",
    "IntEnum": "from enum import IntEnum",
    "Any": "from typing import Any",
    "ClassVar": "from typing import ClassVar",
    "Contract": "from paygent.evm.calls import Contract",
    "call_data(": "from paygent.evm.calls import call_data",
    "decode_log(": "from paygent.evm.calls import decode_log",
    "member_of(": "from paygent.evm.calls import member_of",
}

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_ENUM = re.compile(r"\benum\s+(\w+)\s*{([^}]*)}")

Abi = list[dict[str, Any]]
Enums = Mapping[str, tuple[str, ...]]


def main(arguments: Sequence[str]) -> int:
    """Write the bindings, or compare them; 1 when some differ."""
    files = generate({path.stem: json.loads(path.read_text()) for path in sorted(_ARTIFACTS.glob("*.json"))})
    present = {path.name: path.read_text() for path in _BINDINGS.glob("*.py")}
    differing = sorted(name for name in files.keys() | present.keys() if files.get(name) != present.get(name))
    if "--check" in arguments:
        for name in differing:
            sys.stderr.write(f"bindings/{name} differs from the artifacts: run make artifacts and commit the result\n")
        return 1 if differing else 0
    _BINDINGS.mkdir(exist_ok=True)
    for name in differing:
        if name in files:
            (_BINDINGS / name).write_text(files[name])
        else:
            (_BINDINGS / name).unlink()
    return 0


def generate(artifacts: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """Every file by its name. What others compiled, and the sources that an explorer reads, are passed over."""
    contracts = {name: document for name, document in artifacts.items() if "runtime" in document}
    enums = declared_enums(path.read_text() for path in sorted(_SOURCES.rglob("*.sol")))
    files = {f"{snake(name)}.py": module(name, document, enums) for name, document in contracts.items()}
    files["errors.py"] = errors_module(contracts.values())
    files["__init__.py"] = (
        '"""Typed Python for our contracts: a module each, and their errors. `make artifacts` writes it."""\n'
    )
    return {name: formatted(source) for name, source in files.items()}


def formatted(source: str) -> str:
    """As `make check` wants it."""
    command = [str(_RUFF), "format", "--quiet", "--stdin-filename", str(_BINDINGS / "generated.py"), "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout  # noqa: S603 - ours


def declared_enums(sources: Iterable[str]) -> Enums:
    """The members of each enum by its name, wherever it is declared. Two of one name could not be told apart: ValueError."""
    found: dict[str, tuple[str, ...]] = {}
    for source in sources:
        for name, inner in _ENUM.findall(_COMMENT.sub("", source)):
            if name in found:
                raise ValueError(f"There are two enums {name}: rename one of them")
            found[name] = tuple(member.strip() for member in inner.split(","))
    return found


def module(name: str, artifact: dict[str, Any], enums: Enums) -> str:
    """The binding of one contract, not formatted yet."""
    abi: Abi = artifact["abi"]
    doc: dict[str, Any] = artifact.get("userdoc", {})
    functions = _named([entry for entry in abi if entry["type"] == "function"])
    events = [entry for entry in abi if entry["type"] == "event" and not entry.get("anonymous")]
    classes = Classes(abi, name)
    parts = [_enum(name, enums[enum]) for enum, name in classes.enums.items()]
    parts += [_struct(classes, kind) for kind in classes.structs]
    parts += [_result(classes, entry) for entry in functions.values() if _has_result(entry)]
    parts += [_event(classes, python, entry, doc) for python, entry in _event_names(events, classes).items()]
    notice = doc.get("notice") or f"The contract {name}."
    methods = [_method(classes, python, entry, doc) for python, entry in functions.items()]
    parts.append(f"class {name}(Contract):\n{_docstring(notice)}\n" + "\n".join(methods))
    body = "\n\n".join(parts)
    used = [line for word, line in _IMPORTS.items() if re.search(rf"\b{re.escape(word)}", body)]
    return _HEAD.format(f"The contract {name}", "its ABI") + _imports(used) + "\n\n" + body + "\n"


def _imports(lines: Iterable[str]) -> str:
    """Sorted as ruff wants them: one line a module, what is ours last."""
    names: dict[str, list[str]] = {}
    for line in lines:
        _, package, _, what = line.split()
        names.setdefault(package, []).append(what)
    written = [f"from {package} import {', '.join(what)}" for package, what in names.items()]
    ours = [line for line in written if "paygent" in line]
    others = [line for line in written if line not in ours]
    return "\n".join([*others, *([""] if others else []), *ours]) + "\n"


def errors_module(artifacts: Iterable[dict[str, Any]]) -> str:
    """Each error once, by its selector. Two errors of one selector could not be told apart: ValueError."""
    found: dict[str, tuple[str, str]] = {}
    for artifact in artifacts:
        notices = artifact.get("userdoc", {}).get("errors", {})
        for entry in artifact["abi"]:
            if entry["type"] != "error":
                continue
            signature = signature_of(entry)
            notice = next((doc["notice"] for doc in notices.get(signature, ())), "")
            parameters = [
                f"({_text(parameter['name'] or f'argument{at}')}, {_text(_type(parameter))})"
                for at, parameter in enumerate(entry["inputs"])
            ]
            row = f"CustomError({_text(entry['name'])}, {_tuple(parameters)}, {_text(notice)})"
            key = to_hex(selector(signature))
            known, _ = found.setdefault(key, (signature, row))
            if known != signature:
                raise ValueError(f"{known} and {signature} have the same selector: rename one of them")
            if notice:
                found[key] = (signature, row)
    rows = "\n".join(f'"{key}": {row},' for key, (_, row) in sorted(found.items(), key=lambda item: item[1][0]))
    return (
        _HEAD.format("The custom errors of our contracts, by selector", "their ABIs")
        + "from typing import NamedTuple\n\n\n"
        + "class CustomError(NamedTuple):\n"
        + '    """An error\'s Solidity name, its parameters (name, type), and what its contract says of it."""\n\n'
        + "    name: str\n    parameters: tuple[tuple[str, str], ...]\n    notice: str\n\n\n"
        + f"ERRORS = {{\n{rows}\n}}\n"
    )


class Classes:
    """The enums and structs of an ABI: which Python class each is, those that others contain before them."""

    def __init__(self, abi: Abi, contract: str) -> None:
        self.enums: dict[str, str] = {}
        self.structs: dict[str, dict[str, Any]] = {}
        self.names = {contract, *_IMPORTS}
        self._class_of: dict[str, str] = {}
        for entry in abi:
            for parameter in (*entry.get("inputs", ()), *entry.get("outputs", ())):
                self._collect(parameter)

    def _collect(self, parameter: dict[str, Any]) -> None:
        for component in parameter.get("components", ()):
            self._collect(component)
        enum = _enum_of(parameter)
        if enum and enum not in self.enums:
            self.enums[enum] = self.free(enum)
        key = self._key(parameter)
        if "components" in parameter and key not in self.structs:
            self.structs[key] = parameter
            # `struct PaymentRouter.Plan`
            self._class_of[key] = self.free(re.split(r"[ .]", key.partition("(")[0])[-1])

    def free(self, name: str) -> str:
        """`name`, or the first of name2, name3, … that is not taken; taken from now on."""
        number, found = 2, name
        while found in self.names:
            number, found = number + 1, f"{name}{number}"
        self.names.add(found)
        return found

    @staticmethod
    def _key(parameter: dict[str, Any]) -> str:
        """The same for a struct and for arrays of it."""
        return "".join(re.sub(r"(\[\d*\])+$", "", text) for text in (parameter["internalType"], _type(parameter)))

    def name(self, parameter: dict[str, Any]) -> str:
        """The class of a struct, whatever array it stands in."""
        return self._class_of[self._key(parameter)]

    def annotation(self, parameter: dict[str, Any], *, is_argument: bool) -> str:
        """The Python type; an argument may be any sequence, what is stored and returned is a tuple."""
        kind = parameter["type"]
        if kind.endswith("]"):
            item = self.annotation(_item(parameter), is_argument=is_argument)
            return f"Sequence[{item}]" if is_argument else f"tuple[{item}, ...]"
        if kind == "tuple":
            return self.name(parameter)
        if enum := _enum_of(parameter):
            return self.enums[enum]
        if kind.startswith(("uint", "int")):
            return "int"
        return {"address": "str", "string": "str", "bool": "bool"}.get(kind, "bytes")

    def decoded(self, parameter: dict[str, Any], value: str, depth: int = 0) -> str:
        """The expression that makes a decoded `value` what its annotation says."""
        enum = _enum_of(parameter)
        if "components" not in parameter and not enum:
            return value
        if parameter["type"].endswith("]"):
            item = "item" + "_" * depth
            return f"tuple({self.decoded(_item(parameter), item, depth + 1)} for {item} in {value})"
        return f"member_of({self.enums[enum]}, {value})" if enum else f"{self.name(parameter)}.of({value})"


def _item(parameter: dict[str, Any]) -> dict[str, Any]:
    shorter = {key: parameter[key][: parameter[key].rindex("[")] for key in ("type", "internalType")}
    return {**parameter, **shorter}


def _enum_of(parameter: dict[str, Any]) -> str | None:
    """The enum's name in `enum LimitKind`, `enum Shapes.Kind[]`; None for any other type."""
    match = re.fullmatch(r"enum (?:\w+\.)?(\w+)(?:\[\d*\])*", parameter.get("internalType", ""))
    return match and match[1]


def _enum(name: str, members: Sequence[str]) -> str:
    lines = [f"    {snake(member).upper()} = {number}\n" for number, member in enumerate(members)]
    return f"class {name}(IntEnum):\n{_docstring(f'The enum {name}.')}\n{''.join(lines)}"


def _struct(classes: Classes, key: str) -> str:
    parameter = classes.structs[key]
    name = classes.name(parameter)
    return _record(classes, name, f"The struct {name}.", parameter["components"])


def _result(classes: Classes, entry: dict[str, Any]) -> str:
    entry["result"] = classes.free(_pascal(entry["name"]) + "Result")
    return _record(classes, entry["result"], f"What `{entry['name']}` answers.", entry["outputs"])


def _has_result(entry: dict[str, Any]) -> bool:
    outputs = entry["outputs"]
    return _is_view(entry) and len(outputs) > 1 and all(output["name"] for output in outputs)


def _record(classes: Classes, name: str, notice: str, components: Sequence[dict[str, Any]]) -> str:
    names = _names(components, are_fields=True)
    annotated = [f"    {n}: {classes.annotation(c, is_argument=False)}" for n, c in zip(names, components, strict=True)]
    values = ", ".join(classes.decoded(component, f"value[{at}]") for at, component in enumerate(components))
    return (
        f"@dataclass(frozen=True, slots=True)\nclass {name}:\n{_docstring(notice)}\n"
        + "\n".join(annotated)
        + f"\n\n    @classmethod\n    def of(cls, value: Sequence[Any]) -> {name}:\n"
        + f'        """From a decoded tuple."""\n        return cls({values})\n'
    )


def _event_names(events: Sequence[dict[str, Any]], classes: Classes) -> dict[str, dict[str, Any]]:
    counts = Counter(entry["name"] for entry in events)
    named = {}
    for entry in events:
        # An overloaded one is told from the others by its types.
        name = entry["name"]
        if counts[name] > 1:
            name += "".join(_pascal(_word(parameter)) for parameter in entry["inputs"])
        named[classes.free(name + "Event" if name in classes.names else name)] = entry
    return named


def _event(classes: Classes, name: str, entry: dict[str, Any], doc: dict[str, Any]) -> str:
    signature = signature_of(entry)
    inputs = [
        # Of an indexed value that fits in no topic the chain keeps the hash.
        {"name": p["name"], "type": "bytes32", "internalType": "bytes32"}
        if p["indexed"] and _is_hashed(p["type"])
        else p
        for p in entry["inputs"]
    ]
    names = _names(inputs, are_fields=True)
    fields = [f"    {n}: {classes.annotation(p, is_argument=False)}" for n, p in zip(names, inputs, strict=True)]
    notice = doc.get("events", {}).get(signature, {}).get("notice") or f"The event `{entry['name']}`."
    shape = _tuple([f"({_shape(classes, p)}, {p['indexed']})" for p in entry["inputs"]])
    values = ", ".join(
        f"values[{at}]" if _is_enum(parameter) else classes.decoded(parameter, f"values[{at}]")
        for at, parameter in enumerate(inputs)
    )
    return (
        f"@dataclass(frozen=True, slots=True)\nclass {name}:\n{_docstring(notice)}\n"
        + f'    topic: ClassVar[str] = "{topic(signature)}"\n'
        + "\n".join(fields)
        + f"\n\n    @classmethod\n    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> {name} | None:\n"
        + '        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""\n'
        + f"        values = decode_log(log, cls.topic, {shape}, emitter)\n"
        + f"        return None if values is None else cls({values})\n"
    )


def _shape(classes: Classes, parameter: dict[str, Any]) -> str:
    """What an event's value is decoded by: an enum's class, so that one which is no member makes it no such event."""
    return classes.annotation(parameter, is_argument=False) if _is_enum(parameter) else _text(_type(parameter))


def _is_enum(parameter: dict[str, Any]) -> bool:
    return _enum_of(parameter) is not None and not parameter["type"].endswith("]")


def _is_hashed(kind: str) -> bool:
    return kind in {"string", "bytes"} or kind.startswith("tuple") or kind.endswith("]")


def _method(classes: Classes, name: str, entry: dict[str, Any], doc: dict[str, Any]) -> str:
    signature = signature_of(entry)
    names = _names(entry["inputs"], are_fields=False)
    annotated = [f"{n}: {classes.annotation(p, is_argument=True)}" for n, p in zip(names, entry["inputs"], strict=True)]
    notice = doc.get("methods", {}).get(signature, {}).get("notice") or f"The contract's `{entry['name']}`."
    if entry["stateMutability"] == "payable":
        notice += " It takes CRO."
    if not _is_view(entry):
        return (
            f"    @staticmethod\n    def {name}({', '.join(annotated)}) -> bytes:\n{_docstring(notice, 8)}"
            f"        return call_data({', '.join([_split(signature), *names])})\n"
        )
    returns = _tuple([_text(_type(output)) for output in entry["outputs"]])
    asked = f"await self._read({_split(signature)}, {returns}, {_tuple(names)}, at)"
    result, lines = _answer(classes, entry, asked)
    parameters = ", ".join(["self", *annotated, "*", 'at: int | str = "latest"'])
    body = "".join(f"        {line}\n" for line in lines)
    return f"    async def {name}({parameters}) -> {result}:\n{_docstring(notice, 8)}{body}"


def _answer(classes: Classes, entry: dict[str, Any], asked: str) -> tuple[str, list[str]]:
    """What a view function returns, and the lines that make it of what was `asked`."""
    outputs = entry["outputs"]
    if "result" in entry:
        return entry["result"], [f"return {entry['result']}.of({asked})"]
    kinds = [classes.annotation(output, is_argument=False) for output in outputs]
    if len(outputs) == 1:
        value = classes.decoded(outputs[0], f"({asked})[0]")
        return kinds[0], [f"answer: {kinds[0]} = {value}", "return answer"]
    if not outputs:
        return "None", [asked]
    values = _tuple([classes.decoded(output, f"answer[{at}]") for at, output in enumerate(outputs)])
    return f"tuple[{', '.join(kinds)}]", [f"answer = {asked}", f"return {values}"]


def _is_view(entry: dict[str, Any]) -> bool:
    return entry["stateMutability"] in {"view", "pure"}


def _named(functions: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Functions by their Python names. Overloads are told apart by the parameters that not all of them have.

    `transfer(from, to, signature)` and `transfer(from, to, v, r, s)` are `transfer_signature` and `transfer_v_r_s`. Where
    that does not tell them apart, their types do.
    """
    groups: dict[str, list[dict[str, Any]]] = {}
    for entry in functions:
        name = _safe(snake(entry["name"]))
        groups.setdefault(f"{name}_" if name in _ATTRIBUTES else name, []).append(entry)
    named: dict[str, dict[str, Any]] = {}
    for name, group in groups.items():
        if len(group) == 1:
            named[name] = group[0]
            continue
        common = set.intersection(*({p["name"] for p in entry["inputs"]} for entry in group))
        by_names = ["_".join(snake(p["name"]) for p in e["inputs"] if p["name"] not in common) for e in group]
        by_types = ["_".join(_word(p) for p in e["inputs"]) for e in group]
        suffixes = by_names if len(set(by_names)) == len(group) else by_types
        for suffix, entry in zip(suffixes, group, strict=True):
            overload = f"{name}_{suffix}" if suffix else name
            if overload in groups.keys() - {name} or overload in named:
                raise ValueError(f"{signature_of(entry)} has no Python name of its own: rename it")
            named[overload] = entry
    return named


def signature_of(entry: dict[str, Any]) -> str:
    """The canonical signature, which selectors and topics are hashes of."""
    return f"{entry['name']}({','.join(_type(parameter) for parameter in entry['inputs'])})"


def _type(parameter: dict[str, Any]) -> str:
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_type(component) for component in parameter['components'])}){kind.removeprefix('tuple')}"


def _word(parameter: dict[str, Any]) -> str:
    """The type as a part of a name."""
    return re.sub(r"\W+", "_", _type(parameter)).strip("_")


def _tuple(items: Sequence[str]) -> str:
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"


def _names(parameters: Sequence[dict[str, Any]], *, are_fields: bool) -> list[str]:
    """Python names, each once. A field may be called as a builtin function is, `service.id`, and a parameter not."""
    names: list[str] = []
    for at, parameter in enumerate(parameters):
        name = snake(parameter["name"]) or f"argument_{at}"
        if not are_fields or name in _ANNOTATIONS or keyword.iskeyword(name):
            name = _safe(name)
        while name in names or name in _TAKEN:
            name += "_"
        names.append(name)
    return names


def snake(name: str) -> str:
    """`remainingToday` and `DOMAIN_SEPARATOR` as Python spells them."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"_+", "_", spaced).strip("_").lower()


def _pascal(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def _safe(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) or hasattr(builtins, name) else name


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _split(signature: str) -> str:
    """A long signature on several lines, which the formatter leaves alone."""
    if len(signature) <= _WIDTH:
        return _text(signature)
    cut = [part for part in re.split(r"(?<=,)", signature) if part]
    lines = [""]
    for part in cut:
        if len(lines[-1]) + len(part) > _WIDTH:
            lines.append("")
        lines[-1] += part
    return f"({' '.join(map(_text, lines))})"


def _docstring(notice: str, indent: int = 4) -> str:
    space = " " * indent
    text = " ".join(notice.replace("\\", "\\\\").replace('"""', "'''").split())
    if text.endswith('"'):
        text += " "
    lines = textwrap.wrap(text, 110 - indent, break_long_words=False)
    if len(lines) == 1:
        return f'{space}"""{lines[0]}"""\n'
    # A summary of its own reads best where the text has one.
    first, dot, rest = text.partition(". ")
    if dot and len(first) <= 110 - indent:
        lines = [first + ".", "", *textwrap.wrap(rest, 110 - indent)]
    return f'{space}"""' + "\n".join(
        [lines[0], *(f"{space}{line}" if line else "" for line in lines[1:]), f'{space}"""\n']
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
