#!/usr/bin/env python3
"""Makes git histories of published releases and asks every gate about each step.

    docs/evidence/gates.py FOLDER [--ringfence PROGRAM] [--releases N]

Takes releases from crates.io and the npm registry, commits the last N of each package one after the other (N is 12 unless
given), and runs `ringfence gate` from each release to the next. FOLDER gets the histories, a JSON report of each step in
`reports/`, and `table.md`. Needs Python 3.11, git and network access to the registries; nothing else.
"""

import argparse
import io
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tarfile
import urllib.request

PACKAGES = [
    ("crates.io", "semver"),
    ("crates.io", "fastrand"),
    ("crates.io", "globset"),
    ("npm", "debug"),
    ("npm", "pino"),
    ("npm", "node-gyp"),
]

GATES = """
[verdict]
fail_on = "error"

[[gate]]
plugin = "std:secrets"
[[gate]]
plugin = "std:injection"
[[gate]]
plugin = "std:no-test-weakening"
[[gate]]
plugin = "std:md-links"
[[gate]]
plugin = "std:diff-size"
config = { max_files = 100, max_lines = 2000 }
[[gate]]
plugin = "std:paths"
config = { deny = ["**/.npmrc", "**/*.pem"] }
[[gate]]
plugin = "std:generated"
[[gate]]
plugin = "std:lockfile"
"""

# What the registries add to what the authors wrote, or what no two releases share.
LEFT_OUT = {".cargo_vcs_info.json", "Cargo.toml.orig"}
BYTES_MAX = 64 << 20


def fetch(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read(BYTES_MAX)


def key(version):
    return [int(part) for part in version.split(".")]


def is_plain(version):
    return all(part.isdigit() for part in version.split("."))


def releases(registry, name, count):
    """The last releases as (version, archive's URL), oldest first."""
    if registry == "npm":
        listed = json.loads(fetch(f"https://registry.npmjs.org/{name}"))["versions"]
        found = {version: one["dist"]["tarball"] for version, one in listed.items()}
    else:
        low = name.lower()
        folder = f"{low[:2]}/{low[2:4]}" if len(low) > 3 else f"3/{low[0]}"
        lines = fetch(f"https://index.crates.io/{folder}/{low}").decode().splitlines()
        listed = [one for one in map(json.loads, lines) if not one["yanked"]]
        base = f"https://static.crates.io/crates/{name}/{name}"
        found = {one["vers"]: f"{base}-{one['vers']}.crate" for one in listed}
    plain = sorted((version for version in found if is_plain(version)), key=key)
    return [(version, found[version]) for version in plain[-count:]]


def git(top, *args, date=None):
    env = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@example.org",
    }
    if date:
        env |= {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    subprocess.run(["git", *args], cwd=top, env=env, check=True, stdout=subprocess.DEVNULL)


def unpack(archive, top):
    """Puts the files of a release into `top`; links and other things than files are left out."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            path = pathlib.PurePosixPath(member.name)
            parts = path.parts[1:]
            if not member.isfile() or not parts or ".." in parts or parts[0] == ".git":
                continue
            if parts[-1] in LEFT_OUT:
                continue
            target = top.joinpath(*parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(tar.extractfile(member).read())


def history(top, registry, name, count, program):
    """Commits the releases and returns their versions."""
    top.mkdir(parents=True)
    git(top, "init", "-q", "-b", "main")
    (top / "ringfence-gates.toml").write_text(GATES)
    subprocess.run([program, "gate", "check", "--write-lock"], cwd=top, check=True, stdout=subprocess.DEVNULL)
    keep = {".git", "ringfence-gates.toml", "ringfence.lock"}
    versions = []
    for number, (version, url) in enumerate(releases(registry, name, count)):
        for old in top.iterdir():
            if old.name not in keep:
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        unpack(fetch(url), top)
        date = f"2026-01-{number + 1:02}T00:00:00Z"
        git(top, "add", "-A", "-f", ".")
        git(top, "commit", "-q", "-m", f"{name} {version}", date=date)
        git(top, "tag", f"v{version}")
        versions.append(version)
    return versions


def judge(top, base, head, program, report):
    command = [program, "gate", "--base", f"v{base}", "--head", f"v{head}", "--no-memo"]
    ran = subprocess.run([*command, "--format", f"json={report}"], cwd=top, capture_output=True, text=True)
    if not report.exists():
        raise SystemExit(f"{top.name} {base} to {head}: {ran.stderr}")
    return json.loads(report.read_text())


def row(name, base, head, report):
    gates = report["gates"]
    short = {"passed": "·", "abstained": "–", "failed": "**no**", "broken": "**broken**", "excused": "known"}
    found = sum(len(gate["remarks"]) for gate in gates)
    fuel = sum(gate["receipt"]["usage"]["fuel"]["used"] for gate in gates if gate["receipt"]["usage"])
    ms = sum(gate["ms"] for gate in gates)
    cells = [short[gate["standing"]] for gate in gates]
    change = report["change"]
    size = f"{change['files']} file{'' if change['files'] == 1 else 's'}, +{change['lines_added']} −{change['lines_removed']}"
    return [f"{name} {base} → {head}", size, *cells, str(found), f"{fuel / 1e6:.0f} M", str(ms)]


def main():
    words = argparse.ArgumentParser()
    words.add_argument("folder", type=pathlib.Path)
    words.add_argument("--ringfence", default="ringfence")
    words.add_argument("--releases", type=int, default=12)
    args = words.parse_args()
    folder = args.folder.resolve()
    program = shutil.which(args.ringfence) or str(pathlib.Path(args.ringfence).resolve())
    reports = folder / "reports"
    reports.mkdir(parents=True)
    rows, ids = [], []
    for registry, name in PACKAGES:
        top = folder / name
        versions = history(top, registry, name, args.releases, program)
        for base, head in zip(versions, versions[1:]):
            report = judge(top, base, head, program, reports / f"{name}-{base}-{head}.json")
            ids = [gate["gate"] for gate in report["gates"]]
            rows.append(row(name, base, head, report))
            print(*rows[-1], sep="\t", flush=True)
    heads = ["step", "change", *ids, "findings", "fuel", "ms"]
    write(folder / "table.md", heads, rows)
    write(folder / "refused.md", heads, [cells for cells in rows if "**no**" in cells or "**broken**" in cells])
    write(folder / "totals.md", ["package", "steps", "refused", "fuel of a step, mean", "ms of a step, middle"], totals(rows))


def totals(rows):
    packages = {}
    for cells in rows:
        packages.setdefault(cells[0].split(" ")[0], []).append(cells)
    for name, steps in packages.items():
        refused = sum("**no**" in cells or "**broken**" in cells for cells in steps)
        fuel = statistics.mean(int(cells[-2].removesuffix(" M")) for cells in steps)
        ms = statistics.median(int(cells[-1]) for cells in steps)
        yield [name, str(len(steps)), str(refused), f"{fuel:.0f} M", f"{ms:.0f}"]


def write(path, heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    lines += ["| " + " | ".join(cells) + " |" for cells in rows]
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
