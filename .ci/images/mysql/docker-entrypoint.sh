#!/usr/bin/env bash
# First start: initialise the data folder behind a server without network. Always: run the server as `mysql`.
# No `set -u`: the sourced init scripts would inherit it.
set -Eeo pipefail

datadir=/var/lib/mysql
socket=/var/run/mysqld/mysqld.sock

# Sets MYSQL_X from MYSQL_X_FILE, or to a default.
setting() {
    local name="MYSQL_$1" file="MYSQL_$1_FILE"
    if [ -z "${!name:-}" ] && [ -n "${!file:-}" ]; then
        printf -v "$name" %s "$(< "${!file}")"
    fi
    printf -v "$name" %s "${!name:-${2:-}}"
    export "${name?}"
}

# A text as an SQL string.
quoted() {
    local text=${1//\\/\\\\}
    printf "'%s'" "${text//\'/\'\'}"
}

# A name as an SQL identifier.
named() { printf '`%s`' "${1//\`/\`\`}"; }

run_sql() {
    MYSQL_PWD="$password" mysql --protocol=socket --socket="$socket" -uroot -hlocalhost --comments "$@"
}

run_init_files() {
    local f into=()
    [ -z "$MYSQL_DATABASE" ] || into=(--database="$MYSQL_DATABASE")
    for f in /docker-entrypoint-initdb.d/*; do
        echo "$0: running $f"
        case "$f" in
            # Like the official image: an executable script is run, any other is sourced.
            # shellcheck disable=SC1090
            *.sh) if [ -x "$f" ]; then "$f"; else . "$f"; fi ;;
            *.sql) run_sql "${into[@]}" < "$f" ;;
            *.sql.gz) gunzip -c "$f" | run_sql "${into[@]}" ;;
            *) echo "$0: ignoring $f" ;;
        esac
    done
}

create_users() {
    local root
    root="$(quoted "$MYSQL_ROOT_PASSWORD")"
    run_sql --database=mysql <<-EOS
		CREATE USER 'root'@$(quoted "$MYSQL_ROOT_HOST") IDENTIFIED BY $root;
		GRANT ALL ON *.* TO 'root'@$(quoted "$MYSQL_ROOT_HOST") WITH GRANT OPTION;
		ALTER USER 'root'@'localhost' IDENTIFIED BY $root;
		FLUSH PRIVILEGES;
	EOS
    password="$MYSQL_ROOT_PASSWORD"
    if [ -n "$MYSQL_DATABASE" ]; then
        run_sql <<< "CREATE DATABASE IF NOT EXISTS $(named "$MYSQL_DATABASE");"
    fi
    if [ -n "$MYSQL_USER" ] && [ -n "$MYSQL_PASSWORD" ]; then
        run_sql <<< "CREATE USER $(quoted "$MYSQL_USER")@'%' IDENTIFIED BY $(quoted "$MYSQL_PASSWORD");"
        if [ -n "$MYSQL_DATABASE" ]; then
            # `_` is a wildcard in the name of a grant.
            run_sql <<< "GRANT ALL ON $(named "${MYSQL_DATABASE//_/\\_}").* TO $(quoted "$MYSQL_USER")@'%';"
        fi
    fi
}

init_data() {
    local tries pid password=''
    if [ -z "$MYSQL_ROOT_PASSWORD$MYSQL_ALLOW_EMPTY_PASSWORD$MYSQL_RANDOM_ROOT_PASSWORD" ]; then
        cat >&2 <<-'EOE'
			[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified
			    You need to specify one of MYSQL_ROOT_PASSWORD, MYSQL_ALLOW_EMPTY_PASSWORD and MYSQL_RANDOM_ROOT_PASSWORD
		EOE
        exit 1
    fi
    if [ -n "$MYSQL_RANDOM_ROOT_PASSWORD" ]; then
        MYSQL_ROOT_PASSWORD="$(tr -dc 'a-zA-Z0-9' < /dev/urandom | head -c 32 || true)"
        echo "GENERATED ROOT PASSWORD: $MYSQL_ROOT_PASSWORD"
    fi
    "$@" --initialize-insecure --default-time-zone=SYSTEM

    # Only the socket: a health check over it sees this server and is wrong.
    "$@" --skip-networking --default-time-zone=SYSTEM --socket="$socket" &
    pid=$!
    for ((tries = 0; tries < 300; tries++)); do
        run_sql --database=mysql -e 'SELECT 1' > /dev/null 2>&1 && break
        sleep 0.1
    done
    create_users
    run_init_files
    kill "$pid"
    wait "$pid"
    printf '\nMySQL init process done. Ready for start up.\n\n'
}

if [ "${1:0:1}" = - ]; then
    set -- mysqld "$@"
fi
if [ "$1" = mysqld ]; then
    if [ "$(id -u)" = 0 ]; then
        find "$datadir" \! -user mysql -exec chown mysql: '{}' +
        exec setpriv --reuid=mysql --regid=mysql --init-groups "$BASH_SOURCE" "$@"
    fi
    for name in ROOT_PASSWORD ALLOW_EMPTY_PASSWORD RANDOM_ROOT_PASSWORD DATABASE USER PASSWORD; do
        setting "$name"
    done
    setting ROOT_HOST %
    if [ ! -d "$datadir/mysql" ]; then
        shopt -s nullglob
        init_data "$@"
        shopt -u nullglob
    fi
fi
exec "$@"
