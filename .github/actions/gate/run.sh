#!/usr/bin/env bash
# Judges the change of a workflow: annotations on stdout, the report in the step's summary, and the program's exit code.
#
# Takes RINGFENCE (the program), BASE and HEAD (revisions), of a push BEFORE (what stood there) and REF (what was pushed to),
# DEFAULT_BRANCH (a branch of origin), ARGS (more words, one a line), SARIF (a file, or nothing), and what GitHub gives every
# step: GITHUB_STEP_SUMMARY and GITHUB_OUTPUT.
#
# What decides is always read from the base, so that nothing of the change has a part in its own judgement. Where nobody
# says what the base is, nothing is judged. What stood on a branch before a push is a base on the default branch alone: on
# every other one, whoever pushes may have pushed it, rules and all, a minute before.
set -uo pipefail

# Ends before anything was judged.
refuse() {
  echo "::error title=ringfence gate::$1"
  printf '### ringfence gate: not judged\n\n%s\n' "$1" >>"$GITHUB_STEP_SUMMARY"
  echo "exit-code=2" >>"$GITHUB_OUTPUT"
  exit 2
}

# What a repository brought along is not this run's report.
[[ -n "${SARIF:-}" && -f "$SARIF" && ! -L "$SARIF" ]] && rm -f -- "$SARIF"

HEAD=${HEAD:-HEAD}
default=${DEFAULT_BRANCH:-main}
if [[ -z "${BASE:-}" && -n "${BEFORE:-}" ]]; then
  if [[ "${REF:-}" != "refs/heads/$default" ]]; then
    # Which commit it left that branch at is found by the program, which does not choose among several.
    BASE=refs/remotes/origin/$default
  elif [[ ! "$BEFORE" =~ ^0+$ ]]; then
    BASE=$BEFORE
  fi
fi
[[ -n "${BASE:-}" ]] || refuse "this event names nothing to compare with: give \`base:\` to the action"

words=(--base "$BASE" --head "$HEAD" --rules-from "$BASE")
while IFS= read -r word; do
  [[ -n "$word" ]] && words+=("$word")
done <<<"${ARGS:-}"
own=$(mktemp -d)
words+=(--format github --format "summary=$own/summary")
[[ -n "${SARIF:-}" ]] && words+=(--format "sarif=$SARIF")

"$RINGFENCE" gate "${words[@]}" 2>"$own/said"
code=$?
cat "$own/said" >&2

if [[ -f "$own/summary" ]]; then
  cat "$own/summary" >>"$GITHUB_STEP_SUMMARY"
else
  # No report: what the program said is all there is. Indented, it is text to Markdown.
  echo "::error title=ringfence gate::nothing was judged (exit code $code); the log and the summary of this step say why"
  {
    printf '### ringfence gate: not judged (%s)\n\n' "$code"
    tail -n 50 "$own/said" | tr -d '\r' | sed 's/^/    /'
  } >>"$GITHUB_STEP_SUMMARY"
fi
rm -rf "$own"
echo "exit-code=$code" >>"$GITHUB_OUTPUT"
exit "$code"
