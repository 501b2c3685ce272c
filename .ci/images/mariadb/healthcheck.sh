#!/usr/bin/env bash
# The checks of the official image that setups use: --connect (the server answers over TCP, so it is not
# the temporary one) and --innodb_initialized.
set -euo pipefail

sql() {
    mariadb --defaults-file=/var/lib/mysql/.my-healthcheck.cnf --protocol=tcp -h127.0.0.1 --skip-ssl --silent --skip-column-names -e "$1"
}

[ $# -gt 0 ] || { echo 'healthcheck.sh: no check given' >&2; exit 1; }
for check in "$@"; do
    case "$check" in
        --connect) sql 'SELECT 1' > /dev/null ;;
        --innodb_initialized)
            [ "$(sql "SELECT 1 FROM information_schema.ENGINES WHERE engine = 'innodb' AND support IN ('YES', 'DEFAULT')")" = 1 ] ;;
        *) echo "healthcheck.sh: unknown check $check" >&2; exit 1 ;;
    esac
done
