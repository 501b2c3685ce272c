//! What lies at a path of a container, from the first bytes of the file; runs nothing in the container.

use crate::run::diagnose::facts::Program;
use crate::run::docker::Docker;

/// Enough for the headers of the archive and the first line of a script.
const ENOUGH: u64 = 8 << 10;
/// A block of an archive.
const BLOCK: usize = 512;

/// Looks at a file of a container, whether that runs or not.
pub fn of(docker: &Docker, id: &str, path: &str) -> Program {
    let command = docker.command(["cp", "--follow-link", &format!("{id}:{path}"), "-"]);
    match command.first_bytes(ENOUGH) {
        Ok(bytes) if bytes.is_empty() => Program::Missing,
        Ok(bytes) => content(&bytes).map_or(Program::Unknown, kind),
        Err(_) => Program::Unknown,
    }
}

/// The first file of a tar archive, as far as it is there: pax(5), ustar and the extensions that Go writes.
fn content(archive: &[u8]) -> Option<&[u8]> {
    let mut rest = archive;
    loop {
        let header = rest.get(..BLOCK)?;
        let size = std::str::from_utf8(header.get(124..135)?).ok()?;
        let size = usize::from_str_radix(size.trim_matches(['\0', ' ']), 8).ok()?;
        let body = rest.get(BLOCK..)?;
        match header.get(156)? {
            b'x' | b'g' | b'L' | b'K' => rest = body.get(size.div_ceil(BLOCK) * BLOCK..)?,
            b'0' | b'\0' => return Some(body.get(..size).unwrap_or(body)),
            _ => return None,
        }
    }
}

fn kind(head: &[u8]) -> Program {
    if head.starts_with(b"\x7fELF") {
        return Program::Compiled(processor(head));
    }
    let Some(line) = head.strip_prefix(b"#!") else { return Program::Other };
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let windows = line.ends_with(b"\r");
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or_default();
    let interpreter = if first.ends_with("/env") { words.next().unwrap_or(first) } else { first };
    Program::Script { interpreter: interpreter.to_owned(), windows }
}

/// The ELF header's `e_machine`, in the names that Docker uses; `None` for those that Docker does not run on.
fn processor(head: &[u8]) -> Option<&'static str> {
    let bytes = [*head.get(18)?, *head.get(19)?];
    let big = head.get(5) == Some(&2);
    Some(match if big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) } {
        0x03 => "386",
        0x15 => "ppc64le",
        0x16 => "s390x",
        0x28 => "arm",
        0x3e => "amd64",
        0xb7 => "arm64",
        0xf3 => "riscv64",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(kind: u8, content: &[u8]) -> Vec<u8> {
        let mut block = vec![0; BLOCK];
        block[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        block[156] = kind;
        block.extend(content);
        block.resize(block.len().div_ceil(BLOCK) * BLOCK, 0);
        block
    }

    #[test]
    fn the_first_file_of_an_archive_is_found_behind_its_extensions() {
        let bytes = [archive(b'x', b"30 mtime=1\n"), archive(b'0', b"#!/bin/sh\n")].concat();
        assert_eq!(content(&bytes), Some(&b"#!/bin/sh\n"[..]));
        assert_eq!(content(&archive(b'5', b"")), None);
        assert_eq!(content(b"short"), None);
    }

    #[test]
    fn programs_are_told_apart() {
        let script =
            |interpreter: &str, windows| Program::Script { interpreter: interpreter.into(), windows };
        assert_eq!(kind(b"#!/bin/bash\necho"), script("/bin/bash", false));
        assert_eq!(kind(b"#!/usr/bin/env python3\r\n"), script("python3", true));
        assert_eq!(kind(b"echo hello\n"), Program::Other);
        let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
        elf.resize(18, 0);
        elf.extend([0xb7, 0]);
        assert_eq!(kind(&elf), Program::Compiled(Some("arm64")));
        assert_eq!(kind(b"\x7fELF"), Program::Compiled(None));
    }
}
