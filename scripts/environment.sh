# Sourced by the scripts: finds a Python, makes a virtual environment once and finds it again without network.
# Works with the shells and tools of Debian, Ubuntu and macOS.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }

# describe PYTHON [MODULES]: its minor version and its path, if it is new enough and has these modules.
describe() {
    "$1" -c "import sys
if sys.version_info < (3, 11): sys.exit(1)
${2:+import $2}
print(sys.version_info.minor, sys.executable)" 2>/dev/null
}

# every_python: a line "MINOR PATH" for each version here that can make environments, on the PATH or of pyenv, oldest first.
every_python() {
    local candidate
    { compgen -c python3 | grep -E '^python3(\.[0-9]+)?$' || true; } | sort -u | {
        cat
        printf '%s\n' "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python3
    } | while IFS= read -r candidate; do
        describe "$candidate" "ensurepip, venv" || true
    done | sort -n -u -k1,1
}

# find_python [oldest]: the path of PYTHON if that is set, else of python3 (or the oldest), else of the newest here.
find_python() {
    local found
    if [ -n "${PYTHON:-}" ]; then
        found=$(describe "$PYTHON") || {
            say "PYTHON=$PYTHON is no Python of 3.11 or newer."
            return 1
        }
    elif [ "${1:-}" = oldest ]; then
        found=$(every_python | head -n 1)
    else
        found=$(describe python3 "ensurepip, venv") || found=$(every_python | tail -n 1)
    fi
    if [ -z "$found" ] && ! found=$(describe python3); then
        say "pairsweep needs Python 3.11 or newer, and none is on the PATH or among those of pyenv: install one, or set PYTHON."
        return 1
    fi
    printf '%s\n' "${found#* }"
}

# Plain Debian ships python3 without venv and ensurepip.
ensure_venv() {
    local python=$1 package
    "$python" -c 'import ensurepip, venv' 2>/dev/null && return 0
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    say "This Python cannot make virtual environments: install the package $package (sudo apt-get install $package) and start again."
    return 1
}

# make_environment FOLDER PYTHON ARGUMENTS: leaves an environment in which pip has installed ARGUMENTS; a second call only
# looks at its stamp.
make_environment() {
    local folder=$1 python=$2 wanted version
    shift 2
    wanted=$("$python" - "$root" "$@" <<'PY'
import hashlib, pathlib, sys
read = [pathlib.Path(sys.argv[1], "pyproject.toml"), *filter(pathlib.Path.is_file, map(pathlib.Path, sys.argv[2:]))]
text = "\0".join([sys.version, *sys.argv[1:], *(path.read_text() for path in read)])
print(hashlib.sha256(text.encode()).hexdigest())
PY
    )
    if [ -f "$folder/stamp" ] && [ "$(cat "$folder/stamp")" = "$wanted" ]; then
        return 0
    fi
    ensure_venv "$python" || return 1
    say "Making the environment $(basename "$folder") (needs the network once) ..."
    rm -rf "$folder"
    "$python" -m venv "$folder" || return 1
    # Without a wheel pip would try for minutes to build numba or scipy, and fail with pages.
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: "$@" >&2 || {
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        say "pip could not install everything for Python $version, see above: either the network is missing, or a package" \
            "has no wheel for this version yet. Then set PYTHON to another Python; those found here:"
        every_python | sed 's/^/    3./' >&2
        return 1
    }
    printf '%s' "$wanted" >"$folder/stamp"
}
