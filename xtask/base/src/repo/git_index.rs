//! What git tracks, from its index, because discovery starts no program; versions 2 to 4 of the format, as git's
//! documentation `gitformat-index` has them. Decides nothing.

/// The signature, the version and the number of entries.
const HEADER: usize = 12;
/// What of an entry stands before its object's name: times, device, mode and size of the file.
const STATUS: usize = 40;
const MODE: usize = 24;
/// Lengths of the names of objects: SHA-1 and SHA-256, which the repository's configuration chooses.
const NAMES: [usize; 2] = [20, 32];
/// The flag of an entry that two more bytes of flags follow.
const EXTENDED: u16 = 0x4000;
/// Kinds of entries, by the highest bits of their mode: plain files and links.
const FILES: [u32; 2] = [0b1000, 0b1010];

/// The paths of the files in an index, from the top of the repository, as git sorts them: by bytes. Those that are no
/// UTF-8 are left out; `None` where it is no index that is understood, or only a part of one.
pub fn paths(index: &[u8]) -> Option<Vec<String>> {
    NAMES.iter().find_map(|name| with_names(index, *name))
}

fn with_names(index: &[u8], name: usize) -> Option<Vec<String>> {
    let version = number(index, 4)?;
    if !index.starts_with(b"DIRC") || !(2..=4).contains(&version) {
        return None;
    }
    let mut found = Vec::new();
    let mut path: Vec<u8> = Vec::new();
    let mut at = HEADER;
    for _ in 0..number(index, 8)? {
        let start = at;
        let mode = number(index, start + MODE)?;
        at += STATUS + name;
        let flags = u16::from_be_bytes(index.get(at..at + 2)?.try_into().ok()?);
        at += if flags & EXTENDED == 0 { 2 } else { 4 };
        // In version 4, an entry has of its path what differs from the one before.
        let kept = if version == 4 { path.len().checked_sub(varint(index, &mut at)?)? } else { 0 };
        let rest = index.get(at..)?;
        let rest = &rest[..memchr::memchr(0, rest)?];
        path.truncate(kept);
        path.extend_from_slice(rest);
        at += rest.len() + 1;
        if version < 4 {
            // One to eight NULs, so that entries are as long as a multiple of eight.
            at = start + (at - start).next_multiple_of(8);
        }
        let text = std::str::from_utf8(&path).ok().filter(|_| FILES.contains(&(mode >> 12)));
        found.extend(text.filter(|text| !text.is_empty()).map(str::to_owned));
    }
    is_end(index, at, name).then_some(found)
}

/// Whether nothing but extensions stands from byte `at` on, and a sum of everything, as long as the name of an object:
/// else the names are of another length. In a split index the other entries are elsewhere.
fn is_end(index: &[u8], mut at: usize, name: usize) -> bool {
    while at + name < index.len() {
        let (Some(signature), Some(length)) = (index.get(at..at + 4), number(index, at + 4)) else {
            return false;
        };
        if signature == b"link" {
            return false;
        }
        at = (at + 8).saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
    }
    at + name == index.len()
}

fn number(index: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(index.get(at..at + 4)?.try_into().ok()?))
}

/// Seven bits a byte, the highest says whether more follow, each of which begins where the shorter ones end.
fn varint(index: &[u8], at: &mut usize) -> Option<usize> {
    let mut value = 0_usize;
    loop {
        let byte = *index.get(*at)?;
        *at += 1;
        value = value.checked_mul(128)?.checked_add(usize::from(byte & 0x7f))?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
        value = value.checked_add(1)?;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What git 2.47 wrote for `.gitignore`, `api/.env`, `api/Dockerfile` and `lib/a.txt`.
    const VERSION_2: &str = "\
        4449524300000002000000046b0b28992c4586896b0b28992c4586890000fe00009acae0000081a4000000000000000000000010b6befe6f\
        500703e688e9ab4ac8948b944fb4cce3000a2e67697469676e6f726500000000000000006b0b28992c4586896b0b28992c4586890000fe00\
        009aeac7000081a4000000000000000000000002975fbec8256d3e8a3797e7a3611380f27c49f4ac00086170692f2e656e7600006b0b2899\
        2c4586896b0b28992c4586890000fe00009aeac6000081a4000000000000000000000002587be6b4c3f93f93c489c0111bba5596147a26cb\
        000e6170692f446f636b657266696c65000000006b0b28992c4586896b0b28992c4586890000fe00009b0ab6000081a40000000000000000\
        00000002b68025345d5301abad4d9ec9166f455243a0d74600096c69622f612e747874009311103816ac0072be329cb074657820567c4b97";
    const VERSION_4: &str = "\
        4449524300000004000000046b0b28992c4586896b0b28992c4586890000fe00009acae0000081a4000000000000000000000010b6befe6f\
        500703e688e9ab4ac8948b944fb4cce3000a002e67697469676e6f7265006b0b28992c4586896b0b28992c4586890000fe00009aeac70000\
        81a4000000000000000000000002975fbec8256d3e8a3797e7a3611380f27c49f4ac00080a6170692f2e656e76006b0b28992c4586896b0b\
        28992c4586890000fe00009aeac6000081a4000000000000000000000002587be6b4c3f93f93c489c0111bba5596147a26cb000e04446f63\
        6b657266696c65006b0b28992c4586896b0b28992c4586890000fe00009b0ab6000081a4000000000000000000000002b68025345d5301ab\
        ad4d9ec9166f455243a0d74600090e6c69622f612e747874005da2b415ed2508ccd25e6429dbee61b87fba18bb";

    fn bytes(hex: &str) -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("is a number");
        (0..hex.len()).step_by(2).map(digit).collect()
    }

    #[test]
    fn paths_are_read_from_an_index_of_git() {
        for version in [VERSION_2, VERSION_4] {
            let found = paths(&bytes(version)).expect("is an index");
            assert_eq!(found, [".gitignore", "api/.env", "api/Dockerfile", "lib/a.txt"]);
        }
    }

    #[test]
    fn names_of_objects_may_be_longer() {
        // In version 4, entries are not filled up: each gets the twelve bytes that SHA-256 has more.
        let mut index = bytes(VERSION_4);
        let mut at = HEADER;
        for path in [".gitignore", "api/.env", "Dockerfile", "lib/a.txt"] {
            index.splice(at + STATUS..at + STATUS, [7; 12]);
            at += STATUS + 32 + 3 + path.len() + 1;
        }
        assert_eq!(paths(&index), None, "the sum has to be as long");
        index.extend([7; 12]);
        let found = paths(&index).expect("is an index");
        assert_eq!(found, [".gitignore", "api/.env", "api/Dockerfile", "lib/a.txt"]);
    }

    #[test]
    fn extensions_are_passed_over_and_a_part_of_a_split_index_is_none() {
        let with = |signature: &[u8]| {
            let mut index = bytes(VERSION_2);
            let extension = [signature, &[0, 0, 0, 3], b"abc"].concat();
            index.splice(index.len() - 20..index.len() - 20, extension);
            paths(&index)
        };
        assert_eq!(with(b"TREE").map(|found| found.len()), Some(4));
        assert_eq!(with(b"link"), None);
    }

    #[test]
    fn what_is_cut_off_or_of_another_version_is_no_index() {
        let index = bytes(VERSION_2);
        for end in 0..index.len() {
            assert_eq!(paths(&index[..end]), None, "{end} bytes");
        }
        let mut newer = index;
        newer[7] = 5;
        assert_eq!(paths(&newer), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(
            version in 2_u8..5, count in 0_u8..9, rest in prop::collection::vec(any::<u8>(), 0..400)
        ) {
            let index = [b"DIRC\0\0\0", &[version, 0, 0, 0, count][..], &rest].concat();
            if let Some(found) = paths(&index) {
                prop_assert!(found.len() <= usize::from(count));
            }
        }
    }
}
