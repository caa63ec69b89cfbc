"""Which imports of a handler its bundle cannot satisfy, found by reading the sources, not by running them."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.bundle_target import REMOVED_MODULES

_OURS = ("handlers", "lib")
_MEDIA_ONLY = frozenset({"PIL", "av"})
_STANDARD = frozenset(sys.stdlib_module_names) - REMOVED_MODULES


@dataclass(frozen=True)
class Import:
    """One imported module, where it is imported, and whether that happens as soon as the importer is loaded."""

    module: str
    importer: Path
    eager: bool


def missing_imports(bundle: Path, handler: str, *, complete: bool) -> list[str]:
    """The imports reachable from `handlers.<handler>` that `bundle` lacks, one sentence each.

    Imports inside functions are followed too. Of those, the media decoders may be missing unless `complete`:
    shared modules import them only where store_result calls.
    """
    findings = []
    for found in _closure(bundle, f"handlers.{handler}"):
        top = found.module.partition(".")[0]
        if top in _STANDARD or _is_bundled(bundle, found.module):
            continue
        if top in _MEDIA_ONLY and not found.eager and not complete:
            continue
        where = found.importer.relative_to(bundle)
        findings.append(f"handlers.{handler}: {where} imports {found.module}, which {bundle.name} lacks")
    return findings


def unbundled_services(bundle: Path) -> list[str]:
    """The AWS services that our sources ask a client for and whose description the bundle lacks."""
    findings = []
    for package in _OURS:
        for path in sorted((bundle / package).rglob("*.py")):
            for service in _client_calls(ast.parse(path.read_text(encoding="utf-8"))):
                if not (bundle / "botocore" / "data" / service).is_dir():
                    where = path.relative_to(bundle)
                    findings.append(f"{where} makes a client of {service!r}, which the bundle has pruned")
    return findings


def _client_calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in {"client", "resource", "create_client"}
            and node.args
            and isinstance(node.args[0], ast.Constant)
            and isinstance(node.args[0].value, str)
        ):
            yield node.args[0].value


def _closure(bundle: Path, module: str) -> Iterator[Import]:
    """Every import reachable from `module`; one is eager if a chain of eager imports leads to it."""
    source = _source(bundle, module)
    if source is None:
        yield Import(module, bundle / "handlers", eager=True)
        return
    best: dict[Path, bool] = {}
    pending = [(source, True)]
    while pending:
        path, eager = pending.pop()
        if path in best and best[path] >= eager:
            continue
        best[path] = eager
        for name, at_top in _imports(path, bundle):
            found = Import(name, path, eager=eager and at_top)
            if name.partition(".")[0] not in _OURS:
                yield found
                continue
            targets = _loaded_by(bundle, name)
            pending += [(target, found.eager) for target in targets]
            if not targets:
                yield found


def _imports(path: Path, bundle: Path) -> Iterator[tuple[str, bool]]:
    """The names that `path` imports, each with whether that happens at its top level."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = path.relative_to(bundle).parent.as_posix().replace("/", ".")
    yield from _visit(tree, package, bundle, at_top=True)


def _visit(node: ast.AST, package: str, bundle: Path, *, at_top: bool) -> Iterator[tuple[str, bool]]:
    if isinstance(node, ast.Import):
        yield from ((alias.name, at_top) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = _base(node, package)
        for alias in node.names:
            whole = f"{base}.{alias.name}"
            is_module = base.partition(".")[0] in _OURS and _source(bundle, whole) is not None
            yield (whole if is_module else base), at_top
    else:
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in _run_time_children(node):
            yield from _visit(child, package, bundle, at_top=at_top and not inside)


def _run_time_children(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a node, without what only a type checker reads."""
    if isinstance(node, ast.If) and _is_type_checking(node.test):
        return iter(node.orelse)
    return ast.iter_child_nodes(node)


def _base(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parents = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*parents, *([node.module] if node.module else [])])


def _is_type_checking(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == "TYPE_CHECKING"


def _source(bundle: Path, module: str) -> Path | None:
    base = bundle / module.replace(".", "/")
    return next((p for p in (base / "__init__.py", base.with_suffix(".py")) if p.is_file()), None)


def _loaded_by(bundle: Path, module: str) -> list[Path]:
    """The files that an import of our `module` runs, its packages first; empty where there is no such module."""
    if _source(bundle, module) is None:
        return []
    words = module.split(".")
    names = [".".join(words[: count + 1]) for count in range(len(words))]
    return [path for path in (_source(bundle, name) for name in names) if path is not None]


def _is_bundled(bundle: Path, module: str) -> bool:
    """Whether the whole module is there for what is not ours: `google.cloud` is not proven by `google`."""
    base = bundle / module.replace(".", "/")
    return base.is_dir() or base.with_suffix(".py").is_file() or any(base.parent.glob(f"{base.name}.*.so"))
