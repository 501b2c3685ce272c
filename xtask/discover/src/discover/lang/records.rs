//! Structs and classes whose fields a library fills from variables, nested as they are; knows no language.

/// A struct or class.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Record<'t> {
    pub(super) name: &'t str,
    pub(super) fields: Vec<Field<'t>>,
}

/// A field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Field<'t> {
    /// Empty where the fields of its type are the record's own.
    pub(super) name: &'t str,
    /// The name of its type, without what is around it; empty for lists and the like.
    pub(super) kind: &'t str,
    /// Its tag, attributes or value, as written.
    pub(super) notes: &'t str,
    /// The program can do without it, by its type.
    pub(super) optional: bool,
    /// Counted from 1.
    pub(super) line: u32,
    /// Of a type that stands in its place.
    pub(super) inner: Vec<Field<'t>>,
}

/// Deeper is no configuration that a person wrote; more is data.
pub(super) const MAX_DEPTH: usize = 8;
const MAX_FIELDS: usize = 2000;

/// Calls `visit` with the way to each field that holds no record of the file itself, from each record that no other one
/// holds and that `is_root` takes.
pub(super) fn walk<'r, 't>(
    records: &'r [Record<'t>],
    is_root: impl Fn(&Record<'t>) -> bool,
    visit: &mut dyn FnMut(&Record<'t>, &[&'r Field<'t>]),
) {
    let mut walker = Walker { records, left: MAX_FIELDS };
    for root in records {
        let holds_it = |other: &Record<'_>| other.name != root.name && holds(&other.fields, root.name);
        if !is_root(root) || !root.name.is_empty() && records.iter().any(holds_it) {
            continue;
        }
        let mut way = Vec::new();
        walker.fields(&root.fields, &mut way, &mut |way| visit(root, way));
    }
}

fn holds(fields: &[Field<'_>], name: &str) -> bool {
    fields.iter().any(|field| field.kind == name || holds(&field.inner, name))
}

struct Walker<'r, 't> {
    records: &'r [Record<'t>],
    left: usize,
}

impl<'r, 't> Walker<'r, 't> {
    fn fields(
        &mut self,
        fields: &'r [Field<'t>],
        way: &mut Vec<&'r Field<'t>>,
        visit: &mut dyn FnMut(&[&'r Field<'t>]),
    ) {
        if way.len() > MAX_DEPTH {
            return;
        }
        for field in fields {
            if self.left == 0 {
                return;
            }
            self.left -= 1;
            let records = self.records;
            let of_kind = || {
                let is_it = |record: &&Record<'_>| !field.kind.is_empty() && record.name == field.kind;
                records.iter().find(is_it).map_or(&[][..], |record| &record.fields)
            };
            let inner = if field.inner.is_empty() { of_kind() } else { &field.inner };
            way.push(field);
            if inner.is_empty() {
                visit(way)
            } else {
                self.fields(inner, way, visit)
            }
            way.pop();
        }
    }
}

/// `MultiWordName` as `MULTI_WORD_NAME`, `HTTPPort` as `HTTP_PORT`.
pub(super) fn words(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| chars[before]);
        let after = chars.get(at + 1);
        let begins = c.is_ascii_uppercase()
            && before.is_some_and(|before| {
                !before.is_ascii_uppercase() && before != '_'
                    || before.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase)
            });
        if begins {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field<'t>(name: &'t str, kind: &'t str) -> Field<'t> {
        Field { name, kind, ..Field::default() }
    }

    fn ways(records: &[Record<'_>]) -> Vec<String> {
        let mut found = Vec::new();
        walk(records, |_| true, &mut |_, way| {
            found.push(way.iter().map(|field| field.name).collect::<Vec<_>>().join("."));
        });
        found
    }

    #[test]
    fn fields_are_reached_through_those_that_hold_them() {
        let records = [
            Record { name: "Db", fields: vec![field("host", "string"), field("port", "int")] },
            Record { name: "Config", fields: vec![field("db", "Db"), field("level", "string")] },
        ];
        assert_eq!(ways(&records), ["db.host", "db.port", "level"]);
    }

    #[test]
    fn records_that_hold_themselves_end() {
        let records = [
            Record { name: "A", fields: vec![field("a", "A"), field("x", "int")] },
            Record { name: "B", fields: vec![field("b", "B"), field("c", "B")] },
        ];
        assert!(ways(&records).len() <= MAX_FIELDS);
    }

    #[test]
    fn names_are_taken_apart_into_words() {
        for (name, wanted) in [
            ("Port", "PORT"),
            ("MultiWordName", "MULTI_WORD_NAME"),
            ("HTTPPort", "HTTP_PORT"),
            ("DBHost", "DB_HOST"),
            ("Db2Host", "DB2_HOST"),
            ("APIKey", "API_KEY"),
            ("URL", "URL"),
            ("snake_case", "SNAKE_CASE"),
        ] {
            assert_eq!(words(name), wanted);
        }
    }
}
