#!/usr/bin/env bash
# Writes a version wherever it stands, before it is tagged: release.sh 1.2.3
# Cargo.toml decides; the image in action.yml, the program of the action without Docker and what the manual installs
# follow.
set -euo pipefail
cd "$(dirname "$0")/.."
new=$1
[[ $new =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || { echo "\`$new\` is not a version like 1.2.3" >&2; exit 1; }
old=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
if [[ $new != "$old" ]]; then
  sed -i "0,/^version = \"$old\"\$/s//version = \"$new\"/" Cargo.toml
  sed -i "/^name = \"dpl-lambda\"\$/{n;s/\"$old\"/\"$new\"/}" Cargo.lock
  files=(action.yml .github/actions/native/action.yml README.md)
  while IFS= read -r file; do files+=("$file"); done < <(git ls-files docs examples/ci examples/hooks/pre-commit)
  sed -i -e "s|\(dpl-lambda/dpl-lambda:\)${old//./\\.}\$|\1$new|" -e "s|\(releases/download/v\)${old//./\\.}/|\1$new/|" \
    -e "s|\(releases/download/v\)${old//./\\.}\$|\1$new|" -e "s|\(rev: v\)${old//./\\.}\$|\1$new|" \
    -e "s|\(VERSION: \)${old//./\\.}\$|\1$new|" "${files[@]}"
fi
grep -q "^## $new " CHANGELOG.md || sed -i "s/^## Unreleased\$/## Unreleased\n\n## $new - $(date -u +%F)/" CHANGELOG.md
