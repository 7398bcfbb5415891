# Sourced by the scripts beside it: a copy of the checkout, and the Python versions that it is tried on.
# shellcheck shell=bash
unset PYTHONDONTWRITEBYTECODE  # the processes of the tests use one another's bytecode

VERSIONS=(3.11 3.12 3.13 3.14 3.15)
OLDEST=${VERSIONS[0]}
NEWEST=${VERSIONS[-1]}
declare -A PYTHON=()  # the interpreter of each version, once find_pythons has run

step() { printf '\n=== %s (%d s)\n' "$*" "$SECONDS"; }

# A copy of what is in the checkout, committed or not, in the folder $1, so that what is tried meets a fresh clone.
copy_checkout() {
    mkdir -p "$1"
    git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
        if [ -e "$file" ]; then printf '%s\0' "$file"; fi
    done | tar --null -T - -cf - | tar -xf - -C "$1"
}

# The interpreter of the version $1: the first that runs, on the PATH, of pyenv, or below the folder $2. Fails without one.
find_python() {
    local candidate
    for candidate in "python$1" "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/"$1".*/bin/python "$2/usr/bin/python$1"; do
        if "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" 2>/dev/null; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    return 1
}

# Fills PYTHON. What the machine has not is put below the folder $1.
find_pythons() {
    local version
    for version in "${VERSIONS[@]}"; do
        if ! PYTHON[$version]=$(find_python "$version" "$1"); then
            .ci/newer-pythons "$1"
            PYTHON[$version]=$(find_python "$version" "$1") || {
                echo "there is no Python $version on the PATH or of pyenv, and .ci/newer-pythons has none" >&2
                return 1
            }
        fi
        echo "Python $version: ${PYTHON[$version]} ($("${PYTHON[$version]}" -c 'import sys; print(sys.version)'))"
    done
}

# Chromium, which slow tests of the page open. What the machine has not is installed; fails if this user may not do that.
find_browser() {
    command -v chromium && return
    apt-get -qq update &&
        apt-get -qq -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends chromium >/dev/null &&
        command -v chromium
}

# An environment of each version below the folder $1, for the tests of the clone that lies there. Tests of several versions find
# these by DURABLE_TEST_PYTHONS, with the packages that some of them need.
make_environments() {
    local version named=()
    for version in "${VERSIONS[@]}"; do
        "${PYTHON[$version]}" -m venv "$1/venv-$version"
        (cd "$1/clone" && "$1/venv-$version/bin/pip" install --quiet -e '.[test]')
        named+=("$1/venv-$version/bin/python")
    done
    DURABLE_TEST_PYTHONS=$(IFS=:; echo "${named[*]}")
    export DURABLE_TEST_PYTHONS
}

# A folder ($2) for the PATH, where `python3` is the version $1.
make_python3() {
    mkdir -p "$2"
    printf '#!/bin/sh\nexec "%s" "$@"\n' "${PYTHON[$1]}" >"$2/python3"
    chmod +x "$2/python3"
}
