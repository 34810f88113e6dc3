"""Writes THIRD-PARTY.txt: the licenses of every crate that a package links, which its binary form must carry.

    python3 tests/licenses.py python            writes the file of python/, or of web/
    python3 tests/licenses.py python --check    fails if the file is not what would be written

The crates are those that Cargo resolves for the platforms of the package; their texts come from their sources, in
Cargo's registry. A crate that ships no text is listed with what its manifest says.
"""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PLATFORMS = {
    "python": (
        "x86_64-unknown-linux-gnu",
        "aarch64-unknown-linux-gnu",
        "x86_64-apple-darwin",
        "aarch64-apple-darwin",
        "x86_64-pc-windows-msvc",
    ),
    "web": ("wasm32-unknown-unknown",),
}
WORDS = ("license", "licence", "copying", "copyright", "notice", "unlicense")


def main() -> None:
    package, *options = sys.argv[1:]
    output, text = ROOT / package / "THIRD-PARTY.txt", third_party(package)
    if options == ["--check"]:
        if not output.exists() or output.read_text() != text:
            sys.exit(f"{output} is not about the crates in Cargo.lock: run python3 tests/licenses.py {package}")
    else:
        output.write_text(text)


def third_party(package: str) -> str:
    """The crates by name, then each text once, with the crates that carry it."""
    crates = linked_crates(package)
    by_text = defaultdict(list)
    for crate in crates:
        for text in license_texts(Path(crate["manifest_path"]).parent):
            by_text[text].append(f"{crate['name']} {crate['version']}")
    lines = ["The compiled module of batchinv contains code of the Rust standard library (MIT OR Apache-2.0,"]
    lines += ["https://github.com/rust-lang/rust) and of these crates from https://crates.io:", ""]
    lines += [f"{crate['name']} {crate['version']}: {crate['license'] or 'see its text'}" for crate in crates]
    for text, names in by_text.items():
        lines += ["", "=" * 100, ", ".join(names), "=" * 100, "", text]
    return "\n".join(lines) + "\n"


def linked_crates(package: str) -> list[dict[str, Any]]:
    """The metadata of the crates that reach the binary on one of the platforms, by name and version."""
    options = [f"--package=batchinv-{package}", "--edges=normal,no-proc-macro", "--prefix=none", "--format={p}"]
    linked = set()
    for platform in PLATFORMS[package]:
        for line in cargo("tree", f"--target={platform}", *options).splitlines():
            name, version, *_ = line.split()
            linked.add((name, version.removeprefix("v")))
    packages = json.loads(cargo("metadata", "--format-version=1"))["packages"]
    crates = [package for package in packages if (package["name"], package["version"]) in linked]
    crates = [crate for crate in crates if crate["name"] not in ("batchinv", f"batchinv-{package}")]
    return sorted(crates, key=lambda crate: (crate["name"], crate["version"]))


def cargo(command: str, *options: str) -> str:
    manifest = f"--manifest-path={ROOT / 'Cargo.toml'}"
    arguments = ["cargo", command, "--locked", manifest, *options]
    return subprocess.run(arguments, stdout=subprocess.PIPE, text=True, check=True).stdout


def license_texts(crate: Path) -> list[str]:
    """The texts in a crate's folder, with the blanks at the ends of lines taken off so that equal texts meet."""
    files = sorted(file for file in crate.iterdir() if file.is_file() and file.name.lower().startswith(WORDS))
    texts = [file.read_text(encoding="utf-8", errors="replace") for file in files]
    return ["\n".join(line.rstrip() for line in text.strip().splitlines()) for text in texts]


if __name__ == "__main__":
    main()
