#!/usr/bin/env bash
# The two commits of a release.
#
#   release.sh version 1.2.3                      the version and its date; everything is tested and built from here
#   release.sh pins 1.2.3 sha256:DIGEST FOLDER    what people copy names this release: the image by its digest, the
#                                                 archives in FOLDER by their sums. The tag names this commit.
set -euo pipefail
refuse() { echo "error: $*" >&2; exit 1; }
new=${2-}
[[ $new =~ ^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$ ]] || refuse "\`$new\` is not a version like 1.2.3"

version() {
  local old
  old=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
  sed -i "0,/^version = \"$old\"\$/s//version = \"$new\"/" Cargo.toml
  sed -i "/^name = \"dpl-lambda\"\$/{n;s/\"$old\"/\"$new\"/}" Cargo.lock
  grep -q "^## $new " CHANGELOG.md \
    || sed -i "s/^## Unreleased\$/## Unreleased\n\n## $new - $(date -u +%F)/" CHANGELOG.md
}

pins() {
  local digest=$1 folder=$2 targets target archive sum files=() edits=()
  [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || refuse "\`$digest\` is not the digest of an image"
  # Exactly the archives that the workflow builds.
  targets=$(sed -n 's/^ *- { target: \([a-z0-9_-]*\),.*/\1/p' .github/workflows/release.yml | sort)
  [[ $targets ]] || refuse "the workflow names no target"
  for target in $targets; do
    archive=dpl-lambda-$target.tar.gz
    [[ -f $folder/$archive && ! -L $folder/$archive ]] || refuse "there is no $archive in $folder"
    sum=$(sha256sum < "$folder/$archive")
    sum=${sum%% *}
    echo "$sum  v$new/$archive"
    # What people copy is for most machines of CIs.
    [[ $target != x86_64-unknown-linux-musl ]] || edits=(-e "s|\(sum=\)[0-9a-f]\{64\}\$|\1$sum|")
  done > .github/actions/native/sums
  edits+=(-e "s|\(dpl-lambda/releases/download/v\)[0-9][0-9.]*[0-9]|\1$new|")
  edits+=(-e "/repo: .*dpl-lambda\/dpl-lambda\$/{n;s|\(rev: v\).*|\1$new|}")
  while IFS= read -r file; do files+=("$file"); done < <(
    git grep -lE 'dpl-lambda/releases/download/v|repo: .*dpl-lambda/dpl-lambda$' -- README.md docs examples
  )
  sed -i "${edits[@]}" "${files[@]}"
  sed -i "s|^  image: .*|  image: docker://ghcr.io/dpl-lambda/dpl-lambda@$digest|" action.yml
}

case "${1-}" in
  version) cd "$(dirname "$0")/.." && version ;;
  pins)
    [[ $# == 4 ]] || refuse "pins needs a version, a digest and a folder"
    folder=$(realpath "$4")
    cd "$(dirname "$0")/.." && pins "$3" "$folder"
    ;;
  *) refuse "\`${1-}\` is neither version nor pins" ;;
esac
