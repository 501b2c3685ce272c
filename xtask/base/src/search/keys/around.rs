//! What a pattern asks for around a key: the byte before it and everything from it on. More than the pattern may pass,
//! nothing that it matches fails.

use std::fmt;

use regex_syntax::hir::{Class, Hir, HirKind};

use super::plain;

/// What stands around a key where the pattern matches.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Around {
    /// Patterns of which one matches from the key on.
    pub(super) tails: Vec<String>,
    /// The bytes that may stand before it, as the keys are written.
    pub(super) before: [bool; 256],
}

impl Around {
    /// Of a key that begins with part `start` of those that follow each other.
    pub(super) fn of(parts: &[Hir], start: usize) -> Around {
        // What is looked for at the key's beginning would have to see what stands before it.
        let is_look = |part: &&Hir| matches!(part.kind(), HirKind::Look(_));
        let tail = Hir::concat(parts[start..].iter().skip_while(is_look).cloned().collect());
        Around { tails: vec![format!("(?:{tail})")], before: ends_of(&parts[..start]) }
    }

    /// Takes in what stands around a longer key, which holds this one at byte `at`.
    pub(super) fn add(&mut self, longer: &[u8], at: usize, around: Around) {
        let Some(before) = at.checked_sub(1) else {
            self.tails.extend(around.tails);
            self.before.iter_mut().zip(around.before).for_each(|(known, more)| *known |= more);
            return;
        };
        self.before[usize::from(longer[before])] = true;
        let text = regex_syntax::escape(&String::from_utf8_lossy(&longer[at..])).replace('0', "[0-9]");
        self.tails.push(format!("(?i-u:{text})"));
    }
}

impl fmt::Debug for Around {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Around").field("tails", &self.tails).finish_non_exhaustive()
    }
}

/// The bytes with which parts that follow each other may end; all of them where that is not said.
fn ends_of(parts: &[Hir]) -> [bool; 256] {
    let mut found = [false; 256];
    for part in parts.iter().rev() {
        let (part, may_be_none) = match part.kind() {
            HirKind::Repetition(more) => (&*more.sub, more.min == 0),
            _ => (part, false),
        };
        match part.kind() {
            HirKind::Look(_) => continue,
            HirKind::Literal(text) => text.0.last().into_iter().for_each(|byte| add(&mut found, *byte)),
            HirKind::Class(Class::Unicode(class)) => {
                for range in class.iter() {
                    let ascii = u32::from(range.start())..=u32::from(range.end()).min(0x7f);
                    ascii.filter_map(|c| u8::try_from(c).ok()).for_each(|byte| add(&mut found, byte));
                    if !range.end().is_ascii() {
                        found[0x80..].fill(true);
                    }
                }
            }
            _ => return [true; 256],
        }
        if !may_be_none {
            return found;
        }
    }
    [true; 256]
}

fn add(bytes: &mut [bool; 256], byte: u8) {
    bytes[usize::from(plain(byte))] = true;
}
