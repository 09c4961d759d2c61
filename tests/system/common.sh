# Helpers of the system tests, which start the program as a person would and look only at what it
# prints, writes and returns. A script sources this file with the path of convoy as its $1.
# shellcheck shell=bash
set -uo pipefail

if [ ! -x "${1:-}" ]; then
  echo "usage: $0 CONVOY, the path of the program" >&2
  exit 2
fi
binary=$(realpath "$1")
work=$(mktemp -d)
mounted=""
failures=0
checks=0
limit=120 # seconds that one command may take: nothing may hang

# For runs by hand; ctest sets the same.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=0}"
unset SLURM_NTASKS SLURM_STEP_NUM_TASKS PMI_SIZE

cleanup() {
  if [ -n "$mounted" ]; then umount "$mounted"; fi
  rm -rf "$work"
}
trap cleanup EXIT
cd "$work" || exit 1

convoy() { timeout -k 5 "$limit" "$binary" "$@"; }

# mpirun with N ranks: ranks N COMMAND [options]
ranks() {
  local count=$1
  shift
  timeout -k 5 "$limit" mpirun --oversubscribe --bind-to none -n "$count" "$binary" "$@"
}

about() { printf '\n%s\n' "$*"; }
skip() { printf '  skipped: %s\n' "$*"; }

# failed WHAT EXPECTED GOT
failed() {
  failures=$((failures + 1))
  printf '  FAILED: %s\n    expected: %s\n    got:      %s\n' "$1" "$2" "$3"
}

# What must never reach a person: words of libraries, unhandled exceptions, sanitizers' findings.
jargon='terminate called|what\(\):|boost|HDF5-DIAG|H5[A-Z][a-z]|sblock|std::|internal error|LOG ERROR|'
jargon+='AddressSanitizer|LeakSanitizer|runtime error|Assertion|Segmentation'

# expect CODE TEXT COMMAND...: the command ends with the code and says the text: for code 0 on
# standard output, else in its sentence "convoy: ..." on standard error. Without mpirun there is
# exactly one such sentence.
expect() {
  local wanted=$1 text=$2 code=0 name
  shift 2
  name="$*"
  checks=$((checks + 1))
  "$@" >"$work/.out" 2>"$work/.err" </dev/null
  code=$?
  tr '\r' '\n' <"$work/.err" | grep -a '^convoy: ' | grep -av '^convoy: warning: ' >"$work/.said"
  if [ "$wanted" -eq 0 ]; then cp "$work/.out" "$work/.said"; fi
  local sentences problem=""
  sentences=$(grep -c '' <"$work/.said")
  if [ "$code" -ne "$wanted" ]; then
    problem="exit code $code"
  elif ! grep -aqF -- "$text" "$work/.said"; then
    problem="exit code $code, but other words"
  elif [ "$wanted" -ne 0 ] && [ "$1" = convoy ] && [ "$sentences" -ne 1 ]; then
    problem="$sentences sentences instead of one"
  elif grep -aqE -- "$jargon" "$work/.out" "$work/.err"; then
    problem="words of a library: $(grep -ahoE -- "$jargon" "$work/.out" "$work/.err" | head -1)"
  fi
  if [ -z "$problem" ]; then
    printf '  ok: exit %s, "%s"\n' "$wanted" "$text"
    return 0
  fi
  failed "$name" "exit code $wanted and a sentence with \"$text\"" "$problem"
  sed 's/^/    | /' "$work/.err" | tail -25
  tail -5 "$work/.out" | sed 's/^/    > /'
  return 1
}

# check WHAT COMMAND...: the command succeeds; otherwise what it printed is shown.
check() {
  local what=$1
  shift
  checks=$((checks + 1))
  if "$@" >"$work/.out" 2>&1; then
    printf '  ok: %s\n' "$what"
  else
    failed "$*" "$what" "$(tail -20 "$work/.out")"
  fi
}

absent() { ! compgen -G "$1" >/dev/null; } # no path fits the pattern
absent_text() { ! grep -qF -- "$1" "$2"; } # absent_text TEXT FILE
contains() { grep -qF -- "$2" "$1"; }      # contains FILE TEXT

# A Python that has h5py, or nothing.
find_h5py() {
  local python
  for python in /usr/bin/python3 python3; do
    if "$python" -c 'import h5py' 2>/dev/null; then
      echo "$python"
      return
    fi
  done
}

# "STEP LOSS" of every training line of a run.
losses() {
  sed -n 's/^{"kind":"train","step":\([0-9]*\),.*"loss":\([^,]*\),.*/\1 \2/p' "$1/metrics.jsonl"
}

# same_losses A B TOLERANCE: both runs logged the same 20 steps, with
# losses that agree relatively.
same_losses() {
  paste -d' ' <(losses "$1") <(losses "$2") | awk -v tolerance="$3" '
    { difference = ($2 > $4 ? $2 - $4 : $4 - $2) / $4
      if ($1 != $3 || !(difference <= tolerance)) { print "step " $1 ": " $2 ", " $4; bad = 1 } }
    END { if (NR != 20) print NR " steps instead of 20"; exit bad || NR != 20 }'
}

# same_weights A B TOLERANCE: every value of /parameters agrees absolutely; by h5diff or the Python
# of find_h5py.
same_weights() {
  if command -v h5diff >/dev/null; then
    h5diff -d "$3" "$1" "$2" /parameters /parameters
  else
    "$(find_h5py)" - "$@" <<'PYTHON'
import sys
import h5py
a, b = (h5py.File(name)["parameters"] for name in sys.argv[1:3])
worst = max(abs(a[l][k][()] - b[l][k][()]).max() for l in a for k in a[l])
print("greatest difference", worst)
sys.exit(not worst <= float(sys.argv[3]))
PYTHON
  fi
}

# A number of a JSON line: field NAME <LINE
field() { sed -n "s/.*\"$1\":\([-+.0-9e]*\).*/\1/p"; }

# 4 classes of small images, packed at 32x32: 48 for training, 19 for validation (so that no batch
# fits evenly), and a net for them in net.ini.
make_small_data() {
  convoy synth --output images --classes 4 --train-images 12 --val-images 5 \
    --width 40 --height 36 >/dev/null 2>&1 || return 1
  rm images/val/000-*/00000.jpg
  convoy pack --input images/train --output train.convoy --size 32 >/dev/null 2>&1 || return 1
  convoy pack --input images/val --output val.convoy --size 32 --classes train.convoy \
    >/dev/null 2>&1 || return 1
  cat >net.ini <<'INI'
recipe = paper
[model]
towers = 2
input = 28
kernels = 16,16,16,16,16
neurons = 32,32
conv1-kernel = 5
conv1-stride = 1
conv1-pad = 2
lrn-k = 1
# sqrt(2 / values a neuron reads): signals get through, so that losses depend on every layer
weight-std = 0.163,0.1,0.118,0.167,0.167,0.118,0.25,0.25
bias = 0,0,0,0,0,0,0,0
drop = 0.3
[data]
unit-scale = true
[solver]
batch = 8
lr = 0.002
schedule = constant
[run]
steps = 20
log-every = 1
[device]
threads = 1
INI
}

setup() {
  about "Small images, packed, and a small net with two towers"
  if ! make_small_data; then
    echo "  FAILED: convoy synth and convoy pack do not make the data of this test"
    exit 1
  fi
}

finish() {
  printf '\n%d checks, %d failed\n' "$checks" "$failures"
  [ "$failures" -eq 0 ]
  exit
}
