#!/usr/bin/env bash
# Judges the change of a workflow: annotations on stdout, the report in the step's summary, and the program's exit code.
#
# Takes RINGFENCE (the program), BASE and HEAD (revisions), ARGS (more words, one a line), SARIF (a file, or nothing), and
# what GitHub gives every step: GITHUB_STEP_SUMMARY and GITHUB_OUTPUT.
set -uo pipefail

# What stood there before the first push of a branch is forty zeros: then everything is new.
if [[ -z "${BASE//0/}" ]]; then
  words=(--all)
else
  # What decides is read from the base, so that nothing of the change has a part in its own judgement.
  words=(--base "$BASE" --head "$HEAD" --rules-from "$BASE")
fi
while IFS= read -r word; do
  [[ -n "$word" ]] && words+=("$word")
done <<<"${ARGS:-}"
summary=$(mktemp)
words+=(--format github --format "summary=$summary")
[[ -n "${SARIF:-}" ]] && words+=(--format "sarif=$SARIF")

"$RINGFENCE" gate "${words[@]}"
code=$?

cat "$summary" >>"$GITHUB_STEP_SUMMARY"
rm -f "$summary"
echo "exit-code=$code" >>"$GITHUB_OUTPUT"
exit "$code"
