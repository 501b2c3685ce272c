//! Reads one file as text within limits; follows no link out of anything and opens nothing but plain files.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::MAX_FILE_BYTES;

/// [`MAX_FILE_BYTES`] as lengths in memory are counted.
const LIMIT: usize = MAX_FILE_BYTES as usize;
/// As long as most sources are.
const FIRST: usize = 16 * 1024;

/// A file's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<T = String> {
    /// With U+FFFD in place of bytes that are not UTF-8, without byte order mark; UTF-16 with its mark is read too.
    pub text: T,
    /// The first line with bytes that are not UTF-8.
    pub damaged: Option<u32>,
}

impl<T> Text<T> {
    /// A text in which nothing had to be replaced.
    pub fn whole(text: T) -> Self {
        Text { text, damaged: None }
    }
}

/// What many files are read into, one after the other: their texts lie in it.
#[derive(Debug, Default)]
pub struct Buffer(Vec<u8>);

/// Why a file has no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread {
    /// It is not there any more.
    Missing,
    /// Its size in bytes is over [`MAX_FILE_BYTES`].
    TooLarge(u64),
    /// It holds NUL bytes.
    Binary,
    /// The system's reason.
    Failed(String),
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unread::Missing => f.write_str("it is not there"),
            Unread::TooLarge(bytes) => {
                write!(f, "it has {} MiB, more than {} MiB are not read", bytes >> 20, MAX_FILE_BYTES >> 20)
            }
            Unread::Binary => f.write_str("it is not a text"),
            Unread::Failed(why) => f.write_str(why),
        }
    }
}

/// The text of the file at `path`; `listed` where the walk has seen that it is a plain one.
pub(super) fn read(path: &Path, listed: bool) -> Result<Text, Unread> {
    // Before opening: a FIFO would block, a device may do anything.
    if !listed && !std::fs::metadata(path).map_err(|why| unread(&why))?.is_file() {
        return Err(Unread::Failed("it is not a plain file".to_owned()));
    }
    let mut buffer = Buffer::default();
    let Text { text, damaged } = read_listed(path, &mut buffer)?;
    Ok(Text { text: text.into_owned(), damaged })
}

/// The text of the file at `path`, of which the walk has seen that it is a plain one.
pub(super) fn read_listed<'b>(path: &Path, buffer: &'b mut Buffer) -> Result<Text<Cow<'b, str>>, Unread> {
    let mut file = File::open(path).map_err(|why| unread(&why))?;
    let length = fill(&mut file, &mut buffer.0).map_err(|why| unread(&why))?;
    if length > LIMIT {
        let length = file.metadata().map_err(|why| unread(&why))?.len();
        return Err(Unread::TooLarge(length));
    }
    decode(&buffer.0[..length])
}

/// Reads until the file ends or is too large; how many bytes there were. The system is not asked for the size before:
/// that costs as much as reading a short file.
fn fill(file: &mut File, buffer: &mut Vec<u8>) -> std::io::Result<usize> {
    let mut filled = 0;
    loop {
        if filled == buffer.len() {
            if filled > LIMIT {
                return Ok(filled);
            }
            buffer.resize((filled * 4).clamp(FIRST, LIMIT + 1), 0);
        }
        match file.read(&mut buffer[filled..]) {
            Ok(0) => return Ok(filled),
            Ok(more) => filled += more,
            Err(why) if why.kind() == ErrorKind::Interrupted => {}
            Err(why) => return Err(why),
        }
    }
}

fn unread(why: &std::io::Error) -> Unread {
    if why.kind() == ErrorKind::NotFound { Unread::Missing } else { Unread::Failed(why.to_string()) }
}

/// What a Windows shell redirects into a file: two bytes for each character, behind a mark that says so.
fn utf16(bytes: &[u8]) -> Option<String> {
    let (mark, rest) = bytes.split_at_checked(2)?;
    let unit: fn([u8; 2]) -> u16 = match mark {
        [0xff, 0xfe] => u16::from_le_bytes,
        [0xfe, 0xff] => u16::from_be_bytes,
        _ => return None,
    };
    let units = rest.chunks_exact(2).map(|two| unit([two[0], two[1]]));
    char::decode_utf16(units).collect::<Result<String, _>>().ok().filter(|text| !text.contains('\0'))
}

fn decode(bytes: &[u8]) -> Result<Text<Cow<'_, str>>, Unread> {
    if let Some(text) = utf16(bytes) {
        return Ok(Text::whole(Cow::Owned(text)));
    }
    if memchr::memchr(0, bytes).is_some() {
        return Err(Unread::Binary);
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let damaged = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok(Text::whole(Cow::Borrowed(text))),
        Err(damaged) => damaged.valid_up_to(),
    };
    let lines = bytes[..damaged].iter().filter(|byte| **byte == b'\n').count();
    let line = u32::try_from(lines).unwrap_or(u32::MAX).saturating_add(1);
    Ok(Text { text: String::from_utf8_lossy(bytes), damaged: Some(line) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_replaced_and_their_line_is_known() {
        let text = decode(b"a\nb\xff\n").expect("is read");
        assert_eq!((&*text.text, text.damaged), ("a\nb\u{fffd}\n", Some(2)));
    }

    #[test]
    fn byte_order_mark_is_taken_off() {
        assert_eq!(decode("\u{feff}A=1".as_bytes()).expect("is read").text, "A=1");
    }

    #[test]
    fn two_bytes_for_each_character_are_read_behind_their_mark() {
        for bytes in [&b"\xff\xfea\0\xe4\0"[..], b"\xfe\xff\0a\0\xe4"] {
            assert_eq!(decode(bytes), Ok(Text::whole("a\u{e4}".into())));
        }
        assert_eq!(decode(b"\xff\xfe\0\xd8a\0"), Err(Unread::Binary), "half of a character");
    }

    #[test]
    fn nul_bytes_mean_that_it_is_no_text() {
        assert_eq!(decode(b"PK\0\0"), Err(Unread::Binary));
    }
}
