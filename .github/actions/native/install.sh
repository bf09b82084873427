#!/usr/bin/env bash
# Downloads a release for this machine, checks its SHA-256 and unpacks it: install.sh VERSION DIRECTORY
set -euo pipefail
version=$1 directory=$2

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) target=x86_64-unknown-linux-musl ;;
  Linux-aarch64 | Linux-arm64) target=aarch64-unknown-linux-musl ;;
  Darwin-x86_64) target=x86_64-apple-darwin ;;
  Darwin-arm64) target=aarch64-apple-darwin ;;
  MINGW*-x86_64 | MSYS*-x86_64) target=x86_64-pc-windows-msvc ;;
  *) echo "there is no release of dpl-lambda for $(uname -s) on $(uname -m)" >&2 && exit 1 ;;
esac

archive="dpl-lambda-$target.tar.gz"
from="${DPL_LAMBDA_RELEASES:-https://github.com/dpl-lambda/dpl-lambda/releases/download}/v$version"
mkdir -p "$directory"
cd "$directory"
curl --fail --silent --show-error --location --retry 3 --remote-name-all "$from/$archive" "$from/$archive.sha256"
sum=(sha256sum)
command -v sha256sum >/dev/null || sum=(shasum -a 256)   # macOS has only this one
"${sum[@]}" --check --quiet "$archive.sha256"
tar -xzf "$archive"
rm "$archive" "$archive.sha256"
echo "dpl-lambda $version for $target is in $directory"
