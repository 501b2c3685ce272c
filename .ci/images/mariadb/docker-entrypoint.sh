#!/usr/bin/env bash
# First start: initialise the data folder behind a server without network. Always: run the server as `mysql`.
# No `set -u`: the sourced init scripts would inherit it.
set -Eeo pipefail

datadir=/var/lib/mysql
socket=/run/mysqld/mysqld.sock

# Sets MARIADB_X from MARIADB_X_FILE, or from the same names with MYSQL_, or to a default.
setting() {
    local name="MARIADB_$1" prefix value='' variable file
    for prefix in MARIADB MYSQL; do
        variable="${prefix}_$1" file="${prefix}_$1_FILE"
        if [ -n "${!variable:-}" ]; then value="${!variable}"; break; fi
        if [ -n "${!file:-}" ]; then value="$(< "${!file}")"; break; fi
    done
    export "$name"="${value:-${2:-}}"
}

# A text as an SQL string.
quoted() {
    local text=${1//\\/\\\\}
    printf "'%s'" "${text//\'/\'\'}"
}

# A name as an SQL identifier.
named() { printf '`%s`' "${1//\`/\`\`}"; }

run_sql() {
    MYSQL_PWD="$MARIADB_ROOT_PASSWORD" mariadb --protocol=socket --socket="$socket" -uroot -hlocalhost --comments "$@"
}

run_init_files() {
    local f into=()
    [ -z "$MARIADB_DATABASE" ] || into=(--database="$MARIADB_DATABASE")
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
    local password health
    password="$(quoted "$MARIADB_ROOT_PASSWORD")"
    health="$(tr -dc 'a-zA-Z0-9' < /dev/urandom | head -c 32 || true)"
    MARIADB_ROOT_PASSWORD='' run_sql --database=mysql <<-EOS
		DROP USER IF EXISTS 'root'@'127.0.0.1', 'root'@'::1';
		EXECUTE IMMEDIATE CONCAT("DROP USER IF EXISTS 'root'@'", @@hostname, "'");
		CREATE USER 'healthcheck'@'127.0.0.1' IDENTIFIED BY '$health';
		CREATE USER 'healthcheck'@'::1' IDENTIFIED BY '$health';
		CREATE USER 'healthcheck'@'localhost' IDENTIFIED BY '$health';
		CREATE USER 'root'@$(quoted "$MARIADB_ROOT_HOST") IDENTIFIED BY $password;
		GRANT ALL ON *.* TO 'root'@$(quoted "$MARIADB_ROOT_HOST") WITH GRANT OPTION;
		SET PASSWORD FOR 'root'@'localhost' = PASSWORD($password);
	EOS
    printf '[mariadb-client]\nport=3306\nuser=healthcheck\npassword=%s\n' "$health" > "$datadir/.my-healthcheck.cnf"
    if [ -n "$MARIADB_DATABASE" ]; then
        run_sql <<< "CREATE DATABASE IF NOT EXISTS $(named "$MARIADB_DATABASE");"
    fi
    if [ -n "$MARIADB_USER" ] && [ -n "$MARIADB_PASSWORD" ]; then
        run_sql <<< "CREATE USER $(quoted "$MARIADB_USER")@'%' IDENTIFIED BY $(quoted "$MARIADB_PASSWORD");"
        if [ -n "$MARIADB_DATABASE" ]; then
            # `_` is a wildcard in the name of a grant.
            run_sql <<< "GRANT ALL ON $(named "${MARIADB_DATABASE//_/\\_}").* TO $(quoted "$MARIADB_USER")@'%';"
        fi
    fi
}

init_data() {
    local tries pid
    if [ -z "$MARIADB_ROOT_PASSWORD$MARIADB_ALLOW_EMPTY_ROOT_PASSWORD$MARIADB_RANDOM_ROOT_PASSWORD" ]; then
        cat >&2 <<-'EOE'
			[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified
			    You need to specify one of MARIADB_ROOT_PASSWORD, MARIADB_ALLOW_EMPTY_ROOT_PASSWORD and MARIADB_RANDOM_ROOT_PASSWORD
		EOE
        exit 1
    fi
    if [ -n "$MARIADB_RANDOM_ROOT_PASSWORD" ]; then
        MARIADB_ROOT_PASSWORD="$(tr -dc 'a-zA-Z0-9' < /dev/urandom | head -c 32 || true)"
        echo "GENERATED ROOT PASSWORD: $MARIADB_ROOT_PASSWORD"
    fi
    mariadb-install-db --datadir="$datadir" --auth-root-authentication-method=normal --skip-test-db \
        --skip-name-resolve --cross-bootstrap > /dev/null

    # Only the socket: a health check over it sees this server and is wrong.
    "$@" --skip-networking --socket="$socket" &
    pid=$!
    for ((tries = 0; tries < 300; tries++)); do
        MARIADB_ROOT_PASSWORD='' run_sql --database=mysql -e 'SELECT 1' > /dev/null 2>&1 && break
        sleep 0.1
    done
    create_users
    run_init_files
    kill "$pid"
    wait "$pid"
    printf '\nMariaDB init process done. Ready for start up.\n\n'
}

if [ "${1:0:1}" = - ]; then
    set -- mariadbd "$@"
fi
if [ "$1" = mariadbd ] || [ "$1" = mysqld ]; then
    if [ "$(id -u)" = 0 ]; then
        find "$datadir" \! -user mysql -exec chown mysql: '{}' +
        exec setpriv --reuid=mysql --regid=mysql --init-groups "$BASH_SOURCE" "$@"
    fi
    for name in ROOT_PASSWORD ALLOW_EMPTY_ROOT_PASSWORD RANDOM_ROOT_PASSWORD DATABASE USER PASSWORD; do
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
