#!/bin/sh
# Makes .venv, and sees that the tools named are on the machine: `setup.sh [Java] [Maven] [Chromium]`.
# As root on Debian or Ubuntu it installs what is missing, one line each; elsewhere it names all of it in one line.
# .venv/.ready is written last: a .venv that was broken off, moved or made by another Python is made anew.
set -u
python=
CDPATH= cd "${0%/*}/../.." || exit 1
here=$(pwd -P)
log=.venv/setup.log

refuse() {
  printf 'garbo: %s\n' "$*" >&2
  exit 1
}

step() {
  "$@" >>"$log" 2>&1 </dev/null || refuse "$1 failed: $(grep . "$log" | tail -n 1); all of it is in $log"
}

# --- Python and .venv

version_of() {
  "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

mark() { # what .ready holds: a .venv knows its own place by absolute paths
  printf '%s %s\n' "$(version_of .venv/bin/python)" "$here"
}

sound() {
  [ -x .venv/bin/garbo ] && [ -f .venv/.ready ] && read -r ready <.venv/.ready && [ "$ready" = "$(mark)" ] || return 1
  [ -z "${PYTHON:-}" ] || [ "$(version_of "$PYTHON")" = "$(version_of .venv/bin/python)" ]
}

stale() {
  [ -n "$(find requirements.lock deploy/local/uv.lock.txt pyproject.toml libs/*/pyproject.toml \
    services/*/pyproject.toml -newer .venv/.ready)" ]
}

# Sets `python` to the first that can make a .venv, else to the first that only lacks ensurepip.
find_python() {
  python=
  if [ -n "${PYTHON:-}" ]; then
    set -- "$PYTHON"
  else
    set -- python3 python3.14 python3.13 python3.12 python3.11 python
  fi
  for name; do
    case $(version_of "$name") in 3.11 | 3.12 | 3.13 | 3.14) ;; *) continue ;; esac
    "$name" -c 'import ensurepip, venv' 2>/dev/null && python=$name && return
    python=${python:-$name}
  done
  [ -z "${PYTHON:-}" ] || [ -n "$python" ] ||
    refuse "PYTHON=$PYTHON is no Python 3.11 to 3.14: leave it out, or type make PYTHON=python3.13 run"
  return 1
}

fill_venv() {
  cache=${UV_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/dev/null}/.cache}/uv}
  mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] || export UV_NO_CACHE=1
  unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX
  export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 VIRTUAL_ENV=.venv
  step .venv/bin/python -m pip install --quiet --require-hashes -r deploy/local/uv.lock.txt
  step .venv/bin/uv pip sync --quiet --require-hashes requirements.lock deploy/local/uv.lock.txt
  set --
  for member in libs/* services/*; do set -- "$@" -e "$member"; done
  step .venv/bin/uv pip install --quiet --no-deps --no-build-isolation "$@"
  mark >.venv/.ready
}

# --- tools of the machine

java_version() {
  version=$(java -version 2>&1) || version=
  case $version in *'version "'*) version=${version#*version \"} && version=${version%%[!0-9]*} ;; *) version=0 ;; esac
  echo "${version:-0}"
}

jars_here() { # then Maven has nothing to fetch
  "${python:-.venv/bin/python}" -c 'import hashlib, pathlib; here = pathlib.Path(".garbo/kafka/jars/.pom.sha256").read_text()
assert here == hashlib.sha256(pathlib.Path("deploy/local/kafka/pom.xml").read_bytes()).hexdigest()' 2>/dev/null
}

lacks() {
  case $1 in
  Python) ! find_python ;;
  Java) [ "$(java_version)" -lt 17 ] ;;
  Maven) ! command -v mvn >/dev/null && ! jars_here ;;
  Chromium) ! command -v chromium >/dev/null ;;
  *) refuse "deploy/local/tools.txt has no $1" ;;
  esac
}

# Sets `name`, `apt`, `dnf` and `brew` to the row of that tool.
look_up() {
  while IFS='|' read -r name apt dnf brew; do
    case $name in "$1 "*) return ;; esac
  done <deploy/local/tools.txt
}

# The line of libs/cli/src/garbo/cli/local/tools.py, word for word. Fields are unquoted: that trims them.
what_to_type() {
  names='' apts='' dnfs='' brews='' are=is update=''
  ! command -v apt-get >/dev/null || lists_here || update='apt-get update && sudo '
  for tool; do
    look_up "$tool"
    [ -z "$names" ] || are=are
    names="$names${names:+, }$(echo $name)" apts="$apts $(apt_packages "$tool")" dnfs="$dnfs $dnf" brews="$brews $brew"
  done
  echo $names $are missing: type "sudo $update"apt-get install $apts " # Fedora: sudo dnf install" $dnfs " # macOS: brew install" $brews
}

lists_here() { # a bare image comes without them
  set -- /var/lib/apt/lists/*Packages*
  [ -e "$1" ]
}

offered() {
  command -v apt-cache >/dev/null && [ -n "$(apt-cache show "$1" 2>/dev/null)" ]
}

# What this release calls it: the usual one may be too old, or too new.
apt_packages() {
  look_up "$1"
  case $1 in
  Python)
    [ -n "$python" ] || for v in 3.14 3.11 3.12 3.13; do offered python$v && apt="python$v python$v-venv"; done
    [ -z "$python" ] || apt=${python##*/}-venv
    ;;
  Java) for v in 17 25 21; do offered openjdk-$v-jre-headless && apt=openjdk-$v-jre-headless; done ;;
  esac
  echo $apt
}

may_install() {
  command -v apt-get >/dev/null && command -v dpkg >/dev/null && [ "$(id -u)" = 0 ]
}

install() {
  mkdir -p .venv && : >"$log" || refuse "nothing can be written into $here"
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
  dpkg --configure -a >>"$log" 2>&1 </dev/null # what was broken off the last time
  apt-get update -qq >>"$log" 2>&1 </dev/null  # a list that cannot be had may not matter
  packages=
  for tool; do packages="$packages $(apt_packages "$tool")"; done
  for package in $packages; do
    echo "apt-get install $package  (typed for you: this is root on Debian or Ubuntu)"
  done
  apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 $packages >>"$log" 2>&1 </dev/null ||
    refuse "apt-get failed: $({ grep 'Failed to fetch' "$log" || grep . "$log"; } | tail -n 1); all of it is in $log"
  hash -r
}

# --- what is to be done

case $here in *[:,\"\$\`\\]*)
  refuse "this folder's path holds one of : , \" \$ \` \\, which Kafka or PostgreSQL cannot take: move the clone"
  ;;
esac

todo=nothing
if ! sound; then
  todo=make
elif stale; then
  todo=update
  .venv/bin/python -m pip --version >/dev/null 2>&1 || todo=make
fi
[ $todo != make ] || set -- Python "$@"

missing=
for tool; do ! lacks "$tool" || missing="$missing $tool"; done
if [ -n "$missing" ]; then
  may_install || refuse "$(what_to_type $missing)"
  install $missing
  for tool in $missing; do ! lacks "$tool" || refuse "$(what_to_type "$tool")"; done
fi

[ $todo != nothing ] || exit 0
[ -w . ] && { [ ! -e .venv ] || [ -w .venv ]; } ||
  refuse "$here belongs to another user: run make as that one, or type sudo chown -R $(id -u) '$here'"
if [ $todo = make ]; then
  if [ ! -e .venv/pyvenv.cfg ]; then
    echo "making .venv, once for this clone"
  else
    echo "making .venv anew: it was half made, moved, or made by another Python"
  fi
  rm -rf .venv && mkdir .venv || refuse "$here/.venv cannot be removed: type sudo rm -r '$here/.venv'"
  step "$python" -m venv .venv
fi
rm -f .venv/.ready
fill_venv
