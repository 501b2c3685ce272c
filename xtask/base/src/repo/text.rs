//! Reads one file as text within limits; follows no link out of anything and opens nothing but plain files.

use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::MAX_FILE_BYTES;

/// A file's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// With U+FFFD in place of bytes that are not UTF-8, without byte order mark; UTF-16 with its mark is read too.
    pub text: String,
    /// The first line with bytes that are not UTF-8.
    pub damaged: Option<u32>,
}

impl Text {
    /// A text in which nothing had to be replaced.
    pub fn whole(text: String) -> Self {
        Text { text, damaged: None }
    }
}

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
    let mut file = File::open(path).map_err(|why| unread(&why))?;
    let meta = file.metadata().map_err(|why| unread(&why))?;
    if !meta.is_file() {
        return Err(Unread::Failed("it is not a plain file".to_owned()));
    }
    if meta.len() > MAX_FILE_BYTES {
        return Err(Unread::TooLarge(meta.len()));
    }
    // A file that grows meanwhile is read as long as it was; nobody has to ask where it ends.
    let mut bytes = vec![0; usize::try_from(meta.len()).unwrap_or_default()];
    let length = fill(&mut file, &mut bytes).map_err(|why| unread(&why))?;
    bytes.truncate(length);
    decode(bytes)
}

/// Reads until the buffer is full or the file ends, as a rule at once; how many bytes there were.
fn fill(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(why) if why.kind() == ErrorKind::Interrupted => {}
            Err(why) => return Err(why),
        }
    }
    Ok(filled)
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

fn decode(bytes: Vec<u8>) -> Result<Text, Unread> {
    if let Some(text) = utf16(&bytes) {
        return Ok(Text::whole(text));
    }
    if memchr::memchr(0, &bytes).is_some() {
        return Err(Unread::Binary);
    }
    let mut text = match String::from_utf8(bytes) {
        Ok(text) => Text::whole(text),
        Err(damaged) => {
            let valid = damaged.utf8_error().valid_up_to();
            let lines = damaged.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count();
            let line = u32::try_from(lines).unwrap_or(u32::MAX).saturating_add(1);
            Text { text: String::from_utf8_lossy(damaged.as_bytes()).into_owned(), damaged: Some(line) }
        }
    };
    if text.text.starts_with('\u{feff}') {
        text.text.remove(0);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_replaced_and_their_line_is_known() {
        let text = decode(b"a\nb\xff\n".to_vec()).expect("is read");
        assert_eq!((text.text.as_str(), text.damaged), ("a\nb\u{fffd}\n", Some(2)));
    }

    #[test]
    fn byte_order_mark_is_taken_off() {
        assert_eq!(decode("\u{feff}A=1".into()).expect("is read").text, "A=1");
    }

    #[test]
    fn two_bytes_for_each_character_are_read_behind_their_mark() {
        for bytes in [&b"\xff\xfea\0\xe4\0"[..], b"\xfe\xff\0a\0\xe4"] {
            assert_eq!(decode(bytes.to_vec()), Ok(Text::whole("a\u{e4}".to_owned())));
        }
        assert_eq!(decode(b"\xff\xfe\0\xd8a\0".to_vec()), Err(Unread::Binary), "half of a character");
    }

    #[test]
    fn nul_bytes_mean_that_it_is_no_text() {
        assert_eq!(decode(b"PK\0\0".to_vec()), Err(Unread::Binary));
    }
}
