//! Counts and lists as people read them; knows nothing of what is counted.

use std::fmt::Display;

/// `1 error`, `3 errors`; words that end in `y` after a consonant, `s`, `x` or `ch` get their own plural.
pub fn count(n: usize, word: &str) -> String {
    if n == 1 {
        return format!("1 {word}");
    }
    let plural = match word.as_bytes() {
        [.., before, b'y'] if !b"aeiou".contains(before) => format!("{}ies", &word[..word.len() - 1]),
        [.., b's' | b'x'] | [.., b'c', b'h'] => format!("{word}es"),
        _ => format!("{word}s"),
    };
    format!("{n} {plural}")
}

/// `a`, `a and b`, `a, b and c`.
pub fn list<T: Display>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [one] => one.to_string(),
        [init @ .., last] => {
            let init: Vec<String> = init.iter().map(ToString::to_string).collect();
            format!("{} and {last}", init.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_follow_the_word() {
        assert_eq!(count(1, "service"), "1 service");
        assert_eq!(count(2, "dependency"), "2 dependencies");
        assert_eq!(count(0, "key"), "0 keys");
        assert_eq!(count(3, "match"), "3 matches");
    }

    #[test]
    fn lists_read_like_sentences() {
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(list(&["a"]), "a");
    }
}
