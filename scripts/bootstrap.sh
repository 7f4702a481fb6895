#!/usr/bin/env bash
# Finds a Python 3.11+ on this machine and hands over to scripts/bootstrap.py, which builds .venv from the hash lock.
#
# Here: only what cannot be said in Python, because there is none yet. Each candidate is *run* before it is believed:
# a pyenv shim called python3.12 exists and fails when that version is not selected.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
unset PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONPATH

fits() { "$1" -c 'import sys; sys.exit(not sys.version_info >= (3, 11))' >/dev/null 2>&1; }

candidates() {
    # OTKLIK_PYTHON decides alone; otherwise the versions in the order in which they were tried out with the lock
    if [ -n "${OTKLIK_PYTHON:-}" ]; then
        echo "$OTKLIK_PYTHON"
        return
    fi
    local version
    for version in 3.12 3.13 3.11; do
        command -v "python$version" || true
        ls -d "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python"$version" 2>/dev/null | sort -rV || true
        ls -d /usr/bin/python"$version" /usr/local/bin/python"$version" /opt/*/bin/python"$version" 2>/dev/null || true
    done
    command -v python3 || true
    command -v python || true
}

while IFS= read -r python; do
    if fits "$python"; then
        exec "$python" scripts/bootstrap.py "$@"
    fi
done < <(candidates)

if [ -n "${OTKLIK_PYTHON:-}" ]; then
    echo "otklik: OTKLIK_PYTHON=$OTKLIK_PYTHON is not a working Python 3.11 or newer; correct it or unset it." >&2
else
    echo "otklik: no Python 3.11 or newer was found." >&2
    echo "        Debian 12 and Ubuntu 24.04 or newer: apt-get install python3; elsewhere set OTKLIK_PYTHON=/path/to/python3.12" >&2
fi
exit 1
