//! Makes inputs that nobody wrote by hand out of files that somebody did; the same numbers give the same inputs.

/// Addresses in the notations of several languages.
pub(crate) const ADDRESSES: &[&str] = &[
    "postgresql://app:secret@db:5432/shop?sslmode=disable",
    "jdbc:mysql://db:3306/shop",
    "Server=tcp:db,1433;Database=shop;User Id=sa;Password=x",
    "host=db port=5432 user='a b' dbname=shop",
    "root:pw@tcp(db:3306)/shop?parseTime=true",
    "amqp://guest:guest@[::1]:5672/%2f",
    "mongodb+srv://u:p@a.example.com,b.example.com:27017/x",
    "kafka1:9092,kafka2:9092;kafka3",
    "${DB_URL:-postgres://${USER:-u}@${HOST}/x}",
    "redis:6379,abortConnect=false,password=x",
];

/// An index of git with `a/Dockerfile` and `a/b.env`, behind the byte that chooses a path.
pub(crate) fn index(version: u8) -> Vec<u8> {
    let mut index = [b"\0DIRC\0\0\0", &[version, 0, 0, 0, 2][..]].concat();
    for (dropped, path) in [(0, "a/Dockerfile"), (10, "b.env")] {
        // Times, device, mode and size, the name of the object, flags.
        let mut entry = [&[0; 26][..], &[0x81, 0xa4], &[0; 34]].concat();
        match version {
            4 => entry.extend([&[dropped][..], path.as_bytes(), &[0]].concat()),
            _ => {
                entry.extend(["a/".as_bytes(), path.trim_start_matches("a/").as_bytes(), &[0]].concat());
                entry.resize(entry.len().next_multiple_of(8), 0);
            }
        }
        index.extend(entry);
    }
    [index, vec![0; 20]].concat()
}

/// What parsers look for, and what breaks them.
const WORDS: &[&str] = &[
    "\n",
    "\r\n",
    "\t",
    " ",
    "\"",
    "'",
    "`",
    "\\",
    "$",
    "${",
    "}",
    "$$",
    "$(touch x)",
    "{{",
    "}}",
    "<<",
    "<<EOF\n",
    "- ",
    ": ",
    "=",
    "#",
    "//",
    "/*",
    "*/",
    "\"\"\"",
    "'''",
    "&a ",
    "*a",
    "<<: *a",
    "!!binary ",
    "|-\n",
    ">\n",
    "---\n",
    "[",
    "]",
    "{",
    "(",
    ")",
    "|",
    "%",
    "%2f",
    "@",
    "::",
    ":0",
    ":65536",
    ":99999",
    "://",
    "\u{0}",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "\u{202e}",
    "\u{feff}",
    "é",
    "😀",
    "\u{fffd}",
    "-1",
    "0x10",
    "1e309",
    "18446744073709551616",
    "null",
    "~",
    "true",
    "yes",
    "0.0.0.0",
    "localhost",
    "../",
    "/etc/passwd",
    "FROM ",
    "ARG ",
    "ENV ",
    "COPY ",
    "EXPOSE ",
    "HEALTHCHECK ",
    "services:\n",
    "environment:\n",
    "ports:\n",
    "depends_on:\n",
    "image: ",
    "\n====\n",
    "graph TD\n",
    "-->",
    "|---|---|\n",
    "process.env.",
    "os.environ[\"",
    "export ",
    "listen(",
    "proxy_pass ",
    "server {\n",
    "/health",
    "postgres://",
];

/// SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64, name: &str) -> Random {
        Random(name.bytes().fold(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), |all, byte| {
            all.wrapping_mul(31).wrapping_add(u64::from(byte))
        }))
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % limit.max(1) as u64).unwrap_or(0)
    }

    fn of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }
}

/// A seed with some changes.
pub(crate) fn input(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut text = random.of(seeds).clone();
    for _ in 0..=random.below(8) {
        change(&mut text, seeds, random);
    }
    text.truncate(64 * 1024);
    text
}

/// A piece of a seed, again and again.
pub(crate) fn long(seeds: &[Vec<u8>], length: usize, random: &mut Random) -> Vec<u8> {
    let mut seed = random.of(seeds).clone();
    change(&mut seed, seeds, random);
    let (from, to) = range(&seed, random);
    let mut piece = seed[from..to].to_vec();
    if piece.is_empty() {
        piece = random.of(WORDS).as_bytes().to_vec();
    }
    let head = seed.len().min(1 + random.below(400));
    let mut text = seed[..head].to_vec();
    while text.len() + piece.len() < length {
        text.extend_from_slice(&piece);
    }
    text
}

/// At most a few lines, behind the byte that chooses the path.
fn range(text: &[u8], random: &mut Random) -> (usize, usize) {
    let from = 1 + random.below(text.len());
    let longest = *random.of(&[12, 300]);
    let to = (from + 1 + random.below(longest)).min(text.len());
    (from.min(to), to)
}

fn change(text: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    if text.is_empty() {
        text.push(0);
    }
    let (from, to) = range(text, random);
    match random.below(10) {
        0 => {
            text.drain(from..to);
        }
        1 => {
            let piece = text[from..to].repeat(1 + random.below(40));
            text.splice(from..from, piece);
        }
        2 => {
            let other = random.of(seeds);
            let (start, end) = range(other, random);
            let piece = other[start..end].to_vec();
            text.splice(from..to, piece);
        }
        3 => {
            if let Some(byte) = text.get_mut(from) {
                *byte ^= 1 << random.below(8);
            }
        }
        4 => text.truncate(to),
        5 => {
            let lines: Vec<Vec<u8>> = text[1..].split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
            let moved = random.of(&lines).clone();
            text.splice(from..from, [b"\n".to_vec(), moved, b"\n".to_vec()].concat());
        }
        6 => {
            let many = random.of(WORDS).repeat(1 + random.below(300));
            text.splice(from..from, many.into_bytes());
        }
        _ => {
            let word = random.of(WORDS);
            text.splice(from..from, word.bytes());
        }
    }
}
