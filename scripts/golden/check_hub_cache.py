"""Compares a cache folder that limr-engine filled with the one that Python's huggingface_hub makes of the same repository.

    python scripts/golden/check_hub_cache.py CACHE owner/name --kind model --endpoint http://127.0.0.1:PORT

test/hub/python-cache.test.ts runs it against its own hub when LIMR_TEST_PYTHON names a Python that has huggingface_hub. Checked:
  - huggingface_hub scans our cache without a warning, and finds the revision, its files and sizes
  - without the network it finds our snapshot and our list of files, and says that the snapshot has the files we chose
  - a download into a fresh cache gives the same blobs, links, refs and list for those files
Prints one JSON object; exit code 0 when everything holds, 1 when not.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("cache", type=Path)
parser.add_argument("id")
parser.add_argument("--kind", choices=["model", "dataset"], default="model")
parser.add_argument("--endpoint", required=True)
args = parser.parse_args()
os.environ.update(HF_ENDPOINT=args.endpoint, HF_HUB_DISABLE_XET="1", HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_PROGRESS_BARS="1")
os.environ.pop("HF_HUB_OFFLINE", None)

import huggingface_hub  # noqa: E402  (reads its variables when it is imported)
from huggingface_hub import get_cached_repo_tree, scan_cache_dir, snapshot_download  # noqa: E402


def listing(cache: Path) -> dict[str, str]:
    """Links with their targets, and the contents of refs and trees, by path below the repository's folder."""
    root = cache / f"{args.kind}s--{args.id.replace('/', '--')}"
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file() and name.startswith("refs/"):
            found[name] = path.read_text()
        elif path.is_file() and name.startswith("trees/"):
            found[name] = json.loads(path.read_text())
        elif path.is_file():
            found[name] = f"{path.stat().st_size} bytes"
    return found


def main() -> int:
    ours = listing(args.cache)
    files = sorted(name.split("/", 2)[2] for name in ours if name.startswith("snapshots/"))
    scanned = scan_cache_dir(args.cache)
    (repo,) = [repo for repo in scanned.repos if repo.repo_id == args.id]
    (revision,) = repo.revisions
    where = dict(repo_id=args.id, repo_type=args.kind)
    found = snapshot_download(**where, cache_dir=args.cache, local_files_only=True, allow_patterns=files)
    tree = get_cached_repo_tree(**where, cache_dir=args.cache)
    with tempfile.TemporaryDirectory() as fresh:
        snapshot_download(**where, cache_dir=fresh, allow_patterns=files)
        theirs = listing(Path(fresh))
    checks = {
        "no warnings": [str(warning) for warning in scanned.warnings] == [],
        "files": sorted(file.file_path.relative_to(revision.snapshot_path).as_posix() for file in revision.files) == files,
        "refs": sorted(revision.refs) == ["main"],
        "snapshot": Path(found) == revision.snapshot_path,
        "tree": {file.path for file in tree} >= set(files),
        "same cache": ours == theirs,
    }
    different = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
    print(json.dumps({"huggingface_hub": huggingface_hub.__version__, "files": len(files), "checks": checks, "different": different}))
    return 0 if all(checks.values()) else 1


sys.exit(main())
