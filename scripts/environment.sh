# Sourced by the scripts: makes a virtual environment once and finds it again without network.
# Works with the shells and tools of Debian, Ubuntu and macOS.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }

find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            command -v "$candidate"
            return 0
        fi
    done
    say "pairsweep needs Python 3.11, 3.12 or 3.13, and none of them is on the PATH: install one, or set PYTHON."
    return 1
}

# Plain Debian ships python3 without venv and ensurepip.
ensure_venv() {
    local python=$1 package
    "$python" -c 'import ensurepip, venv' 2>/dev/null && return 0
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "Installing the Debian package $package ..."
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package"; } >&2 && return 0
    fi
    say "This Python cannot make virtual environments: install the package $package (sudo apt-get install $package) and start again."
    return 1
}

# make_environment FOLDER EXTRAS: leaves a ready environment; a second call only looks at its stamp.
make_environment() {
    local folder=$1 extras=$2 python wanted
    python=$(find_python) || return 1
    wanted=$("$python" - "$root" "$extras" <<'PY'
import hashlib, pathlib, sys
project = pathlib.Path(sys.argv[1], "pyproject.toml").read_bytes()
print(hashlib.sha256(project + sys.argv[1].encode() + sys.argv[2].encode() + sys.version.encode()).hexdigest())
PY
    )
    if [ -f "$folder/stamp" ] && [ "$(cat "$folder/stamp")" = "$wanted" ]; then
        return 0
    fi
    ensure_venv "$python" || return 1
    say "Making the environment $(basename "$folder") (needs the network once) ..."
    rm -rf "$folder"
    "$python" -m venv "$folder" || return 1
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check -e "$root[$extras]" >&2 || return 1
    printf '%s' "$wanted" >"$folder/stamp"
}
