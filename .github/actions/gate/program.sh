#!/usr/bin/env bash
# Says which program the action builds: a digest over its sources and over the compiler.
#
# Takes GITHUB_ACTION_PATH and GITHUB_OUTPUT. The action is checked out without its history, so the files are what counts.
set -euo pipefail

cd "$GITHUB_ACTION_PATH/../../.."
digest=$({
  find . -type f -not -path './.git/*' -not -path './target/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
  cargo --version 2>/dev/null || true
} | sha256sum | cut -d ' ' -f 1)
echo "digest=$digest" >>"$GITHUB_OUTPUT"
