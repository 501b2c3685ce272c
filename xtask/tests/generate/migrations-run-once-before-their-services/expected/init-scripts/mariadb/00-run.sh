# Runs the given files in order: *.sql by the client as the administrator, *.sh in this shell.
set -euo pipefail
client=(mariadb --protocol=tcp --host=mariadb --port=3306 --skip-ssl --default-character-set=utf8mb4)
# Over the socket, which trusts the administrator after the first run: `.env` is the truth, the volume follows.
root=(mariadb --protocol=socket --socket=/run/mysqld/mysqld.sock --user=root --default-character-set=utf8mb4)

# The environment as variables of SQL, which cannot read it: @NAME. In hexadecimal, safe for any character.
environment() {
    local LC_ALL=C name value byte hex separator=SET at
    for name in $(compgen -e); do
        value=${!name} hex=
        for ((at = 0; at < ${#value}; at++)); do
            printf -v byte %d "'${value:at:1}"
            printf -v hex %s%02x "$hex" "$((byte & 255))"
        done
        printf "%s @%s = _utf8mb4 X'%s'" "$separator" "$name" "$hex"
        separator=,
    done
}

init="$(environment)"
for file in "$@"; do
    case $file in
        *.sql) "${root[@]}" --init-command="$init" < "$file" || { echo "in $file" >&2; exit 1; } ;;
        *.sh) . "$file" ;;
    esac
done
