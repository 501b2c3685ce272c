# Runs the given files in order: *.sql by the client as the administrator, *.sh in this shell.
set -euo pipefail
client=(mysql --protocol=tcp --host=mysql --port=3306 --default-character-set=utf8mb4)

# The environment as variables of SQL, which cannot read it: @NAME. In hexadecimal, safe for any character.
environment() {
    local name separator=SET
    for name in $(compgen -e); do
        printf "%s @%s = _utf8mb4 X'%s'" "$separator" "$name" "$(printf %s "${!name}" | od -An -v -tx1 | tr -d ' \n')"
        separator=,
    done
}

init="$(environment)"
for file in "$@"; do
    case $file in
        *.sql) "${client[@]}" --user=root --init-command="$init" < "$file" || { echo "in $file" >&2; exit 1; } ;;
        *.sh) . "$file" ;;
    esac
done
