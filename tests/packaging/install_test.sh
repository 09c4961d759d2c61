#!/usr/bin/env bash
# install_test.sh BUILD: installs a build under a passing prefix, runs what is there from there, and
# builds a project against it.
set -euo pipefail

build=$(realpath "$1")
consumer=$(realpath "$(dirname "$0")/consumer")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix
cd "$work"

# held WHAT COMMAND...: ends the test where the command fails.
held() {
  local what=$1
  shift
  if "$@" >"$work/out" 2>&1; then
    echo "ok: $what"
  else
    echo "FAILED: $what"
    tail -30 "$work/out"
    exit 1
  fi
}

held "the build is installed" cmake --install "$build" --prefix "$prefix"
held "the program runs from there" "$prefix/bin/convoy" --version
for file in share/man/man1/convoy.1 share/man/man1/convoy-train.1 \
  share/bash-completion/completions/convoy share/convoy/configs/paper-two-towers.ini \
  share/convoy/slurm/train.sbatch include/convoy/core/device.h; do
  held "$file is there" test -s "$prefix/$file"
done
commands=$("$prefix/bin/convoy" help | sed -n 's/^  \([a-z]\+\) .*/\1/p' | grep -cvx help)
# One for each command, and the program's own.
held "every command has its manual page" \
  test "$(find "$prefix/share/man/man1" -name '*.1' | wc -l)" -eq $((commands + 1))

# The batch script, with a word in the place of convoy launch, names a configuration that is there.
mkdir "$work/bin"
printf '#!/bin/sh\necho "$@"\n' >"$work/bin/words"
chmod +x "$work/bin/words"
PATH=$prefix/bin:$PATH CONVOY=$work/bin/words "$prefix/share/convoy/slurm/train.sbatch" >"$work/words"
held "a batch script finds the configuration" \
  test -s "$(sed 's/.* --config \([^ ]*\) .*/\1/' "$work/words")"
held "nothing installed names the build" test -z "$(grep -rlF "$build" "$prefix" || true)"

# Moved, since a prefix is no more than where it was put first.
mv "$prefix" "$work/moved"
held "a project finds the libraries" cmake -S "$consumer" -B "$work/consumer" \
  -DCMAKE_PREFIX_PATH="$work/moved"
held "it compiles and links" cmake --build "$work/consumer"
figures=$("$work/consumer/consumer")
held "it prints figures of each floor: $figures" grep -qE \
  '^[1-9][0-9]* recipes, [1-9][0-9]* commands, [1-9][0-9]* libraries, [1-9]' <<<"$figures"
