#!/usr/bin/env bash
# What the shell and man(1) are given: completion of command lines by bash itself, manual pages that
# their readers take without a warning, and the list of libraries.
source "$(dirname "$0")/common.sh"

about "Completion"
convoy help --bash-completion >completion.bash
check "bash reads the script" bash -n completion.bash
if command -v shellcheck >/dev/null; then
  check "shellcheck has nothing to say about it" shellcheck completion.bash
else
  skip "shellcheck is not installed"
fi

# completes EXPECTED WORD...: what bash would offer for the last word, in one line.
completes() {
  local expected=$1 offered
  shift
  checks=$((checks + 1))
  # shellcheck disable=SC2016 # the other bash expands them
  offered=$(bash -c 'source ./completion.bash
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _convoy convoy
    echo "${COMPREPLY[*]}"' bash "$@")
  if [ "$offered" = "$expected" ]; then
    printf '  ok: %s -> %s\n' "$*" "${offered:-(file names)}"
  else
    failed "completion of: $*" "$expected" "$offered"
  fi
}
completes "synth" convoy sy
completes "filters" convoy show fi
completes "--checkpoint" convoy show filters --che
completes "pack predict plan" convoy p
completes "--train-images" convoy synth --output x --tr
completes "--views" convoy eval --vie
completes "1 10" convoy eval --views ""
completes "10" convoy eval --views = 10
completes "model" convoy train --config x.ini --parallel.strategy mo
completes "" convoy train --config x
completes "" convoy verify pa
completes "train" convoy help tr
completes "--man" convoy help --m
completes "compare" convoy launch --cluster.ranks 2 -- com
completes "eval" convoy launch --cluster.ranks 2 ev
completes "" convoy launch --cluster.hosts c1 : 2 , c2 -- launch
completes "single" convoy launch --dry-run --cluster.hosts c1 : 2 -- train --parallel.strategy sin
completes "" convoy train --solver.batch 1

about "Manual pages"
mapfile -t names < <(sed -n 's/^  \([a-z]\+\( [a-z]\+\)\?\)  .*/\1/p' < <(convoy help) | grep -vx help)
check "convoy help lists commands" test "${#names[@]}" -ge 10
for name in "" "${names[@]}"; do
  page=convoy${name:+-${name// /-}}.1
  # shellcheck disable=SC2086 # no word for the program's own page
  convoy help --man $name >"$page"
  if command -v mandoc >/dev/null; then
    check "mandoc has no warning about $page" mandoc -T lint -W warning "$page"
  fi
  if command -v man >/dev/null; then
    man -l --warnings -Tascii "$page" >/dev/null 2>warnings.txt
    check "man has no warning about $page" test ! -s warnings.txt
  fi
done
command -v mandoc >/dev/null || skip "mandoc is not installed"
command -v man >/dev/null || skip "man is not installed"
expect 2 "did you mean train?" convoy help --man trian
expect 2 "help takes one command" convoy help train eval

about "Versions"
convoy --version >versions.txt
for library in "Open MPI" HDF5 oneDNN libpng libarchive zlib TurboJPEG ISA-L Protobuf Boost fmt spdlog nlohmann compiler; do
  check "the version of $library is told" grep -qE "^$library .*built with .*[0-9]" versions.txt
done

finish
