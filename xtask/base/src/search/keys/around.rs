//! What a pattern asks for around a key: the bytes beside it and everything from it on. More than the pattern may pass,
//! nothing that it matches fails.

use std::fmt;

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use super::plain;

/// Bytes as the keys are written, `true` for those that may stand at a place.
type Bytes = [bool; 256];

/// Whatever it is.
const ANY: Bytes = [true; 256];

/// What stands around a key where the pattern matches.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Around {
    /// Patterns of which one matches from the key on.
    pub(super) tails: Vec<String>,
    /// What may stand before it.
    before: Bytes,
    /// What may stand behind it.
    after: Bytes,
    /// Whether that is behind the rest of the word with which the key ends.
    over_word: bool,
}

impl Around {
    /// Of a key that begins with part `start` of those that follow each other, and ends where `behind` begins.
    pub(super) fn of(parts: &[Hir], start: usize, behind: &[Hir]) -> Around {
        // What is looked for at the key's beginning would have to see what stands before it.
        let is_look = |part: &&Hir| matches!(part.kind(), HirKind::Look(_));
        let tail = Hir::concat(parts[start..].iter().skip_while(is_look).cloned().collect());
        let rest_of_word = behind.split_first().filter(|(first, _)| is_rest_of_word(first));
        let after = rest_of_word.map(|(_, behind)| begins_of(behind)).filter(|after| !holds_word(after));
        Around {
            tails: vec![format!("(?:{tail})")],
            before: ends_of(&parts[..start]),
            over_word: after.is_some(),
            after: after.unwrap_or_else(|| begins_of(behind)),
        }
    }

    /// Takes in what stands around a longer key, which holds this one, `length` bytes long, at byte `at`.
    pub(super) fn add(&mut self, longer: &[u8], at: usize, length: usize, around: Around) {
        match longer.get(at + length) {
            Some(byte) if !self.over_word => self.after[usize::from(*byte)] = true,
            None if self.over_word == around.over_word => unite(&mut self.after, &around.after),
            _ => self.after = ANY,
        }
        let Some(before) = at.checked_sub(1) else {
            self.tails.extend(around.tails);
            unite(&mut self.before, &around.before);
            return;
        };
        self.before[usize::from(longer[before])] = true;
        let text = regex_syntax::escape(&String::from_utf8_lossy(&longer[at..])).replace('0', "[0-9]");
        self.tails.push(format!("(?i-u:{text})"));
    }

    /// Whether the bytes beside a key that stands in `plain` from `start` to `end` are such: cheaper to see than that
    /// no tail matches.
    pub(super) fn may_be(&self, plain: &[u8], start: usize, end: usize) -> bool {
        let before = start.checked_sub(1).map(|before| plain[before]);
        let mut behind = plain[end..].iter();
        let after = behind.find(|byte| !(self.over_word && is_word(**byte)));
        let is_in = |bytes: &Bytes, byte: u8| bytes[usize::from(byte)];
        before.is_none_or(|byte| is_in(&self.before, byte))
            && after.is_none_or(|byte| is_in(&self.after, *byte))
    }
}

fn unite(bytes: &mut Bytes, more: &Bytes) {
    bytes.iter_mut().zip(more).for_each(|(known, more)| *known |= more);
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn holds_word(bytes: &Bytes) -> bool {
    (0..=u8::MAX).any(|byte| is_word(byte) && bytes[usize::from(byte)])
}

/// Letters, digits and `_`, however many.
fn is_rest_of_word(part: &Hir) -> bool {
    let HirKind::Repetition(Repetition { min: 0, max: None, sub, .. }) = part.kind() else { return false };
    let HirKind::Class(Class::Unicode(class)) = sub.kind() else { return false };
    class.iter().flat_map(|range| range.start()..=range.end()).all(|c| u8::try_from(c).is_ok_and(is_word))
}

/// The bytes with which parts that follow each other may begin; all of them where that is not said, or where they may be
/// nothing.
fn begins_of(parts: &[Hir]) -> Bytes {
    let mut found = [false; 256];
    for part in parts {
        let (part, may_be_none) = match part.kind() {
            HirKind::Repetition(more) => (&*more.sub, more.min == 0),
            _ => (part, false),
        };
        match part.kind() {
            HirKind::Look(_) | HirKind::Empty => continue,
            HirKind::Literal(text) => text.0.first().into_iter().for_each(|byte| add(&mut found, *byte)),
            HirKind::Class(Class::Unicode(_)) => add_class(&mut found, part),
            HirKind::Capture(group) => {
                unite(&mut found, &begins_of(std::slice::from_ref(&*group.sub)));
            }
            HirKind::Concat(parts) => unite(&mut found, &begins_of(parts)),
            HirKind::Alternation(all) => {
                all.iter().for_each(|one| unite(&mut found, &begins_of(std::slice::from_ref(one))));
            }
            _ => return ANY,
        }
        if !may_be_none {
            return found;
        }
    }
    ANY
}

fn add_class(found: &mut Bytes, part: &Hir) {
    let HirKind::Class(Class::Unicode(class)) = part.kind() else { return };
    for range in class.iter() {
        let ascii = u32::from(range.start())..=u32::from(range.end()).min(0x7f);
        ascii.filter_map(|c| u8::try_from(c).ok()).for_each(|byte| add(found, byte));
        if !range.end().is_ascii() {
            found[0x80..].fill(true);
        }
    }
}

impl fmt::Debug for Around {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Around").field("tails", &self.tails).finish_non_exhaustive()
    }
}

/// The bytes with which parts that follow each other may end; all of them where that is not said.
fn ends_of(parts: &[Hir]) -> Bytes {
    let mut found = [false; 256];
    for part in parts.iter().rev() {
        let (part, may_be_none) = match part.kind() {
            HirKind::Repetition(more) => (&*more.sub, more.min == 0),
            _ => (part, false),
        };
        match part.kind() {
            HirKind::Look(_) => continue,
            HirKind::Literal(text) => text.0.last().into_iter().for_each(|byte| add(&mut found, *byte)),
            HirKind::Class(Class::Unicode(_)) => add_class(&mut found, part),
            _ => return ANY,
        }
        if !may_be_none {
            return found;
        }
    }
    ANY
}

fn add(bytes: &mut Bytes, byte: u8) {
    bytes[usize::from(plain(byte))] = true;
}
