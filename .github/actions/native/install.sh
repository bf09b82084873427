#!/usr/bin/env bash
# Installs the release that this commit belongs to, for this machine: install.sh DIRECTORY
#
# `sums` beside this script holds the SHA-256 of each archive. The release workflow writes it into the commit that the
# release's tag names, so what was downloaded is never asked for its own sum.
set -euo pipefail
refuse() { echo "error: $*" >&2; exit 1; }
directory=$1
sums=$(dirname "${BASH_SOURCE[0]}")/sums

program=dpl-lambda
case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) target=x86_64-unknown-linux-musl ;;
  Linux-aarch64 | Linux-arm64) target=aarch64-unknown-linux-musl ;;
  Darwin-x86_64) target=x86_64-apple-darwin ;;
  Darwin-arm64) target=aarch64-apple-darwin ;;
  MINGW*-x86_64 | MSYS*-x86_64) target=x86_64-pc-windows-msvc program=dpl-lambda.exe ;;
  *) refuse "dpl-lambda has no release for $(uname -s) on $(uname -m)" ;;
esac
[[ -s $sums ]] || refuse "this commit belongs to no release of dpl-lambda; use the action at a release's tag or commit"

expected='' path=''
while read -r sum name; do
  if [[ $name == v*/dpl-lambda-"$target".tar.gz ]]; then expected=$sum path=$name; fi
done < "$sums"
[[ $expected =~ ^[0-9a-f]{64}$ ]] || refuse "this release of dpl-lambda has no archive for $target"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
curl --proto '=https' --tlsv1.2 --fail --silent --show-error --location --max-redirs 5 --retry 3 \
  --connect-timeout 20 --max-time 300 --max-filesize 100000000 --output "$work/archive" \
  "https://github.com/dpl-lambda/dpl-lambda/releases/download/$path"

sum=(sha256sum)
command -v sha256sum >/dev/null || sum=(shasum -a 256)   # macOS has only this one
found=$("${sum[@]}" < "$work/archive")
[[ ${found%% *} == "$expected" ]] || refuse "the SHA-256 of $path is ${found%% *}, not $expected: it is not unpacked"

# Only the program, and only its bytes: no name, link or mode of the archive reaches the disk.
tar -xzOf "$work/archive" "./$program" > "$work/$program" || refuse "$path has no ./$program"
chmod 755 "$work/$program"
mkdir -p "$directory"
mv -f "$work/$program" "$directory/$program"
# Later steps of the job find the program too.
[[ -z ${GITHUB_PATH:-} ]] || echo "$directory" >> "$GITHUB_PATH"
echo "$path is in $directory"
